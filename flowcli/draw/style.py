"""Pictures made of frames and flows: layouts for videos, the wheel, the panel of the demonstration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from ..arrays import Flow, Frame
from ..flows.metrics import endpoint_error
from .color import Wheel, colorize, largest_flow

Layout = Literal["flow", "side-by-side", "overlay", "arrows"]

_MARGIN = 12  # pixels around the tiles of a panel
_CAPTION = 30  # pixels of a panel's caption line
_INK = (40, 40, 40)
_PALEST = 90  # grey level that black becomes under an overlay, so that dark places show the flow as well
_DIMMED = 0.7  # a frame's brightness under arrows
_SHORTEST_ARROW = 1.0  # pixels; a shorter one is not drawn
_LONGEST_ARROW = 0.9  # steps, at full colour, so that arrows in a row do not touch
_OUTLINE = (0, 0, 0)
_OUTLINED_STEP = 12  # pixels; arrows that are closer together have no room for an outline
_SMALLEST_SCALE = 1e-5  # pixels; of a flow that is zero everywhere
_SMALLEST_LEGEND = 48  # pixels
# From blue to red; the border between right and wrong is in the middle.
_KITTI_ERROR_COLORS = np.array(
    [
        (49, 54, 149),
        (69, 117, 180),
        (116, 173, 209),
        (171, 217, 233),
        (224, 243, 248),
        (254, 224, 144),
        (253, 174, 97),
        (244, 109, 67),
        (215, 48, 39),
        (165, 0, 38),
    ],
    np.uint8,
)


@dataclass(frozen=True)
class Style:
    """How a flow is drawn."""

    max_flow: float | None = None
    """The length in pixels that gets full colour; ``None`` takes the longest in each flow."""

    wheel: Wheel = "middlebury"
    legend: bool = False
    """The wheel with its scale in a corner."""

    overlay: bool = False
    """The frame tinted by its flow, instead of the flow's colours alone."""

    arrows: int | None = None
    """Arrows over the frame, so many pixels apart."""

    @property
    def needs_frame(self) -> bool:
        """Whether it takes the first frame to draw it."""
        return self.overlay or self.arrows is not None


def draw_flow(flow: Flow, style: Style, frame: Frame | None = None) -> Frame:
    """A flow as a picture.

    Args:
        flow: ``(H, W, 2)`` float32 in pixels.
        style: how.
        frame: ``(H, W, 3)`` uint8 RGB, the first of the pair, if the style needs it.

    Returns:
        ``(H, W, 3)`` uint8 RGB.
    """
    scale = style.max_flow or max(largest_flow(flow), _SMALLEST_SCALE)
    if frame is None or not style.needs_frame:
        picture = colorize(flow, scale if style.max_flow else None, style.wheel)
    else:
        picture = overlay(frame, colorize(flow, scale, style.wheel), style.wheel) if style.overlay else dimmed(frame)
        if style.arrows is not None:
            picture = arrows(picture, flow, style.arrows, scale, None if style.overlay else style.wheel)
    return with_legend(picture, scale, style.wheel) if style.legend else picture


def lay_out(frame: Frame, flow: Flow, layout: Layout, style: Style) -> Frame:
    """One picture of a video.

    Args:
        frame: ``(H, W, 3)`` uint8 RGB, the first of the pair.
        flow: ``(H, W, 2)`` float32 in pixels.
        layout: ``flow`` for the colours alone, ``side-by-side`` for the frame on their left, ``overlay`` for the
            frame tinted by them, ``arrows`` for arrows over the frame.
        style: how; ``layout`` decides about overlay and arrows.
    """
    style = replace(
        style, overlay=layout == "overlay", arrows=arrow_step(frame.shape[1]) if layout == "arrows" else None
    )
    picture = draw_flow(flow, style, frame)
    return np.hstack([frame, picture]) if layout == "side-by-side" else picture


def overlay(frame: Frame, colors: Frame, wheel: Wheel = "middlebury") -> Frame:
    """The frame in grey, tinted by the colours of its flow: where nothing moves it stays grey.

    Args:
        frame: ``(H, W, 3)`` uint8 RGB.
        colors: likewise, from :func:`flowcli.colorize`.
        wheel: that they are from.
    """
    grey = cv2.cvtColor(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if wheel == "hsv":  # whose still places are black
        return np.asarray(cv2.addWeighted(grey, 0.5, colors, 0.7, 0), np.uint8)
    pale = cv2.convertScaleAbs(grey, alpha=(255 - _PALEST) / 255, beta=_PALEST)
    return np.asarray(cv2.multiply(pale, colors, scale=1 / 255), np.uint8)


def dimmed(frame: Frame) -> Frame:
    """The frame darkened, so that arrows stand out."""
    return np.asarray(cv2.convertScaleAbs(frame, alpha=_DIMMED), np.uint8)


def arrow_step(width: int) -> int:
    """The distance between arrows, in pixels, that suits a picture of that width."""
    return max(8, width // 40)


def arrows(picture: Frame, flow: Flow, step: int, max_flow: float, wheel: Wheel | None = "middlebury") -> Frame:
    """Arrows over a picture, in the colours of the flow.

    Args:
        picture: ``(H, W, 3)`` uint8 RGB.
        flow: ``(H, W, 2)`` float32 in pixels; unknown flow gets no arrow.
        step: distance between the arrows' tails in pixels.
        max_flow: flow of this length gets an arrow of nearly a step; others are in proportion.
        wheel: of the colours; ``None`` makes them white.
    """
    picture = picture.copy()
    ys, xs = (np.arange(min(step, side) // 2, side, step) for side in flow.shape[:2])
    vectors = flow[np.ix_(ys, xs)]
    colors = colorize(vectors, max_flow, wheel) if wheel else np.full((*vectors.shape[:2], 3), 255, np.uint8)
    tips = vectors.astype(np.float64) * (_LONGEST_ARROW * step / max_flow)
    thickness = max(1, step // 16)
    for row, column in np.argwhere(np.hypot(tips[..., 0], tips[..., 1]) >= _SHORTEST_ARROW):
        tail = np.array([xs[column], ys[row]])
        tip = np.clip(tail + tips[row, column], -4 * step, [side + 4 * step for side in flow.shape[1::-1]])
        start, end = ((round(float(x) * 16), round(float(y) * 16)) for x, y in (tail, tip))
        outline = [(_OUTLINE, thickness + 2)] if step >= _OUTLINED_STEP else []
        for color, width in (*outline, (colors[row, column].tolist(), thickness)):
            cv2.arrowedLine(picture, start, end, color, width, cv2.LINE_AA, shift=4, tipLength=0.3)
    return picture


def with_legend(picture: Frame, max_flow: float, wheel: Wheel = "middlebury") -> Frame:
    """A picture with the colour wheel in its lower right corner, and the length of flow at the wheel's rim below it.

    Pictures of less than 96 pixels in height or width have no room for it and stay as they are.
    """
    height, width = picture.shape[:2]
    size = max(_SMALLEST_LEGEND, min(height, width) // 5)
    if min(height, width) < 2 * _SMALLEST_LEGEND:
        return picture
    text = "0 px" if max_flow < 1e-3 else f"{max_flow:.0f} px" if max_flow >= 100 else f"{max_flow:.3g} px"
    scale = size / 100 * 0.6
    (text_width, text_height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    fitting = min(1.0, 0.9 * size / text_width)
    box = np.full((size + 2 * text_height, size, 3), 255, np.uint8)
    box[:size] = wheel_disc(size, wheel)
    origin = (int(size - fitting * text_width) // 2, size + int(1.3 * text_height))
    cv2.putText(box, text, origin, cv2.FONT_HERSHEY_SIMPLEX, scale * fitting, _INK, 1, cv2.LINE_AA)
    picture = picture.copy()
    picture[height - box.shape[0] :, width - size :] = box
    return picture


def wheel_disc(size: int, wheel: Wheel = "middlebury") -> Frame:
    """The colour wheel on white: each point has the colour of the flow that leads there from the centre.

    Args:
        size: height and width of the picture in pixels.
        wheel: which.
    """
    axis = np.linspace(-1.05, 1.05, size, dtype=np.float32)
    flow = np.stack(np.meshgrid(axis, axis), axis=-1)
    radius = np.hypot(flow[..., 0], flow[..., 1])[..., None]
    cover = np.clip((1 - radius) * size / 2.1 + 0.5, 0, 1)  # soft over one pixel
    colors = colorize(np.asarray(flow / np.maximum(radius, 1), np.float32), 1.0, wheel)
    return np.asarray(np.rint(255 + cover * (colors.astype(np.float32) - 255)), np.uint8)


def heat(values: npt.NDArray[np.float32], top: float) -> Frame:
    """``(H, W)`` values as colours from black (0) to yellow (``top`` and above): ``(H, W, 3)`` uint8 RGB."""
    level = np.clip(np.nan_to_num(values) / top, 0, 1) * 255
    mapped = cv2.applyColorMap(level.astype(np.uint8), cv2.COLORMAP_INFERNO)
    return np.asarray(cv2.cvtColor(mapped, cv2.COLOR_BGR2RGB), np.uint8)


def error_map(flow: Flow, truth: Flow) -> Frame:
    """Where a flow is wrong, in KITTI's colours: blue where it counts as right, red where it does not.

    The end-point error is taken as a multiple of what counts as wrong (3 pixels and 5 % of the true flow), and falls
    into one of ten steps, each twice the one before (KITTI's development kit, Menze and Geiger, CVPR 2015). Pixels
    whose true or estimated flow is unknown are black.

    Args:
        flow: ``(H, W, 2)`` float32 in pixels, as estimated.
        truth: likewise.

    Returns:
        ``(H, W, 3)`` uint8 RGB.
    """
    errors = endpoint_error(flow, truth)
    known = np.isfinite(errors)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = errors / np.hypot(truth[..., 0], truth[..., 1])
        relative = np.fmin(errors / 3, share / 0.05)
        step = np.floor(np.log2(np.where(known, relative, 0))) + 5  # the first ends at 1/16
    colors = _KITTI_ERROR_COLORS[np.clip(step, 0, len(_KITTI_ERROR_COLORS) - 1).astype(np.intp)]
    colors[~known] = 0
    return np.asarray(colors, np.uint8)


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
