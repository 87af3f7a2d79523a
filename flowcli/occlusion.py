"""What flows say without any truth: where they contradict each other, and how well they explain the frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np

from .arrays import Flow, Frame, Mask, known

Values = TypeVar("Values", Flow, Frame)

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
    back, inside = _look_up(backward, forward)
    with np.errstate(invalid="ignore", over="ignore"):
        contradiction = np.square(forward + back).sum(axis=-1)
        allowed = _RELATIVE * (np.square(forward).sum(axis=-1) + np.square(back).sum(axis=-1)) + _ABSOLUTE
        return np.asarray(~(contradiction < allowed) | ~inside)


def warp(frame2: Frame, flow: Flow) -> tuple[Frame, Mask]:
    """Frame 2 brought back to frame 1: each pixel shows what its flow leads to, bilinearly interpolated.

    Args:
        frame2: ``(H, W, 3)`` uint8 RGB.
        flow: ``(H, W, 2)`` float32 in pixels, from frame 1 to frame 2.

    Returns:
        The frame, black where the flow is unknown or leads out of the frame, and the mask of the other pixels.
    """
    warped, inside = _look_up(frame2, flow)
    warped[~inside] = 0
    return warped, inside


@dataclass(frozen=True)
class PhotometricError:
    """How far apart two frames are, in grey levels (0..255), the mean over pixels and channels."""

    warped: float
    """Between frame 1 and frame 2 brought back to it, where the flow leads somewhere."""

    unwarped: float
    """Between the frames as they are, at the same pixels: what a flow of zero would give."""

    share: float
    """Of the frame's pixels that were compared (0..1)."""


def photometric_error(frame1: Frame, frame2: Frame, flow: Flow) -> PhotometricError:
    """How well ``flow`` explains ``frame1`` by ``frame2``; shapes as for :func:`warp`."""
    warped, inside = warp(frame2, flow)
    if not inside.any():
        return PhotometricError(float("nan"), float("nan"), 0.0)
    target = frame1[inside].astype(np.int16)
    return PhotometricError(
        float(np.abs(warped[inside] - target).mean()),
        float(np.abs(frame2[inside] - target).mean()),
        float(inside.mean()),
    )


def _look_up(values: Values, flow: Flow) -> tuple[Values, Mask]:
    """``values`` where ``flow`` leads, and whether that is known and inside."""
    height, width = flow.shape[:2]
    target = flow + np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)
    with np.errstate(invalid="ignore"):
        inside = known(flow) & (target >= 0).all(axis=-1) & (target <= (width - 1, height - 1)).all(axis=-1)
    target[~inside] = 0
    found = cv2.remap(values, target, None, cv2.INTER_LINEAR)  # type: ignore[call-overload]
    return found, np.asarray(inside)
