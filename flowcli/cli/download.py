"""The progress of a download."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .console import Advance, console

if TYPE_CHECKING:
    from ..models.perceiver.hub import Progress


@contextlib.contextmanager
def download_progress() -> Iterator[Progress]:
    """Give a function that shows the progress of each file that it is told of."""
    with contextlib.ExitStack() as shown:
        bars: dict[str, Advance] = {}
        received: dict[str, int] = {}

        def report(filename: str, done: int, total: int | None) -> None:
            if filename not in bars:
                size = f", {total / 1e6:.1f} MB" if total else ""
                console.note(f"downloading {filename}{size}")
                bars[filename] = shown.enter_context(console.progress(filename, total, "bytes"))
                received[filename] = 0
            bars[filename](done - received[filename])
            received[filename] = done

        yield report
