"""True flow that has several vectors for each pixel of the frames, as Spring's has 2 x 2."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...arrays import Flow, size_of
from ...errors import InputError


def true_vectors(truth: Flow, flow: Flow, names: tuple[object, object]) -> npt.NDArray[np.float32]:
    """The true vectors of each pixel.

    Args:
        truth: the true flow, twice as large as the flow in both directions, or of its size; in pixels of the frames.
        flow: the estimated flow, ``(H, W, 2)``.
        names: what messages call the file of the true flow and that of the estimate.

    Returns:
        ``(H, W, N, 2)`` float32 in pixels, N = 4 or 1: column by column, as Spring's program has them.

    Raises:
        InputError: the true flow has another size.
    """
    (height, width), (true_height, true_width) = size_of(flow), size_of(truth)
    if (true_height, true_width) == (height, width):
        return truth[:, :, None, :]
    if (true_height, true_width) != (2 * height, 2 * width):
        raise InputError(
            f"{names[0]} is {true_width} x {true_height} but {names[1]} is {width} x {height}; "
            "they must have the same size, or the first twice that of the second"
        )
    return np.stack([truth[row::2, column::2] for column in (0, 1) for row in (0, 1)], axis=2)


def closest(truth: Flow, flow: Flow, names: tuple[object, object]) -> Flow:
    """Of each pixel the true vector that is closest to the estimate: ``(H, W, 2)`` float32 in pixels.

    NaN where one of the true vectors is unknown. Where the estimate is unknown, it is the first of them. The arguments
    and errors are those of :func:`true_vectors`.
    """
    vectors = true_vectors(truth, flow, names)
    with np.errstate(invalid="ignore"):
        distances = ((vectors - flow[:, :, None, :]).astype(np.float64) ** 2).sum(axis=-1)
    nearest = np.where(np.isfinite(distances), distances, np.inf).argmin(axis=2)
    found = np.take_along_axis(vectors, nearest[:, :, None, None], axis=2)[:, :, 0]
    found[~np.isfinite(vectors).all(axis=(2, 3))] = np.nan
    return np.ascontiguousarray(found)
