"""Warps frames by a flow, and measures the photometric error, which needs no true flow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Flow, Frame, Mask
from .sampling import look_up


def warp(frame2: Frame, flow: Flow) -> tuple[Frame, Mask]:
    """Warp frame 2 to frame 1: each pixel shows the point that its flow leads to, bilinearly interpolated.

    Args:
        frame2: ``(H, W, 3)`` uint8 RGB.
        flow: the flow from frame 1 to frame 2, ``(H, W, 2)`` float32 in pixels; NaN where unknown.

    Returns:
        The warped frame, ``(H, W, 3)`` uint8 RGB, and the mask of its valid pixels, ``(H, W)`` bool. The other pixels,
        whose flow is unknown or leads out of the frame, are black.
    """
    warped, inside = look_up(frame2, flow)
    return np.rint(warped).astype(np.uint8), inside


@dataclass(frozen=True)
class PhotometricError:
    """Mean absolute differences of two frames over pixels and channels, in grey levels (0..255)."""

    warped: float
    """Between frame 1 and the warped frame 2, over its valid pixels."""

    unwarped: float
    """Between frame 1 and the original frame 2, over the same pixels: the error of zero flow."""

    share: float
    """The fraction of pixels that were compared, 0..1."""


def photometric_error(frame1: Frame, frame2: Frame, warped: Frame, inside: Mask) -> PhotometricError | None:
    """Measure how well the warped frame 2 matches frame 1.

    Args:
        frame1: ``(H, W, 3)`` uint8 RGB.
        frame2: ``(H, W, 3)`` uint8 RGB.
        warped: the warped frame 2 from :func:`warp`, ``(H, W, 3)`` uint8 RGB.
        inside: the mask from :func:`warp`, ``(H, W)`` bool.

    Returns:
        The errors, or ``None`` if no pixel is valid.
    """
    if not inside.any():
        return None
    target = frame1[inside].astype(np.int16)
    return PhotometricError(
        float(np.abs(warped[inside] - target).mean()),
        float(np.abs(frame2[inside] - target).mean()),
        float(inside.mean()),
    )
