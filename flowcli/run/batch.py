"""Many pairs: skip finished outputs, list failures, continue with the rest."""

from __future__ import annotations

import contextlib
import functools
import itertools
import stat
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..arrays import Flow, Frame, check_same_size, size_of
from ..choices import FlowFormatName
from ..draw.style import Style
from ..errors import BatchError, InputError, UsageError
from ..estimator import FlowEstimator
from ..flows.formats import FlowOptions
from ..flows.io import files_of, suffix_of
from ..frames.images import image_size
from ..frames.reading import Reading
from ..places import is_name, is_remote, listed, place
from ..results import BatchSummary, PairResult
from ..storage import check_writable
from .consistency import Consistency
from .failures_in_bucket import failures_of
from .flow_folder import FlowFiles, FlowFolder
from .manifest import distinct, open_tasks
from .pairing import Pairing
from .record import Kind, Size, settings_of
from .runner import Totals, Work, run
from .sequence import FRAME_BYTES
from .tasks import Outcome, Task


@dataclass(frozen=True)
class BatchOutputs:
    """The outputs of a batch. Plain data."""

    folder: Path
    """The output folder."""

    flow_format: FlowFormatName = "flo"
    """The format of outputs without a suffix; ``kitti`` also makes ``.png`` outputs KITTI files, not pictures, and
    ``jpg`` makes ``.jpg`` outputs pairs of grey JPEGs."""

    options: FlowOptions = FlowOptions()
    """How formats with options are written."""

    style: Style = Style()
    """How pictures are drawn; without a ``max_flow``, each has its own colour scale."""

    force: bool = False
    """Whether to overwrite existing outputs."""

    adopt: bool = False
    """Whether to keep complete outputs of the right size that no run has recorded."""

    names: str | None = None
    """A template for the outputs of a folder of frames, relative to that of the folder; see
    :data:`flowcli.run.names.FIELDS`."""

    pairing: Pairing = Pairing()
    """Which frames of a folder are paired."""

    consistency: Consistency = Consistency()
    """What is stored of the forward-backward check."""

    def __post_init__(self) -> None:
        """Take the name of a folder as well."""
        object.__setattr__(self, "folder", place(self.folder))
        _ = self.sequence

    @functools.cached_property
    def sequence(self) -> FlowFiles:
        """Which files the flow of a folder of frames is stored in."""
        given = None if self.names is not None and self.flow_format == "flo" else self.flow_format
        return FlowFiles(given, self.names, self.pairing, self.consistency, self.options)

    def files(self, out: Path) -> tuple[Path, ...]:
        """The files of an output with that name, which is relative to the folder; first those of the flow itself."""
        return tuple(self.folder / file for file in self.sequence.of(out))


@dataclass(frozen=True)
class Shard:
    """Part ``index`` of ``count``, counted from 1: every ``count``-th task. The parts together are all tasks."""

    index: int = 1
    count: int = 1

    def pick(self, tasks: Iterable[Task]) -> Iterator[Task]:
        """The tasks of this part."""
        return itertools.islice(tasks, self.index - 1, None, self.count)

    def size(self, total: int) -> int:
        """The number of tasks of this part, of ``total`` tasks."""
        return len(range(self.index - 1, total, self.count))


def estimate_batch(
    estimator: FlowEstimator,
    source: Iterable[Task] | Path | str,
    outputs: BatchOutputs,
    *,
    reading: Reading = Reading(),
    name: str | None = None,
    shard: Shard = Shard(),
    on_pair: Callable[[PairResult], None] | None = None,
    wants_statistics: bool = False,
) -> BatchSummary:
    """Estimate the flow of many pairs.

    A pair that fails is listed in ``failures.jsonl`` and does not stop the others; the summary's ``problem`` is then
    a ``BatchError``.

    Args:
        estimator: computes the flow.
        source: a manifest or a folder, as for :func:`flowcli.run.manifest.open_tasks`; or the tasks themselves, which
            are consumed only as needed. If several tasks have the same output, only the first is done; the others fail.
        outputs: what to write, and where.
        reading: how the frames are read.
        name: the name of the input in the summary; by default that of the manifest or folder.
        shard: the part of the tasks to do.
        on_pair: called in the writing thread after each pair.
        wants_statistics: whether ``on_pair`` gets statistics of the flow.

    Returns:
        The counts of done, skipped and failed pairs, and the settings.

    Raises:
        InputError: the manifest or folder cannot be read, or contains no pairs.
        UsageError: the output folder contains outputs made with other settings, or that no run has recorded.
        OutputError: no further output can be written, for example because the disk is full.
        DeviceError: the device's memory cannot hold even one window.
    """
    check_writable(outputs.folder)
    outputs = replace(outputs, folder=listed(outputs.folder))
    with contextlib.ExitStack() as stack:
        if is_name(source):
            name = name or str(place(source))
            tasks = stack.enter_context(open_tasks(source, outputs.flow_format, outputs.folder, files=outputs.sequence))
        else:
            tasks = source
        is_folder = name is not None and not is_remote(place(name)) and Path(name).is_dir()
        known = list(distinct(tasks, outputs.files)) if isinstance(tasks, Collection) else None
        job = _BatchJob(estimator, outputs, reading, known or ())
        if is_folder and known is not None:
            job.check_room(list(shard.pick(known)))
        failures = stack.enter_context(failures_of(outputs.folder))

        def report(outcome: Outcome) -> None:
            failures.note(outcome)
            if on_pair is not None:
                on_pair(outcome.result())

        work = job.work(shard.pick(distinct(tasks, outputs.files) if known is None else known))
        totals = run(estimator, work, job.write, on_outcome=report, wants_statistics=wants_statistics, keeps_going=True)
    return _summary(name or "", estimator, outputs, job.levels, shard, totals, failures.path)


class _BatchJob:
    """A batch in progress."""

    def __init__(
        self,
        estimator: FlowEstimator,
        outputs: BatchOutputs,
        reading: Reading,
        known: Collection[Task],
    ) -> None:
        self._estimator = estimator
        self._outputs = outputs
        self._files = outputs.sequence
        self._folder = FlowFolder(outputs.folder, self._files, outputs.style, force=outputs.force, adopt=outputs.adopt)
        self._record = self._folder.record
        self._reading, self._asked = reading, reading.settings()
        reach = outputs.pairing.reach
        self._frames: OrderedDict[Path, Frame] = OrderedDict()
        self._most_frames = None if reach is None else reach + 1
        outs = [task.out for task in known if task.out is not None]
        self._holds_arrays = not known or any(map(self._files.holds_arrays, outs))
        wanted: dict[Kind, list[Path]] = {}
        for out in outs:
            flow_files = files_of(outputs.folder / out, self._files.form_of(out))
            wanted.setdefault(self._folder.kind(out), []).extend(flow_files)
        if not known:  # tasks that come one by one: settings that differ are an error before any work all the same
            wanted[self._folder.kind(Path(f"x{suffix_of(outputs.flow_format)}"))] = []
        for kind, paths in wanted.items():
            self._record.expect(kind, self._settings(kind), paths)
        for beside in outputs.consistency.kinds():
            self._record.expect(beside, self._settings(beside), ())
        self._settle([frame for task in known for frame in (task.frame1, task.frame2) if frame is not None])

    @property
    def levels(self) -> str | None:
        """The levels of the frames, if there are any."""
        return None if self._reading.levels == "auto" else str(self._reading) or None

    def check_room(self, tasks: Collection[Task]) -> None:
        """Say if the flows of these tasks take much of the free space; raises ``OutputError`` if they do not fit."""
        frames = [task.frame1 for task in tasks if task.frame1 is not None]
        sizes: dict[Path, int] = {}
        for frame in frames:  # those of one folder are of one size
            if frame.parent not in sizes:
                height, width = image_size(frame) or (0, 0)
                sizes[frame.parent] = height * width
        self._folder.check_room(len(frames), sum(sizes[frame.parent] for frame in frames))

    def _settle(self, frames: list[Path]) -> None:
        """Choose the levels of all frames, if they are still to be chosen."""
        if self._reading.levels != "auto":
            return
        noted = [self._record.noted(kind).get("levels") for kind in self._record.expected()]
        files = [frame for frame in dict.fromkeys(frames) if frame.is_file()]  # a pipe could be read only once
        found = next((levels for levels in noted if levels is not None), None)
        if files or found is not None:
            self._reading = self._reading.settled_by(files, found)

    def _settings(self, kind: Kind) -> dict[str, object]:
        style = self._outputs.style.settings() if kind == "picture" else {}
        outputs = self._outputs
        named = self._files.settings(kind, holds_arrays=self._holds_arrays)
        return {**self._estimator.settings(), **style, **self._asked, **settings_of(kind, outputs.options), **named}

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
            kind = self._folder.kind(task.out)
            if not self._record.is_expected(kind):  # the tasks were not known in advance
                self._record.expect(kind, self._settings(kind))
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
            return self._folder.is_there(out, size, frames_changed, made_from)

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
        return self._folder.write(out, flow, back, work.task.made_from, noted)


def _are_opposite(there: Task, back: Task) -> bool:
    return there.frame1 is not None and (there.frame1, there.frame2) == (back.frame2, back.frame1)


def _summary(
    name: str,
    estimator: FlowEstimator,
    outputs: BatchOutputs,
    levels: str | None,
    shard: Shard,
    totals: Totals,
    failures: Path,
) -> BatchSummary:
    problem = None
    if totals.failed:
        problem = BatchError(f"{totals.failed} of {totals.pairs} pairs failed; see {failures}")
    return BatchSummary(
        input=name,
        outputs=(outputs.folder,),
        shard=f"{shard.index}/{shard.count}",
        max_flow=outputs.style.max_flow,
        levels=levels,
        error=None if problem is None else str(problem),
        _problem=problem,
        **totals.fields(),
        **estimator.use(),
    )
