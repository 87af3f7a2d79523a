"""The scales at which a frame is estimated, from one at which it fits into a window to its own."""

from __future__ import annotations

import math

from ..tiling import Grid, Size, make_grid

_EXTRA = 0.4, 3
"""How much the coarser levels may cost together: this share of the frame's windows, or so many windows if more."""

_MOST = 2, 3
"""The most windows of a pair with several motions: so many times the frame's, and so many more."""


def levels(frame: Size, window: Size, overlap: int = 20) -> list[Grid]:
    """The windows of a frame at each scale, the coarsest first.

    Scales are halved until the frame is one window. Where that would cost too many windows, as for a frame a little
    above twice the window, a level is smaller than half of the next.

    Args:
        frame: height and width of the frame in pixels.
        window: height and width of a window in pixels.
        overlap: minimum overlap of neighbouring windows in pixels.

    Returns:
        The grids; the last one is that of the frame itself. All others together have at most 40 % of its windows, or 3.

    Raises:
        UsageError: the overlap is out of range.
    """
    grids = [make_grid(frame, window, overlap)]
    share, few = _EXTRA
    spare = max(int(share * len(grids[0])), few)
    while len(grids[-1]) > 1:
        grids.append(_coarser(grids[-1].frame, window, overlap, spare))
        spare -= len(grids[-1])
    return grids[::-1]


def most_windows(grids: list[Grid], *, are_alike: bool) -> int:
    """The most windows that a pair may take.

    Args:
        grids: the windows of each level.
        are_alike: whether nearly all moves the same way. Then they are the frame's and 40 % of those more, or 3; else
            twice the frame's, and 3.
    """
    if are_alike:
        share, few = _EXTRA
        return len(grids[-1]) + max(int(share * len(grids[-1])), few)
    times, more = _MOST
    return times * len(grids[-1]) + more


def _coarser(frame: Size, window: Size, overlap: int, spare: int) -> Grid:
    """The next level: half of ``frame``, or the largest below that leaves enough of ``spare`` for those after it."""
    grid = make_grid(_scaled(frame, 0.5), window, overlap)
    if len(grid) + _rest(len(grid)) <= spare:
        return grid
    most = max(count for count in range(1, spare + 1) if count + _rest(count) <= spare)
    counts = [(rows, most // rows) for rows in range(1, most + 1)]
    scale = max(min(0.5, *map(_scale, frame, window, count, [overlap] * 2)) for count in counts)
    return make_grid(_scaled(frame, scale), window, overlap)


def _rest(count: int) -> int:
    """The windows to keep for the levels after one of ``count``: half as many, as narrow frames need."""
    return count // 2


def _scale(length: int, window: int, count: int, overlap: int) -> float:
    """The scale at which ``count`` windows are just enough for an axis of ``length`` pixels."""
    return (count * (window - overlap) + overlap) / length


def _scaled(frame: Size, scale: float) -> Size:
    # Halves are rounded up, as no content should be lost; others down, as a pixel more would take another window.
    height, width = (max(1, math.ceil(side * scale) if scale == 0.5 else math.floor(side * scale)) for side in frame)
    return height, width
