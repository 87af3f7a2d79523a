"""Estimates the flow of a video and writes a flow video, a folder of flow files, or both."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from ..arrays import Flow, check_same_size, size_of
from ..choices import FlowFormatName, Layout
from ..draw.outputs import write_output
from ..draw.style import Style, lay_out
from ..draw.video_writer import VIDEO_SUFFIXES, VideoWriter, written_video
from ..errors import FlowcliError, InputError, UsageError
from ..estimator import FlowEstimator
from ..flows.formats import FlowOptions
from ..flows.io import PLACEHOLDER, files_of, form_for, read_flow, suffix_of
from ..frames.files import IMAGE_SUFFIXES
from ..frames.opening import open_source
from ..frames.reading import Reading
from ..frames.selection import EVERYTHING
from ..frames.sequence import ImageSequence
from ..frames.source import DamagedError, FrameSource, TimedFrame
from ..results import PairResult, VideoSummary
from ..storage import check_outputs, check_suffix, check_writable
from .colour_scale import choose_max_flow
from .record import Kind, Record, kind_of, settings_of
from .runner import Totals, Work, run
from .tasks import Outcome, Task, made_from


@dataclass(frozen=True)
class VideoOutputs:
    """The outputs of a video. Plain data."""

    video: Path | None = None
    """The video to write; its suffix is one of ``VIDEO_SUFFIXES``."""

    flow_dir: Path | None = None
    """A folder for the flow files, one per pair."""

    flow_format: FlowFormatName = "flo"
    """The format of the flow files."""

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

    def __post_init__(self) -> None:
        """Take the names of files as well."""
        for name in ("video", "flow_dir"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, Path(value))

    @property
    def has_pictures(self) -> bool:
        """Whether any output shows flow as colours."""
        return self.video is not None or (self.flow_dir is not None and self.kind == "picture")

    @property
    def kind(self) -> Kind:
        """The kind of the files in ``flow_dir``."""
        return kind_of(self.name("x", 0), self.flow_format)

    def name(self, frame: str, number: int) -> Path:
        """The name of the flow of a pair, relative to ``flow_dir``.

        Args:
            frame: the name of its first frame.
            number: the number of the pair, from 0.

        Returns:
            The frame's name with the format's suffix; for ``jpg`` the name that action recognition reads, with a number
            from 1.
        """
        if self.flow_format == "jpg":
            return Path(f"flow_{PLACEHOLDER}_{number + 1:05d}.jpg")
        return Path(f"{frame}{suffix_of(self.flow_format)}")

    def files(self, name: Path) -> tuple[Path, ...]:
        """The files of the flow with that name; none without ``flow_dir``."""
        return () if self.flow_dir is None else files_of(self.flow_dir / name, form_for(name, self.flow_format))

    @property
    def paths(self) -> tuple[Path, ...]:
        """The output video and folder, as far as requested."""
        return tuple(path for path in (self.video, self.flow_dir) if path is not None)

    def check(self, source: FrameSource | Path) -> None:
        """Check, before anything is computed, that all outputs can be written.

        Args:
            source: the input, which is never overwritten.

        Raises:
            UsageError: there is no output, the video exists and ``force`` is false, or an output is the input.
            OutputError: an output cannot be written, or has an unknown suffix.
        """
        if not self.paths:
            raise UsageError("nothing to write: give `out`, `flow_dir`, or both")
        path = source if isinstance(source, Path) else source.path
        if self.video is not None:
            check_suffix(self.video, VIDEO_SUFFIXES)
            if self.flow_dir is not None and self.flow_dir.resolve() == self.video.resolve():
                raise UsageError(f"`out` and `flow_dir` are both {self.video}; give them different names")
            check_outputs([self.video], force=self.force, inputs=[path])
        if self.flow_dir is not None:
            check_writable(self.flow_dir)
            suffix = suffix_of(self.flow_format)
            if isinstance(source, ImageSequence) and (suffix in IMAGE_SUFFIXES or suffix == ".exr"):
                folders = {file.resolve().parent for file in source.files}
                if self.flow_dir.resolve() in folders:
                    raise UsageError(f"{self.flow_dir} contains the input's frames; choose another `flow_dir`")


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
    frames = open_source(Path(source), reading=reading) if isinstance(source, str | Path) else source
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
        self._record = _open_record(estimator, source, outputs)
        source.reading = source.reading.settled(source.sample_values, self._noted("levels"))
        self._style = replace(outputs.style, max_flow=self._max_flow())
        self._writer: VideoWriter | None = None
        self._start: Fraction | None = None
        self._size = (0, 0)
        self._padded = False
        self._damage: FlowcliError | None = None

    def _max_flow(self) -> float | None:
        """The common colour scale: as given, or as recorded by an earlier run, or chosen now."""
        if self._outputs.style.max_flow is not None or not self._outputs.has_pictures:
            return self._outputs.style.max_flow
        noted = self._noted("max_flow") if self._outputs.kind == "picture" else None
        return float(noted) if isinstance(noted, int | float) else choose_max_flow(self._estimator, self._source)

    def _noted(self, name: str) -> object:
        """What an earlier run that this one resumes has noted under a name; ``None`` if nothing."""
        return None if self._record is None else self._record.noted(self._outputs.kind).get(name)

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
        """The pairs of consecutive frames; damage after the first pair ends them and is reported in the summary."""
        first: TimedFrame | None = None
        count = 0
        try:
            for second in self._source.frames():
                if first is not None:
                    yield self._work(count, first, second)
                    count += 1
                first = second
        except DamagedError as error:
            if count == 0:
                raise
            self._damage = InputError(f"{error.message}; the outputs contain the {count} pairs before that")
        if count == 0:
            found = "one frame" if first else "no frame"
            selected = self._source.selection != EVERYTHING
            where = " in the selection of `start`, `end` and `stride`" if selected else ""
            raise InputError(f"{self._source.path} has {found}{where}; flow needs at least two")

    def _work(self, number: int, first: TimedFrame, second: TimedFrame) -> Work:
        names = f"{self._source.path}: frame {first.name}", f"frame {second.name}"
        try:
            check_same_size(names[0], first.image.shape, names[1], second.image.shape)
        except InputError as error:
            raise DamagedError(error.message) from error
        self._size = size_of(first.image)
        task = Task(
            number,
            first.file or Path(first.name),
            second.file or Path(second.name),
            out=self._outputs.name(first.name, number),
            made_from=_names(first, second),
            time=first.time,
        )
        if number == 0 and self._writer is not None:
            self._writer.pixel_aspect = first.pixel_aspect
        frames = first.image, second.image
        shown = first.image if self._writer is not None else None
        if self._record is None or self._outputs.flow_dir is None or task.out is None:
            return Work(task, frames, shown)
        files = self._outputs.files(task.out)
        is_there = self._record.is_done(
            self._outputs.kind,
            files,
            self._size,
            frames_changed=max(first.changed, second.changed),
            made_from=task.made_from,
        )
        flow = self._read_back(self._outputs.flow_dir / task.out) if is_there else None
        # The output video needs the flow itself.
        is_done = is_there and flow is None and self._writer is None
        return Work(task, frames, shown, flow, is_done, files)

    def _read_back(self, path: Path) -> Flow | None:
        """Read an existing flow; ``None`` if it is a picture, or cannot be read."""
        if self._outputs.kind == "picture":
            return None
        try:
            return read_flow(path, self._outputs.options)
        except InputError:  # deleted or replaced since it was checked
            return None

    def write(self, work: Work, flow: Flow) -> str | None:
        """Write a flow; see :data:`flowcli.run.runner.Write`."""
        loss = None
        folder, out = self._outputs.flow_dir, work.task.out
        if self._record is not None and work.flow is None and folder is not None and out is not None:
            model = self._estimator.model
            noted = {"model": model.name, "revision": model.revision, **self._source.reading.note()}
            if self._outputs.kind == "picture":
                noted["max_flow"] = self._style.max_flow
            self._record.begin(self._outputs.kind, noted)
            loss = write_output(
                folder / out,
                flow,
                flow_format=self._outputs.flow_format,
                style=self._style,
                made_from=work.task.made_from,
                options=self._outputs.options,
            )
        time = work.task.time
        if self._writer is not None and work.shown is not None and time is not None:
            self._start = time if self._start is None else self._start
            picture = lay_out(work.shown, flow, self._outputs.layout, self._style)
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


def _open_record(estimator: FlowEstimator, source: FrameSource, outputs: VideoOutputs) -> Record | None:
    if outputs.flow_dir is None:
        return None
    settings = {**estimator.settings(), "input": str(source.path.resolve()), "stride": source.selection.stride}
    settings |= {} if source.stream is None else {"stream": source.stream}
    settings |= source.reading.settings()
    if outputs.kind == "picture":
        settings |= {**outputs.style.settings(), "max_flow": outputs.style.max_flow or "auto"}
    settings |= settings_of(outputs.kind, outputs.options)
    record = Record(outputs.flow_dir, force=outputs.force, adopt=outputs.adopt)
    form = form_for(outputs.name("x", 0), outputs.flow_format)
    pattern = f"*{suffix_of(outputs.flow_format)}" if form is None or not form.components else "flow_[xy]_*.jpg"
    there = outputs.flow_dir.glob(pattern)
    record.expect(outputs.kind, settings, there)
    return record


def _names(first: TimedFrame, second: TimedFrame) -> str:
    """Identifies the frames of a pair: files with their folders, frames of a video by their numbers."""
    if first.file is None or second.file is None:
        return f"{first.name} -> {second.name}"
    return made_from(first.file, second.file)
