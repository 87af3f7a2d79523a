"""The batch on a worker of a cluster: what it is sent, what it does, and what it sends back."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..choices import Status
from ..errors import FlowcliError, InputError
from ..estimator import FlowEstimator, load_estimator
from ..frames.reading import Reading
from ..places import is_remote, listed, unlisted
from ..results import FlowStatistics
from ..storage import check_writable, why
from .batch_folder import BatchFolder
from .batch_job import BatchJob
from .batch_outputs import BatchOutputs
from .glance import Glance
from .tasks import Item, Outcome, Task, VideoOutcome, VideoTask

_MOST_READERS = 4


@dataclass(frozen=True)
class Terms:
    """How all items are done. Plain data."""

    outputs: BatchOutputs
    reading: Reading
    holds_arrays: bool
    wants_statistics: bool
    wants_glance: bool = False


@dataclass(frozen=True)
class Sent:
    """An item on its way to a worker. Plain data."""

    item: Item
    terms: Terms


@dataclass(frozen=True)
class Note:
    """What a worker has logged. Plain data."""

    level: int
    message: str
    arguments: tuple[int | float | str, ...] = ()

    @classmethod
    def of(cls, record: logging.LogRecord) -> Note:
        """The note of a record of the log."""
        given = record.args if isinstance(record.args, tuple) else ()
        arguments = tuple(each for each in given if isinstance(each, int | float | str))
        if given and len(arguments) == len(given):
            return cls(record.levelno, str(record.msg), arguments)
        return cls(record.levelno, record.getMessage())


@dataclass(frozen=True)
class PairReply:
    """The outcome of a pair without its task, which the sender has. Plain data."""

    status: Status
    windows: int = 0
    loss: str | None = None
    largest_flow: float = 0.0
    statistics: FlowStatistics | None = None
    glance: Glance | None = None
    error: FlowcliError | None = None

    @classmethod
    def of(cls, outcome: Outcome) -> PairReply:
        """The reply for an outcome."""
        error = None if outcome.error is None else _plain(outcome.error)
        seen = outcome.statistics, outcome.glance
        return cls(outcome.status, outcome.windows, outcome.loss, outcome.largest_flow, *seen, error)


@dataclass(frozen=True)
class Reply:
    """What a worker says of an item. Plain data."""

    outcome: PairReply | VideoOutcome
    levels: str | None = None
    """The levels of the frames of pairs, if there are any."""

    notes: tuple[Note, ...] = ()
    """What it has logged since its last reply."""


@dataclass(frozen=True)
class Urls:
    """URLs that a batch uses. Plain data."""

    example: Path | None = None
    """One that is read."""

    folder: Path | None = None
    """The output folder."""

    @classmethod
    def of(cls, inputs: Sequence[Path], folder: Path) -> Urls:
        """Those that there are: an input only if this process can read it, so that it is no item that just fails."""
        example = next((unlisted(path) for path in inputs if _is_seen(path)), None)
        is_url = is_remote(folder)
        return cls(example, unlisted(folder) if is_url else None)

    def check(self) -> None:
        """Raise ``InputError`` or ``OutputError`` if one cannot be used from here."""
        if self.folder is not None:
            check_writable(self.folder)
        if self.example is not None:
            try:
                self.example.stat()
            except OSError as error:
                raise InputError(f"cannot read {self.example}: {why(error)}") from error


def _is_seen(path: Path) -> bool:
    """Whether a path is a URL at which this process sees an object."""
    try:
        return is_remote(path) and path.is_file()
    except InputError:
        return False


class BatchRunner:
    """Does items in a worker's process. A :class:`flowcli.cluster.options.Runner`.

    Args:
        recipe: the arguments of :func:`flowcli.estimator.load_estimator`.
        max_pixels: frames with more pixels are refused.
        urls: what this process must be able to use, which other machines may have credentials for.
        threads: how many threads the process may use for computing.

    Raises:
        InputError, OutputError: a URL cannot be read, or written to, from here.
        ModelError, UsageError, OutputError: the model is unavailable; see :func:`flowcli.estimator.load_estimator`.
    """

    def __init__(self, recipe: dict[str, Any], max_pixels: int, urls: Urls, threads: int) -> None:
        urls.check()
        os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = str(max_pixels)  # read when OpenCV is imported
        import cv2

        cv2.setNumThreads(threads)  # Ray sets OMP_NUM_THREADS, which torch heeds and OpenCV does not
        self._estimator: FlowEstimator = load_estimator(**recipe)
        self._readers = min(_MOST_READERS, max(1, threads))
        self._terms: Terms | None = None
        self._job: BatchJob | None = None
        self._log = _Log()
        log = logging.getLogger("flowcli")
        log.addHandler(self._log)
        log.setLevel(logging.INFO)
        log.propagate = False

    def about(self) -> dict[str, Any]:
        """The settings of the estimator, for records and for results."""
        return {"settings": self._estimator.settings(), "use": self._estimator.use()}

    def run(self, items: list[Sent]) -> list[Reply]:
        """Do some items, which all have the same terms; errors as for :meth:`flowcli.run.batch_job.BatchJob.run`."""
        job, places = self._job_of(items[0].terms), {id(sent.item): place for place, sent in enumerate(items)}
        replies: dict[int, Reply] = {}

        def on_item(outcome: Outcome | VideoOutcome) -> None:
            replies[places[id(outcome.task)]] = Reply(reply_of(outcome), job.levels, self._log.take())

        terms = items[0].terms
        wants = {"wants_statistics": terms.wants_statistics, "wants_glance": terms.wants_glance}
        job.run([sent.item for sent in items], on_item, **wants)
        return [replies[place] for place in range(len(items))]

    def _job_of(self, terms: Terms) -> BatchJob:
        if self._job is None or terms != self._terms:
            outputs = replace(terms.outputs, folder=listed(terms.outputs.folder))
            folder = BatchFolder(outputs, self._estimator.settings(), terms.reading, terms.holds_arrays)
            self._job, self._terms = (
                BatchJob(self._estimator, folder, terms.reading, self._readers, may_cut=True),
                terms,
            )
        return self._job


class _Log(logging.Handler):
    """Keeps what is logged until it is taken."""

    def __init__(self) -> None:
        super().__init__()
        self._notes: list[Note] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._notes.append(Note.of(record))

    def take(self) -> tuple[Note, ...]:
        """What has been logged since it was last taken."""
        notes, self._notes = self._notes, []
        return tuple(notes)


def _plain(error: FlowcliError) -> FlowcliError:
    """The error without what it comes from, which need not be picklable."""
    return type(error)(error.message)


def reply_of(outcome: Outcome | VideoOutcome) -> PairReply | VideoOutcome:
    """What is sent of an outcome."""
    return PairReply.of(outcome) if isinstance(outcome, Outcome) else _light(outcome)


def _light(outcome: VideoOutcome) -> VideoOutcome:
    error = None if outcome.error is None else _plain(outcome.error)
    return replace(outcome, task=VideoTask(outcome.task.number, None), error=error)


def outcome_of(item: Item, reply: Reply, outputs: BatchOutputs) -> Outcome | VideoOutcome:
    """The outcome of an item, from what a worker says of it."""
    said = reply.outcome
    if isinstance(said, VideoOutcome):
        assert isinstance(item, VideoTask)
        return replace(said, task=item)
    assert isinstance(item, Task)
    files = outputs.files_of(item) if said.status != "failed" else ()
    seen = said.statistics, said.glance
    return Outcome(item, said.status, files, said.windows, said.loss, said.largest_flow, *seen, said.error)
