"""A sequence of frames, for a page that shows it: its flow is there, or is estimated."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from ..arrays import Flow, check_same_size
from ..errors import InputError, UsageError
from ..estimator import FlowEstimator
from ..flows.formats import FlowOptions
from ..flows.io import files_to_read, read_flow
from ..frames.files import is_frame
from ..frames.sequence import ImageSequence
from ..frames.source import DEFAULT_RATE, FrameSource, TimedFrame
from ..view.viewer import Moment
from .flow_sequence import FlowSequence
from .runner import Work, estimate_both
from .tasks import Task
from .view_sources import OnWindow, Source, distinct_names, facts_of, moment_of, use_of


@dataclass
class FlowFolders:
    """Folders with the flow of the same sequence. A :class:`Source`."""

    folders: tuple[Path, ...]
    source: FrameSource | None = None
    """The frames, if they are shown."""

    truth: Path | None = None
    options: FlowOptions = FlowOptions()
    fps: Fraction | None = None
    windows: int | None = 0
    problem: InputError | None = None
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Find the flows."""
        self._sequences = [FlowSequence(folder) for folder in self.folders]
        self._truth = None if self.truth is None else FlowSequence(self.truth)
        self.names = distinct_names(self.folders)
        self.title = ", ".join(self.names)
        everything = [*self._sequences, *([] if self._truth is None else [self._truth])]
        flows = [file for sequence in everything for path in sequence.files.values() for file in files_to_read(path)]
        self.inputs = (*flows, *_frames_of(self.source))
        self.rate: Fraction | None = self.fps or DEFAULT_RATE
        if self.source is not None:
            self.rate = self.source.rate / self.source.selection.stride
            self.source.reading = self.source.reading.settled(self.source.sample_values)
        self.count = len(self._sequences[0].files)
        shown = None if self.source is None else self.source.path
        self.facts = facts_of(flow=self.folders, frames=[shown], truth=[self.truth])

    def moments(self, _on_window: OnWindow | None = None) -> Iterator[Moment]:
        """The moments; raises ``InputError`` if not even the first can be made."""
        return _until_damaged(self, self._all())

    def _all(self) -> Iterator[Moment]:
        assert self.rate is not None
        if self.source is None:
            for number, name in enumerate(self._sequences[0].files):
                yield self._moment(number, name, name, (None, None), float(number / self.rate))
            return
        pairs = 0
        for number, (first, second) in enumerate(itertools.pairwise(self.source.frames())):
            yield self._moment(number, first.name, second.name, (first, second), float(first.time))
            pairs = number + 1
        for sequence in self._sequences:
            sequence.check_used_up(pairs)

    def _moment(
        self, number: int, first: str, second: str, frames: tuple[TimedFrame | None, TimedFrame | None], time: float
    ) -> Moment:
        files = [sequence.of(number, first, second)[1] for sequence in self._sequences]
        flows = [read_flow(file, self.options) for file in files]
        truth_file = None if self._truth is None else self._truth.of(number, first, second)[1]
        truth = None if truth_file is None else read_flow(truth_file, self.options)
        for name, flow in [*zip(files, flows, strict=True), (truth_file, truth)]:
            if flow is not None:
                check_same_size(files[0], flows[0].shape, name, flow.shape)
        images = [None if frame is None else frame.image for frame in frames]
        for frame in frames:
            if frame is not None:
                check_same_size(files[0], flows[0].shape, f"frame {frame.name}", frame.image.shape)
        return Moment(first, tuple(flows), images[0], images[1], truth, time=time)


@dataclass
class EstimatedSequence:
    """A video or a folder of frames, whose flow is estimated. A :class:`Source`."""

    estimator: FlowEstimator
    source: FrameSource
    truth: Path | None = None
    is_mutual: bool = False
    """Whether the opposite flow is estimated too, which shows what is hidden."""

    options: FlowOptions = FlowOptions()
    windows: int | None = None
    problem: InputError | None = None
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Name the flow after its model."""
        self._truth = None if self.truth is None else FlowSequence(self.truth)
        self.names: tuple[str, ...] = (self.estimator.model.name,)
        self.title = self.source.path.name or str(self.source.path)
        self.inputs = (*_frames_of(self.source), *([] if self._truth is None else self._truth.files.values()))
        self.rate: Fraction | None = self.source.rate / self.source.selection.stride
        self.source.reading = self.source.reading.settled(self.source.sample_values)
        self.count = max(1, (self.source.count or 100) - 1)
        self.facts = facts_of(frames=[self.source.path], truth=[self.truth]) | use_of(self.estimator)

    def moments(self, on_window: OnWindow | None = None) -> Iterator[Moment]:
        """The moments; raises ``InputError`` if not even the first can be made."""
        return _until_damaged(self, self._all(on_window))

    def _all(self, on_window: OnWindow | None) -> Iterator[Moment]:
        def work() -> Iterator[Work]:
            for number, (first, second) in enumerate(itertools.pairwise(self.source.frames())):
                task = Task(number, first.file, second.file)
                yield Work(task, (first.image, second.image), is_mutual=self.is_mutual, item=(first, second))

        for estimated in estimate_both(self.estimator, work(), on_window=on_window):
            first, second = estimated.work.item
            truth = self._true_flow(estimated.work.task.number, first, second)
            frames = first.image, second.image
            yield moment_of(estimated, first.name, frames, truth, float(first.time))

    def _true_flow(self, number: int, first: TimedFrame, second: TimedFrame) -> Flow | None:
        if self._truth is None:
            return None
        file = self._truth.of(number, first.name, second.name)[1]
        truth = read_flow(file, self.options)
        check_same_size(f"frame {first.name}", first.image.shape, file, truth.shape)
        return truth


def check_several(source: FrameSource) -> None:
    """Raise ``UsageError`` if a source is a picture of one frame, before a model is loaded in vain."""
    if is_frame(source.path) and source.path.is_file() and next(source.sample_pairs(1), None) is None:
        raise UsageError(
            f"{source.path} is a single frame; give two. Flow cannot be read from a picture of its colours"
        )


def _until_damaged(source: Source, moments: Iterator[Moment]) -> Iterator[Moment]:
    """The moments up to what cannot be read, which is noted; raises ``InputError`` if that is the first, or none is."""
    seen = 0
    shape = None
    try:
        for moment in moments:
            shape = shape or moment.flows[0].shape
            check_same_size("the first frame", shape, f"frame {moment.name}", moment.flows[0].shape)
            yield moment
            seen += 1
        if not seen:
            raise InputError(f"{source.title} has fewer than two frames; flow leads from one to the next")
    except InputError as error:
        if not seen:
            raise
        source.problem = InputError(f"{error.message}; the page shows the pairs before that: {seen}")
        source.notes.append(str(source.problem))


def _frames_of(source: FrameSource | None) -> Sequence[Path]:
    if source is None:
        return ()
    return source.files if isinstance(source, ImageSequence) else [source.path]
