"""The runner: reads, estimates and writes concurrently, through bounded queues.

All runs over several pairs use it. They pass it work (a task with its frames) and a function that writes a flow. Memory
does not grow with the number of tasks.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..arrays import Flow, Frame
from ..choices import Status
from ..draw.color import largest_flow
from ..errors import FlowcliError, OutputError
from ..estimator import FlowEstimator
from ..flows.metrics import flow_statistics
from ..pairs import FramePair
from ..storage import is_out_of_room
from ..unfinished import keeping_claims
from .background import ReadAhead, WriteBehind
from .glance import glance
from .tasks import Outcome, Task, VideoOutcome

_QUEUE_DEPTH = 4  # pairs; enough to absorb short delays of a stage, few enough to fit into memory


@dataclass(frozen=True)
class Work:
    """A task with its data."""

    task: Task
    frames: FramePair | None = None
    """The frames to estimate; let go as soon as the estimator has taken them."""

    shown: Frame | None = None
    """The first frame, if it is drawn with the flow: ``(H, W, 3)`` uint8 RGB."""

    seen: FramePair | None = None
    """The same frames, if they are still needed when the flow is written."""

    flow: Flow | None = None
    """The flow, if it is known already, say from a valid output of an earlier run."""

    is_done: bool = False
    """Whether valid outputs exist, so that the task can be skipped."""

    is_there: bool = False
    """Whether valid outputs exist, so that they are not written again."""

    is_mutual: bool = False
    """Whether the flow in the other direction is estimated as well."""

    opposite: Work | None = None
    """The task of that flow, if it has one of its own."""

    outputs: tuple[Path, ...] = ()
    """The files to write."""

    error: FlowcliError | None = None
    """Why the task cannot be done."""

    item: Any = None
    """What it is a part of, for the caller."""

    then: Callable[[], None] | None = None
    """Called, instead of doing a task, when all work before it has been written."""


Write = Callable[[Work, Flow, Flow | None], str | None]
"""Writes the outputs of a flow, given with that in the other direction if the work is mutual; returns one line that
says what their format cannot store, or ``None``."""


@dataclass
class Totals:
    """The totals over all tasks."""

    done: int = 0
    skipped: int = 0
    failed: int = 0
    windows: int = 0
    largest_flow: float = 0.0
    """The length of the longest vector of all flows, in pixels."""

    seconds: float = 0.0
    """The time taken, without loading the model."""

    @property
    def pairs(self) -> int:
        """The number of tasks."""
        return self.done + self.skipped + self.failed

    def add(self, outcome: Outcome) -> None:
        """Add an outcome to the totals."""
        self.done += outcome.status == "done"
        self.skipped += outcome.status == "skipped"
        self.failed += outcome.status == "failed"
        self.windows += outcome.windows
        self.largest_flow = max(self.largest_flow, outcome.largest_flow)

    def add_item(self, outcome: Outcome | VideoOutcome) -> None:
        """Add the outcome of an item, which may be a video with all its pairs."""
        if isinstance(outcome, Outcome):
            self.add(outcome)
            return
        self.done += outcome.done
        self.skipped += outcome.pairs - outcome.done
        self.failed += max(outcome.failed, outcome.status == "failed")
        self.windows += outcome.windows
        self.largest_flow = max(self.largest_flow, outcome.largest_flow)

    @contextlib.contextmanager
    def timed(self) -> Iterator[None]:
        """Take the time while the block runs."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds = time.monotonic() - started

    def fields(self) -> dict[str, Any]:
        """The totals as fields of :class:`flowcli.results.RunSummary`."""
        return {
            "pairs": self.pairs,
            "done": self.done,
            "skipped": self.skipped,
            "failed": self.failed,
            "windows": self.windows,
            "seconds": round(self.seconds, 3),
            "largest_flow": round(self.largest_flow, 3),
        }


def run(
    estimator: FlowEstimator,
    work: Sequence[Iterable[Work]],
    write: Write,
    *,
    on_outcome: Callable[[Work, Outcome], None] | None = None,
    on_window: Callable[[int], None] | None = None,
    wants_statistics: bool = False,
    wants_glance: bool = False,
    keeps_going: bool = False,
) -> Totals:
    """Estimate and write the flow of every task.

    Args:
        estimator: computes the flow.
        work: streams of tasks, each consumed in order by a thread, a few tasks ahead of the estimator.
        write: called in a thread, a few behind the estimator, for each flow, also for flow of an earlier run.
        on_outcome: called in that thread after each task, with its work.
        on_window: called after each forward pass with the number of windows in it.
        wants_statistics: whether outcomes contain statistics of the flow.
        wants_glance: whether outcomes contain what a report shows of the flow; frames are kept until it is written.
        keeps_going: whether an output that cannot be written fails only its own task, not the run.

    Returns:
        The totals over all tasks.

    Raises:
        FlowcliError: raised by ``work`` or by the estimator.
        OutputError: an output cannot be written, and ``keeps_going`` is false or no further output can be written (for
            example because the disk is full).
    """
    totals = Totals()

    def finish(item: Estimated) -> None:
        if item.work.then is not None:
            item.work.then()
            return
        for done, outcome in _finish_all(item, write, wants_statistics, wants_glance, keeps_going):
            totals.add(outcome)
            if on_outcome is not None:
                on_outcome(done, outcome)

    reading = ReadAhead(*work, depth=_QUEUE_DEPTH)
    with totals.timed(), keeping_claims(), WriteBehind(finish, _QUEUE_DEPTH) as writer, reading as reader:
        for item in estimate_both(estimator, reader, on_window=on_window, keeps_frames=wants_glance):
            writer.put(item)
    return totals


@dataclass(frozen=True)
class Estimated:
    """A work without its frames, and what was estimated for it."""

    work: Work
    flow: Flow | None = None
    windows: int = 0
    back: Flow | None = None
    """The flow in the other direction, if the work is mutual."""

    back_windows: int = 0

    @property
    def is_back_counted(self) -> bool:
        """Whether the outcome of another task counts the windows of the other direction."""
        return self.work.opposite is not None and not self.work.opposite.is_done

    def opposite(self, work: Work) -> Estimated:
        """The same for the work of the other direction."""
        return Estimated(replace(work, opposite=self.work), self.back, self.back_windows, self.flow, self.windows)


def estimate_both(
    estimator: FlowEstimator,
    work: Iterable[Work],
    *,
    on_window: Callable[[int], None] | None = None,
    keeps_frames: bool = False,
) -> Iterator[Estimated]:
    """Estimate the flows of a stream of work, in order; windows of different tasks share batches.

    Args:
        estimator: computes the flow.
        work: the work, consumed as needed.
        on_window: called after each forward pass with the number of windows in it.
        keeps_frames: whether work comes back with its frames, as ``seen``.
    """

    def stream() -> Iterator[tuple[tuple[Work, bool], FramePair | None]]:
        for each in work:
            frames = _to_estimate(each)
            kept = replace(each, frames=None, seen=each.frames if keeps_frames else None)
            yield (kept, False), frames
            if each.is_mutual and frames is not None:
                yield (kept, True), frames[::-1]

    there = Estimated(Work(Task(-1, None, None)))
    for (each, is_back), flow, windows in estimator.estimate_counted(stream(), on_window=on_window):
        if is_back:
            yield replace(there, back=flow, back_windows=windows)
            continue
        there = Estimated(each, flow, windows)
        if not each.is_mutual or flow is None:
            yield there


def _to_estimate(work: Work) -> FramePair | None:
    is_known = work.error is not None or work.flow is not None or work.is_done
    needs_opposite = work.opposite is not None and not work.opposite.is_done
    return None if work.error is not None or (is_known and not needs_opposite) else work.frames


def _finish_all(
    estimated: Estimated, write: Write, wants_statistics: bool, wants_glance: bool, keeps_going: bool
) -> Iterator[tuple[Work, Outcome]]:
    """Write the flows of a work and of its opposite; yields both, with the outcomes of their tasks."""
    work = estimated.work
    yield work, _finish(estimated, write, wants_statistics, wants_glance, keeps_going)
    if work.opposite is not None:
        seen = None if work.seen is None else work.seen[::-1]
        opposite = replace(work.opposite, error=work.opposite.error or work.error, seen=seen)
        yield opposite, _finish(estimated.opposite(opposite), write, wants_statistics, wants_glance, keeps_going)


def _finish(
    estimated: Estimated, write: Write, wants_statistics: bool, wants_glance: bool, keeps_going: bool
) -> Outcome:
    """Write a flow, if there is one, and return the outcome of its task."""
    work, flow, back = estimated.work, estimated.flow, estimated.back
    if work.error is not None:
        return Outcome(work.task, "failed", error=work.error)
    windows = 0 if work.is_done else estimated.windows
    if windows and not estimated.is_back_counted:
        windows += estimated.back_windows
    flow = work.flow if flow is None else flow
    status: Status = "done" if windows or (flow is not None and not (work.is_there or work.is_done)) else "skipped"
    if flow is None or work.is_done:
        return Outcome(work.task, status, work.outputs)
    try:
        loss = write(work, flow, back)
    except OutputError as error:
        if not keeps_going or is_out_of_room(error):
            raise
        return Outcome(work.task, "failed", windows=windows, error=error)
    seen = glance(flow, work.seen) if wants_glance else None
    statistics = (flow_statistics(flow) if seen is None else seen.statistics) if wants_statistics else None
    return Outcome(work.task, status, work.outputs, windows, loss, largest_flow(flow), statistics, seen)
