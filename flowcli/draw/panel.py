"""Arranges pictures with captions on a sheet."""

from __future__ import annotations

import cv2
import numpy as np

from ..arrays import Flow, Frame
from ..flows.metrics import endpoint_error
from .color import colorize, largest_flow
from .error_map import heat
from .legend import INK, wheel_disc

_MARGIN = 12  # pixels around the tiles
_CAPTION = 30  # pixels of a caption line
_TEXT_SCALE = 0.58


def panel(tiles: list[tuple[str, Frame]], columns: int) -> Frame:
    """Arrange captioned pictures on a white sheet, row by row.

    Args:
        tiles: captions, which are shortened if they are wider than the pictures, and pictures, ``(H, W, 3)`` uint8
            RGB, all of the same size; at least one.
        columns: number of pictures per row.

    Returns:
        The sheet, uint8 RGB.
    """
    height, width = tiles[0][1].shape[:2]
    rows = -(-len(tiles) // columns)
    step_y, step_x = height + _CAPTION + _MARGIN, width + _MARGIN
    sheet = np.full((rows * step_y + _MARGIN, columns * step_x + _MARGIN, 3), 255, np.uint8)
    for index, (caption, picture) in enumerate(tiles):
        y = _MARGIN + index // columns * step_y
        x = _MARGIN + index % columns * step_x
        fitting = _shortened(caption, width)
        cv2.putText(sheet, fitting, (x, y + 19), cv2.FONT_HERSHEY_SIMPLEX, _TEXT_SCALE, INK, 1, cv2.LINE_AA)
        sheet[y + _CAPTION : y + _CAPTION + height, x : x + width] = picture
    return sheet


def centered(picture: Frame, height: int, width: int) -> Frame:
    """Centre a uint8 RGB picture on a white ``(height, width, 3)`` canvas, which must not be smaller."""
    canvas = np.full((height, width, 3), 255, np.uint8)
    y, x = (height - picture.shape[0]) // 2, (width - picture.shape[1]) // 2
    canvas[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
    return canvas


def _shortened(caption: str, width: int) -> str:
    """A caption that is not wider than its picture, if that has room for any."""
    kept, text = len(caption), caption
    while kept > 2 and cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, _TEXT_SCALE, 1)[0][0] > width:
        kept -= 1
        text = f"{caption[: kept - kept // 2]}...{caption[len(caption) - kept // 2 :]}"
    return text


def tile_width(width: int, columns: int) -> int:
    """The width of the pictures on a sheet that is to be ``width`` pixels wide; at least 1."""
    return max(1, (width - _MARGIN) // columns - _MARGIN)


def demo_panel(frame1: Frame, frame2: Frame, flow: Flow, truth: Flow) -> Frame:
    """The sheet that the demo writes: frames, colour wheel, estimated flow, true flow and end-point error.

    Args:
        frame1: ``(H, W, 3)`` uint8 RGB.
        frame2: ``(H, W, 3)`` uint8 RGB.
        flow: the estimated flow, ``(H, W, 2)`` float32 in pixels.
        truth: the true flow, ``(H, W, 2)`` float32 in pixels.

    Returns:
        The sheet, uint8 RGB.
    """
    height, width = frame1.shape[:2]
    scale = largest_flow(truth)
    errors = endpoint_error(flow, truth)
    legend = centered(wheel_disc(min(height, width) * 4 // 5), height, width)
    return panel(
        [
            ("frame 1", frame1),
            ("frame 2", frame2),
            (f"direction and length of flow (rim: {scale:.1f} px)", legend),
            ("estimated flow", colorize(flow, scale)),
            ("true flow", colorize(truth, scale)),
            (f"end-point error (yellow: 3 px or more), mean {np.nanmean(errors):.2f} px", heat(errors, 3.0)),
        ],
        columns=3,
    )
