"""Work in background threads, through bounded queues: producers that read ahead, a consumer that writes behind.

Decoding, encoding, OpenCV and torch all release Python's global interpreter lock, so threads suffice.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")

_POLL_SECONDS = 0.1  # how often a thread that waits for room checks whether it should stop
_STUCK_SECONDS = 1.0  # how long to wait for a reader, which may be stuck, say on a pipe that nobody writes to


class _End:
    """The last entry of a queue: the stream has ended, perhaps with an error."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class ReadAhead(Generic[Item]):
    """Iterates over sources, each in a thread of its own, ahead of the consumer.

    An error in a thread is raised in place of the item. Use it as a context manager: leaving it stops the threads.

    Args:
        sources: the sources; the items of each come in order.
        depth: how many items may wait in the queue, at least 1.
    """

    def __init__(self, *sources: Iterable[Item], depth: int) -> None:
        self._queue: queue.Queue[Item | _End] = queue.Queue(depth)
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._produce, args=(source,), name="read-ahead", daemon=True) for source in sources
        ]

    def __enter__(self) -> ReadAhead[Item]:
        """Start reading."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop reading and wait for the threads, but not long: one that is stuck in a read ends with the process."""
        self._stopped.set()
        deadline = time.monotonic() + _STUCK_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def __iter__(self) -> Iterator[Item]:
        """Yield the items; raises what a source raised."""
        reading = len(self._threads)
        while reading:
            item = self._queue.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                reading -= 1
                continue
            yield item

    def _produce(self, source: Iterable[Item]) -> None:
        end = _End()
        try:
            for item in source:
                if not self._put(item):
                    return
        except BaseException as error:  # handed to the main thread, which raises it
            end = _End(error)
        finally:
            if isinstance(source, Generator):
                source.close()  # now: it may hold what another of the threads waits for
        self._put(end)

    def _put(self, item: Item | _End) -> bool:
        while not self._stopped.is_set():
            try:
                self._queue.put(item, timeout=_POLL_SECONDS)
            except queue.Full:
                continue
            return True
        return False


class WriteBehind(Generic[Item]):
    """Calls ``consume`` in a thread for each item that is put.

    An error in the thread is raised by the next ``put`` or on leaving. Use it as a context manager: leaving it waits
    until all items are consumed; leaving it with an error drops the items in the queue.

    Args:
        consume: called with each item, in order.
        depth: how many items may wait in the queue, at least 1.
    """

    def __init__(self, consume: Callable[[Item], None], depth: int) -> None:
        self._consume = consume
        self._queue: queue.Queue[Item | _End] = queue.Queue(depth)
        self._error: BaseException | None = None
        self._dropping = False
        self._thread = threading.Thread(target=self._work, name="write-behind", daemon=True)

    def __enter__(self) -> WriteBehind[Item]:
        """Start consuming."""
        self._thread.start()
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        """Consume (or, after an error, drop) the remaining items, and wait for the thread."""
        self._dropping = self._dropping or failed is not None
        self._queue.put(_End())
        self._thread.join()
        if failed is None and self._error is not None:
            raise self._error

    def put(self, item: Item) -> None:
        """Queue an item; blocks while the queue is full. Raises what ``consume`` raised for an earlier item."""
        if self._error is not None:
            raise self._error
        self._queue.put(item)

    def _work(self) -> None:
        while not isinstance(item := self._queue.get(), _End):
            if self._dropping:
                continue
            try:
                self._consume(item)
            except BaseException as error:  # handed to the main thread, which raises it
                self._error = error
                self._dropping = True
