"""A video of a batch, in progress."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from ..arrays import Flow
from ..choices import Status
from ..draw.pictures import count_pictures, read_pictures
from ..draw.video_writer import written_video
from ..errors import FlowcliError, InputError, OutputError, UsageError
from ..estimator import FlowEstimator
from ..frames.opening import open_source
from ..frames.reading import Reading
from ..frames.source import FrameSource
from ..frames.video import VideoFile
from ..storage import is_out_of_room
from .batch_folder import BatchFolder
from .completed import identity
from .pairing import Plan
from .parts import parts_of, picture_file
from .runner import Work
from .tasks import Completion, Outcome, Part, Task, VideoOutcome, VideoTask
from .video_job import VideoJob
from .video_outputs import VideoOutputs

_END = Task(-1, None, None)


class VideoItem:
    """A video of a batch, in progress.

    Its pairs are read in one thread and written in another; the last thing to be written is its end.

    Args:
        task: the video.
        estimator: computes the flow.
        folder: the output folder of the batch.
        reading: how frames are read; levels that are to be chosen are chosen for this video.
        on_end: called in the writing thread with the outcome.
        may_cut: whether a long video is not done, but cut into the parts of its outcome.
    """

    def __init__(
        self,
        task: VideoTask,
        estimator: FlowEstimator,
        folder: BatchFolder,
        reading: Reading,
        on_end: Callable[[VideoOutcome], None],
        may_cut: bool = False,
    ) -> None:
        self._task = task
        self._estimator = estimator
        self._folder = folder
        self._reading = reading
        self._on_end = on_end
        self._may_cut = may_cut
        self._job: VideoJob | None = None
        self._open = contextlib.ExitStack()
        self._error: FlowcliError | None = task.error
        self._outcome = VideoOutcome(task, "failed")

    def work(self) -> Iterator[Work]:
        """The pairs, then the end; what is wrong with the video is part of its outcome."""
        if self._error is None:
            try:
                yield from self._pairs()
            except (InputError, UsageError) as error:
                self._error = error
            except OutputError as error:
                if is_out_of_room(error):
                    raise
                self._error = error
        yield Work(_END, then=self._finish)

    def _pairs(self) -> Iterator[Work]:
        task, folder = self._task, self._folder
        assert task.video is not None
        source = open_source(task.video, None, task.selection, self._reading)
        outputs = folder.outputs.video(task)
        outputs.files.check_distinct(source)
        self._outcome = replace(self._outcome, outputs=outputs.paths)
        if task.parts and task.whole is None:
            self._join(source, outputs)
            return
        if outputs.video is not None and self._is_shown(outputs.video, task.video):
            outputs = replace(outputs, video=None)
        if task.part is not None:
            outputs = self._of_part(source, outputs, task.part)
        job = VideoJob(self._estimator, source, outputs, task.part)
        there = self._there(job, source, outputs)
        if there is not None and outputs.video is None:
            self._outcome = replace(self._outcome, pairs=there)
            return
        if self._may_cut and task.part is None and task.whole is None and (parts := parts_of(source, outputs.pairing)):
            self._outcome = replace(self._outcome, parts=parts)
            return
        self._job = job
        self._begin(outputs)
        self._open.enter_context(job.opened(identity(task)))
        for work in job.work():
            opposite = None if work.opposite is None else replace(work.opposite, item=self)
            yield replace(work, item=self, opposite=opposite)

    def _there(self, job: VideoJob, source: FrameSource, outputs: VideoOutputs) -> int | None:
        """How many flows there are, if all that are asked for are there."""
        if outputs.flow_dir is not None:
            return None if self._noted is None else job.flows_there(self._noted)
        return self._total(source) if self._task.part is None else self._outcome.pairs

    def _begin(self, outputs: VideoOutputs) -> None:
        """Record how the outputs are made."""
        folder, model = self._folder, self._estimator.model
        noted = {"model": model.name, "revision": model.revision}
        if outputs.video is not None:
            folder.expect_also("video")
            folder.record.begin("video", noted)
        if outputs.flow_dir is not None:
            folder.expect_also(outputs.files.kind)
            folder.record.begin(outputs.files.kind, noted)

    def _of_part(self, source: FrameSource, outputs: VideoOutputs, part: Part) -> VideoOutputs:
        """The outputs of a part: its pictures instead of a flow video, unless an earlier run has left them."""
        if isinstance(source, VideoFile):
            source.entry = part.entry
        if outputs.video is None:
            return outputs
        pictures = self._pictures(part)
        if not pictures.exists():
            return replace(outputs, video=pictures)
        self._outcome = replace(self._outcome, pairs=count_pictures(pictures) if outputs.flow_dir is None else 0)
        return replace(outputs, video=None)

    def _pictures(self, part: Part) -> Path:
        return picture_file(self._folder.outputs.folder, self._task, part, self._folder.settings("video"))

    def _join(self, source: FrameSource, outputs: VideoOutputs) -> None:
        """Make the flow video of the pictures of all parts."""
        assert outputs.video is not None
        files = [self._pictures(part) for part in self._task.parts]
        if not self._is_shown(outputs.video, source.path):
            self._begin(replace(outputs, flow_dir=None))
            rate, start = source.rate / source.selection.stride, None
            with written_video(outputs.video, rate, source.time_base, identity(self._task)) as writer:
                for picture, time, writer.pixel_aspect in itertools.chain.from_iterable(map(read_pictures, files)):
                    start = time if start is None else start
                    writer.write(picture, time - start)
        self._remove_pictures()

    def _remove_pictures(self) -> None:
        for part in self._task.parts:
            self._pictures(part).unlink(missing_ok=True)

    def _total(self, source: FrameSource) -> int:
        """How many pairs the video has, as far as is known."""
        frames = source.count if self._noted is None else self._noted.frames
        return Plan(self._folder.outputs.pairing).total(frames or 0)

    @property
    def _noted(self) -> Completion | None:
        """What an earlier run has noted of it, if it has completed the same."""
        noted = self._folder.completed.get(str(self._task.out))
        return noted if noted is not None and noted.made_from == identity(self._task) else None

    def _is_shown(self, path: Path, video: Path) -> bool:
        """Whether there is a valid flow video of an earlier run."""
        if (self._noted is None and not self._folder.outputs.adopt) or not path.exists():
            return False
        changed, made_from = video.stat().st_mtime_ns, identity(self._task)
        return self._folder.record.is_done("video", [path], None, frames_changed=changed, made_from=made_from)

    def write(self, work: Work, flow: Flow, back: Flow | None) -> str | None:
        """Write a flow; see :data:`flowcli.run.runner.Write`."""
        assert self._job is not None
        return self._job.write(work, flow, back)

    def note(self, outcome: Outcome) -> None:
        """Count a pair that has been written; to be called in the writing thread."""
        counted = self._outcome
        self._outcome = replace(
            counted,
            pairs=counted.pairs + (outcome.status != "failed"),
            failed=counted.failed + (outcome.status == "failed"),
            done=counted.done + (outcome.status == "done"),
            windows=counted.windows + outcome.windows,
            loss=counted.loss or outcome.loss,
            largest_flow=max(counted.largest_flow, outcome.largest_flow),
        )
        self._error = self._error or outcome.error

    def _finish(self) -> None:
        """Complete the outputs, and report the outcome."""
        job, outcome = self._job, self._outcome
        if self._error is not None:
            self.abandon()
        elif job is not None:
            try:
                self._open.close()
            except OutputError as error:
                if is_out_of_room(error):
                    raise
                self._error = error
        if job is not None:
            self._error = self._error or job.damage
            outcome = replace(outcome, max_flow=job.max_flow, levels=job.levels, size=job.size)
            if self._task.whole is not None and job.damage is not None:
                job.remove_beyond(self._task.whole)
                self._remove_pictures()
            if self._error is None:
                made_from = identity(self._task)
                outcome = replace(
                    outcome, completion=Completion(str(self._task.out), made_from, *job.frames(), *job.size)
                )
        status: Status = (
            "failed" if self._error is not None else "done" if outcome.done or job is not None else "skipped"
        )
        self._on_end(replace(outcome, status=status, error=self._error))

    def abandon(self) -> None:
        """Remove what is unfinished."""
        error = InterruptedError()
        with contextlib.suppress(InterruptedError):
            self._open.__exit__(InterruptedError, error, None)
