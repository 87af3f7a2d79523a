"""Where a rectangle of the first frame is in the second one, by correlation."""

from __future__ import annotations

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


def moved(frames: tuple[Frame, Frame], rows: Span, columns: Span, reach: int) -> tuple[float, float] | None:
    """How far the middle of a rectangle has moved.

    Args:
        frames: both, ``(H, W, 3)`` uint8 RGB.
        rows: those of the rectangle.
        columns: the same.
        reach: how far around the rectangle to look, in pixels.

    Returns:
        Pixels right and down; ``None`` if it is too small or plain, or nothing looks like it.
    """
    (top, bottom), (left, right) = _middle(rows), _middle(columns)
    template = frames[0][top:bottom, left:right]
    if min(template.shape[:2]) < _SMALLEST or template.std(axis=(0, 1)).max() < _CONTRAST:
        return None
    (first, last), (start, end) = (
        (max(0, span[0] - reach), min(length, span[1] + reach))
        for span, length in zip((rows, columns), frames[1].shape, strict=False)
    )
    step = 2 if min(template.shape[:2]) >= _LARGE else 1
    around, sought = (_smooth(each, step) for each in (frames[1][first:last, start:end], template))
    alike = cv2.matchTemplate(around, sought, cv2.TM_CCOEFF_NORMED)
    row, column = np.unravel_index(alike.argmax(), alike.shape)
    if not alike[row, column] >= _FOUND:
        return None
    return float(start + step * column - left), float(first + step * row - top)


def parts_of(rows: Span, columns: Span) -> Iterator[tuple[Span, Span]]:
    """The quarters of a rectangle, and theirs."""
    quarters = [*itertools.product(_halves(rows), _halves(columns))]
    yield from quarters
    for rows, columns in quarters:
        yield from itertools.product(_halves(rows), _halves(columns))


def _halves(span: Span) -> tuple[Span, Span]:
    start, stop = span
    return (start, (start + stop) // 2), ((start + stop) // 2, stop)


def _smooth(frame: Frame, step: int) -> Frame:
    if step > 1:
        frame = np.asarray(cv2.resize(frame, None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.GaussianBlur(frame, (0, 0), _SMOOTH), np.uint8)


def _middle(span: Span) -> Span:
    """The middle of a span, so long as suffices to find it again."""
    start, stop = span
    spare = max(0, stop - start - _LARGEST) // 2
    return start + spare, stop - spare
