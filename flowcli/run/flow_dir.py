"""A folder with one file per flow of a video, which a second run goes on from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..arrays import Flow
from ..draw.outputs import write_output
from ..draw.style import Style
from ..errors import InputError, UsageError
from ..flows.io import FormatName, read_flow, suffix_of
from ..frames.sequence import TimedFrame
from .record import Record


class FlowDir:
    """The flows of one video.

    A flow is taken over from an earlier run only if that run's record says that it was made in the same way, and if
    it is whole and newer than the frames that it was made from. Files that no run has recorded are never taken for
    flows of this video.

    Args:
        folder: where they are.
        flow_format: what they are written as.
        made_by: what decides about their values; see :class:`flowcli.run.record.Record`.
        force: replace what is there instead of going on from it.

    Raises:
        UsageError: the folder holds flows that were made differently, or files that would be replaced.
    """

    def __init__(self, folder: Path, flow_format: FormatName, made_by: Mapping[str, object], *, force: bool) -> None:
        self._folder = folder
        self._format = flow_format
        self._suffix = suffix_of(flow_format)
        self._record = Record(folder, made_by, force=force)
        self._notes: Mapping[str, object] = {}
        self._resume = self._record.found and not force
        if not self._record.found and not force and any(folder.glob(f"*{self._suffix}")):
            raise UsageError(
                f"{folder} holds {flow_format} files that no run of flowcli has recorded; "
                "choose another folder, or add --force to replace them"
            )

    @property
    def max_flow(self) -> float | None:
        """The colour scale of an earlier run whose pictures are gone on from, if there was one."""
        value = self._record.notes.get("max_flow") if self._resume else None
        return float(value) if isinstance(value, int | float) else None

    def begin(self, notes: Mapping[str, object]) -> None:
        """Give the notes that go into the record when the first flow is written."""
        self._notes = notes

    def path(self, name: str) -> Path:
        """Where the flow of the frame called ``name`` belongs."""
        return self._folder / f"{name}{self._suffix}"

    def has(self, first: TimedFrame, second: TimedFrame) -> bool:
        """Whether an earlier run has left the flow of these frames."""
        if not self._resume:
            return False
        size = first.image.shape[0], first.image.shape[1]
        changed = max(first.changed, second.changed)
        return self._record.has(self.path(first.name), size, changed, _made_from(first, second))

    def read(self, name: str) -> Flow | None:
        """A flow that is there, or ``None`` if it cannot be read, as colours cannot."""
        if self._format == "png":
            return None
        try:
            return read_flow(self.path(name))
        except InputError:  # it has vanished, or is being replaced
            return None

    def write(self, first: TimedFrame, second: TimedFrame, flow: Flow, style: Style) -> str | None:
        """Write the flow of these frames, colours in ``style``; says what the format cannot hold.

        Raises ``OutputError``.
        """
        self._record.begin(self._notes)
        return write_output(
            self.path(first.name), flow, flow_format=self._format, style=style, made_from=_made_from(first, second)
        )


def _made_from(first: TimedFrame, second: TimedFrame) -> str:
    return f"{first.name} -> {second.name}"
