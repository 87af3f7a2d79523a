"""Warping by a flow, and how well a flow explains its frames, which takes no truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ..arrays import Flow, Frame, Mask, known

Values = TypeVar("Values", Flow, Frame)


def warp(frame2: Frame, flow: Flow) -> tuple[Frame, Mask]:
    """Frame 2 brought back to frame 1: each pixel shows what its flow leads to, bilinearly interpolated.

    Args:
        frame2: ``(H, W, 3)`` uint8 RGB.
        flow: ``(H, W, 2)`` float32 in pixels, from frame 1 to frame 2.

    Returns:
        The frame, black where the flow is unknown or leads out of the frame, and the mask of the other pixels.
    """
    warped, inside = look_up(frame2, flow)
    return np.rint(warped).astype(np.uint8), inside


@dataclass(frozen=True)
class PhotometricError:
    """How far apart two frames are, in grey levels (0..255), the mean over pixels and channels."""

    warped: float
    """Between frame 1 and frame 2 brought back to it, where the flow leads somewhere."""

    unwarped: float
    """Between the frames as they are, at the same pixels: what a flow of zero would give."""

    share: float
    """Of the frame's pixels that were compared (0..1)."""


def photometric_error(frame1: Frame, frame2: Frame, warped: Frame, inside: Mask) -> PhotometricError | None:
    """How well a flow explains ``frame1`` by ``frame2``; ``None`` if it leads nowhere.

    Args:
        frame1: ``(H, W, 3)`` uint8 RGB.
        frame2: likewise.
        warped: ``frame2`` brought back by the flow, from :func:`warp`.
        inside: where, from there as well.
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
    """What ``values`` are where ``flow`` leads, bilinearly interpolated.

    OpenCV's ``remap`` would do, but it rounds to 1/32 of a pixel for two channels and takes no side above 32766.

    Args:
        values: ``(H, W, C)``, a flow or a frame.
        flow: ``(H, W, 2)`` float32 in pixels.

    Returns:
        ``(H, W, C)`` float32, 0 where there is nothing, and the ``(H, W)`` mask of where the flow is known and leads
        to a place inside.
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
