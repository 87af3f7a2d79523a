"""Pairs of frames while their windows are estimated."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np

from .arrays import Flow, Frame
from .geometry import resize_flow
from .tiling import Grid, Memory, Size, Stitcher, Window, cut, fill_window

if TYPE_CHECKING:
    import numpy.typing as npt
    import torch

Array = TypeVar("Array", "npt.NDArray[Any]", "torch.Tensor")
"""What a model takes and returns."""

Key = TypeVar("Key")
"""The caller's label for a pair; it is returned with the flow."""

FramePair = tuple[Frame, Frame]
"""Frame 1 and frame 2, each ``(H, W, 3)`` uint8 RGB; the flow leads from the first to the second."""


class Pair(Protocol[Array]):
    """A pair in progress."""

    @property
    def grid(self) -> Grid:
        """The windows of the pair at its own size."""

    def next_windows(self) -> list[Window]:
        """The windows to estimate next, after all before them have been added; none at the end."""

    def cut(self, window: Window) -> tuple[Array, Array]:
        """The window in both frames, each ``(h, w, 3)`` uint8 RGB."""

    def add(self, window: Window, flow: Array) -> None:
        """Add the flow of a window, ``(h, w, 2)`` in pixels; windows are added in their order."""

    @property
    def is_ready(self) -> bool:
        """Whether :meth:`flow` returns without waiting for the device, when all windows have been added."""

    def flow(self) -> Flow:
        """The flow, ``(H, W, 2)`` in pixels; call it once, at the end."""


class PlainPair:
    """A pair whose windows are all estimated where they are. A :class:`Pair`.

    Args:
        frames: both frames, ``(H, W, 3)`` uint8 RGB, at the size of the grid.
        grid: the windows.
    """

    def __init__(self, frames: FramePair, grid: Grid) -> None:
        self._frame1, self._frame2 = (fill_window(frame, grid.window) for frame in frames)
        self.grid = grid
        self._stitcher = Stitcher(grid, Memory())
        self._is_begun = False

    def next_windows(self) -> list[Window]:
        """All windows, the first time."""
        windows = [] if self._is_begun else [Window(position) for position in self.grid.positions]
        self._is_begun = True
        return windows

    def cut(self, window: Window) -> FramePair:
        """The window in both frames, each ``(h, w, 3)`` uint8 RGB."""
        position, size = window.position, self.grid.window
        return cut(self._frame1, position, size), cut(self._frame2, position, size)

    def add(self, window: Window, flow: Flow) -> None:
        """Add the flow of a window, ``(h, w, 2)`` in pixels."""
        self._stitcher.add(window.position, flow)

    @property
    def is_ready(self) -> bool:
        """Always."""
        return True

    def flow(self) -> Flow:
        """The flow, ``(H, W, 2)`` in pixels."""
        return self._stitcher.flow()


class Entry(Generic[Key, Array]):
    """An entry of a stream of pairs, which are returned in order.

    Args:
        key: the caller's label.
        pair: the pair; ``None`` if there is nothing to estimate.
        size: height and width of the flow that the caller gets.
    """

    def __init__(self, key: Key, pair: Pair[Array] | None = None, size: Size = (0, 0)) -> None:
        self.key = key
        self.pair: Pair[Array] | None = pair
        self.windows = 0
        """The number of windows so far."""

        self.waiting: deque[Window] = deque()
        """The windows to estimate now."""

        self.is_followed = False
        """Whether the device has been given more to do since it was given the last window."""

        self._size = size
        self._missing = 0
        self._go_on()

    @property
    def is_done(self) -> bool:
        """Whether no window is missing."""
        return not self._missing

    @property
    def is_ready(self) -> bool:
        """Whether :meth:`flow` returns without waiting for the device."""
        return self.is_done and (self.pair is None or self.pair.is_ready)

    def cut(self, window: Window) -> tuple[Array, Array]:
        """The window in both frames."""
        assert self.pair is not None
        return self.pair.cut(window)

    def add(self, window: Window, flow: Array) -> None:
        """Add the flow of a window."""
        assert self.pair is not None
        self.pair.add(window, flow)
        self._missing -= 1
        if not self._missing:
            self._go_on()

    def _go_on(self) -> None:
        windows = [] if self.pair is None else self.pair.next_windows()
        self.waiting.extend(windows)
        self._missing = len(windows)
        self.windows += len(windows)

    def flow(self) -> Flow | None:
        """The flow, ``(H, W, 2)`` at the frames' original size."""
        return None if self.pair is None else np.ascontiguousarray(resize_flow(self.pair.flow(), *self._size))
