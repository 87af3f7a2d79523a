"""What a run is made of: tasks before, outcomes after. Plain data that can be sent to another process."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ..choices import Status
from ..errors import FlowcliError
from ..results import FlowStatistics, PairResult


@dataclass(frozen=True)
class Task:
    """A pair of frames, by name, whose flow is wanted."""

    number: int
    """Of the pair in the input, from 0."""

    frame1: Path | None
    """The frame that the flow leads from: a file, or the number of a video's frame; ``None`` if nobody knows."""

    frame2: Path | None
    """The frame that it leads to."""

    out: Path | None = None
    """The output, relative to the run's output folder."""

    origin: str | None = None
    """Where the pair is named, such as ``pairs.csv, line 3``."""

    made_from: str | None = None
    """The frames in short, as noted in the output; see :func:`flowcli.storage.is_made_from`."""

    time: Fraction | None = None
    """When frame 1 is shown, in seconds since the input's first frame."""

    error: FlowcliError | None = None
    """Why nothing can be made of it."""


@dataclass(frozen=True)
class Outcome:
    """What became of a task."""

    task: Task
    status: Status
    outputs: tuple[Path, ...] = ()
    """Files written for it, or found whole."""

    windows: int = 0
    """How many were estimated."""

    loss: str | None = None
    """What an output's format cannot hold of the flow."""

    largest_flow: float = 0.0
    """The length in pixels of the longest vector."""

    statistics: FlowStatistics | None = None
    """Of the flow, if they were asked for."""

    error: FlowcliError | None = None
    """Why it failed."""

    def result(self) -> PairResult:
        """The outcome as commands report it."""
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
    """The frames in short, with the folders that they are in, wherever those are."""
    return " -> ".join("/".join(frame.absolute().parts[-2:]) for frame in (frame1, frame2))
