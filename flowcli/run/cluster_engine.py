"""The workers of a Ray cluster as what does the items of a batch."""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..cluster.cluster import Cluster
from ..cluster.options import ClusterOptions, Lost, MustSee
from ..errors import DeviceError, ModelError, OutputError, UsageError
from ..places import is_remote
from .cluster_worker import BatchRunner, Reply, Sent, Terms, Urls, outcome_of, reply_of
from .cut_videos import CutVideos
from .engine import OnItem, Order
from .runner import Totals
from .tasks import Item, Outcome, VideoOutcome, VideoTask

_log = logging.getLogger("flowcli")


class ClusterEngine:
    """The workers of a cluster. A :class:`flowcli.run.engine.Engine`, and a context manager.

    Args:
        options: which cluster, and how much of it.
        recipe: the arguments of :func:`flowcli.estimator.load_estimator`, for each worker.
        max_pixels: frames with more pixels are refused.
        verbose: whether what workers print is shown on stderr.
    """

    def __init__(
        self, options: ClusterOptions, recipe: Mapping[str, Any], *, max_pixels: int, verbose: bool = False
    ) -> None:
        self._recipe = dict(recipe)
        self._max_pixels = max_pixels
        self._cluster = Cluster(options, verbose=verbose)
        self._stack = contextlib.ExitStack()
        self._about: dict[str, Any] = {}

    def __enter__(self) -> ClusterEngine:
        """Connect; raises ``UsageError`` where Ray is missing or the cluster refuses us."""
        self._stack.enter_context(self._cluster)
        return self

    def __exit__(self, *error: Any) -> None:
        """End the workers and leave the cluster."""
        self._stack.__exit__(*error)

    def start(self, inputs: Sequence[Path], folder: Path) -> None:
        """Make the first workers; errors as for :meth:`flowcli.cluster.cluster.Cluster.start`."""
        must_see = [MustSee(path.absolute()) for path in inputs if not is_remote(path) and path.exists()]
        if not is_remote(folder):
            there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
            must_see.append(MustSee(there, "output folder", OutputError))
        model = Path(str(self._recipe["model"]))
        if model.is_dir():
            must_see.append(MustSee(model.absolute(), "model folder", ModelError))
        job = functools.partial(BatchRunner, self._recipe, self._max_pixels, Urls.of(inputs, folder))
        self._about = self._cluster.start(job, must_see)

    def settings(self) -> Mapping[str, object]:
        """The settings of the workers' estimators."""
        settings: dict[str, object] = self._about["settings"]
        return settings

    def use(self) -> dict[str, Any]:
        """The model and its settings, as the first worker says."""
        use: dict[str, Any] = self._about["use"]
        return use

    def run(self, order: Order, on_item: OnItem) -> tuple[Totals, str | None]:
        """See :meth:`flowcli.run.engine.Engine.run`.

        Raises:
            UsageError: levels are to be chosen for items that come one by one.
            FlowcliError: what a worker raised that ends the run.
        """
        if order.total is None and order.reading.levels == "auto":
            raise UsageError("`levels` auto needs a manifest in a file or a folder; or give LOW:HIGH")
        totals, levels = Totals(), None
        outputs = order.folder.outputs
        cuts = CutVideos(are_shown=outputs.video_format is not None)
        terms = Terms(outputs, order.reading, order.folder.holds_arrays, order.wants_statistics, order.wants_glance)

        def finish(outcome: Outcome | VideoOutcome) -> None:
            totals.add_item(outcome)
            on_item(outcome)

        def to_send() -> Iterator[Sent]:
            for item in order.items:
                if item.error is not None:
                    finish(_failed(item, item.error))
                else:
                    yield Sent(item, terms)

        with totals.timed():
            for sent, reply in self._cluster.map(to_send(), order.total):
                if isinstance(reply, Lost):
                    remedy = "if memory is short, give fewer `workers` or smaller frames"
                    lost = DeviceError(f"{_name(sent.item)}: {reply.reason}, twice; {remedy}")
                    reply = Reply(reply_of(_failed(sent.item, lost)))
                assert isinstance(reply, Reply)
                levels = reply.levels or levels
                for note in reply.notes:
                    _log.log(note.level, note.message, *note.arguments)
                outcome: Outcome | VideoOutcome | None = outcome_of(sent.item, reply, outputs)
                if isinstance(outcome, VideoOutcome) and isinstance(sent.item, VideoTask):
                    more, outcome = cuts.take(sent.item, outcome)
                    self._cluster.add([Sent(task, terms) for task in more])
                if outcome is not None:
                    finish(outcome)
        return totals, levels


def _failed(item: Item, error: Any) -> Outcome | VideoOutcome:
    if isinstance(item, VideoTask):
        return VideoOutcome(item, "failed", error=error)
    return Outcome(item, "failed", error=error)


def _name(item: Item) -> str:
    return item.origin or str(item.out)
