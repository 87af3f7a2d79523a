"""Many pairs of frames, or videos: skip finished outputs, list failures, continue with the rest."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import BatchError, UsageError
from ..estimator import FlowEstimator
from ..frames.reading import Reading
from ..places import identity, is_name, is_remote, listed, place
from ..results import BatchSummary, PairResult, VideoResult
from ..storage import check_writable
from .batch_folder import BatchFolder
from .batch_outputs import BatchOutputs
from .completed import Completions
from .distinct import Distinct
from .engine import Engine, LocalEngine, Order
from .failures_in_bucket import failures_of
from .inputs import inputs_of
from .items import Items, open_tasks
from .pair_job import settled
from .parts import LeftPictures
from .report_motion import MotionReport
from .runner import Totals
from .tasks import Item, Outcome, Task, VideoOutcome


@dataclass(frozen=True)
class Shard:
    """Part ``index`` of ``count``, counted from 1: every ``count``-th item. The parts together are all items."""

    index: int = 1
    count: int = 1

    def pick(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items of this part."""
        return itertools.islice(items, self.index - 1, None, self.count)

    def size(self, total: int) -> int:
        """The number of items of this part, of ``total`` items."""
        return len(range(self.index - 1, total, self.count))


def estimate_batch(
    estimator: FlowEstimator | Engine,
    source: Iterable[Item] | Path | str,
    outputs: BatchOutputs,
    *,
    reading: Reading = Reading(),
    name: str | None = None,
    shard: Shard = Shard(),
    workers: int = 1,
    on_pair: Callable[[PairResult], None] | None = None,
    on_video: Callable[[VideoResult], None] | None = None,
    wants_statistics: bool = False,
    report: MotionReport | None = None,
) -> BatchSummary:
    """Estimate the flow of many pairs of frames, or of videos.

    An item that fails is listed in ``failures.jsonl`` and does not stop the others; the summary's ``problem`` is then
    a ``BatchError``.

    Args:
        estimator: computes the flow; or an engine that has estimators on many machines.
        source: a manifest or a folder, as for :func:`flowcli.run.items.open_tasks`; or the items themselves, which
            are consumed only as needed. If several have the same output, only the first is done; the others fail.
        outputs: what to write, and where.
        reading: how the frames are read.
        name: the name of the input in the summary; by default that of the manifest or folder.
        shard: the part of the items to do.
        workers: how many videos are decoded at the same time, if not an engine does it all.
        on_pair: called in the writing thread after each pair that is not one of a video.
        on_video: called in the writing thread after each video.
        wants_statistics: whether ``on_pair`` gets statistics of the flow.
        report: the report that gets every item, and is written at the end.

    Returns:
        The counts of done, skipped and failed pairs, and the settings.

    Raises:
        InputError: the manifest or folder cannot be read, or contains no items.
        UsageError: the output folder contains outputs made with other settings, or that no run has recorded.
        OutputError: no further output can be written, for example because the disk is full; or the report cannot.
        DeviceError: the device's memory cannot hold even one window.
    """
    check_writable(outputs.folder)
    outputs = replace(outputs, folder=listed(outputs.folder))
    with contextlib.ExitStack() as stack:
        if is_name(source):
            name = name or str(place(source))
            source = stack.enter_context(
                open_tasks(source, outputs.flow_format, outputs.folder, files=outputs.sequence)
            )
        engine = LocalEngine(estimator, workers) if isinstance(estimator, FlowEstimator) else estimator
        is_same = name is not None and identity(place(name)) == identity(outputs.folder)
        if is_same and outputs.video_format is not None:
            raise UsageError(f"{outputs.folder} has the videos themselves; choose another `out_dir`")
        items = Distinct(source, outputs.files_of, outputs.folder_of)
        engine.start(_examples(source, name), outputs.folder)
        folder = BatchFolder(outputs, engine.settings(), reading)
        total = None
        if isinstance(source, Sized):
            total = shard.size(len(source))
            folder.expect(items, (source.suffixes, source.has_videos) if isinstance(source, Items) else None)
            reading = settled(reading, (item for item in items if isinstance(item, Task)), folder)
            if _is_local_folder(name):
                folder.check_room(shard.pick(items))
        else:
            folder.expect(None)
        failures = stack.enter_context(failures_of(outputs.folder))
        completions = stack.enter_context(Completions(outputs.folder))
        left = LeftPictures(outputs.folder)
        if report is not None:
            report.reading = reading
        videos = 0

        def on_item(outcome: Outcome | VideoOutcome) -> None:
            nonlocal videos
            failures.note(outcome)
            if isinstance(outcome, VideoOutcome):
                videos += 1
                if outcome.completion is not None:
                    completions.note(outcome.completion)
                if outcome.status != "failed":
                    left.remove(outcome.task.out)
                if report is not None:
                    report.add_video(outcome)
                if on_video is not None:
                    on_video(outcome.result())
                return
            if report is not None:
                report.add(outcome)
            if on_pair is not None:
                on_pair(outcome.result())

        order = Order(shard.pick(items), folder, reading, total, wants_statistics, wants_glance=report is not None)
        totals, levels = engine.run(order, on_item)
    summary = _summary(name or "", engine, outputs, levels, shard, totals, videos, failures.path)
    return summary if report is None else replace(summary, report=report.write(summary))


def _is_local_folder(name: str | None) -> bool:
    return name is not None and not is_remote(path := place(name)) and path.is_dir()


def _examples(source: Iterable[Item], name: str | None) -> list[Path]:
    """Some of what is read: the folder, or the first item's files."""
    if name is not None and _is_local_folder(name):
        return [Path(name)]
    if not isinstance(source, Sized):
        return []
    return next((inputs_of(item) for item in source if item.error is None), [])


def _summary(
    name: str,
    engine: Engine,
    outputs: BatchOutputs,
    levels: str | None,
    shard: Shard,
    totals: Totals,
    videos: int,
    failures: Path,
) -> BatchSummary:
    problem = None
    if totals.failed:
        what = "items" if videos else "pairs"
        problem = BatchError(f"{totals.failed} of {totals.pairs} {what} failed; see {failures}")
    return BatchSummary(
        input=name,
        outputs=(outputs.folder,),
        shard=f"{shard.index}/{shard.count}",
        videos=videos,
        max_flow=outputs.style.max_flow,
        levels=levels,
        error=None if problem is None else str(problem),
        _problem=problem,
        **totals.fields(),
        **engine.use(),
    )
