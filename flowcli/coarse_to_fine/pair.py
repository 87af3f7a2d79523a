"""A pair of frames that is estimated coarse to fine, in progress."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ..arrays import Flow, Frame
from ..geometry import resize_frame
from ..tiling import Grid, Memory, Position, Stitcher, Weights, Window, cut, fill_window, window_weights
from .behind import with_behind
from .evidence import Evidence
from .hidden import distance, taken, with_covered
from .levels import most_windows
from .offsets import STILL, Offset, is_near, reach
from .photometric import Errors, as_bright_as, better, confidence, photometric_error
from .repetition import repeats
from .window_offsets import window_offsets

_MARGIN = 6  # pixels, in which models see what is out of the frame
_SMOOTH = 9  # pixels; over which what is carried on is averaged, so that no window's edge is


class CoarseToFinePair:
    """A pair of frames that is estimated at one scale after the other. A :class:`flowcli.pairs.Pair`.

    Args:
        frames: both frames, ``(H, W, 3)`` uint8 RGB, at the size of the finest level.
        grids: the windows of each level, the coarsest first; see :func:`.levels.levels`.
    """

    def __init__(self, frames: tuple[Frame, Frame], grids: list[Grid]) -> None:
        self._frames = frames
        self._levels = grids
        self._planned = sum(map(len, grids))  # windows, of this level with second offsets, of the next without
        self._coming = iter(self._levels)
        self._level: _Level | None = None
        self._within = reach(grids[-1].window)

    @property
    def grid(self) -> Grid:
        """The windows of the finest level."""
        return self._levels[-1]

    def next_windows(self) -> list[Window]:
        """The windows of the next level; none after the last."""
        grid = next(self._coming, None)
        if grid is None:
            return []
        coarser = None if self._level is None else self._level.evidence()
        self._level = _Level(self._frames, grid, self._within, as_bright=coarser is None or coarser.as_bright)
        if coarser is None:
            windows = self._level.plan({position: [STILL] for position in grid.positions})
        else:
            offsets = window_offsets(coarser, grid, self._within)
            spare = self._spare(grid, are_alike=offsets.are_alike)
            windows = self._level.plan(self._level.doubted(offsets.with_most(spare)), offsets.pan)
        self._planned += len(windows) - len(grid)
        return windows

    def _spare(self, grid: Grid, *, are_alike: bool) -> int:
        """How many second offsets a level may have."""
        spare = most_windows(self._levels, are_alike=are_alike) - self._planned
        if grid is not self._levels[-1]:  # whose flow is not known yet: all may move alike after all
            spare = min(spare, max(len(grid) - 1, most_windows(self._levels, are_alike=True) - self._planned))
        return max(0, spare)

    def cut(self, window: Window) -> tuple[Frame, Frame]:
        """The window in both frames, each ``(h, w, 3)`` uint8 RGB."""
        assert self._level is not None
        return self._level.cut(window)

    def add(self, window: Window, flow: Flow) -> None:
        """Add the flow of a window, ``(h, w, 2)`` in pixels."""
        assert self._level is not None
        self._level.add(window, flow)

    @property
    def is_ready(self) -> bool:
        """Always."""
        return True

    def flow(self) -> Flow:
        """The flow, ``(H, W, 2)`` in pixels, after all windows have been added."""
        assert self._level is not None
        return self._level.flow()


class _Level:
    """A pair at one scale.

    Args:
        frames: both frames.
        grid: the windows of this scale.
        within: how far motion may be from an offset.
        as_bright: whether errors are those of frames that have been made equally bright.
    """

    def __init__(self, frames: tuple[Frame, Frame], grid: Grid, within: float, *, as_bright: bool) -> None:
        self._grid = grid
        self._within = within
        self._frame1, self._frame2 = (resize_frame(frame, *grid.frame) for frame in frames)
        self._filled = fill_window(self._frame1, grid.window)
        self._as_they_are = self._frame1, self._frame2
        self._as_bright = as_bright_as(*self._as_they_are)
        self._judged = self._as_bright if as_bright else self._as_they_are
        self._judged_filled = fill_window(self._judged[0], grid.window)
        self._offsets: dict[Position, list[Offset]] = {}
        self._candidates: dict[Position, list[Flow]] = {}
        self._best, self._first = Stitcher(grid, Memory()), Stitcher(grid, Memory())
        self._has_choice = False
        self._pan: Offset | None = None
        self._covered = np.zeros(grid.frame, np.bool_)
        self._follows: npt.NDArray[np.uint8] | None = None  # where a shifted window is, if there are any

    def doubted(self, offsets: dict[Position, list[Offset]]) -> dict[Position, list[Offset]]:
        """The offsets, but none for windows that look the same where they are shifted to."""
        grey = np.asarray(cv2.cvtColor(self._frame2, cv2.COLOR_RGB2GRAY), np.uint8)
        window, within = self._grid.window, self._within
        return {
            position: [STILL]
            if max(map(abs, each[0])) > within and repeats(grey, position, window, each[0], within)
            else each
            for position, each in offsets.items()
        }

    def plan(self, offsets: dict[Position, list[Offset]], pan: Offset | None = None) -> list[Window]:
        """The windows with these offsets; ``pan`` is the motion of nearly all of the frame, if there is one."""
        self._pan = None if pan is None or is_near(pan, STILL, self._within) else pan
        self._offsets = offsets
        self._has_choice = any(len(each) > 1 for each in offsets.values())
        shifted = [position for position, each in offsets.items() if each != [STILL]]
        follows = np.zeros(self._filled.shape[:2], np.uint8)
        for position in shifted:
            cut(follows, position, self._grid.window)[:] = 1
        self._follows = follows if shifted else None
        return [Window(position, offset) for position, each in offsets.items() for offset in each]

    def cut(self, window: Window) -> tuple[Frame, Frame]:
        """The window in both frames; where it leaves the second frame, that one's edge is repeated."""
        (row, column), (right, down) = window.position, window.offset
        rows, columns = (
            np.clip(np.arange(start, start + side), 0, length - 1)
            for start, side, length in zip(
                (row + down, column + right), self._grid.window, self._grid.frame, strict=True
            )
        )
        return cut(self._filled, window.position, self._grid.window), self._frame2[rows[:, None], columns]

    def add(self, window: Window, flow: Flow) -> None:
        """Add the flow of a window; the best of each pixel is kept when all of its offsets are there."""
        position = window.position
        flows = self._candidates.setdefault(position, [])
        flows.append(flow + np.array(window.offset, np.float32))
        if len(flows) < len(self._offsets[position]):
            return
        del self._candidates[position]
        if len(self._grid) == 1:
            self._best.add(position, flows[0])
            return
        part = cut(self._judged_filled, position, self._grid.window)
        errors = [photometric_error(part, self._judged[1], each, position) for each in flows]
        best, error = flows[0], errors[0]
        if self._has_choice:
            self._first.add(position, best, self._counts(position, error))
        for other, other_error in zip(flows[1:], errors[1:], strict=True):
            best, error = better(best, error, other, other_error)
        self._best.add(position, best, self._counts(position, error))

    def _counts(self, position: Position, error: Errors) -> Weights | None:
        """How much pixels count: fast less towards a window's edges, where unlike neighbours would leave a seam."""
        if self._follows is None:
            return None
        counts = confidence(error) * np.square(window_weights(self._grid.window))
        counts[cut(self._follows, position, self._grid.window) == 0] = 1  # as of windows alone
        return counts

    def flow(self) -> Flow:
        """The flow of the level, ``(H, W, 2)`` in pixels; call it once, when all windows have been added."""
        flow = self._merged()
        if self._follows is None or self._pan is not None:  # nothing arrives where nearly all moves alike
            return flow
        return with_behind(self._judged[0], flow, self._error(flow), self._within / 2, self._covered)

    def _merged(self) -> Flow:
        """The flow as the windows give it: what nothing explains may be a thing that was not found yet."""
        flow = self._best.flow()
        if self._has_choice:
            first, apart = self._first.flow(), self._within / 2
            hidden = taken(flow, self._error(flow), distance(flow, first) > apart, apart)
            flow[hidden] = first[hidden]  # what is hidden belongs to what is behind, most often the window's first
        if self._follows is not None:
            before = flow
            flow = with_covered(self._judged, before, self._error(before), self._within / 2)
            self._covered = np.any(flow != before, axis=-1)
        return flow if self._pan is None else self._carried_out(flow, self._pan)

    def _carried_out(self, flow: Flow, pan: Offset) -> Flow:
        """The flow; what a pan takes out of the frame, where nothing shows it, gets that of the nearest that stays."""
        rows, columns = (
            np.clip(
                np.arange(length),
                min(_MARGIN - motion, length - 1) if motion < 0 else 0,
                max(0, length - 1 - _MARGIN - motion) if motion > 0 else length - 1,
            )
            for length, motion in zip(self._grid.frame, pan[::-1], strict=True)
        )
        leaves = (rows != np.arange(len(rows)))[:, None] | (columns != np.arange(len(columns)))
        smooth = cv2.GaussianBlur(flow, (_SMOOTH, _SMOOTH), _SMOOTH)  # cv2.blur would spread NaN along rows
        return np.where(leaves[..., None], smooth[rows[:, None], columns], flow)

    def evidence(self) -> Evidence:
        """The flow of the level, with how well it explains the frames; call it instead of :meth:`flow`."""
        farthest = max(self._grid.frame)  # a model may have given anything
        flow = np.clip(np.nan_to_num(self._merged(), posinf=0, neginf=0), -farthest, farthest)
        # What moves in or out changes the mean as well, and more than exposure does.
        bright, plain = (photometric_error(*frames, flow) for frames in (self._as_bright, self._as_they_are))
        as_bright = bool(bright.mean() <= plain.mean())
        frames, error = (self._as_bright, bright) if as_bright else (self._as_they_are, plain)
        return Evidence(frames, flow, error, photometric_error(*frames, np.zeros_like(flow)), as_bright)

    def _error(self, flow: Flow) -> Errors:
        return photometric_error(*self._judged, flow)
