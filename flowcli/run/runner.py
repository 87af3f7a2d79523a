"""The one loop that reads, estimates and writes, side by side, through bounded queues.

Every command that estimates flow gives it work (a task, with the frames that were read for it) and a function that
writes a flow; memory does not grow with the number of tasks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..arrays import Flow, Frame, size_of
from ..choices import Status
from ..draw.color import largest_flow
from ..errors import FlowcliError, OutputError
from ..estimator import FlowEstimator, FramePair
from ..flows.metrics import flow_statistics
from ..storage import is_out_of_room
from .background import ReadAhead, WriteBehind
from .tasks import Outcome, Task

_QUEUE_DEPTH = 4  # pairs; enough that no stage waits for another's hiccup, little enough to hold in memory


@dataclass(frozen=True)
class Work:
    """A task, and what was read for it."""

    task: Task
    frames: FramePair | None = None
    """The frames to estimate; let go as soon as the estimator has taken them."""

    shown: Frame | None = None
    """The first frame, if it is drawn with the flow: ``(H, W, 3)`` uint8 RGB."""

    flow: Flow | None = None
    """The flow that an earlier run has left."""

    is_done: bool = False
    """Whether an earlier run has made the outputs."""

    outputs: tuple[Path, ...] = ()
    """The files that are written for it."""

    error: FlowcliError | None = None
    """Why it cannot be done."""


Write = Callable[[Work, Flow], str | None]
"""Writes what is wanted of a flow; returns what an output's format cannot hold of it."""


@dataclass
class Totals:
    """What became of all tasks together."""

    done: int = 0
    skipped: int = 0
    failed: int = 0
    windows: int = 0
    largest_flow: float = 0.0
    """The length in pixels of the longest vector."""

    seconds: float = 0.0

    @property
    def pairs(self) -> int:
        """How many tasks there were."""
        return self.done + self.skipped + self.failed

    def add(self, outcome: Outcome) -> None:
        """Count an outcome."""
        self.done += outcome.status == "done"
        self.skipped += outcome.status == "skipped"
        self.failed += outcome.status == "failed"
        self.windows += outcome.windows
        self.largest_flow = max(self.largest_flow, outcome.largest_flow)

    def fields(self) -> dict[str, Any]:
        """The fields of :class:`flowcli.results.RunSummary` that these are."""
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
    work: Iterable[Work],
    write: Write,
    *,
    on_outcome: Callable[[Outcome], None] | None = None,
    on_window: Callable[[int], None] | None = None,
    wants_statistics: bool = False,
    keeps_going: bool = False,
) -> Totals:
    """Estimate and write the flow of every task, in order.

    Args:
        estimator: makes the flow.
        work: the tasks; taken in a thread, a few ahead of the estimator.
        write: called in a thread, a few behind the estimator; also for flow of earlier runs.
        on_outcome: called in that thread when all of a task has been written.
        on_window: called with the number of windows of each forward pass when it has ended.
        wants_statistics: whether outcomes hold the flow's statistics.
        keeps_going: whether an output that cannot be written fails its task alone.

    Raises:
        FlowcliError: what ``work`` raised; or an output cannot be written, and either ``keeps_going`` is false or
            no other could be written (the disk is full, say).
    """
    started = time.monotonic()
    totals = Totals()

    def stream() -> Iterator[tuple[Work, FramePair | None]]:
        for each in reader:
            yield replace(each, frames=None), _to_estimate(each)

    def finish(item: tuple[Work, Flow | None]) -> None:
        outcome = _finish(*item, estimator, write, wants_statistics, keeps_going)
        totals.add(outcome)
        if on_outcome is not None:
            on_outcome(outcome)

    with WriteBehind(finish, _QUEUE_DEPTH) as writer, ReadAhead(work, _QUEUE_DEPTH) as reader:
        for item in estimator.estimate_stream(stream(), on_window=on_window):
            writer.put(item)
    totals.seconds = time.monotonic() - started
    return totals


def _to_estimate(work: Work) -> FramePair | None:
    return None if work.is_done or work.error is not None or work.flow is not None else work.frames


def _finish(
    work: Work, flow: Flow | None, estimator: FlowEstimator, write: Write, wants_statistics: bool, keeps_going: bool
) -> Outcome:
    """Write a flow, if there is one, and say what became of its task."""
    if work.error is not None:
        return Outcome(work.task, "failed", error=work.error)
    windows = 0 if flow is None else len(estimator.grid_for(size_of(flow)))
    flow = work.flow if flow is None else flow
    status: Status = "done" if windows else "skipped"
    if flow is None:
        return Outcome(work.task, status, work.outputs)
    try:
        loss = write(work, flow)
    except OutputError as error:
        if not keeps_going or is_out_of_room(error):
            raise
        return Outcome(work.task, "failed", windows=windows, error=error)
    statistics = flow_statistics(flow) if wants_statistics else None
    return Outcome(work.task, status, work.outputs, windows, loss, largest_flow(flow), statistics)
