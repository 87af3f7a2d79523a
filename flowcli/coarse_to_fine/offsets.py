"""Where the second frame's window is cut: one offset, or two where there are two motions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..arrays import Flow
from ..tiling import Position, Size

Offset = tuple[int, int]
"""How far a window is shifted in the second frame: right and down, in whole pixels."""

STILL: Offset = (0, 0)
"""The offset of a window that stays where it is."""

_SAMPLES = 64  # of the coarser flow along the shorter side of a window; they suffice to know its motions
_SMALLEST_REACH = 4.0  # pixels
_REACH = 1 / 10  # of a window's shorter side
_OTHERS = 0.05  # the share of vectors out of reach that makes a second offset worth a window
_BETWEEN = 0.1  # with fewer vectors within reach than this share, an offset lies between the motions
_ROUNDS = 4  # after which the median of the vectors within reach hardly moves

Vectors = npt.NDArray[np.float32]
"""``(N, 2)`` in pixels."""


def reach(window: Size) -> float:
    """How far motion may be from a window's offset, in pixels, before another offset is tried for it."""
    return max(_SMALLEST_REACH, min(window) * _REACH)


def is_near(offset: Offset, other: Offset, within: float) -> bool:
    """Whether two offsets are within reach of each other."""
    return max(abs(here - there) for here, there in zip(offset, other, strict=True)) <= within


def choose_offsets(
    coarse: Flow, within: float, position: Position = (0, 0), frame: Size | None = None
) -> tuple[list[Offset], float]:
    """The offsets to try for a window.

    The first is the median of the most common motion; the second that of what lies out of its reach, if that is more
    than a few vectors. What leaves the frame with the first motion cannot be found, so its vectors ask for none.

    Args:
        coarse: ``(H, W, 2)`` in pixels, the coarser flow in the window.
        within: how far motion may be from an offset, in pixels; see :func:`reach`.
        position: that of the window.
        frame: the size of the frame; without it, nothing leaves it.

    Returns:
        One or two offsets, and the share of vectors that is out of the first one's reach.
    """
    step = max(1, min(coarse.shape[:2]) // _SAMPLES)
    vectors = coarse[::step, ::step].reshape(-1, 2)
    first = _rounded(_common(vectors, within))
    differs = _distance(vectors, first) > within
    if frame is not None:
        differs &= stays(position, coarse.shape[:2], first, frame, step).ravel()
    others = vectors[differs]
    share = len(others) / len(vectors)
    if share < _OTHERS:
        return [first], share
    second = _rounded(_common(others, within))
    return [first] if second == first else [first, second], share


def stays(
    position: Position, window: Size, motion: tuple[float, float], frame: Size, step: int = 1
) -> npt.NDArray[np.bool_]:
    """Which of every ``step``-th pixel of a window are still in the frame when they move so far right and down."""
    rows, columns = (
        (np.arange(start, start + side, step) + moved >= 0) & (np.arange(start, start + side, step) + moved < length)
        for start, side, moved, length in zip(position, window, motion[::-1], frame, strict=True)
    )
    return np.asarray(rows[:, None] & columns)


def _common(vectors: Vectors, within: float) -> npt.NDArray[np.float32]:
    """The median of the most common motion."""
    center = np.median(vectors, axis=0)
    if (_distance(vectors, center) <= within).mean() < _BETWEEN:
        center = _fuller_half(vectors, center)
    for _ in range(_ROUNDS):
        near = vectors[_distance(vectors, center) <= within]
        if not len(near):
            break
        center = np.median(near, axis=0)
    return np.asarray(center, np.float32)


def _fuller_half(vectors: Vectors, center: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The median of the larger of two motions, told apart along the direction in which vectors differ most."""
    apart = vectors - center
    direction = np.linalg.eigh(apart.T @ apart)[1][:, -1]
    along = apart @ direction
    low, high = np.percentile(along, (10, 90))
    is_high = along > (low + high) / 2
    return np.asarray(np.median(vectors[is_high == (is_high.mean() > 0.5)], axis=0), np.float32)


def _distance(vectors: Vectors, center: npt.NDArray[np.float32] | Offset) -> npt.NDArray[np.float32]:
    return np.asarray(np.abs(vectors - np.asarray(center, np.float32)).max(axis=1))


def _rounded(vector: npt.NDArray[np.float32]) -> Offset:
    u, v = (round(float(component)) for component in vector)
    return u, v
