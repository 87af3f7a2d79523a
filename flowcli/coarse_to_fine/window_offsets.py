"""What the flow of a level says about the next one: where the second frame's windows are cut there."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..arrays import Flow
from ..tiling import Grid, Position, Size, cut
from .evidence import Evidence
from .offsets import STILL, Offset, choose_offsets, is_near

_LOST_THING, _LOST_PART = 0.02, 0.15  # the share of a window whose flow is wrong: of a thing, and of more than that
_PLAIN_PART = 0.2  # the share of a window that is plain ground


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
        if coarse.fails(part):  # it would only take the window away from what it can find
            chosen, share = [STILL if common is None or is_near(common, STILL, within) else common], 1.0
        else:
            motion, plain = cut(flow, position, grid.window), cut(is_plain, position, grid.window)
            chosen, share = _of_motion(motion, plain, within, position, frame)
            moves = ground_moves is not None and is_near(chosen[0], ground_moves, within)
            if not (moves or coarse.shows(part)):
                chosen = [STILL]
            if len(chosen) == 1:
                share = float(coarse.wanted[part].mean())
        chosen, share = _with_found(coarse, part, grid, within, chosen, share)
        found.offsets[position] = chosen
        if len(chosen) > 1:
            found.needs[position] = share
    return found


def _with_found(
    coarse: Evidence, part: tuple[slice, slice], grid: Grid, within: float, chosen: list[Offset], share: float
) -> tuple[list[Offset], float]:
    """The offsets of a part and the share that is for the second: what is found by itself, if that is more than it."""
    first, *others = chosen
    if not others or coarse.leaving[part].mean() > _LOST_THING:
        found = (offset for offset, _ in _found(coarse, part, grid))
        tried = itertools.chain(found, others, _where_it_is(coarse, part))
        return [first, *itertools.islice((each for each in tried if not is_near(each, first, within)), 1)], share
    down, right = _scale(coarse, grid)
    (second,) = others
    most = coarse.supports(part, (second[0] / right, second[1] / down), within / right)
    for offset, explained in _found(coarse, part, grid):
        if explained > most and not any(is_near(offset, each, within) for each in (first, second)):
            second, most, share = offset, explained, max(share, explained)
    return [first, second], share


def _found(coarse: Evidence, part: tuple[slice, slice], grid: Grid) -> Iterator[tuple[Offset, float]]:
    """The offsets for what the coarse flow is wrong about in a part, where that is found by itself, and its share."""
    down, right = _scale(coarse, grid)
    if coarse.fails(part) or coarse.wanted[part].mean() > _LOST_THING:
        for (u, v), explained in coarse.elsewhere(part):
            yield (round(u * right), round(v * down)), explained


def _scale(coarse: Evidence, grid: Grid) -> tuple[float, float]:
    """How many pixels of a finer grid one of the coarse flow is, down and right."""
    height, width = coarse.error.shape
    return grid.frame[0] / height, grid.frame[1] / width


def _where_it_is(coarse: Evidence, part: tuple[slice, slice]) -> Iterator[Offset]:
    """No offset, if the coarse flow is wrong about much of a part."""
    if coarse.fails(part) or coarse.lost[part].mean() > _LOST_PART:
        yield STILL


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
