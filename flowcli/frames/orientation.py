"""The eight ways in which a video's frames can be turned and mirrored for display."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from av.video.frame import VideoFrame

from .levels import Values

_MATRIX = struct.Struct("=9i")  # row by row: a b u, c d v, x y w; 16.16 fixed point, in the machine's order

_NEUTRAL = (1, 0, 0, 0, 1, 0, 0, 0, 1)
_TURNS = {90: (0, -1, 0, 1, 0), 180: (-1, 0, 0, 0, -1), 270: (0, 1, 0, -1, 0)}  # degrees, counterclockwise


class Orientation:
    """The orientation of a video's frames.

    A point (x, y) of the stored picture is shown at (a x + c y, b x + d y), up to a shift (ISO/IEC 14496-12, 8.3.2).
    Matrices that are not one of the eight orientations are rounded to the nearest of them.

    Args:
        is_of_first: whether the first frame's orientation is that of all, as in animated PNG, where FFmpeg gives only
            the first frame what the file says.
    """

    def __init__(self, *, is_of_first: bool = False) -> None:
        self._is_of_first = is_of_first
        # By the frame's rotation, which is cheap to ask: its matrix would keep the frame alive in a reference cycle.
        self._known: dict[int, tuple[int, int, int, int]] = {}

    def is_transposed(self, frame: VideoFrame) -> bool:
        """Whether a frame's rows are shown as columns, so that its height and width change places."""
        a, b, _, _ = self._linear_part(frame)
        return abs(b) > abs(a)

    def upright(self, frame: VideoFrame, *, as_stored: bool = False) -> Values:
        """A decoded frame as it is to be shown, turned and mirrored.

        Args:
            frame: the frame.
            as_stored: whether values of more than 8 bits keep their range.

        Returns:
            ``(H, W, 3)`` uint8 RGB; if ``as_stored``, ``(H, W)`` or ``(H, W, 3)`` in the type of the stored values.
        """
        image = _stored(frame) if as_stored else frame.to_ndarray(format="rgb24")
        a, b, c, d = self._linear_part(frame)
        if self.is_transposed(frame):
            image, a, d = image.swapaxes(0, 1), c, b
        return np.ascontiguousarray(image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])

    def _linear_part(self, frame: VideoFrame) -> tuple[int, int, int, int]:
        """The numbers a, b, c and d of the frame's display matrix."""
        turn = next(iter(self._known), 0) if self._is_of_first and self._known else frame.rotation
        if turn not in self._known:
            a, b, _, c, d, *_ = _matrix(frame)
            self._known[turn] = a, b, c, d
        return self._known[turn]


def _matrix(frame: VideoFrame) -> tuple[int, ...]:
    """The display matrix of a frame."""
    try:
        side_data: Any = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV does not know another kind of the frame's side data
        return _TURNS.get(frame.rotation % 360, _NEUTRAL)
    return _NEUTRAL if side_data is None else _MATRIX.unpack(bytes(side_data)[: _MATRIX.size])


def _stored(frame: VideoFrame) -> Values:
    """The values of a frame: grey as it is stored, colours as RGB of 8 or 16 bits."""
    name = frame.format.name
    if name.startswith("gray"):
        return frame.to_ndarray()
    if name.startswith("ya16"):
        return frame.to_ndarray(format="gray16le")
    is_deep = max(component.bits for component in frame.format.components) > 8
    return frame.to_ndarray(format="rgb48le" if is_deep else "rgb24")
