"""A video of a batch, in progress."""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
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
from .video_flows import Unopened, flows_there, open_folder
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
        task = self._task
        assert task.video is not None
        wanted, found = self._folder.outputs.video(task), _status(task.video)
        outputs = wanted
        if wanted.video is not None and found is not None and self._is_shown(wanted.video, found):
            outputs = replace(wanted, video=None)
        if self._is_done(wanted, outputs, found, Unopened(task.video, task.selection, self._reading)):
            return
        source = open_source(task.video, None, task.selection, self._reading)
        wanted.files.check_distinct(source)
        self._outcome = replace(self._outcome, outputs=wanted.paths)
        if task.parts and task.whole is None:
            self._join(source, outputs)
            return
        if task.part is not None:
            outputs = self._of_part(source, outputs, task.part)
        if self._is_done(wanted, outputs, found, source):
            return
        if self._is_whole and self._may_cut and (parts := parts_of(source, outputs.pairing)):
            self._outcome = replace(self._outcome, parts=parts)
            return
        yield from self._estimated(source, outputs)

    def _estimated(self, source: FrameSource, outputs: VideoOutputs) -> Iterator[Work]:
        self._job = job = VideoJob(self._estimator, source, outputs, self._task.part)
        self._begin(outputs)
        self._open.enter_context(job.opened(identity(self._task)))
        for work in job.work():
            opposite = None if work.opposite is None else replace(work.opposite, item=self)
            yield replace(work, item=self, opposite=opposite)

    @property
    def _is_whole(self) -> bool:
        """Whether it is a whole video of which nothing has been tried in this run."""
        return self._task.part is None and not self._task.parts

    def _is_done(
        self, wanted: VideoOutputs, left: VideoOutputs, found: os.stat_result | None, source: FrameSource | Unopened
    ) -> bool:
        """Whether all that is asked for is there, as far as the source can tell; then that is the outcome.

        Args:
            wanted: what is asked for.
            left: the same without a flow video that is there.
            found: the status of the video's file, if it is one.
            source: the video.
        """
        if left.video is not None:
            return False
        if not self._is_whole:
            return self._task.part is not None and left.flow_dir is None and not isinstance(source, Unopened)
        there = self._shown(source) if left.flow_dir is None else self._flows_there(left, found, source)
        if there is None:
            return False
        self._outcome = replace(self._outcome, outputs=wanted.paths, pairs=there)
        return True

    def _shown(self, source: FrameSource | Unopened) -> int | None:
        """How many pairs the flow video shows, as far as is known."""
        noted = self._noted
        if noted is None and isinstance(source, Unopened):  # it has been adopted
            return None
        return Plan(self._folder.outputs.pairing).total(source.count or 0 if noted is None else noted.frames)

    def _flows_there(
        self, outputs: VideoOutputs, found: os.stat_result | None, source: FrameSource | Unopened
    ) -> int | None:
        """How many flows there are, if all that an earlier run has noted are there."""
        noted, is_padded = self._noted, outputs.pairing.pad != "none"
        if noted is None or found is None or not stat.S_ISREG(found.st_mode):
            return None
        if is_padded is isinstance(source, Unopened):  # padded flows are recorded with the number of frames
            return None
        folder = open_folder(self._estimator, source, outputs)
        return None if folder is None else flows_there(folder, source.selection.stride, found.st_mtime_ns, noted)

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
        """Make the flow video of the pictures of all parts, unless it is there."""
        files = [self._pictures(part) for part in self._task.parts]
        if outputs.video is not None:
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

    @property
    def _noted(self) -> Completion | None:
        """What an earlier run has noted of it, if it has completed the same."""
        noted = self._folder.completed.get(str(self._task.out))
        return noted if noted is not None and noted.made_from == identity(self._task) else None

    def _is_shown(self, path: Path, found: os.stat_result) -> bool:
        """Whether there is a valid flow video of an earlier run, of a video whose file has that status."""
        if (self._noted is None and not self._folder.outputs.adopt) or not path.exists():
            return False
        changed, made_from = found.st_mtime_ns, identity(self._task)
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
            if self._task.whole is not None and self._error is job.damage:
                self._remove_pictures()
            if self._error is None:
                made_from = identity(self._task)
                outcome = replace(
                    outcome, completion=Completion(str(self._task.out), made_from, *job.frames(), *job.size)
                )
        status: Status = (
            "failed" if self._error is not None else "done" if outcome.done or job is not None else "skipped"
        )
        self._job = None  # with its copy of an object, which would stay as long as anything refers to this item
        self._on_end(replace(outcome, status=status, error=self._error))

    def abandon(self) -> None:
        """Remove what is unfinished."""
        error = InterruptedError()
        with contextlib.suppress(InterruptedError):
            self._open.__exit__(InterruptedError, error, None)


def _status(video: Path) -> os.stat_result | None:
    """The status of a video's file; ``None`` if there is none, which is an error when the video is opened."""
    try:
        return video.stat()
    except OSError:
        return None
