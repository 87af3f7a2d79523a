"""The motion of what is behind: what nothing explains, since something else arrives there, moves like its ground."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from ..arrays import Flow, Frame, Mask
from .hidden import Places, distance, owners, places, targets
from .photometric import CLEAR, Errors

_RIM = 7  # pixels; errors are averages, so what is narrower is the edge of something that is explained
_LARGER = np.float32(40.0)  # grey levels; so much less alike may be what all of the frame moves with
_AREA = 9  # pixels; over which colours are compared
_PIXELS = np.ones((_RIM, _RIM), np.uint8)


def with_behind(frame: Frame, flow: Flow, error: Errors, apart: float, known: Mask) -> Flow:
    """The flow; what nothing in the second frame explains gets the motion of something near it that is covered there.

    The nearest in each of the four directions that are explained are tried. A motion could be that of a hidden pixel if
    something that moves otherwise, and is explained, arrives at the same place. Of several, it is that of what looks
    most alike, or moves like more of the frame: what is behind is most often larger.

    Args:
        frame: the first one, ``(H, W, 3)`` uint8 RGB.
        flow: ``(H, W, 2)`` in pixels.
        error: its errors.
        apart: how much motions must differ, in pixels.
        known: the pixels that keep their motion.
    """
    lost = cv2.morphologyEx((error > CLEAR).astype(np.uint8), cv2.MORPH_OPEN, _PIXELS) > 0
    seen = cv2.erode((error <= CLEAR).astype(np.uint8), _PIXELS) > 0
    asking = np.flatnonzero(lost & ~known)
    if not len(asking) or not seen.any():
        return flow
    farthest = sum(error.shape)  # out of the frame from everywhere; a model may have given anything
    vectors = np.clip(np.nan_to_num(flow, posinf=0, neginf=0), -farthest, farthest).reshape(-1, 2)
    target = np.where((error <= CLEAR).ravel(), targets(flow), np.int32(error.size))
    owner = owners(target, error.ravel())
    shares = _shares(vectors, seen, apart)
    own, colours = _Colours(frame, lost)[asking], _Colours(frame, error <= CLEAR)
    row, column = np.divmod(asking.astype(np.int32), np.int32(error.shape[1]))
    least = np.full(len(asking), np.inf, np.float32)
    found = flow.reshape(-1, 2)[asking]
    for nearest in (source.ravel()[asking] for source in _nearest(seen)):
        motion = vectors[nearest]
        right, down = np.rint(motion).astype(np.int32).T
        covering = np.where(nearest >= 0, owner[places(column + right, row + down, error.shape)], -1)
        is_covered = (covering >= 0) & (distance(motion, vectors[covering]) > apart)
        unlike = np.abs(colours[nearest] - own).mean(axis=1) - _LARGER * shares[nearest]
        unlike[~is_covered] = np.inf
        is_more_alike = unlike < least
        found[is_more_alike], least[is_more_alike] = motion[is_more_alike], unlike[is_more_alike]
    result = flow.copy()
    result.reshape(-1, 2)[asking] = found
    return result


class _Colours:
    """The mean colours around pixels of a mask, of its pixels only; by flat indices, ``(N, 3)``."""

    def __init__(self, frame: Frame, mask: Mask) -> None:
        inside = mask.astype(np.uint8)
        self._sums, self._counts = (
            cv2.boxFilter(each, cv2.CV_16U, (_AREA, _AREA), normalize=False).reshape(mask.size, -1)
            for each in (frame * inside[..., None], inside)
        )

    def __getitem__(self, pixels: npt.NDArray[np.integer]) -> npt.NDArray[np.float32]:
        return np.asarray(self._sums[pixels] / np.maximum(self._counts[pixels], 1).astype(np.float32))


def _nearest(seen: Mask) -> Iterator[Places]:
    """For each pixel, the flat index of the nearest one that is seen to its left, right, above and below; or -1."""
    index = np.arange(seen.size, dtype=np.int32).reshape(seen.shape)
    for axis in (0, 1):
        yield np.maximum.accumulate(np.where(seen, index, np.int32(-1)), axis=axis)
        after = np.flip(np.where(seen, index, np.int32(seen.size)), axis)
        after = np.flip(np.minimum.accumulate(after, axis=axis), axis)
        yield np.where(after < seen.size, after, np.int32(-1))


def _shares(vectors: Flow, seen: Mask, apart: float) -> npt.NDArray[np.float32]:
    """By flat index, the share of what is seen that moves about as a pixel does."""
    cells = np.rint(vectors / max(apart, 1.0)).astype(np.int64)
    cells -= cells.min(axis=0)
    key = cells[:, 1] * (cells[:, 0].max() + 1) + cells[:, 0]
    counts = np.bincount(key[seen.ravel()], minlength=int(key.max()) + 1)
    return np.asarray((counts / seen.sum()).astype(np.float32)[key])
