"""Draws the colour wheel, alone or as a legend in the corner of a picture."""

from __future__ import annotations

import cv2
import numpy as np

from ..arrays import Frame
from ..choices import Wheel
from .color import colorize

INK = (40, 40, 40)
"""The colour of text: RGB, 0..255."""

_SMALLEST = 48  # pixels


def with_legend(picture: Frame, max_flow: float, wheel: Wheel = "middlebury") -> Frame:
    """Draw the colour wheel in the lower right corner of a picture, and below it the flow length at the wheel's rim.

    Args:
        picture: ``(H, W, 3)`` uint8 RGB.
        max_flow: the flow length at the rim, in pixels.
        wheel: ``middlebury`` or ``hsv``.

    Returns:
        A copy with the legend, or ``picture`` itself if its height or width is below 96 pixels, too small for one.
    """
    height, width = picture.shape[:2]
    size = max(_SMALLEST, min(height, width) // 5)
    if min(height, width) < 2 * _SMALLEST:
        return picture
    text = "0 px" if max_flow < 1e-3 else f"{max_flow:.0f} px" if max_flow >= 100 else f"{max_flow:.3g} px"
    scale = size / 100 * 0.6
    (text_width, text_height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    fitting = min(1.0, 0.9 * size / text_width)
    box = np.full((size + 2 * text_height, size, 3), 255, np.uint8)
    box[:size] = wheel_disc(size, wheel)
    origin = (int(size - fitting * text_width) // 2, size + int(1.3 * text_height))
    cv2.putText(box, text, origin, cv2.FONT_HERSHEY_SIMPLEX, scale * fitting, INK, 1, cv2.LINE_AA)
    picture = picture.copy()
    picture[height - box.shape[0] :, width - size :] = box
    return picture


def wheel_disc(size: int, wheel: Wheel = "middlebury") -> Frame:
    """The colour wheel on white: each point has the colour of the flow that leads there from the centre.

    Args:
        size: height and width of the picture in pixels.
        wheel: ``middlebury`` or ``hsv``.

    Returns:
        ``(size, size, 3)`` uint8 RGB.
    """
    axis = np.linspace(-1.05, 1.05, size, dtype=np.float32)
    flow = np.stack(np.meshgrid(axis, axis), axis=-1)
    radius = np.hypot(flow[..., 0], flow[..., 1])[..., None]
    cover = np.clip((1 - radius) * size / 2.1 + 0.5, 0, 1)  # soft over one pixel
    colors = colorize(np.asarray(flow / np.maximum(radius, 1), np.float32), 1.0, wheel)
    return np.asarray(np.rint(255 + cover * (colors.astype(np.float32) - 255)), np.uint8)
