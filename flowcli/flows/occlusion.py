"""Where a point of one frame is hidden in the other, told by flow both ways."""

from __future__ import annotations

import numpy as np

from ..arrays import Flow, Mask
from .warp import look_up

_RELATIVE, _ABSOLUTE = 0.01, 0.5  # of the threshold, the latter in square pixels


def occluded(forward: Flow, backward: Flow) -> Mask:
    """Where a point of frame 1 is hidden in frame 2, by the forward-backward check.

    A pixel counts as occluded where ``|f + b|^2 >= 0.01 (|f|^2 + |b|^2) + 0.5``, f being its flow and b the backward
    flow where f leads (Sundaram, Brox and Keutzer, "Dense Point Trajectories by GPU-Accelerated Large Displacement
    Optical Flow", ECCV 2010, section 3), and where f leads out of the frame or either is unknown.

    Args:
        forward: ``(H, W, 2)`` float32 in pixels, from frame 1 to frame 2.
        backward: likewise, from frame 2 to frame 1.

    Returns:
        ``(H, W)`` bool.
    """
    back, inside = look_up(backward, forward)
    with np.errstate(invalid="ignore", over="ignore"):
        contradiction = np.square(forward + back).sum(axis=-1)
        allowed = _RELATIVE * (np.square(forward).sum(axis=-1) + np.square(back).sum(axis=-1)) + _ABSOLUTE
        return np.asarray(~(contradiction < allowed) | ~inside)
