"""OpenCV's DIS flow: a classical method, built in, with nothing to download.

Kroeger, Timofte, Dai and Van Gool, "Fast Optical Flow using Dense Inverse Search", ECCV 2016. It uses the medium
preset at the finest scale (0), with the preset's 5 variational refinements.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import InputError, UsageError
from . import BuiltIn, FlowModel, ModelRequest

_LARGEST_SIDE = 32_766  # pixels; of what OpenCV samples
_SMALLEST_SIDE = 12  # pixels; OpenCV refuses images that are smaller in both directions


class DisFlow:
    """DIS on whole frames, converted to grey. A :class:`flowcli.models.FlowModel`."""

    name = "dis"
    revision = None
    fingerprint = "dis"
    device = "cpu"
    precision = "fp32"
    window = None

    def __init__(self) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._dis.setFinestScale(0)
        self._dis.setVariationalRefinementIterations(5)

    def largest_batch(self) -> int:
        """Always 1: DIS processes one pair at a time, on all cores."""
        return 1

    def __call__(self, frames1: npt.NDArray[np.uint8], frames2: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Estimate the flows of ``(N, H, W, 3)`` uint8 RGB frames: ``(N, H, W, 2)`` float32 in pixels."""
        return np.stack([self._flow(first, second) for first, second in zip(frames1, frames2, strict=True)])

    def _flow(self, frame1: npt.NDArray[np.uint8], frame2: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        height, width = frame1.shape[:2]
        if max(height, width) > _LARGEST_SIDE:
            most = f"up to {_LARGEST_SIDE} pixels on a side"
            raise InputError(f"dis takes frames of {most}, not {width} x {height}; choose a smaller `scale`")
        down, right = (max(0, _SMALLEST_SIDE - side) for side in (height, width))
        grey = [
            cv2.copyMakeBorder(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), 0, down, 0, right, cv2.BORDER_REPLICATE)
            for frame in (frame1, frame2)
        ]
        # No output array is passed: OpenCV would use it as an initial flow.
        flow = self._dis.calc(grey[0], grey[1], None)  # type: ignore[call-overload]
        return np.asarray(flow, np.float32)[:height, :width]


def load(request: ModelRequest) -> FlowModel:
    """Create a :class:`DisFlow`; raises ``UsageError`` for devices other than the CPU, and for other precisions."""
    if request.device not in {"auto", "cpu"}:
        raise UsageError(f"`device` {request.device}: dis runs on the CPU only; use cpu")
    if request.precision not in {"auto", "fp32"}:
        raise UsageError(f"`precision` {request.precision}: dis runs in fp32 only; use fp32")
    return DisFlow()


FAMILY = BuiltIn(load, "OpenCV DISOpticalFlow, medium preset, finest scale 0, 5 variational refinements")
