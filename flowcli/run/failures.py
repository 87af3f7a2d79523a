"""The list of a batch's failures, ``failures.jsonl``, which several runs over one folder share.

Its lines are items of a manifest, so that the list itself can be given to a batch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..errors import OutputError
from ..frames.selection import format_position
from ..storage import guarded, write_bytes
from .fingerprints import Fingerprints
from .lines import append_line, entry_of, lines_of
from .tasks import Item, Outcome, VideoOutcome, VideoTask

FAILURES = "failures.jsonl"


class Failures:
    """The failures of a run over ``folder``, written as they happen.

    Used as a context manager: at the end, whatever the reason, failures of earlier runs leave the list if this run
    has dealt with their items. Of the items that do not fail, and were not listed before, nothing is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FAILURES
        self._folder = folder
        self._listed, self._handled = Fingerprints(), Fingerprints()
        self._ours: list[tuple[int, str]] = []  # with the items' numbers

    def __enter__(self) -> Failures:
        """See what earlier runs have listed."""
        for line in self._earlier():
            for name in _names_in(entry_of(line) or {}):
                self._listed.add(name)
        return self

    def __exit__(self, *_: object) -> None:
        """Put the list in order."""
        if not self._folder.is_dir():
            return
        with contextlib.suppress(OutputError, OSError), guarded(self.path):
            lines = [line for line in self._read() if not self._is_outdated(line)] + self._in_order()
            if lines:
                write_bytes(self.path, "".join(lines).encode())
            else:
                self.path.unlink(missing_ok=True)

    def note(self, outcome: Outcome | VideoOutcome) -> None:
        """Note that this run has dealt with an item, and list it if it failed; raises ``OutputError``."""
        task, error = outcome.task, outcome.error
        if error is not None or self._listed:
            for name in map(str, filter(None, (task.origin, task.out))):
                if error is not None or name in self._listed:
                    self._handled.add(name)
        if error is None:
            return
        entry = _row(task)
        if entry and task.out is not None:
            entry["out"] = str(task.out)
        entry |= {"origin": task.origin, "error": error.with_flags(), "exit_code": error.exit_code}
        self._add(task.number, entry)

    def _add(self, number: int, entry: dict[str, object]) -> None:
        self._ours.append((number, append_line(self.path, entry)))

    def _in_order(self) -> list[str]:
        """What this run has listed, in the order of the items."""
        return [line for _, line in sorted(self._ours)]

    def _earlier(self) -> Iterator[str]:
        """What is listed when the run begins."""
        yield from lines_of(self.path)

    def _read(self) -> list[str]:
        """What earlier runs, and others at the same time, have listed."""
        ours = {line for _, line in self._ours}
        return [line for line in lines_of(self.path) if line not in ours]

    def _is_outdated(self, line: str) -> bool:
        entry = entry_of(line)  # none where a line was cut off with the power
        return entry is None or any(name in self._handled for name in _names_in(entry))


def _names_in(entry: Mapping[str, object]) -> list[str]:
    """What identifies the item of an entry of the list: its output and its origin, as far as they are known."""
    return [name for name in (entry.get("out"), entry.get("origin")) if isinstance(name, str)]


def _row(task: Item) -> dict[str, object]:
    """The item as a row of a manifest, without its output; empty if it is unknown."""
    if isinstance(task, VideoTask):
        chosen = task.selection
        if task.video is None:
            return {}
        given = {
            "start": chosen.start or None,
            "end": chosen.end,
            "stride": chosen.stride if chosen.stride > 1 else None,
        }
        columns = {name: format_position(value) for name, value in given.items() if value is not None}
        return {"video": str(task.video.absolute()), **columns}
    if task.frame1 is None or task.frame2 is None:
        return {}
    return {"frame1": str(task.frame1.absolute()), "frame2": str(task.frame2.absolute())}
