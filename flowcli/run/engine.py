"""What does the items of a batch: this process, or the workers of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..estimator import FlowEstimator
from ..frames.reading import Reading
from .batch_folder import BatchFolder
from .batch_job import BatchJob
from .runner import Totals
from .tasks import Item, Outcome, VideoOutcome

OnItem = Callable[[Outcome | VideoOutcome], None]
"""Called with the outcome of each item."""


@dataclass(frozen=True)
class Order:
    """What is to be done."""

    items: Iterable[Item]
    """The items, consumed as needed."""

    folder: BatchFolder
    """The output folder."""

    reading: Reading
    """How frames are read."""

    total: int | None = None
    """How many items there are, if it is known."""

    wants_statistics: bool = False
    """Whether outcomes of pairs get statistics of the flow."""

    wants_glance: bool = False
    """Whether they get what a report shows of it."""


class Engine(Protocol):
    """Does the items of a batch."""

    def start(self, inputs: Sequence[Path], folder: Path) -> None:
        """Get ready.

        Args:
            inputs: some of what is read.
            folder: the output folder.
        """

    def settings(self) -> Mapping[str, object]:
        """See :meth:`flowcli.estimator.FlowEstimator.settings`."""

    def use(self) -> dict[str, Any]:
        """See :meth:`flowcli.estimator.FlowEstimator.use`."""

    def run(self, order: Order, on_item: OnItem) -> tuple[Totals, str | None]:
        """Do the items; returns the totals, and the levels of the frames of pairs, if there are any."""


@dataclass(frozen=True)
class LocalEngine:
    """This process. An :class:`Engine`."""

    estimator: FlowEstimator
    """Computes the flow."""

    readers: int = 1
    """How many threads read; see :class:`flowcli.run.batch_job.BatchJob`."""

    def start(self, inputs: Sequence[Path], folder: Path) -> None:
        """Nothing: it is ready."""

    def settings(self) -> Mapping[str, object]:
        """See :meth:`flowcli.estimator.FlowEstimator.settings`."""
        return self.estimator.settings()

    def use(self) -> dict[str, Any]:
        """See :meth:`flowcli.estimator.FlowEstimator.use`."""
        return self.estimator.use()

    def run(self, order: Order, on_item: OnItem) -> tuple[Totals, str | None]:
        """See :meth:`Engine.run`; errors as for :meth:`flowcli.run.batch_job.BatchJob.run`."""
        job = BatchJob(self.estimator, order.folder, order.reading, self.readers)
        wants = {"wants_statistics": order.wants_statistics, "wants_glance": order.wants_glance}
        totals = job.run(order.items, on_item, **wants)
        return totals, job.levels
