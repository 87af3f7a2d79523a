"""The list of a batch's failures, ``failures.jsonl``, which several runs over one folder share.

Its lines are items of a manifest, so that the list itself can be given to a batch.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ..errors import OutputError
from ..storage import locked, why, write_bytes

FAILURES = "failures.jsonl"
LOCK = ".flowcli-failures.lock"


class Failures:
    """The failures of a run over ``folder``, written as they happen.

    Used as a context manager: at the end, whatever the reason, failures of earlier runs leave the list if this run
    has dealt with their items.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FAILURES
        self._folder = folder
        self._handled: set[str] = set()
        self._ours: list[str] = []

    def __enter__(self) -> Failures:
        """Start with none."""
        return self

    def __exit__(self, *_: object) -> None:
        """Put the list in order."""
        with contextlib.suppress(OutputError), self._locked():
            lines = [line for line in self._read() if not self._is_outdated(line)] + self._ours
            if lines:
                write_bytes(self.path, "".join(lines).encode())
            else:
                self.path.unlink(missing_ok=True)

    def handled(self, *names: str) -> None:
        """Note that this run has dealt with the item of this output or origin."""
        self._handled.update(names)

    def add(self, entry: dict[str, object]) -> None:
        """Append a failure; raises ``OutputError`` if it cannot be written."""
        line = json.dumps(entry) + "\n"
        self._ours.append(line)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._locked(), self.path.open("ab+") as file:
                file.write(b"" if _ends_well(file) else b"\n")
                file.write(line.encode())
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {why(error)}") from error

    def _read(self) -> list[str]:
        """What earlier runs, and others at the same time, have listed."""
        ours = set(self._ours)
        try:
            text = self.path.read_text("utf-8", errors="replace")
        except OSError:
            return []
        return [line + "\n" for line in text.splitlines() if line + "\n" not in ours]

    def _is_outdated(self, line: str) -> bool:
        try:
            entry = json.loads(line)
        except ValueError:  # cut off with the power
            return True
        return not isinstance(entry, dict) or not self._handled.isdisjoint({entry.get("out"), entry.get("origin")})

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other runs from the list; the lock is a file of its own, since the list itself is replaced."""
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(locked(self._folder / LOCK))
            except OSError as error:
                raise OutputError(f"cannot write {self.path}: {why(error)}") from error
            yield


def _ends_well(file: BinaryIO) -> bool:
    """Whether a file that is open at its end is empty or ends with a whole line."""
    if not file.tell():
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
