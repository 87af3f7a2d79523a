"""What is hidden in the second frame: two pixels cannot both lead to the same place and be seen there."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ..arrays import Flow, Frame, Mask
from .photometric import CLEAR, LARGE_PART, Errors, photometric_error, shown

_TIE = np.float32(2.0)  # grey levels; smaller differences do not tell who is hidden
_MOST = 0.5  # of the frame
_BOX = 5  # pixels; over which contrast is measured
_COVERED = 0.5  # times the error of what is behind: what covers it explains the place better

Places = npt.NDArray[np.int32]
"""Flat indices into a frame; its size for what is out of the frame."""


def taken(flow: Flow, error: Errors, doubtful: Mask, apart: float) -> Mask:
    """Which pixels lead to where another one leads that explains it better: most are hidden in the second frame.

    Args:
        flow: ``(H, W, 2)`` in pixels.
        error: its errors.
        doubtful: the pixels to look at.
        apart: how much the flows of both pixels must differ, in pixels.

    Returns:
        The mask, which is part of ``doubtful``: also where both explain it alike.
    """
    errors = np.where(doubtful, error + _TIE, error).ravel()  # of two that explain it alike, it is the doubtful one
    target, vectors = targets(flow), flow.reshape(-1, 2)
    asking = np.flatnonzero(doubtful.ravel() & (target < target.size))
    others = owners(target, errors)[target[asking]]
    is_hidden = (distance(vectors[others], vectors[asking]) > apart) & (errors[others] < errors[asking])
    mask = np.zeros(error.size, bool)
    mask[asking[is_hidden]] = True
    return mask.reshape(error.shape)


def with_covered(frames: tuple[Frame, Frame], flow: Flow, error: Errors, apart: float) -> Flow:
    """The flow; what something covers in the second frame gets the motion of the ground.

    Nothing shows how it moves. Models carry the motion of what arrives there onto it, which explains it well where the
    ground is plain. Three things tell it: it leads to where another pixel leads that is explained better, which is of
    the ground, or it is plain and leads out of the frame of a ground that stays; with the ground's motion it would not
    look the same; and what leads there with another motion does. Where the ground stays, what is plain and leads onto
    it needs no more.

    Args:
        frames: both, ``(H, W, 3)`` uint8 RGB.
        flow: ``(H, W, 2)`` in pixels.
        error: its errors.
        apart: how much motions must differ, in pixels.
    """
    target, errors, vectors = targets(flow), error.ravel(), flow.reshape(-1, 2)
    owner = owners(target, errors)
    asking = np.flatnonzero(owner[target] != np.arange(target.size, dtype=np.int32))  # others lead there, or they leave
    leaves = target[asking] == target.size
    ground = np.where(leaves[:, None], vectors[asking], vectors[owner[target[asking]]])
    onto_still = asking[:0]
    if ground_stays(error, photometric_error(*frames, np.zeros_like(flow))):
        plain = _is_plain(frames[0]).ravel()
        ground[leaves & plain[asking]] = 0
        onto_still = np.flatnonzero(plain & _onto_still(vectors, errors, target, apart))
    may_be = (distance(ground, vectors[asking]) > apart) & (leaves | (errors[asking] < CLEAR))
    asking, ground = asking[may_be], ground[may_be]
    result = flow.copy()
    result.reshape(-1, 2)[asking] = ground
    covering = owner[targets(result)[asking]]
    expected = photometric_error(*frames, result).ravel()[asking]
    is_covered = (covering >= 0) & (covering != asking) & (distance(ground, vectors[covering]) > apart)
    is_covered &= (expected > CLEAR) & (errors[covering] < _COVERED * expected)
    result.reshape(-1, 2)[asking[~is_covered]] = vectors[asking[~is_covered]]
    result.reshape(-1, 2)[onto_still] = 0
    return result


def _is_plain(frame: Frame) -> Mask:
    """Where a frame has no more contrast than noise."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
    mean, squares = cv2.blur(grey, (_BOX, _BOX)), cv2.sqrBoxFilter(grey, cv2.CV_32F, (_BOX, _BOX))
    return np.asarray(squares - np.square(mean) < CLEAR**2)


def _onto_still(vectors: Flow, errors: npt.NDArray[np.float32], target: Places, apart: float) -> npt.NDArray[np.bool_]:
    """Which pixels move onto one that does not, and that is explained about as well."""
    onto = np.where(target < target.size, target, 0)
    is_still = distance(vectors, np.zeros(2, np.float32)) <= apart
    explains = errors[onto] < np.minimum(CLEAR, errors + _TIE)
    return np.asarray((target < target.size) & ~is_still & is_still[onto] & explains)


def ground_stays(error: Errors, still: Errors) -> bool:
    """Whether most of the frame looks the same without motion, and little of it speaks for any."""
    return bool((still < CLEAR).mean() > _MOST and shown(error, still).mean() < LARGE_PART)


def targets(flow: Flow) -> Places:
    """Where pixels lead, ``(H * W,)``; all that leave the frame meet in a place of their own."""
    height, width = flow.shape[:2]
    farthest = height + width  # out of the frame from everywhere
    whole = np.rint(np.clip(np.nan_to_num(flow, nan=farthest), -farthest, farthest)).astype(np.int32)
    x = whole[..., 0] + np.arange(width, dtype=np.int32)[None]
    y = whole[..., 1] + np.arange(height, dtype=np.int32)[:, None]
    return places(x, y, (height, width)).ravel()


def places(x: Places, y: Places, size: tuple[int, int]) -> Places:
    """Flat indices of columns and rows of a frame; what is out of it gets the frame's size."""
    height, width = size
    is_inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    return np.where(is_inside, y * np.int32(width) + x, np.int32(height * width))


def owners(target: Places, errors: npt.NDArray[np.float32]) -> Places:
    """By place, which pixel leads there with the smallest error; -1 where none does, and for what leaves the frame."""
    pixels = np.arange(target.size, dtype=np.int32)
    owner = np.full(target.size + 1, -1, np.int32)
    owner[target] = pixels
    several = np.zeros(owner.size, np.bool_)
    several[target[owner[target] != pixels]] = True
    several[-1] = False
    rivals = np.flatnonzero(several[target])
    rivals = rivals[np.argsort(-errors[rivals], kind="stable")]
    owner[target[rivals]] = rivals  # of several, the last one stays
    owner[-1] = -1
    return owner


def distance(vectors: Flow, others: Flow) -> npt.NDArray[np.float32]:
    """How far apart motions are, in pixels: the larger of both coordinates' differences."""
    with np.errstate(invalid="ignore"):  # a model may have given NaN or infinities
        return np.asarray(np.abs(vectors - others).max(axis=-1))
