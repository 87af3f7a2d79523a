"""Tasks and their outcomes: plain data that can be sent to another process."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ..choices import Status
from ..errors import FlowcliError
from ..results import FlowStatistics, PairResult


@dataclass(frozen=True)
class Task:
    """A pair of frames to estimate, by name."""

    number: int
    """The number of the pair in the input, from 0."""

    frame1: Path | None
    """The frame that the flow leads from: a file, or a frame number of a video; ``None`` if unknown."""

    frame2: Path | None
    """The frame that the flow leads to."""

    out: Path | None = None
    """The output, relative to the output folder of the run."""

    origin: str | None = None
    """The source of the pair, such as ``pairs.csv, line 3``."""

    made_from: str | None = None
    """Identifies the frames; stored with the output, see :func:`flowcli.storage.noted_made_from`."""

    is_zero: bool = False
    """Whether its flow is no motion, for a frame of a sequence that has no partner."""

    time: Fraction | None = None
    """The time of frame 1, in seconds since the input's first frame."""

    error: FlowcliError | None = None
    """Why the task cannot be done."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of a task."""

    task: Task
    status: Status
    outputs: tuple[Path, ...] = ()
    """Files written for the task, or kept from an earlier run."""

    windows: int = 0
    """The number of windows estimated."""

    loss: str | None = None
    """One line that says what the output format cannot store of the flow."""

    largest_flow: float = 0.0
    """The length of the longest vector, in pixels."""

    statistics: FlowStatistics | None = None
    """Statistics of the flow, if requested."""

    error: FlowcliError | None = None
    """Why the task failed."""

    def result(self) -> PairResult:
        """The outcome in the form that commands report."""
        task = self.task
        return PairResult(
            pair=task.number,
            status=self.status,
            error=None if self.error is None else self.error.with_flags(),
            frame1=task.frame1,
            frame2=task.frame2,
            time=None if task.time is None else float(task.time),
            origin=task.origin,
            outputs=self.outputs,
            windows=self.windows,
            loss=self.loss,
            flow=self.statistics,
        )


def made_from(frame1: Path, frame2: Path) -> str:
    """A short text that identifies two frames: their names and parent folders, but not where those are."""
    return " -> ".join("/".join(frame.absolute().parts[-2:]) for frame in (frame1, frame2))
