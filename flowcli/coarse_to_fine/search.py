"""Where a rectangle of the first frame is in the second one, by correlation."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator

import cv2
import numpy as np

from ..arrays import Frame

_SMALLEST, _LARGEST = 6, 64  # pixels of a side of what is looked for
_LARGE = 32  # pixels of a side; what is larger is looked for at half the size
_CONTRAST, _FOUND = 5.0, 0.9  # of it, in grey levels; and the correlation where it is
_SMOOTH = 1.0  # pixels; it may have moved by half of one, after which fine patterns look different

Span = tuple[int, int]
"""The first row or column, and the one after the last."""


class Search:
    """Looks for parts of the first frame in the second one.

    Args:
        frames: both, ``(H, W, 3)`` uint8 RGB.
    """

    def __init__(self, frames: tuple[Frame, Frame]) -> None:
        self._frames = frames

    @functools.cached_property
    def _whole(self) -> tuple[Frame, Frame]:
        first, second = (cv2.GaussianBlur(frame, (0, 0), _SMOOTH) for frame in self._frames)
        return np.asarray(first, np.uint8), np.asarray(second, np.uint8)

    @functools.cached_property
    def _halved(self) -> tuple[Frame, Frame]:
        height, width = (side // 2 * 2 for side in self._frames[0].shape[:2])
        first, second = (
            cv2.GaussianBlur(cv2.resize(frame[:height, :width], None, fx=0.5, fy=0.5), (0, 0), _SMOOTH)
            for frame in self._frames
        )
        return np.asarray(first, np.uint8), np.asarray(second, np.uint8)

    def moved(self, rows: Span, columns: Span, reach: int) -> tuple[float, float] | None:
        """How far the middle of a rectangle has moved, by correlation.

        Args:
            rows: those of the rectangle.
            columns: the same.
            reach: how far around the rectangle to look, in pixels.

        Returns:
            Pixels right and down; ``None`` if it is too small or plain, or nothing looks like it.
        """
        (top, bottom), (left, right) = _middle(rows), _middle(columns)
        part = self._frames[0][top:bottom, left:right]
        if min(part.shape[:2]) < _SMALLEST or part.std(axis=(0, 1)).max() < _CONTRAST:
            return None
        step, (first, second) = (2, self._halved) if min(part.shape[:2]) >= _LARGE else (1, self._whole)
        sought = first[top // step : bottom // step, left // step : right // step]
        (start, last), (begin, end) = (
            (max(0, span[0] - reach) // step, (span[1] + reach) // step) for span in (rows, columns)
        )
        alike = cv2.matchTemplate(second[start:last, begin:end], sought, cv2.TM_CCOEFF_NORMED)
        row, column = np.unravel_index(alike.argmax(), alike.shape)
        if not alike[row, column] >= _FOUND:
            return None
        return float(step * (begin + column - left // step)), float(step * (start + row - top // step))


def parts_of(rows: Span, columns: Span) -> Iterator[tuple[Span, Span]]:
    """The quarters of a rectangle; and theirs, unless they are so large that only their middle is looked for."""
    quarters = [*itertools.product(_halves(rows), _halves(columns))]
    yield from quarters
    if max(span[1] - span[0] for quarter in quarters for span in quarter) <= _LARGEST:
        for rows, columns in quarters:
            yield from itertools.product(_halves(rows), _halves(columns))


def _halves(span: Span) -> tuple[Span, Span]:
    start, stop = span
    return (start, (start + stop) // 2), ((start + stop) // 2, stop)


def _middle(span: Span) -> Span:
    """The middle of a span, so long as suffices to find it again."""
    start, stop = span
    spare = max(0, stop - start - _LARGEST) // 2
    return start + spare, stop - spare
