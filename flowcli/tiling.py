"""Cuts frames into windows and stitches the windows' flows; independent of the model.

The stitched flow is a weighted mean over all windows. A pixel's weight is its distance to the nearest edge of the
window, counted from 1, as in DeepMind's published notebook for Perceiver IO. Arrays are NumPy's, or torch's on some
device.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from .arrays import Frame
from .choices import GridKind
from .errors import UsageError

if TYPE_CHECKING:
    import torch

Pixels = TypeVar("Pixels", "npt.NDArray[np.uint8]", "npt.NDArray[np.float32]", "torch.Tensor")
Values = TypeVar("Values", "npt.NDArray[np.float32]", "torch.Tensor")
Values_co = TypeVar("Values_co", "npt.NDArray[np.float32]", "torch.Tensor", covariant=True)

Size = tuple[int, int]
"""Height and width in pixels."""

Weights = npt.NDArray[np.float32]
"""How much each pixel counts: ``(H, W)``, above 0."""

Position = tuple[int, int]
"""Row and column of a window's top left corner."""


class Window(NamedTuple):
    """A window to estimate."""

    position: Position
    offset: tuple[int, int] = (0, 0)
    """How far it is shifted in the second frame: right and down, in whole pixels."""


@dataclass(frozen=True)
class Grid:
    """The windows of a frame: every row start combined with every column start.

    At some sizes, the published procedure repeats the last start of an axis. Such a window is computed once, and its
    weight is multiplied by the number of repeats.
    """

    frame: Size
    window: Size
    rows: tuple[int, ...]
    columns: tuple[int, ...]

    @property
    def positions(self) -> list[Position]:
        """``(row, column)`` of each window's top left corner, row by row, without repeats."""
        return list(itertools.product(sorted(set(self.rows)), sorted(set(self.columns))))

    def repeats(self, position: Position) -> int:
        """How often the window at ``position`` counts."""
        return self.rows.count(position[0]) * self.columns.count(position[1])

    def __len__(self) -> int:
        """The number of windows to compute."""
        return len(set(self.rows)) * len(set(self.columns))


def make_grid(frame: Size, window: Size, overlap: int = 20, kind: GridKind = "even") -> Grid:
    """Choose the windows that cover a frame.

    Args:
        frame: height and width of the frame in pixels, at least 1 x 1.
        window: height and width of a window in pixels.
        overlap: minimum overlap of neighbouring windows in pixels, at least 0 and less than the window.
        kind: ``even`` spreads as few windows as possible evenly; ``reference`` uses those of the published procedure.

    Returns:
        The grid.

    Raises:
        UsageError: the overlap is out of range, or the published procedure cannot cover a frame of this size.
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
    # The spacing is at most window - overlap, an integer, so rounding down never makes a step larger than that.
    return tuple(index * (length - window) // (count - 1) for index in range(count))


def _reference_starts(length: int, window: int, overlap: int, frame: Size) -> tuple[int, ...]:
    """Starts as published: every ``window - overlap`` pixels, the last one moved back to end at the frame's edge."""
    _check_overlap(window, overlap)
    starts = list(range(0, length, window - overlap))
    starts[-1] = length - window
    if length < window or any(start + window > length for start in starts[:-1]):
        raise UsageError(
            f"`grid` reference: the published procedure cannot cover a frame of {frame[1]} x {frame[0]}: "
            f"windows of {window} px with an overlap of {overlap} px do not fit its side of {length} px; "
            "use `grid` even"
        )
    return tuple(starts)


def _check_overlap(window: int, overlap: int) -> None:
    if not 0 <= overlap < window:
        raise UsageError(f"`overlap` must be at least 0 and less than the window's {window} px, not {overlap}")


@functools.cache
def window_weights(window: Size) -> Weights:
    """``(h, w)`` float32: each pixel's distance to the window's nearest edge, counted from 1."""
    down, right = (np.minimum(np.arange(1, n + 1), np.arange(n, 0, -1)) for n in window)
    return np.minimum(down[:, None], right[None, :]).astype(np.float32)


def fill_window(frame: Frame, window: Size) -> Frame:
    """Pad a frame that is smaller than a window at the right and bottom, by repeating its edge pixels."""
    missing = [max(0, window[axis] - frame.shape[axis]) for axis in (0, 1)]
    if not any(missing):
        return frame
    return np.pad(frame, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="edge")


def cut(frame: Pixels, position: Position, window: Size) -> Pixels:
    """A view of the window at ``position`` (row, column) in an ``(H, W, ...)`` array, which must be large enough."""
    row, column = position
    return frame[row : row + window[0], column : column + window[1]]


class Store(Protocol[Values_co]):
    """Where a stitcher has its arrays, all float32."""

    def zeros(self, shape: tuple[int, ...]) -> Values_co:
        """A new array of zeros."""

    def window_weights(self, window: Size) -> Values_co:
        """:func:`window_weights`, there."""

    def total_weights(self, grid: Grid) -> Values_co:
        """:func:`total_weights`, there."""


class Stitcher(Generic[Values]):
    """Accumulates the weighted mean of the flows of one frame's windows.

    Args:
        grid: the windows of the frame.
        store: where the flows are.
    """

    def __init__(self, grid: Grid, store: Store[Values]) -> None:
        self._grid = grid
        self._store: Store[Values] = store
        self._covered = (max(grid.frame[0], grid.window[0]), max(grid.frame[1], grid.window[1]))
        self._sum: Values = store.zeros((*self._covered, 2))
        self._weights: Values | None = None  # those of the grid

    def add(self, position: Position, flow: Values, confidence: Values | None = None) -> None:
        """Add the flow of a window.

        Args:
            position: the window's.
            flow: ``(h, w, 2)`` in pixels.
            confidence: ``(h, w)``, above 0: how much each pixel counts; given for all windows or for none.
        """
        if len(self._grid) == 1:
            self._sum[:] = flow  # the mean of one is itself, without rounding
            return
        weights = self._store.window_weights(self._grid.window) * self._grid.repeats(position)
        if confidence is not None:
            weights *= confidence
            if self._weights is None:
                self._weights = self._store.zeros(self._covered)
            cut(self._weights, position, self._grid.window)[:] += weights
        window = cut(self._sum, position, self._grid.window)
        window += flow * weights[..., None]

    def flow(self) -> Values:
        """The stitched ``(H, W, 2)`` flow, a view; call it once, after adding every window."""
        height, width = self._grid.frame
        if len(self._grid) > 1:
            weights = self._store.total_weights(self._grid) if self._weights is None else self._weights
            self._sum /= weights[..., None]
        return self._sum[:height, :width]


@functools.lru_cache(maxsize=2)
def total_weights(grid: Grid) -> Weights:
    """``(H, W)`` float32: the sum of all windows' weights at each pixel, also of those beyond a small frame."""
    total = np.zeros([max(pair) for pair in zip(grid.frame, grid.window, strict=True)], np.float32)
    for position in grid.positions:
        window = cut(total, position, grid.window)
        window += window_weights(grid.window) * grid.repeats(position)
    return total


class Memory:
    """This machine's memory, as arrays of NumPy. A :class:`Store`."""

    def zeros(self, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
        """A new array of zeros."""
        return np.zeros(shape, np.float32)

    def window_weights(self, window: Size) -> Weights:
        """:func:`window_weights`."""
        return window_weights(window)

    def total_weights(self, grid: Grid) -> Weights:
        """:func:`total_weights`."""
        return total_weights(grid)
