"""Many pairs from frames to files: what is there is skipped, what fails is listed, the rest goes on.

Reading, estimating and writing run beside one another, through bounded queues.
"""

from __future__ import annotations

import contextlib
import stat
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ..arrays import Flow, Frame, check_same_size
from ..draw.outputs import png_settings, write_output
from ..draw.style import Style
from ..errors import FlowcliError, InputError, OutputError, UsageError
from ..estimator import FlowEstimator, FramePair
from ..flows.io import FormatName
from ..frames.images import image_size, read_image
from ..limits import MAX_PIXELS
from ..storage import is_out_of_room
from .background import ReadAhead, WriteBehind
from .failures import Failures
from .manifest import FaultyItem, Item, distinct
from .record import Record

_QUEUE_DEPTH = 4  # pairs; enough that no stage waits for another's hiccup, little enough to hold in memory


@dataclass(frozen=True)
class Outcome:
    """What became of an item."""

    item: Item | FaultyItem
    status: Literal["done", "skipped", "failed"]
    flow: Flow | None = None
    """The flow, if it was estimated."""

    windows: int = 0
    loss: str | None = None
    """What its file cannot hold of it."""

    error: FlowcliError | None = None
    """Why it failed."""


@dataclass
class BatchSummary:
    """What became of a batch."""

    done: int = 0
    skipped: int = 0
    failed: int = 0
    windows: int = 0
    seconds: float = 0.0

    @property
    def items(self) -> int:
        """All that were looked at."""
        return self.done + self.skipped + self.failed

    @property
    def pairs_per_second(self) -> float:
        """Of those that were estimated."""
        return self.done / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Shard:
    """The part ``index`` (counted from 1) of ``count``: every ``count``-th item. All parts together are everything."""

    index: int = 1
    count: int = 1

    def pick(self, items: Iterable[Item | FaultyItem]) -> Iterator[Item | FaultyItem]:
        """Its items."""
        return (item for number, item in enumerate(items) if number % self.count == self.index - 1)

    def size(self, total: int) -> int:
        """How many of ``total`` items it has."""
        return len(range(self.index - 1, total, self.count))


class Batch:
    """A batch over an output folder.

    Args:
        estimator: estimates.
        folder: where the outputs go.
        flow_format: ``kitti`` makes outputs called ``.png`` KITTI's; otherwise they are pictures.
        style: of the pictures.
        max_pixels: larger frames fail.
        force: estimate what is there as well.

    Raises:
        UsageError: the folder holds flows that were made differently.
        OutputError: the folder cannot be written to.
    """

    def __init__(
        self,
        estimator: FlowEstimator,
        folder: Path,
        *,
        flow_format: FormatName | None = None,
        style: Style = Style(),  # noqa: B008  (frozen)
        max_pixels: int = MAX_PIXELS,
        force: bool = False,
    ) -> None:
        self._estimator = estimator
        self._folder = folder
        self._flow_format = flow_format
        self._style = style
        self._max_pixels = max_pixels
        self._force = force
        made_by = estimator.settings() | png_settings(flow_format, style)
        self._record = Record(folder, made_by, force=force)
        self._last: tuple[Path, Frame] | None = None

    def run(
        self,
        items: Iterable[Item | FaultyItem],
        shard: Shard = Shard(),
        *,
        on_outcome: Callable[[Outcome], None] | None = None,
    ) -> BatchSummary:
        """Work through ``items``, read as they are needed.

        An item that fails is listed in ``failures.jsonl`` and does not stop the others.

        Args:
            items: the pairs; of those with the same output only the first is taken.
            shard: which part of them.
            on_outcome: called, in the writing thread, when an item has been dealt with, written and all.

        Raises:
            OutputError: nothing more can be written at all: the disk is full, for instance.
        """
        started = time.monotonic()
        summary = BatchSummary()
        pending: deque[tuple[Item, int]] = deque()
        with contextlib.ExitStack() as stack:
            failures = stack.enter_context(Failures(self._folder))

            def finish(outcome: Outcome) -> None:
                outcome = self._written(outcome)
                _note(outcome, summary, failures)
                if on_outcome is not None:
                    on_outcome(outcome)

            writer = stack.enter_context(WriteBehind(finish, _QUEUE_DEPTH))
            looked_at = (self._look(item) for item in shard.pick(distinct(items, self._folder)))
            reader = stack.enter_context(ReadAhead(looked_at, _QUEUE_DEPTH))

            def pairs() -> Iterator[FramePair]:
                for entry in reader:
                    if isinstance(entry, Outcome):
                        writer.put(entry)
                    else:
                        item, frames = entry
                        pending.append((item, len(self._estimator.grid_for(_size(frames[0])))))
                        yield frames

            for flow in self._estimator.estimate_pairs(pairs()):
                item, windows = pending.popleft()
                writer.put(Outcome(item, "done", flow, windows))
        summary.seconds = time.monotonic() - started
        return summary

    def _look(self, item: Item | FaultyItem) -> Outcome | tuple[Item, FramePair]:
        """Read a pair's frames, unless there is nothing to estimate."""
        if isinstance(item, FaultyItem):
            return Outcome(item, "failed", error=item.error)
        if not self._force and self._is_there(item):
            return Outcome(item, "skipped")
        try:
            frames = self._read(item.frame1), self._read(item.frame2)
            check_same_size(item.frame1, frames[0].shape, item.frame2, frames[1].shape)
            self._estimator.grid_for(_size(frames[0]))
        except (InputError, UsageError) as error:
            return Outcome(item, "failed", error=error)
        return item, frames

    def _read(self, path: Path) -> Frame:
        """A frame; the last one is remembered, since the second frame of a pair is often the first of the next."""
        if self._last is None or self._last[0] != path:
            self._last = path, read_image(path, max_pixels=self._max_pixels)
        return self._last[1]

    def _is_there(self, item: Item) -> bool:
        out = self._folder / item.out
        try:
            out.stat()
            frames = [path.stat() for path in (item.frame1, item.frame2)]
        except FileNotFoundError:  # if it is a frame: tidied away since, so being whole has to do
            return self._record.is_whole(out)
        except OSError:
            return False
        if not stat.S_ISREG(frames[0].st_mode):  # a pipe cannot be looked into
            return self._record.is_whole(out)
        changed = max(frame.st_mtime_ns for frame in frames)
        declared = image_size(item.frame1)
        if declared is not None and self._record.has(out, declared, changed, item.made_from):
            return True
        try:  # the header does not always tell how the image is turned
            return self._record.has(out, _size(self._read(item.frame1)), changed, item.made_from)
        except InputError:
            return False

    def _written(self, outcome: Outcome) -> Outcome:
        """Write the flow; if that fails for this output alone, the item has failed."""
        if outcome.flow is None or isinstance(outcome.item, FaultyItem):
            return outcome
        model = self._estimator.model
        try:
            self._record.begin({"model": model.name, "revision": model.revision})
            path = self._folder / outcome.item.out
            lost = write_output(
                path,
                outcome.flow,
                flow_format=self._flow_format,
                style=self._style,
                made_from=outcome.item.made_from,
            )
        except OutputError as error:
            if is_out_of_room(error):
                raise
            return Outcome(outcome.item, "failed", error=error)
        return replace(outcome, loss=lost)


def _note(outcome: Outcome, summary: BatchSummary, failures: Failures) -> None:
    item, error = outcome.item, outcome.error
    failures.handled(item.origin)
    if isinstance(item, Item):
        failures.handled(str(item.out))
    summary.windows += outcome.windows
    if error is None:
        summary.done += outcome.status == "done"
        summary.skipped += outcome.status == "skipped"
        return
    summary.failed += 1
    entry: dict[str, object] = {"origin": item.origin, "error": str(error), "exit_code": error.exit_code}
    if isinstance(item, Item):
        frames = {"frame1": str(item.frame1.absolute()), "frame2": str(item.frame2.absolute())}
        entry = {**frames, "out": str(item.out), **entry}
    failures.add(entry)


def _size(frame: Frame) -> tuple[int, int]:
    return frame.shape[0], frame.shape[1]
