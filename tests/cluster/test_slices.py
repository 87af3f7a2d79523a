"""Which items go to a worker together."""

from __future__ import annotations

from flowcli.cluster.slices import Pace, Slice, SliceQueue


def taken(queue: SliceQueue, size: int, workers: int = 1, *, is_idle: bool = True) -> list[int] | None:
    piece = queue.take(size, workers, is_idle=is_idle)
    return None if piece is None else piece.items


def test_slices_grow_while_items_are_quick_and_replies_small() -> None:
    pace = Pace()
    sizes = []
    for _ in range(10):
        sizes.append(pace.size)
        pace.note(pace.size, 0.001 * pace.size, 100 * pace.size)
    assert sizes == [1, 2, 4, 8, 16, 32, 64, 128, 256, 256]
    pace.note(256, 10.24, 25_600)
    assert pace.size == 25  # of 40 ms each
    pace.note(25, 0.0, 25 * 16_384)
    assert pace.size == 4  # of 16 kB each
    pace.note(1, 20.0, 10)
    assert pace.size == 1


def test_slices_shrink_towards_the_end() -> None:
    queue = SliceQueue(range(20), 20)
    sizes = []
    while (items := taken(queue, 100, 2)) is not None:
        sizes.append(len(items))
    assert sizes == [5, 4, 3, 2, 2, 1, 1, 1, 1]
    assert queue.is_empty


def test_items_are_taken_as_needed_and_a_wrong_total_does_no_harm() -> None:
    asked: list[int] = []
    queue = SliceQueue((asked.append(number) or number for number in range(10)), 3)  # type: ignore[func-returns-value]
    assert taken(queue, 2) == [0, 1]
    assert asked == [0, 1]
    rest = []
    while (items := taken(queue, 4)) is not None:
        rest += items
    assert rest == list(range(2, 10))


def test_a_suspect_gets_a_worker_for_itself() -> None:
    queue = SliceQueue(range(4), None)
    first = queue.take(2, 1, is_idle=True)
    assert first is not None
    queue.suspect(first)
    assert taken(queue, 2, is_idle=False) is None  # so that the worker becomes idle
    alone = queue.take(2, 1, is_idle=True)
    assert alone is not None
    assert (alone.items, alone.is_alone) == ([0], True)
    queue.put_back(alone)  # its node was lost
    assert [taken(queue, 2) for _ in range(3)] == [[1], [0], [2, 3]]


def test_what_was_queued_behind_is_done_again_whole() -> None:
    queue = SliceQueue([], None)
    queue.put_back(Slice([1, 2], is_shielded=True))
    piece = queue.take(1, 1, is_idle=False)
    assert piece is not None
    assert (piece.items, piece.is_alone, piece.is_shielded) == ([1, 2], False, False)
