"""Tasks, pairs of frames or whole videos, and their outcomes: plain data that can be sent to another process."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ..choices import Status
from ..errors import FlowcliError
from ..frames.entry import Entry
from ..frames.selection import EVERYTHING, Selection
from ..results import FlowStatistics, PairResult, VideoResult
from .glance import Glance


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
class Part:
    """A part of a long video: the flow of some of its frames, by their positions among those that are used."""

    start: int
    stop: int | None
    """The first frame after it; ``None``: it is the last part."""

    entry: Entry | None
    """Where decoding begins; ``None`` for the beginning."""


@dataclass(frozen=True)
class VideoTask:
    """A video of a batch, by name."""

    number: int
    """The number of the item in the input, from 0."""

    video: Path | None
    """The video; ``None`` if unknown."""

    out: Path | None = None
    """The folder of its flow, relative to the output folder of the run; ``None`` until it has been named."""

    below: Path = Path()
    """The folder, relative to the output folder, that it is named in."""

    selection: Selection = EVERYTHING
    """The frames to use."""

    origin: str | None = None
    """The source of the item, such as ``videos.csv, line 3``."""

    part: Part | None = None
    """The part of the video to do; ``None`` for all of it."""

    parts: tuple[Part, ...] = ()
    """All parts, if it has been done in parts, and they are to be joined; or, with ``whole``, given up."""

    whole: int | None = None
    """For a video that must not be cut into parts, since one of them was damaged: how many frames it seemed to have."""

    error: FlowcliError | None = None
    """Why the task cannot be done."""


Item = Task | VideoTask
"""An item of a batch."""


@dataclass(frozen=True)
class Completion:
    """What there is of a video that is complete."""

    out: str
    """Its name."""

    made_from: str
    """Identifies the video and the frames that were asked for; see :func:`flowcli.run.completed.identity`."""

    first: int
    """The number of its first frame."""

    frames: int
    """How many frames there were."""

    height: int
    width: int


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

    glance: Glance | None = None
    """What a report shows of the flow, if requested."""

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


@dataclass(frozen=True)
class VideoOutcome:
    """The outcome of a video of a batch."""

    task: VideoTask
    status: Status
    outputs: tuple[Path, ...] = ()
    """The flow video and the folder of flow, as far as they were asked for."""

    pairs: int = 0
    """The number of its pairs: of those done and of those skipped."""

    done: int = 0
    """The number of pairs estimated."""

    failed: int = 0
    """The number of pairs that could not be written."""

    windows: int = 0
    """The number of windows estimated."""

    loss: str | None = None
    """One line that says what the output format cannot store of a flow."""

    largest_flow: float = 0.0
    """The length of the longest vector, in pixels."""

    max_flow: float | None = None
    """The colour scale, in pixels, if there are pictures."""

    levels: str | None = None
    """The levels of the frames, if there are any."""

    size: tuple[int, int] | None = None
    """The height and width of the flow."""

    parts: tuple[Part, ...] = ()
    """The parts to do it in, if it is so long that it has not been done."""

    completion: Completion | None = None
    """What later runs need to know of it, if it is complete."""

    error: FlowcliError | None = None
    """Why the task failed."""

    def result(self) -> VideoResult:
        """The outcome in the form that commands report."""
        task = self.task
        height, width = self.size or (None, None)
        return VideoResult(
            item=task.number,
            status=self.status,
            error=None if self.error is None else self.error.with_flags(),
            video=task.video,
            origin=task.origin,
            outputs=self.outputs,
            pairs=self.pairs,
            done=self.done,
            skipped=self.pairs - self.done,
            windows=self.windows,
            loss=self.loss,
            largest_flow=round(self.largest_flow, 3),
            max_flow=self.max_flow,
            levels=self.levels,
            width=width,
            height=height,
        )


def made_from(frame1: Path, frame2: Path) -> str:
    """A short text that identifies two frames: their names and parent folders, but not where those are."""
    return made_from_labels(frame_label(frame1), frame_label(frame2))


def made_from_labels(label1: str, label2: str) -> str:
    """As :func:`made_from`, by the labels of the frames."""
    return f"{label1} -> {label2}"


def frame_label(path: Path) -> str:
    """The name of a frame and of its parent folder."""
    parts = path.parts
    return "/".join((parts if len(parts) > 1 else path.absolute().parts)[-2:])
