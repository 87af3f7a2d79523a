"""Names for the two kinds of array that travel through flowcli."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Frame = npt.NDArray[np.uint8]
"""An image: ``(H, W, 3)`` uint8, RGB."""

Flow = npt.NDArray[np.float32]
"""A flow field: ``(H, W, 2)`` float32 pixels, u (to the right) then v (downwards); unknown flow is NaN."""

Mask = npt.NDArray[np.bool_]
"""A choice of pixels: ``(H, W)`` bool."""


def known(flow: Flow) -> Mask:
    """Which vectors of an ``(H, W, 2)`` flow are known: both components are finite."""
    return np.asarray(np.isfinite(flow).all(axis=-1))
