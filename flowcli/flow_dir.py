"""A folder with one file per flow, which a second run goes on from.

A small file beside the flows, the record, says what made them. A flow is taken over only if the record says that it
was made in the same way, and if it is newer than the record and than the frames that it was made from. Files that no
run has recorded are never taken for flows of this video.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from .arrays import Flow
from .errors import InputError, UsageError
from .files import write_bytes
from .flow_io import read_flow, write_flow

FlowFormat = Literal["flo", "png"]

RECORD = "flowcli.json"


class FlowDir:
    """The flows of one video.

    Args:
        folder: where they are.
        flow_format: ``flo`` for the numbers, ``png`` for colours, which cannot be gone on from.
        made_by: what makes the flows, in JSON's types; compared with the record of an earlier run.
        force: replace what is there instead of going on from it.

    Raises:
        UsageError: the folder holds flows that were made differently, or files that would be replaced.
        OutputError: the folder cannot be written to.
    """

    def __init__(self, folder: Path, flow_format: FlowFormat, made_by: dict[str, object], *, force: bool) -> None:
        self.folder = folder
        self._format = flow_format
        self._record = folder / RECORD
        go_on = not force and self._may_go_on(made_by)
        self._resume = go_on and flow_format == "flo"
        if go_on and flow_format == "png" and any(folder.glob("*.png")):
            raise UsageError(f"{folder} holds pictures of an earlier run; add --force to replace them")
        if not self._resume:
            write_bytes(self._record, json.dumps(made_by, indent=1).encode())
        self._since = self._record.stat().st_mtime_ns

    def _may_go_on(self, made_by: dict[str, object]) -> bool:
        """Whether a record allows it; without a record, nothing may be there that would be replaced."""
        try:
            recorded = json.loads(self._record.read_text("utf-8"))
        except (OSError, ValueError):
            recorded = None
        if isinstance(recorded, dict):
            changed = [name for name in made_by if recorded.get(name) != made_by[name]]
            if not changed:
                return True
            there = f"flows that were made with another {', '.join(changed)}"
        else:
            there = f"{self._format} files that no run of flowcli has recorded"
        if any(self.folder.glob(f"*.{self._format}")):
            raise UsageError(f"{self.folder} holds {there}; choose another folder, or add --force to replace them")
        return False

    def path(self, name: str) -> Path:
        """Where the flow of the frame called ``name`` belongs."""
        return self.folder / f"{name}.{self._format}"

    def ready(self, name: str, size: tuple[int, int], frames_changed: int) -> Flow | None:
        """The flow that an earlier run has left.

        Args:
            name: of the first frame.
            size: of the frames, height and width.
            frames_changed: when the files of the frames were last changed, in nanoseconds.

        Returns:
            ``None`` if it is not there, not whole, or older than the frames or the record.
        """
        if not self._resume:
            return None
        path = self.path(name)
        try:
            if path.stat().st_mtime_ns < max(self._since, frames_changed):
                return None
            flow = read_flow(path)
        except (OSError, InputError):  # not there, or not whole
            return None
        return flow if flow.shape[:2] == size else None

    def write(self, name: str, flow: Flow, max_flow: float | None) -> None:
        """Write a flow; raises ``OutputError``."""
        write_flow(self.path(name), flow, max_flow=max_flow)
