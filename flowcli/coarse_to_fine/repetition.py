"""Patterns that repeat, such as tiles: a flow that is off by a period explains the frames as well as the true one."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ..tiling import Position, Size
from .offsets import Offset

Grey = npt.NDArray[np.uint8]
"""A frame in grey: ``(H, W)`` uint8."""

_SAME = 0.05  # of the difference of unlike parts
_CONTRAST = 25.0  # squared grey levels: less is noise
_SMALLEST = 16  # pixels of a side that can be compared
_BETWEEN = (0.25, 0.5, 0.75)  # places on the way to the repetition, where a pattern looks different
_UNLIKE = 5.0  # how much larger the difference is there


def repeats(frame: Grey, position: Position, window: Size, offset: Offset, within: float) -> bool:
    """Whether the frame looks around a shifted window as it does in the window itself, but not in between.

    Args:
        frame: ``(H, W)`` uint8, the second frame.
        position: the window's.
        window: its height and width.
        offset: how far it is shifted.
        within: how far around the shifted window to look, in pixels.

    Returns:
        Whether it does, so that nothing tells the offset from none.
    """
    reach = int(within)
    spans = []
    for start, side, length, shift in zip(position, window, frame.shape, offset[::-1], strict=True):
        first = max(start, reach - shift, 0)
        last = min(start + side, length, length - shift - reach)
        if last - first < _SMALLEST:
            return False
        spans.append((first, last, shift))
    (top, bottom, down), (left, right, across) = spans
    part = frame[top:bottom, left:right]
    contrast = 2 * float(part.var())
    if contrast < _CONTRAST:
        return False
    around = frame[top + down - reach : bottom + down + reach, left + across - reach : right + across + reach]
    differences = cv2.matchTemplate(around, part, cv2.TM_SQDIFF) / part.size
    place = np.unravel_index(differences.argmin(), differences.shape)
    least = float(differences[place])
    if least > _SAME * contrast:
        return False
    shifts = (down + int(place[0]) - reach, across + int(place[1]) - reach)
    on_the_way = [_difference(frame, part, (top, left), shifts, share) for share in _BETWEEN]
    return max(on_the_way) > _UNLIKE * max(least, _SAME * contrast / _UNLIKE)


def _difference(frame: Grey, part: Grey, corner: Position, shifts: tuple[int, int], share: float) -> float:
    """The mean squared difference of a part and the frame a share of the way from it."""
    row, column = (round(start + share * shift) for start, shift in zip(corner, shifts, strict=True))
    there = frame[row : row + part.shape[0], column : column + part.shape[1]]
    return float(np.square(there.astype(np.float32) - part).mean())
