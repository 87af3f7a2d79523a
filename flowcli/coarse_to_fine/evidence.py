"""How well the flow of a level explains its frames, and what that says about the motion in them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ..arrays import Flow, Frame, Mask
from ..geometry import resize_flow
from ..tiling import Grid, Position
from .hidden import ground_stays
from .offsets import Offset, choose_offsets, stays
from .photometric import CLEAR, LARGE_PART, Errors, noise, photometric_error, shown
from .search import Search, parts_of

_FAILED = 0.5  # of the error without motion: coarse flow that explains no more than the rest is wrong
_SOME = 0.05  # share of a window
_RIM = 16  # of how many parts of the frame the outermost is its rim
_ALIKE = 0.95  # the share of vectors that makes it one motion
_THINGS, _AROUND = 3, 2  # of those that are lost, the largest; and times the longer side, where one is looked for
_EXPLAINED = 0.25  # the share of a thing that the motion of a part of it must explain
_PLAIN = 2.5  # grey levels without motion, as of noise


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
        """Where the frames speak for the flow."""
        return shown(self.error, self.still)

    @functools.cached_property
    def lost(self) -> Mask:
        """Where the flow is wrong: it stays within the frame, and explains hardly more than no motion."""
        return np.asarray((self.error > CLEAR) & (self.error > _FAILED * self.still) & self._is_inside)

    @functools.cached_property
    def _is_inside(self) -> Mask:
        """What stays within the frame."""
        height, width = self.error.shape
        x = np.arange(width) + self.flow[..., 0]
        y = np.arange(height)[:, None] + self.flow[..., 1]
        return np.asarray((x >= 0) & (y >= 0) & (x < width) & (y < height))

    @functools.cached_property
    def leaving(self) -> Mask:
        """What would leave the frame of a ground that stays: more likely it is lost."""
        if not ground_stays(self.error, self.still):
            return np.zeros_like(self.lost)
        return np.asarray(~self._is_inside & (self.still > CLEAR))

    @functools.cached_property
    def wanted(self) -> Mask:
        """What is looked for: what is lost, or may be."""
        return self.lost | self.leaving

    @property
    def reaches_rim(self) -> bool:
        """Whether the frames speak for the flow at their rim as well; else it may be of a thing on a plain ground."""
        middle = np.zeros_like(self.shown)
        height, width = (max(1, side // _RIM) for side in middle.shape)
        middle[height:-height, width:-width] = True
        return float(self.shown[~middle].mean()) >= LARGE_PART

    def common(self, grid: Grid, within: float) -> Offset | None:
        """The most common motion, in pixels of a finer grid, if the frames speak for it in a large part."""
        if self.shown.mean() < LARGE_PART:
            return None
        factors = np.array([there / here for here, there in zip(self.shown.shape, grid.frame, strict=True)][::-1])
        return choose_offsets((self.flow[self.shown][None] * factors).astype(np.float32), within)[0][0]

    def moves_as_one(self, common: Offset, grid: Grid, within: float) -> bool:
        """Whether nearly all that the frames speak for, or that is wrong, and stays in the frame, moves like most."""
        size = self.shown.shape
        down, right = (here / there for here, there in zip(size, grid.frame, strict=True))
        u, v = common[0] * right, common[1] * down
        counts = (self.shown | (self.error > CLEAR)) & stays((0, 0), size, (u, v), size)
        is_near = (np.abs(self.flow[..., 0] - u) <= within * right) & (np.abs(self.flow[..., 1] - v) <= within * down)
        return bool((self.shown & is_near)[counts].mean() >= _ALIKE) if counts.any() else True

    def settled(self, grid: Grid, common: Offset | None) -> tuple[Flow, npt.NDArray[np.uint8]]:
        """The flow at the scale of a finer grid, and where it is of a plain ground that may as well stay where it is.

        Models spread the motion of a thing over the plain ground around it, or find any. Where the ground of the frame
        moves, plain parts of it do as well.
        """
        flow = resize_flow(self.flow, *grid.frame)
        plain = max(_PLAIN, noise(self.error, self.still))
        still = (~self.shown & (self.still < plain)).view(np.uint8)
        is_plain = cv2.resize(still, grid.frame[::-1], interpolation=cv2.INTER_NEAREST)
        if common is not None:
            flow[is_plain > 0] = common
            is_plain[:] = 0
        return flow, np.asarray(is_plain[..., None], np.uint8)

    def elsewhere(self, part: tuple[slice, slice]) -> Iterator[tuple[tuple[float, float], float]]:
        """How far the largest things that are lost in a part, and are found in the second frame, have moved.

        Yields:
            Pixels right and down, that of the largest first; and the share of the part that this explains.
        """
        count, labels, figures, _ = cv2.connectedComponentsWithStats(self.wanted[part].view(np.uint8))
        for label in sorted(range(1, count), key=lambda each: -int(figures[each, cv2.CC_STAT_AREA]))[:_THINGS]:
            found = self._found(part, np.asarray(labels == label))
            if found is not None:
                yield found

    @functools.cached_property
    def _search(self) -> Search:
        return Search(self.frames)

    def _found(self, part: tuple[slice, slice], thing: Mask) -> tuple[tuple[float, float], float] | None:
        """How far a thing within a part has moved; what it covers in the second frame is lost as well, but not found.

        So where the middle of it all is not found, a part of it may be; of several, the motion that explains most.
        """
        rows, columns = (
            (int(span.start + np.percentile(places, 10)), int(span.start + np.percentile(places, 90)) + 1)
            for span, places in zip(part, np.nonzero(thing), strict=True)
        )
        reach = min(_AROUND * max(rows[1] - rows[0], columns[1] - columns[0]), max(thing.shape))
        whole = self._search.moved(rows, columns, reach)
        if whole is not None:
            return whole, self._explained(part, thing, whole)
        found, most = None, _EXPLAINED * float(thing.mean())
        for rectangle in parts_of(rows, columns):
            motion = self._search.moved(*rectangle, reach)
            if motion is not None and (share := self._explained(part, thing, motion)) > most:
                found, most = (motion, share), share
        return found

    def _explained(self, part: tuple[slice, slice], thing: Mask, motion: tuple[float, float]) -> float:
        """The share of a part that is of a thing and that a motion explains clearly better than the flow does."""
        flow = np.broadcast_to(np.array(motion, np.float32), (*thing.shape, 2))
        error = photometric_error(self.frames[0][part], self.frames[1], flow, (part[0].start, part[1].start))
        return float((thing & (error < CLEAR) & (error < _FAILED * self.error[part])).mean())

    def supports(self, part: tuple[slice, slice], motion: tuple[float, float], within: float) -> float:
        """The share of a part that moves about so, and that this explains."""
        is_near = np.abs(self.flow[part] - np.array(motion, np.float32)).max(axis=-1) <= within
        return float((is_near & ~self.lost[part]).mean())

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
        return error > CLEAR and error > _FAILED * still
