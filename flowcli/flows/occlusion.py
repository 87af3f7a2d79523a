"""Detects occlusions from the forward and the backward flow."""

from __future__ import annotations

import numpy as np

from ..arrays import Flow, Mask
from .sampling import look_up

_RELATIVE, _ABSOLUTE = 0.01, 0.5  # parts of the threshold; the absolute one in square pixels


def occluded(forward: Flow, backward: Flow) -> Mask:
    """Find the pixels of frame 1 that are hidden in frame 2, by the forward-backward check.

    A pixel counts as occluded if ``|f + b|^2 >= 0.01 (|f|^2 + |b|^2) + 0.5``, where f is its forward flow and b the
    backward flow at the point that f leads to (Sundaram, Brox and Keutzer, "Dense Point Trajectories by
    GPU-Accelerated Large Displacement Optical Flow", ECCV 2010, section 3). It also counts as occluded if f leads out
    of the frame, or if f or b is unknown.

    Args:
        forward: the flow from frame 1 to frame 2, ``(H, W, 2)`` float32 in pixels; NaN where unknown.
        backward: the flow from frame 2 to frame 1, ``(H, W, 2)`` float32 in pixels; NaN where unknown.

    Returns:
        ``(H, W)`` bool, true where occluded.
    """
    back, inside = look_up(backward, forward)
    with np.errstate(invalid="ignore", over="ignore"):
        contradiction = np.square(forward + back).sum(axis=-1)
        allowed = _RELATIVE * (np.square(forward).sum(axis=-1) + np.square(back).sum(axis=-1)) + _ABSOLUTE
        return np.asarray(~(contradiction < allowed) | ~inside)
