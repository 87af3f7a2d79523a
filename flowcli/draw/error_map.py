"""Where a flow is wrong, as pictures."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ..arrays import Flow, Frame
from ..flows.metrics import endpoint_error

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
