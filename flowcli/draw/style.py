"""Drawing styles: plain colours, over the frame, with arrows, with a legend."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from ..arrays import Flow, Frame, Mask
from ..choices import Layout, Wheel
from .arrows import arrow_step, arrows
from .color import colorize, largest_flow
from .legend import with_legend

_PALEST = 90  # the grey level of black under an overlay, so that dark areas show the flow, too
_DIMMED = 0.7  # brightness of a frame under arrows
_HATCH_STEP, _HATCH_WIDTH = 8, 3  # pixels between diagonal lines, and their width
_HATCH_DARK, _HATCH_GREY = 60, 150
_SMALLEST_SCALE = 1e-5  # pixels; for flow that is zero everywhere


@dataclass(frozen=True)
class Style:
    """How a flow is drawn."""

    max_flow: float | None = None
    """The flow length in pixels that gets full colour, above 0; ``None`` uses the longest vector of each flow."""

    wheel: Wheel = "middlebury"
    """The colour wheel."""

    legend: bool = False
    """Whether to draw the colour wheel, with its scale, in a corner."""

    overlay: bool = False
    """Whether to tint the frame with the colours, instead of showing the colours alone."""

    arrows: int | None = None
    """The distance between arrows drawn over the frame, in pixels; ``None`` for no arrows."""

    def settings(self) -> dict[str, object]:
        """The settings that determine a flow's colours, for records; JSON types only."""
        return {"max_flow": self.max_flow, "wheel": self.wheel, "legend": self.legend}

    @property
    def needs_frame(self) -> bool:
        """Whether drawing needs frame 1."""
        return self.overlay or self.arrows is not None


def draw_flow(flow: Flow, style: Style, frame: Frame | None = None) -> Frame:
    """Draw a flow.

    Args:
        flow: ``(H, W, 2)`` float32 in pixels; NaN where unknown.
        style: colours, scale and overlays.
        frame: frame 1, ``(H, W, 3)`` uint8 RGB; without it, the colours alone are drawn.

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


def lay_out(frame: Frame, flow: Flow, layout: Layout, style: Style, hidden: Mask | None = None) -> Frame:
    """Draw one picture of a flow video.

    Args:
        frame: frame 1, ``(H, W, 3)`` uint8 RGB.
        flow: ``(H, W, 2)`` float32 in pixels; NaN where unknown.
        layout: ``flow`` for the colours alone, ``side-by-side`` for the frame to the left of the colours, ``overlay``
            for the frame tinted with the colours, ``arrows`` for arrows over the frame, ``occlusion`` for the colours
            with hidden pixels hatched.
        style: colours, scale and legend; ``layout`` overrides its overlay and arrows.
        hidden: the pixels of frame 1 that are hidden in frame 2, ``(H, W)`` bool, for ``occlusion``.

    Returns:
        ``(H, W, 3)`` uint8 RGB; ``(H, 2 W, 3)`` for ``side-by-side``.
    """
    style = replace(
        style, overlay=layout == "overlay", arrows=arrow_step(frame.shape[1]) if layout == "arrows" else None
    )
    picture = draw_flow(flow, style, frame)
    if hidden is not None and layout == "occlusion":
        picture = hatched(picture, hidden)
    return np.hstack([frame, picture]) if layout == "side-by-side" else picture


def hatched(picture: Frame, area: Mask) -> Frame:
    """Draw dark diagonal lines over a grey that replaces the colours of an area.

    Args:
        picture: ``(H, W, 3)`` uint8 RGB.
        area: ``(H, W)`` bool.

    Returns:
        ``(H, W, 3)`` uint8 RGB.
    """
    height, width = area.shape
    diagonal = np.add.outer(np.arange(height), np.arange(width)) % _HATCH_STEP < _HATCH_WIDTH
    lines = np.where(diagonal, np.uint8(_HATCH_DARK), np.uint8(_HATCH_GREY))[..., None]
    return np.asarray(np.where(area[..., None], lines, picture), np.uint8)


def overlay(frame: Frame, colors: Frame, wheel: Wheel = "middlebury") -> Frame:
    """Convert the frame to grey and tint it with the colours of its flow; it stays grey where nothing moves.

    Args:
        frame: ``(H, W, 3)`` uint8 RGB.
        colors: ``(H, W, 3)`` uint8 RGB, from :func:`flowcli.colorize`.
        wheel: the colour wheel of ``colors``.

    Returns:
        ``(H, W, 3)`` uint8 RGB.
    """
    grey = cv2.cvtColor(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if wheel == "hsv":  # where zero flow is black
        return np.asarray(cv2.addWeighted(grey, 0.5, colors, 0.7, 0), np.uint8)
    pale = cv2.convertScaleAbs(grey, alpha=(255 - _PALEST) / 255, beta=_PALEST)
    return np.asarray(cv2.multiply(pale, colors, scale=1 / 255), np.uint8)


def dimmed(frame: Frame) -> Frame:
    """Darken an ``(H, W, 3)`` uint8 frame, so that arrows stand out."""
    return np.asarray(cv2.convertScaleAbs(frame, alpha=_DIMMED), np.uint8)
