"""Cutting frames into windows and stitching the windows' flows; knows no model.

A window's flow is weighted by each pixel's distance to the window's nearest edge, counted from 1, and the weighted
mean of all windows is taken, as in DeepMind's published notebook for Perceiver IO.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from .arrays import Flow, Frame
from .choices import GridKind
from .errors import UsageError

Pixels = TypeVar("Pixels", npt.NDArray[np.uint8], npt.NDArray[np.float32])

Size = tuple[int, int]
"""Height and width in pixels."""


@dataclass(frozen=True)
class Grid:
    """Where the windows of a frame are: every row start combined with every column start.

    The published procedure repeats the last start of an axis at some sizes. Such a window is computed once and
    counts as often as it is repeated.
    """

    frame: Size
    window: Size
    rows: tuple[int, ...]
    columns: tuple[int, ...]

    @property
    def positions(self) -> list[tuple[int, int]]:
        """``(row, column)`` of each window's top left corner, row by row, each once."""
        return list(itertools.product(sorted(set(self.rows)), sorted(set(self.columns))))

    def repeats(self, position: tuple[int, int]) -> int:
        """How often the window at ``position`` counts."""
        return self.rows.count(position[0]) * self.columns.count(position[1])

    def __len__(self) -> int:
        """The number of windows to compute."""
        return len(set(self.rows)) * len(set(self.columns))


def make_grid(frame: Size, window: Size, overlap: int = 20, kind: GridKind = "even") -> Grid:
    """The windows that cover a frame.

    ``even``: the fewest windows whose neighbours overlap by at least ``overlap`` pixels, spread evenly; one where one
    is enough. ``reference``: the published procedure's windows.

    Args:
        frame: height and width of the frame, at least 1 x 1.
        window: height and width of a window.
        overlap: the least overlap of neighbouring windows in pixels.
        kind: ``even`` or ``reference``.

    Raises:
        UsageError: the overlap is as large as the window, or the published procedure cannot work at this size.
    """
    if kind == "reference":
        rows, columns = (_reference_starts(frame[axis], window[axis], overlap, frame) for axis in (0, 1))
    else:
        rows, columns = (_even_starts(frame[axis], window[axis], overlap) for axis in (0, 1))
    return Grid(frame, window, rows, columns)


def _even_starts(length: int, window: int, overlap: int) -> tuple[int, ...]:
    """Starts of the fewest windows along an axis of ``length`` pixels, evenly spread from end to end."""
    if length <= window:
        return (0,)
    _check_overlap(window, overlap)
    count = -((overlap - length) // (window - overlap))  # ceil((length - overlap) / (window - overlap))
    # Spacing is at most window - overlap, a whole number, so rounding down never widens a step beyond it.
    return tuple(index * (length - window) // (count - 1) for index in range(count))


def _reference_starts(length: int, window: int, overlap: int, frame: Size) -> tuple[int, ...]:
    """Starts as published: every ``window - overlap`` pixels, the last one moved back to end at the frame's edge."""
    _check_overlap(window, overlap)
    starts = list(range(0, length, window - overlap))
    starts[-1] = length - window
    if length < window or any(start + window > length for start in starts[:-1]):
        raise UsageError(
            f"`grid` reference: the published procedure cannot cover a frame of {frame[1]} x {frame[0]}: "
            f"along its side of {length}, windows of {window} with overlap {overlap} come out short; use `grid` even"
        )
    return tuple(starts)


def _check_overlap(window: int, overlap: int) -> None:
    if not 0 <= overlap < window:
        raise UsageError(f"`overlap` {overlap} must be at least 0 and less than the window's {window} pixels")


@functools.cache
def window_weights(window: Size) -> npt.NDArray[np.float32]:
    """``(h, w)`` float32: each pixel's distance to the window's nearest edge, counted from 1."""
    down, right = (np.minimum(np.arange(1, n + 1), np.arange(n, 0, -1)) for n in window)
    return np.minimum(down[:, None], right[None, :]).astype(np.float32)


def fill_window(frame: Frame, window: Size) -> Frame:
    """Extend a frame that is smaller than a window, to the right and downwards, by repeating its edge pixels."""
    missing = [max(0, window[axis] - frame.shape[axis]) for axis in (0, 1)]
    if not any(missing):
        return frame
    return np.pad(frame, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="edge")


def cut(frame: Pixels, position: tuple[int, int], window: Size) -> Pixels:
    """The window at ``position`` of an ``(H, W, ...)`` array that is at least as large as it: a view."""
    row, column = position
    return frame[row : row + window[0], column : column + window[1]]


class Stitcher:
    """The weighted mean of the windows' flows of one frame, gathered window by window."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        covered = tuple(max(pair) for pair in zip(grid.frame, grid.window, strict=True))
        self._sum = np.zeros((*covered, 2), np.float32)

    def add(self, position: tuple[int, int], flow: Flow) -> None:
        """Add the ``(h, w, 2)`` flow of the window at ``position``."""
        if len(self._grid) == 1:
            self._sum[:] = flow  # the mean of one is itself, without rounding
        else:
            window = cut(self._sum, position, self._grid.window)
            window += flow * (window_weights(self._grid.window) * self._grid.repeats(position))[..., None]

    def flow(self) -> Flow:
        """The stitched ``(H, W, 2)`` flow, once every window has been added."""
        height, width = self._grid.frame
        if len(self._grid) > 1:
            self._sum /= _total_weights(self._grid)[..., None]
        return np.ascontiguousarray(self._sum[:height, :width])


@functools.lru_cache(maxsize=2)
def _total_weights(grid: Grid) -> npt.NDArray[np.float32]:
    total = np.zeros([max(pair) for pair in zip(grid.frame, grid.window, strict=True)], np.float32)
    for position in grid.positions:
        window = cut(total, position, grid.window)
        window += window_weights(grid.window) * grid.repeats(position)
    return total
