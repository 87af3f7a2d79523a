"""Which frames of a video are looked at: from a start to an end, every so many."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from ..errors import UsageError

Content = TypeVar("Content")

Position = int | Fraction
"""A place in a video: the number of a frame, counted from 0, or seconds since the first frame."""


@dataclass(frozen=True)
class Selection:
    """Frames from ``start`` on, before ``end``, every ``stride``-th of them.

    Consecutive frames of the selection are pairs, so their frames, and the pairs, are ``stride`` frames apart.

    Raises:
        UsageError: the stride is not positive, or the end is not after the start.
    """

    start: Position = 0
    end: Position | None = None
    stride: int = 1

    def __post_init__(self) -> None:
        """Check the values."""
        if self.stride < 1:
            raise UsageError(f"`stride` must be at least 1, not {self.stride}")
        comparable = isinstance(self.start, Fraction) == isinstance(self.end, Fraction) or self.start == 0
        if self.end is not None and comparable and self.end <= self.start:
            raise UsageError("`end` must come after `start`")

    def pick(self, frames: Iterable[tuple[int, Fraction, Content]]) -> Iterator[tuple[int, Fraction, Content]]:
        """Those of ``frames`` (number, seconds since the first, anything) that are selected; stops after the last."""
        first: int | None = None
        for index, time, content in frames:
            if self.end is not None and _is_at_or_after(self.end, index, time):
                return
            if not _is_at_or_after(self.start, index, time):
                continue
            first = index if first is None else first
            if (index - first) % self.stride == 0:
                yield index, time, content

    def indices(self, count: int, rate: Fraction) -> range:
        """The numbers of the selected frames among ``count`` frames at a constant ``rate`` per second."""
        start, end = (
            math.ceil(place * rate) if isinstance(place, Fraction) else place for place in (self.start, self.end)
        )
        return range(start or 0, count if end is None else min(count, end), self.stride)

    def seconds(self, duration: Fraction, rate: Fraction) -> tuple[Fraction, Fraction]:
        """About when the selection starts and ends, in a video of that duration and frame rate."""
        start, end = (
            place if isinstance(place, Fraction) else (None if place is None else place / rate)
            for place in (self.start, self.end)
        )
        return start or Fraction(0), duration if end is None else min(duration, end)


EVERYTHING = Selection()


def _is_at_or_after(place: Position, index: int, time: Fraction) -> bool:
    return time >= place if isinstance(place, Fraction) else index >= place
