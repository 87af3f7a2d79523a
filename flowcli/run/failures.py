"""The list of a batch's failures, ``failures.jsonl``, which several runs over one folder share.

Its lines are items of a manifest, so that the list itself can be given to a batch.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import BinaryIO

from ..errors import OutputError
from ..storage import guarded, why, write_bytes
from .tasks import Outcome

FAILURES = "failures.jsonl"


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
        if not self._folder.is_dir():
            return
        with contextlib.suppress(OutputError, OSError), guarded(self.path):
            lines = [line for line in self._read() if not self._is_outdated(line)] + self._ours
            if lines:
                write_bytes(self.path, "".join(lines).encode())
            else:
                self.path.unlink(missing_ok=True)

    def note(self, outcome: Outcome) -> None:
        """Note that this run has dealt with a task, and list it if it failed; raises ``OutputError``."""
        task, error = outcome.task, outcome.error
        self._handled.update(str(name) for name in (task.origin, task.out) if name is not None)
        if error is None:
            return
        entry: dict[str, object] = {"origin": task.origin, "error": error.with_flags(), "exit_code": error.exit_code}
        if task.frame1 is not None and task.frame2 is not None:
            frames = {"frame1": str(task.frame1.absolute()), "frame2": str(task.frame2.absolute())}
            entry = {**frames, **({"out": str(task.out)} if task.out else {}), **entry}
        self._add(entry)

    def _add(self, entry: dict[str, object]) -> None:
        line = json.dumps(entry) + "\n"
        self._ours.append(line)
        try:
            with guarded(self.path), self.path.open("ab+") as file:
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


def _ends_well(file: BinaryIO) -> bool:
    """Whether a file that is open at its end is empty or ends with a whole line."""
    if not file.tell():
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
