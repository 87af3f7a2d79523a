"""The pairs of frames of a batch: which are done, reading the others, and writing their flow."""

from __future__ import annotations

import functools
import stat
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..arrays import Flow, Frame, check_same_size, size_of
from ..errors import InputError, UsageError
from ..estimator import FlowEstimator
from ..frames.images import image_size
from ..frames.reading import Reading
from .batch_folder import BatchFolder
from .pairing import Pairing
from .record import Size
from .runner import Work
from .sequence import FRAME_BYTES
from .tasks import Task


class PairJob:
    """The pairs of a batch, in progress.

    Args:
        estimator: computes the flow.
        folder: the output folder.
        reading: how frames are read.
    """

    def __init__(self, estimator: FlowEstimator, folder: BatchFolder, reading: Reading) -> None:
        self._estimator = estimator
        self._folder = folder
        self._outputs = folder.outputs
        self._reading = reading
        reach = folder.outputs.pairing.reach
        self._frames: OrderedDict[Path, Frame] = OrderedDict()
        self._most_frames = None if reach is None else reach + 1

    @property
    def levels(self) -> str | None:
        """The levels of the frames, if there are any."""
        return None if self._reading.levels == "auto" else str(self._reading) or None

    def work(self, tasks: Iterable[Task]) -> Iterator[Work]:
        """The work of all tasks; two that lead there and back become one, where both directions are needed."""
        waiting: Work | None = None
        for each in map(self.look, tasks):
            if waiting is not None and waiting.is_mutual and _are_opposite(waiting.task, each.task):
                if waiting.frames is None:  # the first is done, the second perhaps not
                    each, waiting = replace(waiting, frames=each.frames and each.frames[::-1]), each
                yield replace(waiting, opposite=replace(each, frames=None))
                waiting = None
                continue
            if waiting is not None:
                yield waiting
            waiting = each
            if not each.is_mutual or self._outputs.pairing == Pairing():  # which has no opposites
                yield each
                waiting = None
        if waiting is not None:
            yield waiting

    def look(self, task: Task) -> Work:
        """Read the frames of a pair, unless it is done or cannot be done."""
        if task.error is not None or task.frame1 is None or task.frame2 is None or task.out is None:
            return Work(task, error=task.error)
        outputs = self._outputs.files(task.out)
        try:
            self._folder.expect_also(self._folder.flows.kind(task.out))
            is_mutual = self._outputs.consistency.is_wanted and not task.is_zero
            if self._is_done(task.out, task.frame1, task.frame2, task.made_from):
                return Work(task, is_done=True, outputs=outputs, is_mutual=is_mutual)
            frames = self._read(task.frame1), self._read(task.frame2)
            check_same_size(task.frame1, frames[0].shape, task.frame2, frames[1].shape)
            self._estimator.grid_for(size_of(frames[0]))
        except (InputError, UsageError) as error:
            return Work(task, error=error)
        flow = np.zeros((*size_of(frames[0]), 2), np.float32) if task.is_zero else None
        return Work(task, frames, flow=flow, outputs=outputs, is_mutual=is_mutual)

    def _read(self, path: Path) -> Frame:
        """Read a frame; those read last are kept, as far as the longest gap needs them."""
        if path not in self._frames:
            values = self._reading.values(path)
            self._reading = self._reading.settled(lambda _: [values])  # of a pipe or a stream: by the first frame
            frame = self._reading.frame(values, path)
            most = self._most_frames or max(2, FRAME_BYTES // frame.nbytes)
            while len(self._frames) >= most:
                self._frames.popitem(last=False)
            self._frames[path] = frame
        return self._frames[path]

    def _is_done(self, out: Path, frame1: Path, frame2: Path, made_from: str | None) -> bool:
        if not all(output.exists() for output in self._outputs.files(out)):
            return False

        def is_done(size: Size, *, frames_changed: int) -> bool:
            return self._folder.flows.is_there(out, size, frames_changed, made_from)

        try:
            frames = [path.stat() for path in (frame1, frame2)]
        except FileNotFoundError:  # a frame was deleted since then: a complete output suffices
            return is_done(None, frames_changed=0)
        except OSError:
            return False
        if not stat.S_ISREG(frames[0].st_mode):  # reading a pipe would consume it
            return is_done(None, frames_changed=0)
        changed = max(frame.st_mtime_ns for frame in frames)
        if is_done(functools.partial(image_size, frame1), frames_changed=changed):
            return True
        try:  # the header does not always say how the image is rotated
            return is_done(size_of(self._read(frame1)), frames_changed=changed)
        except InputError:
            return False

    def write(self, work: Work, flow: Flow, back: Flow | None) -> str | None:
        """Write a flow; see :data:`flowcli.run.runner.Write`."""
        out = work.task.out
        assert out is not None  # or there would be no flow
        model = self._estimator.model
        noted = {"model": model.name, "revision": model.revision, **self._reading.note()}
        return self._folder.flows.write(out, flow, back, work.task.made_from, noted)


def settled(reading: Reading, tasks: Iterable[Task], folder: BatchFolder) -> Reading:
    """The levels of all frames of some pairs, if they are still to be chosen and the frames are known."""
    if reading.levels != "auto":
        return reading
    record = folder.record
    noted = [record.noted(kind).get("levels") for kind in record.expected()]
    frames = [frame for task in tasks for frame in (task.frame1, task.frame2) if frame is not None]
    files = [frame for frame in dict.fromkeys(frames) if frame.is_file()]  # a pipe could be read only once
    found = next((levels for levels in noted if levels is not None), None)
    return reading.settled_by(files, found) if files or found is not None else reading


def _are_opposite(there: Task, back: Task) -> bool:
    return there.frame1 is not None and (there.frame1, there.frame2) == (back.frame2, back.frame1)
