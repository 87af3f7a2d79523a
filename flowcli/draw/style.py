"""How a flow is drawn: its colours alone, over the frame, with arrows, with a legend."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from ..arrays import Flow, Frame
from ..choices import Layout, Wheel
from .arrows import arrow_step, arrows
from .color import colorize, largest_flow
from .legend import with_legend

_PALEST = 90  # grey level that black becomes under an overlay, so that dark places show the flow as well
_DIMMED = 0.7  # a frame's brightness under arrows
_SMALLEST_SCALE = 1e-5  # pixels; of a flow that is zero everywhere


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

    def settings(self) -> dict[str, object]:
        """What decides about a flow's colours, for records; in JSON's types."""
        return {"max_flow": self.max_flow, "wheel": self.wheel, "legend": self.legend}

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
