"""A pair of frames that is estimated coarse to fine, in progress."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ..arrays import Flow, Frame, Mask
from ..geometry import resize_flow, resize_frame
from ..tiling import Grid, Memory, Position, Stitcher, Weights, Window, cut, fill_window, window_weights
from .levels import most_windows
from .offsets import Offset, choose_offsets, is_near, reach
from .photometric import Errors, as_bright_as, better, confidence, photometric_error, taken
from .repetition import repeats

_FAILED = 0.5  # of the error without motion: coarse flow that explains no more than the rest is wrong
_CLEAR = 10.0  # grey levels; smaller errors say nothing, as where there is no texture
_SHOWN, _NOISE = 1.2, 1.0  # times the error, and grey levels more, without motion: the frames speak for the flow
_SOME, _LARGE_PART = 0.05, 0.25  # shares of a window and of the frame
_PLAIN, _PLAIN_PART = 2.5, 0.2  # grey levels without motion, as of noise; and the share of a window that is so


class CoarseToFinePair:
    """A pair of frames that is estimated at one scale after the other. A :class:`flowcli.pairs.Pair`.

    Args:
        frames: both frames, ``(H, W, 3)`` uint8 RGB, at the size of the finest level.
        grids: the windows of each level, the coarsest first; see :func:`.levels.levels`.
    """

    def __init__(self, frames: tuple[Frame, Frame], grids: list[Grid]) -> None:
        self._frames = frames
        self._levels = grids
        self._spare = most_windows(self._levels) - sum(map(len, self._levels))  # windows for second offsets
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
        self._level = _Level(self._frames, grid, self._within)
        if coarser is None:
            windows = self._level.plan({position: [(0, 0)] for position in grid.positions})
        else:
            offsets = _offsets(coarser, grid, self._within, self._spare)
            windows = self._level.plan(self._level.doubted(offsets))
        self._spare -= len(windows) - len(grid)
        return windows

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


@dataclass(frozen=True)
class _Evidence:
    """The flow of a level, how well it explains the frames, and how well no motion at all would."""

    flow: Flow
    error: Errors
    still: Errors

    @functools.cached_property
    def shown(self) -> Mask:
        """Where the frames speak for the flow: it explains them clearly better than no motion."""
        return self.still > _SHOWN * self.error + _NOISE

    def common(self, grid: Grid, within: float) -> Offset | None:
        """The motion of most of the frame, in pixels of a finer grid, if the frames speak for it in a large part."""
        if self.shown.mean() < _LARGE_PART:
            return None
        factors = np.array([there / here for here, there in zip(self.shown.shape, grid.frame, strict=True)][::-1])
        return choose_offsets((self.flow[self.shown][None] * factors).astype(np.float32), within)[0][0]

    def settled(self, grid: Grid, common: Offset | None, within: float) -> tuple[Flow, npt.NDArray[np.uint8]]:
        """The flow at the scale of a finer grid, and where it is of a plain ground that may as well stay where it is.

        Models spread the motion of a thing over the plain ground around it. Where that is the frame's common motion,
        the ground moves as well.
        """
        flow = resize_flow(self.flow, *grid.frame)
        still = (~self.shown & (self.still < _PLAIN)).view(np.uint8)
        is_plain = cv2.resize(still, grid.frame[::-1], interpolation=cv2.INTER_NEAREST)
        if common is not None:
            is_plain[np.abs(flow - np.array(common, np.float32)).max(axis=-1) <= within] = 0
        return flow, np.asarray(is_plain[..., None], np.uint8)

    def shows(self, position: Position, grid: Grid) -> bool:
        """Whether the frames speak for the flow in some of a window of a finer grid."""
        return float(self.shown[self._part(position, grid)].mean()) > _SOME

    def _part(self, position: Position, grid: Grid) -> tuple[slice, slice]:
        """The part of this level that a window of a finer grid shows."""
        rows, columns = (
            slice(start * here // there, max(start * here // there + 1, min(start + side, there) * here // there))
            for start, side, here, there in zip(position, grid.window, self.error.shape, grid.frame, strict=True)
        )
        return rows, columns

    def fails(self, position: Position, grid: Grid) -> bool:
        """Whether the flow explains a window of a finer grid hardly better than no motion."""
        part = self._part(position, grid)
        error, still = float(self.error[part].mean()), float(self.still[part].mean())
        return error > _CLEAR and error > _FAILED * still


def _offsets(coarse: _Evidence, grid: Grid, within: float, spare: int) -> dict[Position, list[Offset]]:
    """The offsets of each window; second ones, of which there are at most ``spare``, where most vectors need them.

    A coarse flow that fails would only take the window away from what it can find: it stays where it is.
    """
    common = coarse.common(grid, within)
    flow, is_plain = coarse.settled(grid, common, within)
    offsets: dict[Position, list[Offset]] = {}
    shares: dict[Position, float] = {}
    for position in grid.positions:
        offsets[position] = [(0, 0)]
        if coarse.fails(position, grid):
            continue
        motion, plain = cut(flow, position, grid.window), cut(is_plain, position, grid.window)
        if plain.mean() > _PLAIN_PART:
            motion = np.where(plain > 0, np.float32(0), motion)
        chosen, share = choose_offsets(motion, within, position, grid.frame)
        if coarse.shows(position, grid) or (common is not None and is_near(chosen[0], common, within)):
            offsets[position] = chosen
            if len(chosen) > 1:
                shares[position] = share
    for position in sorted(shares, key=lambda place: -shares[place])[spare:]:
        del offsets[position][1:]
    return offsets


class _Level:
    """A pair at one scale."""

    def __init__(self, frames: tuple[Frame, Frame], grid: Grid, within: float) -> None:
        self._grid = grid
        self._within = within
        self._frame1, self._frame2 = (resize_frame(frame, *grid.frame) for frame in frames)
        self._filled = fill_window(self._frame1, grid.window)
        self._judged = as_bright_as(self._frame1, self._frame2)
        self._judged_filled = fill_window(self._judged[0], grid.window)
        self._offsets: dict[Position, list[Offset]] = {}
        self._candidates: dict[Position, list[Flow]] = {}
        self._best, self._first = Stitcher(grid, Memory()), Stitcher(grid, Memory())
        self._has_choice = False
        self._follows: npt.NDArray[np.uint8] | None = None  # where a shifted window is, if there are any

    def doubted(self, offsets: dict[Position, list[Offset]]) -> dict[Position, list[Offset]]:
        """The offsets, but none for windows that look the same where they are shifted to."""
        grey = np.asarray(cv2.cvtColor(self._frame2, cv2.COLOR_RGB2GRAY), np.uint8)
        window, within = self._grid.window, self._within
        return {
            position: [(0, 0)]
            if max(map(abs, each[0])) > within and repeats(grey, position, window, each[0], within)
            else each
            for position, each in offsets.items()
        }

    def plan(self, offsets: dict[Position, list[Offset]]) -> list[Window]:
        """The windows with these offsets."""
        self._offsets = offsets
        self._has_choice = any(len(each) > 1 for each in offsets.values())
        shifted = [position for position, each in offsets.items() if each != [(0, 0)]]
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
        flow = self._best.flow()
        if self._has_choice:
            first, apart = self._first.flow(), self._within / 2
            with np.errstate(invalid="ignore"):  # a model may have given NaN or infinities
                is_other = np.abs(flow - first).max(axis=-1) > apart
            hidden = taken(flow, self._error(flow), is_other, apart)
            flow[hidden] = first[hidden]  # what is hidden belongs to what is behind, most often the window's first
        return flow

    def evidence(self) -> _Evidence:
        """The flow of the level, with how well it explains the frames; call it instead of :meth:`flow`."""
        farthest = max(self._grid.frame)  # a model may have given anything
        flow = np.clip(np.nan_to_num(self.flow(), posinf=0, neginf=0), -farthest, farthest)
        return _Evidence(flow, self._error(flow), self._error(np.zeros_like(flow)))

    def _error(self, flow: Flow) -> Errors:
        return photometric_error(*self._judged, flow)
