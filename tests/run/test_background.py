from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from flowcli.run.background import ReadAhead, WriteBehind


def eventually(condition: object) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if callable(condition) and condition():
            return True
        time.sleep(0.01)
    return False


def test_items_come_in_order_and_only_so_many_ahead() -> None:
    produced: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            produced.append(number)
            yield number

    with ReadAhead(items(), depth=3) as ahead:
        stream = iter(ahead)
        assert next(stream) == 0
        assert eventually(lambda: len(produced) == 5)  # one taken, three queued, one waiting for room
        time.sleep(0.05)
        assert len(produced) == 5
        assert list(stream) == list(range(1, 100))


def test_an_error_comes_where_the_item_would_have() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    with ReadAhead(items(), depth=3) as ahead:
        stream = iter(ahead)
        assert next(stream) == 1
        with pytest.raises(ValueError, match="broken"):
            next(stream)


def test_leaving_stops_an_endless_producer() -> None:
    before = threading.active_count()
    with ReadAhead(iter(int, 1), depth=2) as ahead:
        assert next(iter(ahead)) == 0
    assert threading.active_count() == before


def test_everything_put_is_consumed_before_leaving() -> None:
    consumed: list[int] = []
    with WriteBehind(consumed.append, depth=2) as behind:
        for number in range(50):
            behind.put(number)
    assert consumed == list(range(50))


def test_a_consumer_error_reaches_the_main_thread() -> None:
    def consume(number: int) -> None:
        if number == 3:
            raise OSError("full")

    def produce() -> None:
        with WriteBehind(consume, depth=2) as behind:
            for number in range(1000):
                behind.put(number)

    with pytest.raises(OSError, match="full"):
        produce()


def test_an_error_while_leaving_is_not_lost() -> None:
    def consume(_: int) -> None:
        time.sleep(0.05)
        raise OSError("full")

    def produce() -> None:
        with WriteBehind(consume, depth=2) as behind:
            behind.put(1)

    with pytest.raises(OSError, match="full"):
        produce()


def test_after_an_error_what_waits_is_dropped() -> None:
    started, release = threading.Event(), threading.Event()
    consumed: list[int] = []

    def consume(number: int) -> None:
        started.set()
        release.wait(10)
        consumed.append(number)

    def produce() -> None:
        with WriteBehind(consume, depth=5) as behind:
            for number in range(4):
                behind.put(number)
            started.wait(10)
            threading.Timer(0.1, release.set).start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        produce()
    assert consumed == [0]
