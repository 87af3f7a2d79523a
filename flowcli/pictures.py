"""Pictures made of frames and flows: layouts for videos, the wheel, the panel of the demonstration."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from .arrays import Flow, Frame
from .color import colorize, largest_flow
from .metrics import endpoint_error

Layout = Literal["flow", "side-by-side"]

_MARGIN = 12  # pixels around the tiles of a panel
_CAPTION = 30  # pixels of a panel's caption line
_INK = (40, 40, 40)


def lay_out(frame: Frame, flow: Flow, layout: Layout, max_flow: float) -> Frame:
    """One picture of a video.

    Args:
        frame: ``(H, W, 3)`` uint8 RGB, the first of the pair.
        flow: ``(H, W, 2)`` float32 in pixels.
        layout: ``flow`` for the colours alone, ``side-by-side`` for the frame on their left.
        max_flow: the length in pixels that gets full colour.
    """
    colors = colorize(flow, max_flow)
    return np.hstack([frame, colors]) if layout == "side-by-side" else colors


def wheel(size: int) -> Frame:
    """The colour wheel as a disc: each point has the colour of the flow that leads there from the centre.

    Args:
        size: height and width of the picture in pixels.
    """
    axis = np.linspace(-1.05, 1.05, size, dtype=np.float32)
    flow = np.stack(np.meshgrid(axis, axis), axis=-1)
    radius = np.hypot(flow[..., 0], flow[..., 1])[..., None]
    cover = np.clip((1 - radius) * size / 2.1 + 0.5, 0, 1)  # soft over one pixel
    colors = colorize(np.asarray(flow / np.maximum(radius, 1), np.float32), 1.0)
    return np.asarray(np.rint(255 + cover * (colors.astype(np.float32) - 255)), np.uint8)


def heat(values: npt.NDArray[np.float32], top: float) -> Frame:
    """``(H, W)`` values as colours from black (0) to yellow (``top`` and above): ``(H, W, 3)`` uint8 RGB."""
    level = np.clip(np.nan_to_num(values) / top, 0, 1) * 255
    mapped = cv2.applyColorMap(level.astype(np.uint8), cv2.COLORMAP_INFERNO)
    return np.asarray(cv2.cvtColor(mapped, cv2.COLOR_BGR2RGB), np.uint8)


def panel(tiles: list[tuple[str, Frame]], columns: int) -> Frame:
    """Pictures of one size with their captions on white, row by row.

    Args:
        tiles: captions (ASCII) and ``(H, W, 3)`` uint8 RGB pictures.
        columns: how many stand side by side.
    """
    height, width = tiles[0][1].shape[:2]
    rows = -(-len(tiles) // columns)
    step_y, step_x = height + _CAPTION + _MARGIN, width + _MARGIN
    sheet = np.full((rows * step_y + _MARGIN, columns * step_x + _MARGIN, 3), 255, np.uint8)
    for index, (caption, picture) in enumerate(tiles):
        y = _MARGIN + index // columns * step_y
        x = _MARGIN + index % columns * step_x
        cv2.putText(sheet, caption, (x, y + 19), cv2.FONT_HERSHEY_SIMPLEX, 0.58, _INK, 1, cv2.LINE_AA)
        sheet[y + _CAPTION : y + _CAPTION + height, x : x + width] = picture
    return sheet


def centered(picture: Frame, height: int, width: int) -> Frame:
    """``picture`` in the middle of a white ``(height, width, 3)``."""
    canvas = np.full((height, width, 3), 255, np.uint8)
    y, x = (height - picture.shape[0]) // 2, (width - picture.shape[1]) // 2
    canvas[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
    return canvas


def demo_panel(frame1: Frame, frame2: Frame, flow: Flow, truth: Flow) -> Frame:
    """What the demonstration shows: the frames, the wheel, the estimated and the true flow, and the error."""
    height, width = frame1.shape[:2]
    scale = largest_flow(truth)
    errors = endpoint_error(flow, truth)
    legend = centered(wheel(min(height, width) * 4 // 5), height, width)
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
