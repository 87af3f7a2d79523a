"""What KITTI's development kits do before they count: unknown flow is filled, errors are float32."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...arrays import Flow, known


def fill_background(flow: Flow) -> Flow:
    """Fill in unknown flow as the development kits do before they evaluate (``interpolateBackground``).

    In each row, a gap between two known vectors gets the smaller of both, component by component; what is left or right
    of all known vectors gets the nearest one. Then what is above or below all rows that have any gets the nearest of
    those rows. Rows between them that have none stay 0, and so does a flow that is unknown everywhere.

    Args:
        flow: ``(H, W, 2)`` float32 in pixels; NaN where unknown.

    Returns:
        ``(H, W, 2)`` float32 in pixels, known everywhere.
    """
    is_known = known(flow)
    if is_known.all():
        return flow
    filled = np.where(is_known[..., None], flow, np.float32(0))
    rows = np.flatnonzero(is_known.any(axis=1))
    for row in rows[~is_known[rows].all(axis=1)]:
        filled[row] = _fill_row(filled[row], np.flatnonzero(is_known[row]))
    if rows.size:
        filled[: rows[0]] = filled[rows[0]]
        filled[rows[-1] + 1 :] = filled[rows[-1]]
    return np.asarray(filled, np.float32)


def _fill_row(row: npt.NDArray[np.float32], columns: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
    """Fill in a row, ``(W, 2)``, of which some columns are known."""
    positions = np.arange(len(row))
    after = np.searchsorted(columns, positions)  # the next known column, or the pixel itself
    right = columns[np.minimum(after, columns.size - 1)]
    left = columns[np.clip(after - (right != positions), 0, columns.size - 1)]
    return np.asarray(np.minimum(row[left], row[right]))


def float32_lengths(flow: Flow) -> npt.NDArray[np.float32]:
    """The lengths of ``(..., 2)`` float32 vectors, rounded to float32 at each step as in the development kits."""
    u, v = flow[..., 0], flow[..., 1]
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(np.sqrt(u * u + v * v))
