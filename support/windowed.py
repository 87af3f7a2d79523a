"""DIS restricted to windows: a windowed model that tells good flow from bad, unlike a random checkpoint."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from flowcli.models.dis import DisFlow
from flowcli.tiling import Size


class WindowedDis:
    """DIS that sees one window at a time. A :class:`flowcli.models.FlowModel`."""

    name = "windowed-dis"
    revision = None
    fingerprint = "windowed-dis"
    device = "cpu"
    precision = "fp32"

    def __init__(self, window: Size, batch: int = 4) -> None:
        self.window = window
        self.passes: list[int] = []
        """The windows of each forward pass so far."""

        self._batch = batch
        self._dis = DisFlow()

    @property
    def windows(self) -> int:
        """The number of windows so far."""
        return sum(self.passes)

    def largest_batch(self) -> int:
        return self._batch

    def __call__(self, frames1: npt.NDArray[np.uint8], frames2: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        self.passes.append(len(frames1))
        return self._dis(np.ascontiguousarray(frames1), np.ascontiguousarray(frames2))
