"""Draws the errors of a flow."""

from __future__ import annotations

import functools

import cv2
import numpy as np
import numpy.typing as npt

from ..arrays import Flow, Frame
from ..flows.metrics import endpoint_error

KITTI_ERRORS: Frame = np.array(
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
"""KITTI's colours of errors: ``(10, 3)`` uint8 RGB, from blue to red; the threshold of outliers is in the middle."""


def heat(values: npt.NDArray[np.float32], top: float) -> Frame:
    """Colour ``(H, W)`` values from black (0 or NaN) to yellow (``top`` and above): ``(H, W, 3)`` uint8 RGB."""
    level = np.clip(np.nan_to_num(values) / top, 0, 1) * 255
    return np.asarray(heat_colors()[level.astype(np.uint8)])


@functools.cache
def heat_colors() -> Frame:
    """The colours of :func:`heat`, from black to yellow: ``(256, 3)`` uint8 RGB."""
    mapped = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_INFERNO)
    return np.asarray(cv2.cvtColor(mapped, cv2.COLOR_BGR2RGB)[:, 0], np.uint8)


def error_map(flow: Flow, truth: Flow) -> Frame:
    """Draw the errors of a flow in KITTI's colours: blue where it counts as correct, red where it counts as wrong.

    A pixel counts as wrong if its end-point error exceeds both 3 pixels and 5 % of the true length. The error, as a
    multiple of that threshold, falls into one of ten steps, each twice the one before (development kit of KITTI 2015;
    Menze and Geiger, CVPR 2015). Pixels whose estimated or true flow is unknown are black.

    Args:
        flow: the estimated flow, ``(H, W, 2)`` float32 in pixels.
        truth: the true flow, ``(H, W, 2)`` float32 in pixels.

    Returns:
        ``(H, W, 3)`` uint8 RGB.

    Raises:
        ValueError: the flows differ in size.
    """
    errors = endpoint_error(flow, truth)
    known = np.isfinite(errors)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = errors / np.hypot(truth[..., 0], truth[..., 1])
        relative = np.fmin(errors / 3, share / 0.05)
        step = np.floor(np.log2(np.where(known, relative, 0))) + 5  # step 0 ends at 1/16 of the threshold
    colors = KITTI_ERRORS[np.clip(step, 0, len(KITTI_ERRORS) - 1).astype(np.intp)]
    colors[~known] = 0
    return np.asarray(colors, np.uint8)
