"""The pairs of a sequence with their frames: read once, and kept as long as the longest gap needs."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..errors import InputError
from ..frames.selection import EVERYTHING
from ..frames.source import FrameSource, TimedFrame
from .pairing import IndexPair, Pairing, Plan
from .tasks import Part

FRAME_BYTES = 1 << 30
"""How much memory the frames may take where every frame is paired with every other; beyond it they are read again."""


_MOST_COUNTED = 1000  # frames, for an error message


@dataclass(frozen=True)
class FlowPair:
    """A flow of a sequence, with its frames."""

    index: IndexPair
    frame: TimedFrame
    """The frame that the flow belongs to."""

    first: TimedFrame
    """The frame that it leads from."""

    second: TimedFrame
    """The frame that it leads to."""

    opposite: FlowPair | None = None
    """The flow between the same frames in the other direction, if it is one of the sequence, too."""


def pairs(source: FrameSource, pairing: Pairing, part: Part | None = None) -> Iterator[FlowPair]:
    """All pairs of a sequence, or of a part of it, in the order in which its frames are read.

    Args:
        source: the sequence.
        pairing: which pairs; of a part, those of a single gap, without padding.
        part: the part, if not all.

    Raises:
        DamagedError: at a frame that is damaged or missing.
        InputError: the reference frame is not one of the sequence.
    """
    if part is not None:
        return _of_part(source, pairing, part)
    if pairing.anchor is not None:
        return _with_reference(source, pairing, pairing.anchor)
    if pairing.gaps == "all":
        return _each_with_each(source, pairing)
    found = _by_gaps(source, pairing)
    gap = pairing.single_gap
    return found if gap is None else _in_order(found, 0 if gap > 0 or pairing.pad != "none" else -gap)


def no_pairs(source: FrameSource, pairing: Pairing) -> InputError:
    """The error of a sequence that is too short for any pair."""
    found = sum(1 for _ in itertools.islice(source.frames(), _MOST_COUNTED))
    where = "" if source.selection == EVERYTHING else " in the selection of `start`, `end` and `stride`"
    words = {0: "no frame", 1: "one frame"}.get(found, f"{found} frames")
    needed = 2 if pairing.gaps == "all" else 1 + min(abs(gap) for gap in pairing.gaps)
    least = "two" if needed == 2 else f"{needed} for this gap"
    return InputError(f"{source.path} has {words}{where}; flow needs at least {least}")


def _by_gaps(source: FrameSource, pairing: Pairing) -> Iterator[FlowPair]:
    plan, reach, count = Plan(pairing), pairing.reach or 0, 0
    if source.count is not None:
        pairing.check_count(source.count, source.path)
    kept: dict[int, TimedFrame] = {}
    for count, frame in enumerate(source.frames(), 1):
        kept[count - 1] = frame
        kept.pop(count - 2 - reach, None)
        yield from _with_frames(plan.at(count - 1), kept)
    yield from _with_frames(plan.at_end(count), kept)
    pairing.check_count(count, source.path)


def _of_part(source: FrameSource, pairing: Pairing, part: Part) -> Iterator[FlowPair]:
    assert pairing.single_gap is not None
    assert isinstance(source.selection.start, int)
    plan, reach, kept = Plan(pairing), abs(pairing.single_gap), dict[int, TimedFrame]()
    last = None if part.stop is None else part.stop - 1 + max(0, pairing.single_gap)
    for frame in source.frames():
        position = (frame.number - source.selection.start) // source.selection.stride
        kept[position] = frame
        kept.pop(position - 1 - reach, None)
        stop = position + 1 if part.stop is None else part.stop
        found = [pair for pair in plan.at(position) if part.start <= pair.frame < stop]
        yield from _with_frames(found, kept)
        if last is not None and position >= last:
            return


def _with_reference(source: FrameSource, pairing: Pairing, number: int) -> Iterator[FlowPair]:
    frames = source.frames()
    found = next(((position, frame) for position, frame in enumerate(frames) if frame.number == number), None)
    del frames  # and close the file
    if found is None:
        raise InputError(f"{source.path} has no frame {number} in the selection; choose another reference")
    plan = Plan(pairing, found[0])
    for position, frame in enumerate(source.frames()):
        yield from _with_frames(plan.at(position), {found[0]: found[1], position: frame})


def _each_with_each(source: FrameSource, pairing: Pairing) -> Iterator[FlowPair]:
    """Blocks of frames that fit into memory, each with the frames that follow; the input is read once for each."""
    start, count = 0, 1
    while start < count:
        block: dict[int, TimedFrame] = {}
        room = 0
        for position, frame in enumerate(source.frames()):
            count = position + 1
            if position < start:
                continue
            room = room or max(2, FRAME_BYTES // frame.image.nbytes)
            found = [pair for pair in Plan(pairing).at(position) if min(pair.first, pair.second) in block]
            if position < start + room:
                block[position] = frame
            yield from _with_frames(found, {**block, position: frame})
        start += room or 1


def _with_frames(found: Iterable[IndexPair], frames: Mapping[int, TimedFrame]) -> Iterator[FlowPair]:
    """Pairs with their frames; two that lead there and back are one, with its opposite."""
    found = list(found)
    if len({pair.gap for pair in found}) == 1:  # of a single gap: each flow has its own place in the order
        yield from (_pair(pair, frames) for pair in found)
        return
    waiting: dict[tuple[int, int], IndexPair] = {}
    for pair in found:
        waiting.setdefault((pair.first, pair.second), pair)
        if waiting[pair.first, pair.second] is not pair:  # the same flow under another name
            yield _pair(pair, frames)
    while waiting:
        (first, second), pair = next(iter(waiting.items()))
        del waiting[first, second]
        opposite = waiting.pop((second, first), None)
        yield _pair(pair, frames, None if opposite is None else _pair(opposite, frames))


def _pair(pair: IndexPair, frames: Mapping[int, TimedFrame], opposite: FlowPair | None = None) -> FlowPair:
    return FlowPair(pair, frames[pair.frame], frames[pair.first], frames[pair.second], opposite)


def _in_order(found: Iterable[FlowPair], first: int) -> Iterator[FlowPair]:
    """Pairs of a single gap in the order of the frames that they belong to, from frame ``first`` on."""
    early: dict[int, FlowPair] = {}
    for pair in found:
        early[pair.index.frame] = pair
        while first in early:
            yield early.pop(first)
            first += 1
    yield from (early[frame] for frame in sorted(early))
