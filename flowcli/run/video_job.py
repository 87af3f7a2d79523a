"""The job of a video: which pairs it has, what is there of their flow, and writing it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from ..arrays import Flow, check_same_size, size_of
from ..draw.pictures import PictureWriter, written_pictures
from ..draw.style import lay_out
from ..draw.video_writer import VideoWriter, written_video
from ..errors import FlowcliError, InputError
from ..estimator import FlowEstimator
from ..flows.occlusion import occluded
from ..frames.source import DamagedError, FrameSource, TimedFrame
from ..results import VideoSummary
from .colour_scale import choose_max_flow
from .names import Named
from .pairing import Plan
from .runner import Totals, Work
from .sequence import FlowPair, no_pairs, pairs
from .tasks import Part, Task, made_from
from .video_flows import open_folder
from .video_outputs import VideoOutputs


class VideoJob:
    """A video in progress.

    Args:
        estimator: computes the flow.
        source: the video; its levels, if they are still to be chosen, are when the outputs are opened.
        outputs: what to write, checked already.
        part: the part of a long video to do; ``outputs.video`` then gets the pictures of that part, see
            :mod:`flowcli.draw.pictures`.

    Raises:
        UsageError: the flow folder contains flow made with other settings, or that no run has recorded.
    """

    def __init__(
        self, estimator: FlowEstimator, source: FrameSource, outputs: VideoOutputs, part: Part | None = None
    ) -> None:
        self._estimator = estimator
        self._source = source
        self._outputs = outputs
        self._files = outputs.files
        self._folder = open_folder(estimator, source, outputs)
        self._part = part
        self._style = outputs.style
        self._writer: VideoWriter | PictureWriter | None = None
        self._start = None if part is None else Fraction(0)
        self.size = (0, 0)
        """The height and width of the flow."""

        self._padded = False
        self.damage: FlowcliError | None = None
        """Where the video is damaged, if it is."""

        # The flows of a part are those of a single gap.
        self._count = 0 if part is None else max(0, part.start + min(0, outputs.pairing.single_gap or 0))
        self._is_begun = False
        self._first = self._last = -1  # numbers of frames

    @property
    def max_flow(self) -> float | None:
        """The colour scale, if there are pictures."""
        return self._style.max_flow

    @property
    def levels(self) -> str | None:
        """The levels of the frames, if there are any."""
        return str(self._source.reading) or None

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

    def remove_beyond(self, frames: int) -> None:
        """Remove the flows of frames after the damage, which another run has made that began to decode behind it.

        Args:
            frames: how many frames the video seemed to have.
        """
        if self._folder is None:
            return
        first, good = self.frames()
        stride = self._source.selection.stride
        for index, pair in enumerate(Plan(self._outputs.pairing).of(frames)):
            if max(pair.first, pair.second) >= good:
                frame, second = first + stride * pair.frame, first + stride * pair.second
                out = self._files.name(Named(frame, second, pair.gap, f"{frame:06d}", f"{second:06d}", index))
                for file in self._files.of(out):
                    (self._folder.folder / file).unlink(missing_ok=True)

    def frames(self) -> tuple[int, int]:
        """The number of the first frame, and how many frames there were."""
        return self._first, (self._last - self._first) // self._source.selection.stride + 1

    @contextlib.contextmanager
    def opened(self, made_from: str | None = None) -> Iterator[None]:
        """Keep the output video open while the block runs; it gets its final name if the block succeeds.

        Args:
            made_from: what it is made from, for :func:`flowcli.storage.is_made_from`.

        Raises:
            InputError: levels are to be chosen, and no frame can be read.
            OutputError: the video cannot be written.
            DeviceError: a colour scale is to be chosen, and the device's memory cannot hold even one window.
        """
        source = self._source
        source.reading = source.reading.settled(source.sample_values, self._noted("levels"))
        self._style = replace(self._style, max_flow=self._max_flow())
        if self._folder is not None:
            self._folder.style = self._style
        path = self._outputs.video
        if path is None:
            yield
            return
        if self._part is not None:
            with written_pictures(path) as self._writer:
                yield
            return
        rate = self._source.rate / self._source.selection.stride
        with written_video(path, rate, self._source.time_base, made_from) as self._writer:
            yield
        self._padded = self._writer.padded

    def work(self) -> Iterator[Work]:
        """The pairs of frames; damage after the first pair ends them and is reported in the summary."""
        try:
            for pair in pairs(self._source, self._outputs.pairing, self._part):
                if pair.opposite is None or self._needs_both:
                    yield self._work(pair)
                else:  # each for itself, so that one alone can be skipped
                    yield self._work(replace(pair, opposite=None))
                    yield self._work(pair.opposite)
        except DamagedError as error:
            if not self._is_begun:
                raise
            self.damage = InputError(f"{error.message}; the outputs contain the {self._count} pairs before that")
        if not self._is_begun and self._part is None:
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
        if not self._is_begun:
            self._begin(pair)
        self._first = min(self._first, first.number, second.number)
        self._last = max(self._last, first.number, second.number)
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
        self._is_begun = True
        self.size = size_of(pair.first.image)
        self._first = pair.first.number
        if self._writer is not None:
            self._writer.pixel_aspect = pair.frame.pixel_aspect
        if self._folder is not None and self._source.count is not None:
            flows = Plan(self._outputs.pairing).total(self._source.count)
            self._folder.check_room(flows, flows * self.size[0] * self.size[1])

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
            max_flow=self.max_flow,
            levels=self.levels,
            error=None if self.damage is None else self.damage.with_flags(),
            width=self.size[1],
            height=self.size[0],
            padded=self._padded,
            _problem=self.damage,
            **totals.fields(),
            **self._estimator.use(),
        )


def _names(first: TimedFrame, second: TimedFrame) -> str:
    """Identifies the frames of a pair: files with their folders, frames of a video by their numbers."""
    if first.file is None or second.file is None:
        return f"{first.name} -> {second.name}"
    return made_from(first.file, second.file)
