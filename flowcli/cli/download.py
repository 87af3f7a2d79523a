"""Shows the progress of downloads."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .console import Advance, console

if TYPE_CHECKING:
    from ..models import Progress


@contextlib.contextmanager
def download_progress() -> Iterator[Progress]:
    """Show the progress of downloads while the block runs.

    Yields:
        The function to call as each file progresses.
    """
    with contextlib.ExitStack() as shown:
        current = ""
        received = 0
        advance: Advance | None = None

        def report(filename: str, done: int, total: int | None) -> None:
            nonlocal current, received, advance
            if filename != current or advance is None:
                shown.close()  # the bar of the previous file
                size = f", {total / 1e6:.1f} MB" if total else ""
                console.note(f"downloading {filename}{size}")
                advance = shown.enter_context(console.progress(filename, total, "bytes"))
                current, received = filename, 0
            advance(done - received)
            received = done

        yield report
