"""A folder with one file per flow, which a second run goes on from.

A small file beside the flows says what made them. Flows made by another model, with other settings or from another
input are never taken over.
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
        made_by: what makes the flows; compared with what an earlier run has recorded.
        force: replace what is there instead of going on from it.

    Raises:
        UsageError: the folder holds flows that were made differently, or pictures that would be replaced.
        OutputError: the folder cannot be written to.
    """

    def __init__(self, folder: Path, flow_format: FlowFormat, made_by: dict[str, object], *, force: bool) -> None:
        self.folder = folder
        self._format = flow_format
        self._resume = flow_format == "flo" and not force
        if not force:
            self._refuse_other_flows(made_by)
        write_bytes(folder / RECORD, json.dumps(made_by, indent=1).encode())

    def _refuse_other_flows(self, made_by: dict[str, object]) -> None:
        if self._format == "png" and any(self.folder.glob("*.png")):
            raise UsageError(f"{self.folder} holds .png files already; add --force to replace them")
        try:
            recorded = json.loads((self.folder / RECORD).read_text("utf-8"))
        except (OSError, ValueError):
            return  # nothing is recorded
        changed = [name for name in made_by if not isinstance(recorded, dict) or recorded.get(name) != made_by[name]]
        if changed:
            raise UsageError(
                f"the flows in {self.folder} were made with another {', '.join(changed)}; "
                "choose another folder, or add --force to replace them"
            )

    def path(self, name: str) -> Path:
        """Where the flow of the frame called ``name`` belongs."""
        return self.folder / f"{name}.{self._format}"

    def ready(self, name: str, size: tuple[int, int]) -> Flow | None:
        """The flow that an earlier run has left for a frame of ``size`` (height, width), if it is whole."""
        if not self._resume:
            return None
        try:
            flow = read_flow(self.path(name))
        except InputError:  # not there, or not whole
            return None
        if flow.shape[:2] != size:
            raise UsageError(
                f"{self.path(name)} belongs to frames of another size; choose another folder, or add --force"
            )
        return flow

    def write(self, name: str, flow: Flow, max_flow: float | None) -> None:
        """Write a flow; raises ``OutputError``."""
        write_flow(self.path(name), flow, max_flow=max_flow)
