"""What a report shows of a flow that has no truth: taken while its frames are in memory."""

from __future__ import annotations

from dataclasses import dataclass

from ..arrays import Flow, size_of
from ..flows.metrics import flow_statistics
from ..flows.warp import PhotometricError, photometric_error, warp
from ..pairs import FramePair
from ..results import FlowStatistics
from ..view import thumbnails


@dataclass(frozen=True)
class Glance:
    """A flow in a few figures and small pictures. Plain data."""

    statistics: FlowStatistics

    photometric: PhotometricError | None
    """How well the warped frame 2 matches frame 1; ``None`` without frames, or if no pixel can be compared."""

    frame: bytes | None
    """Frame 1 as a small JPEG, if there are frames."""

    flow: bytes
    """The flow's colours as a small JPEG, with a scale of their own."""


def glance(flow: Flow, frames: FramePair | None) -> Glance:
    """Take a glance at a flow.

    Args:
        flow: ``(H, W, 2)`` float32 in pixels; NaN where unknown.
        frames: its frames, each ``(H, W, 3)`` uint8 RGB; those of another size are as good as none.
    """
    if frames is not None and any(size_of(frame) != size_of(flow) for frame in frames):
        frames = None
    photometric = None
    if frames is not None:
        photometric = photometric_error(*frames, *warp(frames[1], flow))
    return Glance(
        flow_statistics(flow),
        photometric,
        None if frames is None else thumbnails.of_frame(frames[0]),
        thumbnails.of_flow(flow),
    )
