"""A small file beside a folder's flows that says what made them, so that flows of different makings are never mixed.

A run that would make them differently is refused, or, when it is forced, marks what is there as outdated.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

from ..errors import InputError, UsageError
from ..flows.io import output_size
from ..storage import is_made_from, write_bytes

RECORD = "flowcli.json"


class Record:
    """The record of a folder of flows.

    Args:
        folder: where the flows are.
        made_by: what decides about the flows' values, in JSON's types; compared with the record of an earlier run.
        force: whether flows that were made differently may be replaced.

    Raises:
        UsageError: the folder's flows were made differently.
    """

    def __init__(self, folder: Path, made_by: Mapping[str, object], *, force: bool) -> None:
        self._path = folder / RECORD
        wanted: dict[str, object] = json.loads(json.dumps(dict(made_by)))
        recorded = self._read()
        before = recorded["made_by"] if recorded else {}
        changed = sorted(name for name in wanted.keys() & before.keys() if before[name] != wanted[name])
        if changed and not force:
            raise UsageError(
                f"{folder} holds flows that were made with another {', '.join(changed)}; "
                "choose another folder, or add --force to replace them"
            )
        self.found = wanted.keys() <= before.keys()
        """Whether an earlier run has recorded all that is asked for."""

        self.notes: Mapping[str, object] = recorded["notes"] if recorded else {}
        """What that run, or the one that wrote the record, noted beside."""

        # Flows and pictures of them, made by two runs, have one record.
        self._made_by = wanted if changed else {**before, **wanted}
        self._replaces = bool(changed) or bool(recorded and recorded.get("replaces_older"))
        self._is_current = self.found and not changed
        self._since = self._changed() if recorded and self._replaces and not changed else 0

    def _read(self) -> dict[str, dict[str, object]] | None:
        try:
            recorded = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):  # not there, or of something else
            return None
        is_ours = isinstance(recorded, dict) and all(isinstance(recorded.get(k), dict) for k in ("made_by", "notes"))
        return recorded if is_ours else None

    def _changed(self) -> int:
        return self._path.stat().st_mtime_ns

    def begin(self, notes: Mapping[str, object]) -> None:
        """Write the record, unless it says all of this already; raises ``OutputError``.

        Args:
            notes: what is worth knowing besides; it need not agree with an earlier run's.
        """
        if self._is_current:
            return
        self.notes = notes
        record = {"made_by": self._made_by, "replaces_older": self._replaces, "notes": dict(notes)}
        write_bytes(self._path, json.dumps(record, indent=1).encode())
        self._is_current = True
        self._since = self._changed() if self._replaces else 0

    def has(self, path: Path, size: tuple[int, int], frames_changed: int, made_from: str) -> bool:
        """Whether the output ``path`` is there, whole, of the right size, and made from these frames as recorded.

        Args:
            path: a flow or a picture.
            size: of the frames, height and width.
            frames_changed: when the files of the frames were last changed, in nanoseconds.
            made_from: the frames, as noted in the output.
        """
        try:
            made = path.stat().st_mtime_ns
            if frames_changed > time.time_ns():  # a clock was wrong, so it tells nothing
                frames_changed = 0
            if made < max(self._since, frames_changed) or not is_made_from(path, made_from):
                return False
            return output_size(path) == size
        except (OSError, InputError):  # not there, or not whole
            return False

    def is_whole(self, path: Path) -> bool:
        """Whether the output ``path`` is there, whole, and made as recorded, whatever its size."""
        try:
            return path.stat().st_mtime_ns >= self._since and min(output_size(path)) > 0
        except (OSError, InputError):
            return False
