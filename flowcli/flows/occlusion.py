"""Detects occlusions from the forward and the backward flow."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..arrays import Flow, Mask
from ..choices import ABSOLUTE, RELATIVE
from .sampling import look_up

_BAND = 1 << 14  # pixels that are compared at a time, so that the work arrays stay in the cache


def occluded(forward: Flow, backward: Flow, *, relative: float = RELATIVE, absolute: float = ABSOLUTE) -> Mask:
    """Find the pixels of frame 1 that are hidden in frame 2, by the forward-backward check.

    A pixel counts as occluded if ``|f + b|^2 >= relative (|f|^2 + |b|^2) + absolute``, where f is its forward flow and
    b the backward flow at the point that f leads to (Sundaram, Brox and Keutzer, "Dense Point Trajectories by
    GPU-Accelerated Large Displacement Optical Flow", ECCV 2010, section 3). It also counts as occluded if f leads out
    of the frame, or if f or b is unknown.

    Args:
        forward: the flow from frame 1 to frame 2, ``(H, W, 2)`` float32 in pixels; NaN where unknown.
        backward: the flow from frame 2 to frame 1, ``(H, W, 2)`` float32 in pixels; NaN where unknown.
        relative: the part of the threshold that grows with the motion; the publication's by default.
        absolute: the other part, in square pixels; the publication's by default.

    Returns:
        ``(H, W)`` bool, true where occluded.
    """
    back, inside = look_up(backward, forward)
    hidden = np.empty(inside.shape, np.bool_)
    step = max(1, _BAND // max(1, inside.shape[1]))
    for start in range(0, len(hidden), step):
        rows = slice(start, start + step)
        there, then = forward[rows], back[rows]
        with np.errstate(invalid="ignore", over="ignore"):
            allowed = relative * (_squared(there) + _squared(then)) + absolute
            hidden[rows] = ~(_squared(there + then) < allowed) | ~inside[rows]
    return hidden


def inconsistency(forward: Flow, backward: Flow) -> npt.NDArray[np.float32]:
    """How far the two flows of a pair are from undoing each other: ``|f + b|``, as in :func:`occluded`.

    Args:
        forward: the flow from frame 1 to frame 2, ``(H, W, 2)`` float32 in pixels; NaN where unknown.
        backward: the flow from frame 2 to frame 1, ``(H, W, 2)`` float32 in pixels; NaN where unknown.

    Returns:
        ``(H, W)`` float32 in pixels; NaN where f leads out of the frame, or f or b is unknown.
    """
    back, inside = look_up(backward, forward)
    with np.errstate(invalid="ignore", over="ignore"):
        distance = np.sqrt(_squared(forward + back))
    return np.where(inside, distance, np.float32(np.nan)).astype(np.float32)


def _squared(flow: Flow) -> npt.NDArray[np.float32]:
    """The squared lengths of an ``(H, W, 2)`` flow: ``(H, W)``."""
    u, v = flow[..., 0], flow[..., 1]
    return u * u + v * v
