"""The failures of a run over a folder of a bucket, where nothing can be appended to and nothing locked.

Each run keeps a list of its own there, as an object that it replaces. At its end it also clears the lists of earlier
runs of what it has dealt with.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ..errors import InputError, OutputError
from ..places import is_remote
from ..storage import is_out_of_room, output_errors
from .failures import FAILURES, Failures

if TYPE_CHECKING:
    from ..remote import Remote

_OWN = ".flowcli-failures-"  # how the names of the lists begin
_SECONDS = 5.0  # between two versions of a list that grows


def failures_of(folder: Path) -> Failures:
    """The failures of a run over ``folder``."""
    return BucketFailures(folder) if is_remote(folder) else Failures(folder)


class BucketFailures(Failures):
    """The failures of a run over a folder of a bucket; written as they happen, but not more often than every 5 s."""

    def __init__(self, folder: Remote) -> None:
        super().__init__(cast(Path, folder))
        self._bucket = folder
        self._own = folder / f"{_OWN}{secrets.token_hex(6)}.jsonl"
        self._written: float | None = None
        self._count = 0  # of lines that are written
        self.path = cast(Path, self._own)

    def __exit__(self, *raised: object) -> None:
        """Write what is not yet written, and put the lists of earlier runs in order, unless the store is gone."""
        error = raised[1] if raised else None
        if isinstance(error, OutputError) and is_out_of_room(error):
            return
        with contextlib.suppress(OutputError, OSError, InputError):
            self._write()
            for path in self._lists():
                self._clear(path)

    def _earlier(self) -> Iterator[str]:
        lists: list[Remote] = []
        with contextlib.suppress(OSError, InputError):
            lists = self._lists()
        for path in lists:
            with contextlib.suppress(OSError, InputError):  # another run may just have removed it
                yield from _lines(path)

    def _lists(self) -> list[Remote]:
        """The lists of other runs."""
        copied = self._bucket / FAILURES  # from a folder of files
        found = [*self._bucket.beginning_with(_OWN), *([copied] if copied.exists() else [])]
        return [path for path in found if path.name != self._own.name]

    def _add(self, number: int, entry: dict[str, object]) -> None:
        self._ours.append((number, json.dumps(entry) + "\n"))
        if self._written is None or time.monotonic() - self._written >= _SECONDS:
            self._write()

    def _write(self) -> None:
        if len(self._ours) > self._count:
            with output_errors(self._own):
                self._own.write_bytes("".join(self._in_order()).encode())
            self._written, self._count = time.monotonic(), len(self._ours)

    def _clear(self, path: Remote) -> None:
        """Remove what this run has dealt with from the list of another one."""
        lines = _lines(path)
        kept = [line for line in lines if not self._is_outdated(line)]
        if not kept:
            path.unlink(missing_ok=True)
        elif len(kept) < len(lines):
            path.write_bytes("".join(kept).encode())


def _lines(path: Remote) -> list[str]:
    return path.read_text("utf-8", errors="replace").splitlines(keepends=True)
