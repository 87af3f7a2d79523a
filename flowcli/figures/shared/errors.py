"""Errors of flow as authors' programs compute them, which matters where an error is exactly at a threshold."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...arrays import Flow

Errors = npt.NDArray[np.float64]


def lengths(flow: npt.NDArray[np.floating]) -> Errors:
    """The lengths of ``(..., 2)`` vectors, ``(...)`` float64 in pixels; NaN where unknown."""
    u, v = np.moveaxis(flow.astype(np.float64), -1, 0)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.sqrt(u * u + v * v))


def endpoint_errors(flow: Flow, truth: Flow) -> Errors:
    """The lengths of ``truth - flow``, ``(...)`` float64 in pixels; NaN where either is unknown.

    The difference is taken in float32, as of arrays that are read from files, and its length in float64.
    """
    with np.errstate(invalid="ignore"):
        return lengths(truth - flow)


def angular_errors(flow: Flow, truth: Flow) -> Errors:
    """The angles between ``(u, v, 1)`` and the true ``(u, v, 1)``, ``(...)`` float64 in degrees; NaN where unknown.

    Defined in Barron, Fleet and Beauchemin, "Performance of Optical Flow Techniques", IJCV 1994, section 4.1.
    """
    u, v = np.moveaxis(flow.astype(np.float64), -1, 0)
    true_u, true_v = np.moveaxis(truth.astype(np.float64), -1, 0)
    with np.errstate(invalid="ignore"):
        # From the tangent, since the cosine is imprecise at small angles.
        cross = np.sqrt((v - true_v) ** 2 + (true_u - u) ** 2 + (u * true_v - v * true_u) ** 2)
        return np.asarray(np.degrees(np.arctan2(cross, u * true_u + v * true_v + 1)))
