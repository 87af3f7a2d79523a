"""How far a flow is from the truth."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .arrays import Flow


def flow_statistics(flow: Flow) -> dict[str, float | None]:
    """What a flow is like, for reports.

    Args:
        flow: ``(H, W, 2)`` float32 in pixels; unknown flow is NaN and left out.

    Returns:
        Smallest, mean and largest u, v and length in pixels (``None`` if no flow is known), and the share of pixels
        that are known (0..1).
    """
    known = np.isfinite(flow).all(axis=-1)
    u, v = flow[known].T
    values: dict[str, float | None] = {}
    for name, component in (("u", u), ("v", v), ("length", np.hypot(u, v))):
        for statistic in (np.min, np.mean, np.max):
            value = float(statistic(component)) if component.size else None
            values[f"{name}_{statistic.__name__.removeprefix('a')}"] = value
    values["known"] = float(known.mean())
    return values


def endpoint_error(flow: Flow, truth: Flow) -> npt.NDArray[np.float32]:
    """The end-point error of each pixel: the length of ``flow - truth`` in pixels.

    Defined in Baker et al., "A Database and Evaluation Methodology for Optical Flow", IJCV 2011, section 4.1.

    Args:
        flow: ``(H, W, 2)`` float32 in pixels.
        truth: ``(H, W, 2)`` float32 in pixels; NaN where unknown.

    Returns:
        ``(H, W)`` float32 in pixels; NaN where either flow is unknown.

    Raises:
        ValueError: the two differ in size.
    """
    if flow.shape != truth.shape:
        raise ValueError(f"flows of different sizes: {flow.shape[:2]} and {truth.shape[:2]}")
    difference = flow - truth
    return np.asarray(np.hypot(difference[..., 0], difference[..., 1]), np.float32)
