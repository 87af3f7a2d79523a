"""Pictures made of frames and flows: layouts for videos, the wheel, the panel of the demonstration."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from .arrays import Flow, Frame
from .color import colorize, largest_flow
from .metrics import endpoint_error

Layout = Literal["flow", "side-by-side", "overlay", "arrows"]

_MARGIN = 12  # pixels around the tiles of a panel
_CAPTION = 30  # pixels of a panel's caption line
_INK = (40, 40, 40)
_PALEST = 90  # grey level that black becomes under an overlay, so that dark places show the flow as well
_DIMMED = 0.7  # a frame's brightness under arrows
_SHORTEST_ARROW = 1.0  # pixels; a shorter one is not drawn
_OUTLINE = (0, 0, 0)


def lay_out(frame: Frame, flow: Flow, layout: Layout, max_flow: float) -> Frame:
    """One picture of a video.

    Args:
        frame: ``(H, W, 3)`` uint8 RGB, the first of the pair.
        flow: ``(H, W, 2)`` float32 in pixels.
        layout: ``flow`` for the colours alone, ``side-by-side`` for the frame on their left, ``overlay`` for the
            frame tinted by them, ``arrows`` for arrows over the frame.
        max_flow: the length in pixels that gets full colour.
    """
    if layout == "arrows":
        return arrows(frame, flow, arrow_step(frame.shape[1]), max_flow)
    colors = colorize(flow, max_flow)
    if layout == "overlay":
        return overlay(frame, colors)
    return np.hstack([frame, colors]) if layout == "side-by-side" else colors


def overlay(frame: Frame, colors: Frame) -> Frame:
    """The frame in pale grey, tinted by the colours of its flow: where nothing moves it stays grey.

    Args:
        frame: ``(H, W, 3)`` uint8 RGB.
        colors: likewise, from :func:`flowcli.colorize`.
    """
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    pale = cv2.convertScaleAbs(grey, alpha=(255 - _PALEST) / 255, beta=_PALEST)
    return np.asarray(cv2.multiply(cv2.cvtColor(pale, cv2.COLOR_GRAY2RGB), colors, scale=1 / 255), np.uint8)


def arrow_step(width: int) -> int:
    """The distance between arrows, in pixels, that suits a picture of that width."""
    return max(8, width // 40)


def arrows(frame: Frame, flow: Flow, step: int, max_flow: float) -> Frame:
    """The frame, somewhat darkened, with arrows in the colours of the flow.

    Args:
        frame: ``(H, W, 3)`` uint8 RGB.
        flow: ``(H, W, 2)`` float32 in pixels; unknown flow gets no arrow.
        step: distance between the arrows' tails in pixels.
        max_flow: flow of this length gets an arrow of one and a half steps; others are in proportion.
    """
    picture = np.asarray(cv2.convertScaleAbs(frame, alpha=_DIMMED), np.uint8)
    ys, xs = (np.arange(step // 2, side, step) for side in flow.shape[:2])
    vectors = flow[np.ix_(ys, xs)]
    colors = colorize(vectors, max_flow)
    tips = vectors * np.float32(1.5 * step / max_flow)
    thickness = max(1, step // 16)
    for row, column in np.argwhere(np.hypot(tips[..., 0], tips[..., 1]) >= _SHORTEST_ARROW):
        tail = np.array([xs[column], ys[row]])
        tip = np.clip(tail + tips[row, column], -4 * step, [side + 4 * step for side in flow.shape[1::-1]])
        start, end = ((round(float(x) * 16), round(float(y) * 16)) for x, y in (tail, tip))
        for color, width in ((_OUTLINE, thickness + 2), (colors[row, column].tolist(), thickness)):
            cv2.arrowedLine(picture, start, end, color, width, cv2.LINE_AA, shift=4, tipLength=0.3)
    return picture


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
