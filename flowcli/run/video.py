"""Estimates the flow of a video and writes a flow video, a folder of flow files, or both."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from ..arrays import Flow, check_same_size, size_of
from ..choices import FlowFormatName, Layout
from ..draw.style import Style, lay_out
from ..draw.video_writer import VIDEO_SUFFIXES, VideoWriter, written_video
from ..errors import FlowcliError, InputError, UsageError
from ..estimator import FlowEstimator
from ..flows.formats import FlowOptions
from ..flows.occlusion import occluded
from ..frames.files import IMAGE_SUFFIXES
from ..frames.opening import open_source
from ..frames.reading import Reading
from ..frames.sequence import ImageSequence
from ..frames.source import DamagedError, FrameSource, TimedFrame
from ..places import file_only, is_name, place
from ..results import PairResult, VideoSummary
from ..storage import check_outputs, check_suffix, check_writable
from .colour_scale import choose_max_flow
from .consistency import Consistency
from .flow_folder import FlowFiles, FlowFolder
from .names import Named
from .pairing import Pairing, Plan
from .runner import Totals, Work, run
from .sequence import FlowPair, no_pairs, pairs
from .tasks import Outcome, Task, made_from


@dataclass(frozen=True)
class VideoOutputs:
    """The outputs of a video. Plain data."""

    video: Path | None = None
    """The video to write; its suffix is one of ``VIDEO_SUFFIXES``."""

    flow_dir: Path | None = None
    """A folder for the flow files, one per pair."""

    flow_format: FlowFormatName | None = None
    """The format of the flow files; ``None`` for the one that ``names`` says, or ``flo``."""

    options: FlowOptions = FlowOptions()
    """How flow files of formats with options are written."""

    layout: Layout = "flow"
    """What each frame of the video shows."""

    style: Style = Style()
    """How flow is drawn; without a ``max_flow``, one is chosen for the whole video."""

    force: bool = False
    """Whether to overwrite existing outputs."""

    adopt: bool = False
    """Whether to keep complete flow files of the right size that no run has recorded."""

    names: str | None = None
    """A template for names in ``flow_dir``, such as ``{frame:05d}_{direction}.npz``; see
    :data:`flowcli.run.names.FIELDS`."""

    pairing: Pairing = Pairing()
    """Which frames are paired."""

    consistency: Consistency = Consistency()
    """What is stored of the forward-backward check."""

    def __post_init__(self) -> None:
        """Take the names of files as well."""
        for name in ("video", "flow_dir"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, file_only(value))

    @property
    def has_pictures(self) -> bool:
        """Whether any output shows flow as colours."""
        return self.video is not None or (self.flow_dir is not None and self.files.kind == "picture")

    @functools.cached_property
    def files(self) -> FlowFiles:
        """Which files ``flow_dir`` gets."""
        return FlowFiles(self.flow_format, self.names, self.pairing, self.consistency, self.options)

    @property
    def paths(self) -> tuple[Path, ...]:
        """The output video and folder, as far as requested."""
        return tuple(path for path in (self.video, self.flow_dir) if path is not None)

    def check(self, source: FrameSource | Path) -> None:
        """Check, before anything is computed, that all outputs can be written.

        Args:
            source: the input, which is never overwritten.

        Raises:
            UsageError: there is no output, the video exists and ``force`` is false, an output is the input, or the
                arguments exclude each other.
            OutputError: an output cannot be written, or has an unknown suffix.
        """
        if not self.paths:
            raise UsageError("nothing to write: give `out`, `flow_dir`, or both")
        files = self.files
        if self.video is not None and self.pairing.single_gap is None:
            raise UsageError("`out` shows the flow of one gap; give `flow_dir` alone, or a single `gap`")
        if self.flow_dir is None and (self.names is not None or self.consistency.is_wanted):
            raise UsageError("`names`, `mask` and `consistency` are for files; give `flow_dir`")
        path = source if is_name(source) else source.path
        if self.video is not None:
            check_suffix(self.video, VIDEO_SUFFIXES)
            if self.flow_dir is not None and self.flow_dir.resolve() == self.video.resolve():
                raise UsageError(f"`out` and `flow_dir` are both {self.video}; give them different names")
            check_outputs([self.video], force=self.force, inputs=[path])
        if self.flow_dir is not None:
            check_writable(self.flow_dir)
            suffix = Path(files.template.text).suffix.lower()
            if isinstance(source, ImageSequence) and (suffix in IMAGE_SUFFIXES or suffix == ".exr"):
                folders = {file.resolve().parent for file in source.files}
                if self.flow_dir.resolve() in folders:
                    raise UsageError(f"{self.flow_dir} contains the input's frames; choose another `flow_dir`")
        if not is_name(source) and self.flow_dir is not None:
            files.check_distinct(source)


def estimate_video(
    estimator: FlowEstimator,
    source: FrameSource | Path | str,
    outputs: VideoOutputs,
    *,
    reading: Reading = Reading(),
    on_pair: Callable[[PairResult], None] | None = None,
    wants_statistics: bool = False,
) -> VideoSummary:
    """Estimate the flow of all consecutive frames: N frames give N - 1 flows, each shown at the time of its frame 1.

    Memory does not grow with the length of the video. If the video is damaged after the first pair, the outputs are
    completed with the pairs before the damage, and the summary's ``problem`` is an ``InputError``.

    Args:
        estimator: computes the flow.
        source: a video, or its path as for :func:`flowcli.frames.opening.open_source`.
        outputs: what to write.
        reading: how the frames of a path are read; a source that is open has its own.
        on_pair: called in the writing thread after each pair.
        wants_statistics: whether ``on_pair`` gets statistics of the flow.

    Returns:
        The counts of done and skipped pairs, and the settings.

    Raises:
        InputError: there are fewer than two frames, or the first two cannot be read or differ in size.
        UsageError: an output exists, or the flow folder contains flow made with other settings, or that no run has
            recorded.
        OutputError: an output cannot be written.
        DeviceError: the device's memory cannot hold even one window.
    """
    frames = open_source(place(source), reading=reading) if is_name(source) else source
    outputs.check(frames)
    job = _VideoJob(estimator, frames, outputs)

    def report(outcome: Outcome) -> None:
        if on_pair is not None:
            on_pair(outcome.result())

    with job.opened():
        totals = run(estimator, job.work(), job.write, on_outcome=report, wants_statistics=wants_statistics)
    return job.summary(totals)


class _VideoJob:
    """A video in progress."""

    def __init__(self, estimator: FlowEstimator, source: FrameSource, outputs: VideoOutputs) -> None:
        self._estimator = estimator
        self._source = source
        self._outputs = outputs
        self._files = outputs.files
        self._folder = _open_folder(estimator, source, outputs)
        source.reading = source.reading.settled(source.sample_values, self._noted("levels"))
        self._style = replace(outputs.style, max_flow=self._max_flow())
        if self._folder is not None:
            self._folder.style = self._style
        self._writer: VideoWriter | None = None
        self._start: Fraction | None = None
        self._size = (0, 0)
        self._padded = False
        self._damage: FlowcliError | None = None
        self._count = 0

    def _max_flow(self) -> float | None:
        """The common colour scale: as given, or as recorded by an earlier run, or chosen now."""
        if self._outputs.style.max_flow is not None or not self._outputs.has_pictures:
            return self._outputs.style.max_flow
        noted = self._noted("max_flow") if self._files.kind == "picture" else None
        return float(noted) if isinstance(noted, int | float) else self._chosen_max_flow()

    def _chosen_max_flow(self) -> float:
        distance = self._outputs.pairing.distance(self._source.count)
        return choose_max_flow(self._estimator, self._source, distance)

    def _noted(self, name: str) -> object:
        """What an earlier run that this one resumes has noted under a name; ``None`` if nothing."""
        return None if self._folder is None else self._folder.noted(name)

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Keep the output video open while the block runs; it gets its final name if the block succeeds."""
        path = self._outputs.video
        if path is None:
            yield
            return
        rate = self._source.rate / self._source.selection.stride
        with written_video(path, rate, self._source.time_base) as self._writer:
            yield
        self._padded = self._writer.padded

    def work(self) -> Iterator[Work]:
        """The pairs of frames; damage after the first pair ends them and is reported in the summary."""
        try:
            for pair in pairs(self._source, self._outputs.pairing):
                if pair.opposite is None or self._needs_both:
                    yield self._work(pair)
                else:  # each for itself, so that one alone can be skipped
                    yield self._work(replace(pair, opposite=None))
                    yield self._work(pair.opposite)
        except DamagedError as error:
            if not self._count:
                raise
            self._damage = InputError(f"{error.message}; the outputs contain the {self._count} pairs before that")
        if not self._count:
            raise no_pairs(self._source, self._outputs.pairing)

    @property
    def _needs_both(self) -> bool:
        """Whether a file of flow says something of the other direction."""
        form = self._files.form
        return self._outputs.consistency.is_wanted or (form is not None and form.encode_both is not None)

    def _work(self, pair: FlowPair) -> Work:
        """The work of a pair and of its opposite."""
        first, second = pair.first, pair.second
        names = f"{self._source.path}: frame {first.name}", f"frame {second.name}"
        try:
            check_same_size(names[0], first.image.shape, names[1], second.image.shape)
        except InputError as error:
            raise DamagedError(error.message) from error
        if not self._count:
            self._begin(pair)
        work = self._task(pair)
        if pair.opposite is not None:
            work = replace(work, opposite=self._task(pair.opposite), is_mutual=True)
        frames = first.image, second.image
        shown = pair.frame.image if self._writer is not None else None
        hidden = self._outputs.layout == "occlusion" and self._writer is not None
        is_mutual = work.is_mutual or hidden or (self._outputs.consistency.is_wanted and not work.is_there)
        if hidden and not pair.index.is_zero:
            work = replace(work, flow=None)  # both directions are needed, whatever is there
        return replace(work, frames=frames, shown=shown, is_mutual=is_mutual and not pair.index.is_zero)

    def _begin(self, pair: FlowPair) -> None:
        """What is known with the first pair."""
        self._size = size_of(pair.first.image)
        if self._writer is not None:
            self._writer.pixel_aspect = pair.frame.pixel_aspect
        if self._folder is not None and self._source.count is not None:
            flows = Plan(self._outputs.pairing).total(self._source.count)
            self._folder.check_room(flows, flows * self._size[0] * self._size[1])

    def _task(self, pair: FlowPair) -> Work:
        """The task of one flow, and what there is of its outputs."""
        named = Named(
            pair.frame.number, pair.second.number, pair.index.gap, pair.frame.name, pair.second.name, self._count
        )
        task = Task(
            self._count,
            pair.first.file or Path(pair.first.name),
            pair.second.file or Path(pair.second.name),
            out=self._files.name(named),
            made_from=_names(pair.first, pair.second),
            time=pair.frame.time,
        )
        self._count += 1
        flow = np.zeros((*size_of(pair.first.image), 2), np.float32) if pair.index.is_zero else None
        if self._folder is None or task.out is None:
            return Work(task, flow=flow)
        outputs = tuple(self._folder.folder / file for file in self._files.of(task.out))
        changed = max(pair.first.changed, pair.second.changed)
        is_there = self._folder.is_there(task.out, size_of(pair.first.image), changed, task.made_from)
        if is_there and flow is None and self._writer is not None:
            flow = self._folder.read(task.out)
        return Work(task, flow=flow, is_done=is_there and self._writer is None, is_there=is_there, outputs=outputs)

    def write(self, work: Work, flow: Flow, back: Flow | None) -> str | None:
        """Write a flow; see :data:`flowcli.run.runner.Write`."""
        loss = None
        if self._folder is not None and not work.is_there and work.task.out is not None:
            model = self._estimator.model
            noted = {"model": model.name, "revision": model.revision, **self._source.reading.note()}
            loss = self._folder.write(work.task.out, flow, back, work.task.made_from, noted)
        time = work.task.time
        if self._writer is not None and work.shown is not None and time is not None:
            self._start = time if self._start is None else self._start
            checked = self._outputs.consistency
            hidden = None
            if back is not None and self._outputs.layout == "occlusion":
                hidden = occluded(flow, back, relative=checked.relative, absolute=checked.absolute)
            picture = lay_out(work.shown, flow, self._outputs.layout, self._style, hidden)
            self._writer.write(picture, time - self._start)
        return loss

    def summary(self, totals: Totals) -> VideoSummary:
        """The summary of the run."""
        return VideoSummary(
            input=str(self._source.path),
            outputs=self._outputs.paths,
            max_flow=self._style.max_flow,
            levels=str(self._source.reading) or None,
            error=None if self._damage is None else self._damage.with_flags(),
            width=self._size[1],
            height=self._size[0],
            padded=self._padded,
            _problem=self._damage,
            **totals.fields(),
            **self._estimator.use(),
        )


def _open_folder(estimator: FlowEstimator, source: FrameSource, outputs: VideoOutputs) -> FlowFolder | None:
    if outputs.flow_dir is None:
        return None
    settings = {**estimator.settings(), "input": str(source.path.resolve()), "stride": source.selection.stride}
    settings |= {} if source.stream is None else {"stream": source.stream}
    settings |= source.reading.settings()
    if outputs.files.counts and source.selection.start:
        settings["start"] = str(source.selection.start)
    if outputs.pairing.pad != "none":  # which depends on where the sequence ends
        settings |= {"end": str(source.selection.end), "frames": source.count}
    folder = FlowFolder(outputs.flow_dir, outputs.files, outputs.style, force=outputs.force, adopt=outputs.adopt)
    folder.expect(settings)
    return folder


def _names(first: TimedFrame, second: TimedFrame) -> str:
    """Identifies the frames of a pair: files with their folders, frames of a video by their numbers."""
    if first.file is None or second.file is None:
        return f"{first.name} -> {second.name}"
    return made_from(first.file, second.file)
