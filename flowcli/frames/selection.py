"""Selects frames of a video by start, end and stride."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from ..errors import UsageError

Content = TypeVar("Content")

Position = int | Fraction
"""A position in a video: a frame number, counted from 0, or seconds since the first frame."""


def parse_position(text: str) -> Position:
    """Parse a position in a video: a frame number, or a time such as ``12.5s``, ``1:30`` or ``1:02:03.5``.

    Returns:
        The frame number as an integer, or the seconds as a fraction.

    Raises:
        UsageError: it is neither.
    """
    if re.fullmatch(r"\d{1,12}", text):
        return int(text)
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?s|\d{1,9}(:[0-5]?\d){1,2}(\.\d{1,9})?", text):
        seconds = Fraction(0)
        for part in text.removesuffix("s").split(":"):
            seconds = seconds * 60 + Fraction(part)
        return seconds
    raise UsageError(f"{text!r} is neither a frame number nor a time such as 12.5s or 1:30")


def format_position(position: Position) -> str:
    """A position as :func:`parse_position` reads it; times in microseconds."""
    if isinstance(position, int):
        return str(position)
    return f"{math.floor(position)}.{math.floor(position % 1 * 1_000_000):06d}s"


@dataclass(frozen=True)
class Selection:
    """Every ``stride``-th frame from ``start`` on, up to but without ``end``.

    Consecutive selected frames form the pairs, so the two frames of a pair are ``stride`` frames apart.

    Args:
        start: the first frame.
        end: the first frame that is left out; ``None`` selects up to the last.
        stride: the distance between selected frames, at least 1.

    Raises:
        UsageError: the stride is below 1, or the end is not after the start.
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
        """Filter a stream of frames; stops reading at ``end``.

        Args:
            frames: all frames in order: number, seconds since the first, and any content.

        Yields:
            The selected ones, unchanged.
        """
        first = self.start if isinstance(self.start, int) else None  # frames before that may be left out already
        for index, time, content in frames:
            if self.end is not None and _is_at_or_after(self.end, index, time):
                return
            if not _is_at_or_after(self.start, index, time):
                continue
            first = index if first is None else first
            if (index - first) % self.stride == 0:
                yield index, time, content

    def indices(self, count: int, rate: Fraction) -> range:
        """The numbers of the selected frames among ``count`` frames at a constant rate of ``rate`` per second."""
        start, end = (
            math.ceil(place * rate) if isinstance(place, Fraction) else place for place in (self.start, self.end)
        )
        return range(start or 0, count if end is None else min(count, end), self.stride)

    def seconds(self, duration: Fraction, rate: Fraction) -> tuple[Fraction, Fraction]:
        """The approximate start and end of the selection in seconds.

        Args:
            duration: of the video, in seconds.
            rate: frames per second.
        """
        start, end = (
            place if isinstance(place, Fraction) else (None if place is None else place / rate)
            for place in (self.start, self.end)
        )
        return start or Fraction(0), duration if end is None else min(duration, end)


EVERYTHING = Selection()
"""All frames."""


def _is_at_or_after(place: Position, index: int, time: Fraction) -> bool:
    return time >= place if isinstance(place, Fraction) else index >= place
