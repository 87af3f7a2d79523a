"""Warps frames by a flow, and measures the photometric error, which needs no true flow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ..arrays import Flow, Frame, Mask, known

Values = TypeVar("Values", Flow, Frame)


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


def look_up(values: Values, flow: Flow) -> tuple[npt.NDArray[np.float32], Mask]:
    """Sample ``values`` at the points that ``flow`` leads to, bilinearly interpolated.

    OpenCV's ``remap`` does not suffice: with two channels it rounds to 1/32 of a pixel, and sides above 32766 fail.

    Args:
        values: a flow or a frame, ``(H, W, C)``.
        flow: ``(H, W, 2)`` float32 in pixels; NaN where unknown.

    Returns:
        The samples, ``(H, W, C)`` float32, and the mask of pixels whose flow is known and stays inside the frame,
        ``(H, W)`` bool. The samples of all other pixels are 0.
    """
    height, width = flow.shape[:2]
    with np.errstate(invalid="ignore"):
        x = flow[..., 0] + np.arange(width, dtype=np.float32)
        y = flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]
        inside = known(flow) & (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
    x, y = x[inside], y[inside]
    left, top = x.astype(np.intp), y.astype(np.intp)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    across, down = (x - left)[:, None], (y - top)[:, None]
    upper = values[top, left] * (1 - across) + values[top, right] * across
    lower = values[bottom, left] * (1 - across) + values[bottom, right] * across
    found = np.zeros(values.shape, np.float32)
    found[inside] = upper * (1 - down) + lower * down
    return found, inside
