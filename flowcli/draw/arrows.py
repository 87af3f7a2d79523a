"""Draws flow as arrows."""

from __future__ import annotations

import cv2
import numpy as np

from ..arrays import Flow, Frame
from ..choices import Wheel
from .color import colorize

_SHORTEST = 1.0  # pixels; a shorter arrow is not drawn
_LONGEST = 0.9  # steps, for flow of full colour; less than one, so that arrows in a row do not touch
_OUTLINE = (0, 0, 0)
_OUTLINED_STEP = 12  # pixels; closer arrows have no room for an outline


def arrow_step(width: int) -> int:
    """A suitable distance between arrows, in pixels, for a picture of that width in pixels."""
    return max(8, width // 40)


def arrows(picture: Frame, flow: Flow, step: int, max_flow: float, wheel: Wheel | None = "middlebury") -> Frame:
    """Draw the flow as arrows over a copy of a picture.

    Args:
        picture: ``(H, W, 3)`` uint8 RGB.
        flow: ``(H, W, 2)`` float32 in pixels; unknown flow gets no arrow.
        step: distance between the arrows' tails in pixels.
        max_flow: flow of this length, in pixels, gets an arrow 0.9 steps long; others are in proportion.
        wheel: colour wheel of the arrows; ``None`` makes them white.

    Returns:
        ``(H, W, 3)`` uint8 RGB.
    """
    picture = picture.copy()
    ys, xs = (np.arange(min(step, side) // 2, side, step) for side in flow.shape[:2])
    vectors = flow[np.ix_(ys, xs)]
    colors = colorize(vectors, max_flow, wheel) if wheel else np.full((*vectors.shape[:2], 3), 255, np.uint8)
    tips = vectors.astype(np.float64) * (_LONGEST * step / max_flow)
    thickness = max(1, step // 16)
    for row, column in np.argwhere(np.hypot(tips[..., 0], tips[..., 1]) >= _SHORTEST):
        tail = np.array([xs[column], ys[row]])
        tip = np.clip(tail + tips[row, column], -4 * step, [side + 4 * step for side in flow.shape[1::-1]])
        start, end = ((round(float(x) * 16), round(float(y) * 16)) for x, y in (tail, tip))
        outline = [(_OUTLINE, thickness + 2)] if step >= _OUTLINED_STEP else []
        for color, width in (*outline, (colors[row, column].tolist(), thickness)):
            cv2.arrowedLine(picture, start, end, color, width, cv2.LINE_AA, shift=4, tipLength=0.3)
    return picture
