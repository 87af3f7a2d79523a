"""Does the items of a batch: reads, estimates and writes pairs of frames and videos in one stream."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from ..arrays import Flow
from ..estimator import FlowEstimator
from ..frames.reading import Reading
from .batch_folder import BatchFolder
from .pair_job import PairJob
from .runner import Totals, Work, run
from .tasks import Item, Outcome, Task, VideoOutcome, VideoTask
from .video_item import VideoItem

Element = TypeVar("Element")


class BatchJob:
    """Does items of a batch.

    Args:
        estimator: computes the flow; windows of different items share its batches.
        folder: the output folder.
        reading: how frames are read; levels that are to be chosen are chosen for each video, and by the first pair.
        readers: how many threads read; each reads a video at a time, and one at a time pairs.
        may_cut: whether long videos are not done, but cut into the parts of their outcomes.
    """

    def __init__(
        self,
        estimator: FlowEstimator,
        folder: BatchFolder,
        reading: Reading,
        readers: int = 1,
        *,
        may_cut: bool = False,
    ) -> None:
        self._estimator = estimator
        self._folder = folder
        self._reading = reading
        self._readers = readers
        self._may_cut = may_cut
        self._pairs = PairJob(estimator, folder, reading)
        self._unfinished: set[VideoItem] = set()

    @property
    def levels(self) -> str | None:
        """The levels of the frames of pairs, if there are any."""
        return self._pairs.levels

    def run(
        self,
        items: Iterable[Item],
        on_item: Callable[[Outcome | VideoOutcome], None],
        *,
        wants_statistics: bool = False,
        wants_glance: bool = False,
    ) -> Totals:
        """Do some items.

        Args:
            items: the items, consumed as needed.
            on_item: called in the writing thread after each item.
            wants_statistics: whether outcomes of pairs get statistics of the flow.
            wants_glance: whether they get what a report shows of it.

        Returns:
            The totals over all pairs; a video that failed counts as a failure.

        Raises:
            OutputError: no further output can be written.
            DeviceError: the device's memory cannot hold even one window.
        """
        failed = 0
        skipped = 0

        def on_video(outcome: VideoOutcome) -> None:
            nonlocal failed, skipped
            failed += outcome.status == "failed" and not outcome.failed
            skipped += outcome.pairs if outcome.status == "skipped" else 0
            on_item(outcome)

        def on_outcome(work: Work, outcome: Outcome) -> None:
            if work.item is None:
                on_item(outcome)
            else:
                work.item.note(outcome)

        lanes = _Lanes(items)
        streams = [self._stream(lanes, on_video) for _ in range(self._readers)]
        try:
            totals = run(
                self._estimator,
                streams,
                self._write,
                on_outcome=on_outcome,
                wants_statistics=wants_statistics,
                wants_glance=wants_glance,
                keeps_going=True,
            )
        finally:
            for item in self._unfinished:  # after an error, or Ctrl-C
                item.abandon()
        totals.failed += failed
        totals.skipped += skipped
        return totals

    def _stream(self, lanes: _Lanes, on_video: Callable[[VideoOutcome], None]) -> Iterator[Work]:
        """The work of one reading thread."""
        for lane in lanes.take():
            if isinstance(lane, VideoTask):
                yield from self._video(lane, on_video)
            else:
                yield from self._pairs.work(lane)

    def _video(self, task: VideoTask, on_video: Callable[[VideoOutcome], None]) -> Iterator[Work]:
        def on_end(outcome: VideoOutcome) -> None:
            self._unfinished.discard(item)
            on_video(outcome)

        item = VideoItem(task, self._estimator, self._folder, self._reading, on_end, self._may_cut)
        self._unfinished.add(item)
        yield from item.work()

    def _write(self, work: Work, flow: Flow, back: Flow | None) -> str | None:
        job: VideoItem | PairJob = self._pairs if work.item is None else work.item
        return job.write(work, flow, back)


class _Lanes:
    """Hands the items of a batch out to reading threads: a video to one of them, a run of pairs to one at a time.

    Frames of consecutive pairs are often the same, and their order is kept.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = iter(items)
        self._turn = threading.Lock()
        self._next: Item | None = None

    def take(self) -> Iterator[VideoTask | Iterator[Task]]:
        """What one thread is to do: videos, and runs of pairs, each of which is to be gone through at once."""
        while True:
            with self._turn:
                item = self._peek()
                if isinstance(item, Task):
                    yield self._run_of_pairs()
                    continue
                self._next = None
            if item is None:
                return
            yield item

    def _peek(self) -> Item | None:
        if self._next is None:
            self._next = next(self._items, None)
        return self._next

    def _run_of_pairs(self) -> Iterator[Task]:
        while isinstance(item := self._peek(), Task):
            self._next = None
            yield item
