"""A pair of frames, for a page that shows it: its flow is there, or is estimated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from ..arrays import check_same_size, size_of
from ..errors import InputError
from ..estimator import FlowEstimator
from ..flows.formats import FlowOptions
from ..flows.io import files_to_read, read_flow
from ..flows.occlusion import occluded
from ..frames.reading import Reading
from ..pairs import FramePair
from ..view.viewer import Moment
from .runner import Work, estimate_both
from .tasks import Task
from .view_sources import OnWindow, distinct_names, facts_of, moment_of, use_of


@dataclass
class GivenFlows:
    """Flow files of the same two frames. A :class:`Source`."""

    files: tuple[Path, ...]
    frames: tuple[Path | None, Path | None] = (None, None)
    truth: Path | None = None
    back: Path | None = None
    """The flow from frame 2 to frame 1; it shows what is hidden."""

    reading: Reading = Reading()
    options: FlowOptions = FlowOptions()
    rate: Fraction | None = None
    count: int = 1
    windows: int | None = 0
    problem: InputError | None = None
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Name the flows."""
        self.names = distinct_names(self.files)
        self.title = ", ".join(self.names)
        given = [path for path in (*self.files, self.truth, self.back) if path is not None]
        frames = [frame for frame in self.frames if frame is not None]
        self.inputs: tuple[Path, ...] = (*(file for path in given for file in files_to_read(path)), *frames)
        self.facts = facts_of(flow=self.files, frames=frames, truth=[self.truth])

    def moments(self, _on_window: OnWindow | None = None) -> Iterator[Moment]:
        """The one moment; raises ``InputError``."""
        flows = [read_flow(file, self.options) for file in self.files]
        truth = None if self.truth is None else read_flow(self.truth, self.options)
        back = None if self.back is None else read_flow(self.back, self.options)
        there = [frame for frame in self.frames if frame is not None]
        read = dict(zip(there, self.reading.read_all(there)[0], strict=True)) if there else {}
        others = [*zip(self.files, flows, strict=True), (self.truth, truth), (self.back, back), *read.items()]
        for name, array in others:
            if array is not None:
                check_same_size(self.files[0], flows[0].shape, name, array.shape)
        frame1, frame2 = (None if frame is None else read[frame] for frame in self.frames)
        hidden = () if back is None else tuple(occluded(flow, back) for flow in flows)
        yield Moment(self.title, tuple(flows), frame1, frame2, truth, hidden)


@dataclass
class EstimatedPair:
    """Two frames, whose flow is estimated. A :class:`Source`."""

    estimator: FlowEstimator
    files: tuple[Path, Path]
    frames: FramePair
    truth: Path | None = None
    is_mutual: bool = True
    """Whether the opposite flow is estimated too, which shows what is hidden."""

    options: FlowOptions = FlowOptions()
    rate: Fraction | None = None
    count: int = 1
    windows: int | None = 0
    problem: InputError | None = None
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Name the flow after its model."""
        self.names: tuple[str, ...] = (self.estimator.model.name,)
        self.title = f"{self.files[0].name}, {self.files[1].name}"
        self.inputs: tuple[Path, ...] = (*self.files, *([] if self.truth is None else files_to_read(self.truth)))
        self.windows = self.estimator.windows_for(size_of(self.frames[0])) * (2 if self.is_mutual else 1)
        self.facts = facts_of(frames=self.files, truth=[self.truth]) | use_of(self.estimator)

    def moments(self, on_window: OnWindow | None = None) -> Iterator[Moment]:
        """The one moment; raises as :meth:`flowcli.estimator.FlowEstimator.estimate`."""
        truth = None if self.truth is None else read_flow(self.truth, self.options)
        if truth is not None:
            check_same_size(self.files[0], self.frames[0].shape, self.truth, truth.shape)
        work = Work(Task(0, *self.files), self.frames, is_mutual=self.is_mutual)
        for estimated in estimate_both(self.estimator, [work], on_window=on_window):
            yield moment_of(estimated, self.title, self.frames, truth)
