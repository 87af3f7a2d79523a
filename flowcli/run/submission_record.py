"""Remembers which files of a submission were made from which flow, in the folder of that flow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..places import is_remote
from ..storage import write_bytes

_NAME = ".flowcli-submission.json"

State = list[int]
"""When a file was changed, in nanoseconds, and how many bytes it has."""


@dataclass(frozen=True)
class Made:
    """What a file of a submission was made from."""

    sent: State | None = None
    """The file itself; ``None`` if it is not known to be complete."""

    flows: Mapping[str, State | None] = field(default_factory=dict)
    """The flows in it, by their names in the submission."""

    clipped: int = 0
    """How many of its vectors are clipped."""

    def is_current(self, sent: Path, flows: Mapping[str, Path]) -> bool:
        """Whether the file and its flows are as they were, so that it need not be made again."""
        now = {name: state_of(path) for name, path in flows.items()}
        return self.sent is not None and self.sent == state_of(sent) and None not in now.values() and now == self.flows


class SubmissionRecord:
    """The files that a submission has, or will have, by their names in it.

    Args:
        flow_folder: the folder of the flow.
        submission: the folder of the submission.
    """

    def __init__(self, flow_folder: Path, submission: Path) -> None:
        self._path = flow_folder / _NAME
        self._key = str(submission.resolve())
        self._all = _read(self._path)
        self.made: dict[str, Made] = {name: Made(**made) for name, made in self._all.get(self._key, {}).items()}

    def write(self) -> None:
        """Write it; raises ``OutputError``."""
        self._all[self._key] = {name: vars(made) for name, made in self.made.items()}
        write_bytes(self._path, json.dumps(self._all).encode())


def state_of(path: Path) -> State | None:
    """The state of a file; ``None`` if it is not there, or elsewhere, where clocks differ."""
    if is_remote(path):
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return [found.st_mtime_ns, found.st_size]


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """The record; empty if it is not there or damaged, and nothing is known then."""
    try:
        found = json.loads(path.read_bytes())
        return {str(key): {name: vars(Made(**made)) for name, made in files.items()} for key, files in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
