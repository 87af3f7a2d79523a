"""Samples frames and flows between their pixels, at the points that a flow leads to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ..arrays import Flow, Frame, Mask

Values = TypeVar("Values", Flow, Frame)

Vectors = npt.NDArray[np.float32] | npt.NDArray[np.float64]
"""A flow, or one in double precision: ``(H, W, 2)`` in pixels, u then v; NaN where unknown."""

_BAND = 1 << 14  # pixels that are sampled at a time, so that the work arrays stay in the cache

_Points = npt.NDArray[np.float64]
_Sampler = Callable[[_Points, _Points], npt.NDArray[np.float64]]
"""From the x and y of points inside the frame, ``(H, W)``, to the values there, ``(H, W, C)``."""


def look_up(values: Values, vectors: Vectors) -> tuple[npt.NDArray[np.float32], Mask]:
    """Sample ``values`` at the points that ``vectors`` lead to, bilinearly interpolated.

    Points and weights are float64. A neighbour that has no weight does not matter: on a row or column of pixels, the
    last ones included, only that one counts. OpenCV's ``remap`` does not suffice: with two channels it rounds points to
    1/32 of a pixel, and sides above 32766 fail.

    Args:
        values: a flow or a frame, ``(H, W, C)``.
        vectors: ``(H, W, 2)`` in pixels; NaN where unknown.

    Returns:
        The samples, ``(H, W, C)`` float32, NaN where a neighbour with a weight is NaN; and the mask of pixels whose
        vector is known and leads to a point inside the frame, ``(H, W)`` bool. The samples of all other pixels are 0.
    """
    height, width = vectors.shape[:2]
    sample = _sampler(values)
    found = np.zeros(values.shape, np.float32)
    inside = np.empty((height, width), np.bool_)
    columns = np.arange(width, dtype=np.float64)
    step = max(1, _BAND // max(1, width))
    for start in range(0, height, step):
        rows = slice(start, min(start + step, height))
        with np.errstate(invalid="ignore"):
            x = np.add(vectors[rows, :, 0], columns, dtype=np.float64)
            y = np.add(vectors[rows, :, 1], np.arange(rows.start, rows.stop)[:, None], dtype=np.float64)
            is_inside = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)  # false where either is NaN
        inside[rows] = is_inside
        outside = None if is_inside.all() else ~is_inside
        if outside is not None:
            x[outside], y[outside] = 0, 0
        found[rows] = sample(x, y)
        if outside is not None:
            found[rows][outside] = 0
    return found, inside


def _sampler(values: Flow | Frame) -> _Sampler:
    is_flow = values.dtype == np.float32 and values.shape[2] == 2
    return _flow_sampler(np.asarray(values, np.float32)) if is_flow else _frame_sampler(values)


def _flow_sampler(flow: Flow) -> _Sampler:
    """Samples of a flow, whose two components are fetched and weighted together, as one complex number."""
    width = flow.shape[1]
    pixels = np.ascontiguousarray(flow).view(np.complex64).reshape(-1)

    def sample(x: _Points, y: _Points) -> npt.NDArray[np.float64]:
        left, top = x.astype(np.int32), y.astype(np.int32)  # which takes half the time that 64 bits do
        across, down = x - left, y - top
        at = np.multiply(top, width, dtype=np.intp)
        at += left
        right, below = across > 0, (down > 0) * width  # a neighbour without a weight is not looked at
        upper = pixels.take(at) * (1 - across) + pixels.take(at + right) * across
        at += below
        lower = pixels.take(at) * (1 - across) + pixels.take(at + right) * across
        sampled = upper * (1 - down) + lower * down
        return np.ascontiguousarray(sampled).view(np.float64).reshape(*sampled.shape, 2)

    return sample


def _frame_sampler(values: Flow | Frame) -> _Sampler:
    """Samples of anything else."""

    def sample(x: _Points, y: _Points) -> npt.NDArray[np.float64]:
        left, top = x.astype(np.intp), y.astype(np.intp)
        across, down = x - left, y - top
        right, bottom = left + (across > 0), top + (down > 0)
        across, down = across[..., None], down[..., None]
        upper = values[top, left] * (1 - across) + values[top, right] * across
        lower = values[bottom, left] * (1 - across) + values[bottom, right] * across
        return np.asarray(upper * (1 - down) + lower * down)

    return sample
