"""What the flow of a level says about the next one: where the second frame's windows are cut there."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ..arrays import Flow, Frame, Mask
from ..geometry import resize_flow
from ..tiling import Grid, Position, Size, cut
from .offsets import STILL, Offset, choose_offsets, is_near, stays
from .photometric import Errors

_FAILED = 0.5  # of the error without motion: coarse flow that explains no more than the rest is wrong
_CLEAR = 10.0  # grey levels; smaller errors say nothing, as where there is no texture
_LOST_PART = 0.15  # the share of a window whose coarse flow is wrong that makes a second offset worth it
_SHOWN, _NOISE = 1.2, 1.0  # times the error, and grey levels more, without motion: the frames speak for the flow
_SOME, _LARGE_PART = 0.05, 0.25  # shares of a window and of the frame
_RIM = 16  # of how many parts of the frame the outermost is its rim
_ALIKE = 0.95  # the share of vectors that makes it one motion
_SMALLEST, _CONTRAST, _FOUND = 6, 5.0, 0.9  # of what is lost: pixels of a side, grey levels; correlation where it is
_AROUND = 2  # times its longer side, where it is looked for
_PLAIN, _PLAIN_PART = 2.5, 0.2  # grey levels without motion, as of noise; and the share of a window that is so


@dataclass(frozen=True)
class Evidence:
    """The flow of a level, how well it explains the frames, and how well no motion at all would."""

    frames: tuple[Frame, Frame]
    """The frames of the level, as they are compared."""

    flow: Flow
    error: Errors
    still: Errors
    as_bright: bool
    """Whether the frames are compared as if they were equally bright: exposure may have changed, or what they show."""

    @functools.cached_property
    def shown(self) -> Mask:
        """Where the frames speak for the flow: it explains them clearly better than no motion."""
        return self.still > _SHOWN * self.error + _NOISE

    @functools.cached_property
    def lost(self) -> Mask:
        """Where the flow is wrong: it stays within the frame, and explains hardly more than no motion."""
        height, width = self.error.shape
        x = np.arange(width) + self.flow[..., 0]
        y = np.arange(height)[:, None] + self.flow[..., 1]
        is_inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
        return np.asarray((self.error > _CLEAR) & (self.error > _FAILED * self.still) & is_inside)

    @property
    def reaches_rim(self) -> bool:
        """Whether the frames speak for the flow at their rim as well; else it may be of a thing on a plain ground."""
        middle = np.zeros_like(self.shown)
        height, width = (max(1, side // _RIM) for side in middle.shape)
        middle[height:-height, width:-width] = True
        return float(self.shown[~middle].mean()) >= _LARGE_PART

    def common(self, grid: Grid, within: float) -> Offset | None:
        """The most common motion, in pixels of a finer grid, if the frames speak for it in a large part."""
        if self.shown.mean() < _LARGE_PART:
            return None
        factors = np.array([there / here for here, there in zip(self.shown.shape, grid.frame, strict=True)][::-1])
        return choose_offsets((self.flow[self.shown][None] * factors).astype(np.float32), within)[0][0]

    def moves_as_one(self, common: Offset, grid: Grid, within: float) -> bool:
        """Whether nearly all that the frames speak for, or that is wrong, and stays in the frame, moves like most."""
        size = self.shown.shape
        down, right = (here / there for here, there in zip(size, grid.frame, strict=True))
        u, v = common[0] * right, common[1] * down
        counts = (self.shown | (self.error > _CLEAR)) & stays((0, 0), size, (u, v), size)
        is_near = (np.abs(self.flow[..., 0] - u) <= within * right) & (np.abs(self.flow[..., 1] - v) <= within * down)
        return bool((self.shown & is_near)[counts].mean() >= _ALIKE) if counts.any() else True

    def settled(self, grid: Grid, common: Offset | None) -> tuple[Flow, npt.NDArray[np.uint8]]:
        """The flow at the scale of a finer grid, and where it is of a plain ground that may as well stay where it is.

        Models spread the motion of a thing over the plain ground around it, or find any. Where the ground of the frame
        moves, plain parts of it do as well.
        """
        flow = resize_flow(self.flow, *grid.frame)
        still = (~self.shown & (self.still < _PLAIN)).view(np.uint8)
        is_plain = cv2.resize(still, grid.frame[::-1], interpolation=cv2.INTER_NEAREST)
        if common is not None:
            flow[is_plain > 0] = common
            is_plain[:] = 0
        return flow, np.asarray(is_plain[..., None], np.uint8)

    def elsewhere(self, part: tuple[slice, slice]) -> tuple[float, float] | None:
        """How far what is lost in a part has moved, in pixels, if it is found by itself in the second frame."""
        rows, columns = np.nonzero(self.lost[part])
        if not len(rows):
            return None
        (top, bottom), (left, right) = (
            (int(span.start + np.percentile(places, 10)), int(span.start + np.percentile(places, 90)) + 1)
            for span, places in zip(part, (rows, columns), strict=True)
        )
        if min(bottom - top, right - left) < _SMALLEST:
            return None
        height, width = self.error.shape
        reach = _AROUND * max(bottom - top, right - left)
        first, last = max(0, top - reach), min(height, bottom + reach)
        start, end = max(0, left - reach), min(width, right + reach)
        thing = self.frames[0][top:bottom, left:right]
        if thing.std(axis=(0, 1)).max() < _CONTRAST:
            return None
        alike = cv2.matchTemplate(self.frames[1][first:last, start:end], thing, cv2.TM_CCOEFF_NORMED)
        row, column = np.unravel_index(alike.argmax(), alike.shape)
        if not alike[row, column] >= _FOUND:
            return None
        return float(start + column - left), float(first + row - top)

    def part(self, position: Position, grid: Grid) -> tuple[slice, slice]:
        """The part of this level that a window of a finer grid shows."""
        rows, columns = (
            slice(start * here // there, max(start * here // there + 1, min(start + side, there) * here // there))
            for start, side, here, there in zip(position, grid.window, self.error.shape, grid.frame, strict=True)
        )
        return rows, columns

    def shows(self, part: tuple[slice, slice]) -> bool:
        """Whether the frames speak for the flow in some of a part."""
        return float(self.shown[part].mean()) > _SOME

    def fails(self, part: tuple[slice, slice]) -> bool:
        """Whether the flow explains a part hardly better than no motion."""
        error, still = float(self.error[part].mean()), float(self.still[part].mean())
        return error > _CLEAR and error > _FAILED * still


@dataclass(frozen=True)
class WindowOffsets:
    """The offsets to try for each window of a grid."""

    offsets: dict[Position, list[Offset]]
    """One or two."""

    needs: dict[Position, float]
    """How much windows need their second offset, by the share of their pixels that it is for."""

    pan: Offset | None
    """The common motion, if nearly all moves the same way."""

    @property
    def are_alike(self) -> bool:
        """Whether nearly all moves the same way."""
        return self.pan is not None

    def with_most(self, spare: int) -> dict[Position, list[Offset]]:
        """The offsets, with at most ``spare`` second ones: where most of the window needs them."""
        kept = set(sorted(self.needs, key=lambda place: -self.needs[place])[:spare])
        return {place: each if place in kept else each[:1] for place, each in self.offsets.items()}


def window_offsets(coarse: Evidence, grid: Grid, within: float) -> WindowOffsets:
    """Choose the offsets of all windows of a grid by the flow of the level before it.

    A coarse flow that fails would only take a window away from what it can find: it gets the most common motion, if
    there is any, and stays where it is, or goes to where its content is found by itself.

    Args:
        coarse: that flow.
        grid: the windows.
        within: how far motion may be from an offset, in pixels of the grid; see :func:`.offsets.reach`.
    """
    common = coarse.common(grid, within)
    ground_moves = common if coarse.reaches_rim else None
    flow, is_plain = coarse.settled(grid, ground_moves)
    is_pan = common is not None and coarse.moves_as_one(common, grid, within)
    found = WindowOffsets({}, {}, common if is_pan else None)
    # Where there are few second offsets, none is for what leaves the frame.
    frame = grid.frame if found.are_alike else None
    for position in grid.positions:
        part = coarse.part(position, grid)
        chosen, share = [STILL], 0.0
        if coarse.fails(part):
            others = [STILL] if common is None or is_near(common, STILL, within) else [common, STILL]
            found_at = coarse.elsewhere(part)
            offset = STILL if found_at is None else _scaled(found_at, coarse.error.shape, grid.frame)
            if not is_near(offset, others[0], within):
                others = [others[0], offset]
            chosen, share = others, float(len(others) > 1)
        else:
            motion, plain = cut(flow, position, grid.window), cut(is_plain, position, grid.window)
            tried, apart = _of_motion(motion, plain, within, position, frame)
            moves = ground_moves is not None and is_near(tried[0], ground_moves, within)
            if moves or coarse.shows(part):
                chosen, share = tried, apart
                lost = float(coarse.lost[part].mean())
                if len(chosen) == 1 and lost > _LOST_PART and not is_near(chosen[0], STILL, within):
                    chosen, share = [chosen[0], STILL], lost
        found.offsets[position] = chosen
        if len(chosen) > 1:
            found.needs[position] = share
    return found


def _of_motion(
    motion: Flow, plain: npt.NDArray[np.uint8], within: float, position: Position, frame: Size | None
) -> tuple[list[Offset], float]:
    """The offsets for the motion in a window, as :func:`.offsets.choose_offsets` finds them; a plain ground's is first.

    Where both explain the frames, as they do on such a ground, the flow with the first is kept.
    """
    if plain.mean() <= _PLAIN_PART:
        return choose_offsets(motion, within, position, frame)
    chosen, share = choose_offsets(np.where(plain > 0, np.float32(0), motion), within, position, frame)
    others = [each for each in chosen if not is_near(each, STILL, within)]
    return ([STILL, *others] if len(others) < len(chosen) else chosen), share


def _scaled(motion: tuple[float, float], size: Size, frame: Size) -> Offset:
    """A motion in pixels of a frame of another size."""
    return round(motion[0] * frame[1] / size[1]), round(motion[1] * frame[0] / size[0])
