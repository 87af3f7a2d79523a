"""Small pictures for the rows of a report."""

from __future__ import annotations

import math

import cv2
import numpy as np

from ..arrays import Flow, Frame, size_of
from ..draw.color import colorize
from ..draw.error_map import error_map
from .pictures import encode_jpeg

_HEIGHT, _WIDTH = 96, 160  # pixels, at most
_QUALITY = 80
_FINER = 4  # times as fine as it is shown, at most, is a flow that is coloured


def of_frame(frame: Frame) -> bytes:
    """A frame, ``(H, W, 3)`` uint8 RGB, as a small JPEG."""
    height, width = size_of(frame)
    factor = min(1.0, _HEIGHT / height, _WIDTH / width)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = frame if factor == 1 else cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    return encode_jpeg(np.asarray(small, np.uint8), _QUALITY)


def of_flow(flow: Flow, max_flow: float | None = None) -> bytes:
    """The colours of a flow, ``(H, W, 2)`` float32 in pixels, as a small JPEG.

    Args:
        flow: the flow; NaN where unknown.
        max_flow: the length in pixels that gets full colour; ``None`` uses the longest vector.
    """
    return of_frame(colorize(_thinned(flow), max_flow))


def of_errors(flow: Flow, truth: Flow) -> bytes:
    """The errors of a flow in KITTI's colours as a small JPEG; both are ``(H, W, 2)`` float32 in pixels."""
    return of_frame(error_map(_thinned(flow), _thinned(truth)))


def _thinned(flow: Flow) -> Flow:
    """A flow with as many rows and columns left out as a small picture does not miss."""
    height, width = size_of(flow)
    step = max(1, math.floor(max(height / _HEIGHT, width / _WIDTH) / _FINER))
    return np.ascontiguousarray(flow[::step, ::step])
