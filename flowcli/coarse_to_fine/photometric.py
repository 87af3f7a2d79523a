"""How well a flow explains the second frame, and what that says about the flow."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ..arrays import Flow, Frame, Mask

Errors = npt.NDArray[np.float32]
"""``(H, W)`` in grey levels, at least 0."""

LARGEST_SIDE = 32_766
"""The longest side of a frame in pixels; OpenCV samples no larger ones."""

CLEAR = 10.0
"""Grey levels: smaller errors say nothing, as where there is no texture."""

LARGE_PART = 0.25
"""The share of a frame that makes what it speaks for more than a thing."""

_SHOWN, _BARELY = 1.2, 1.0  # times the error, and grey levels more, without motion: the frames speak for the flow
_LARGEST = 60  # grey levels; a pixel that is wrong is not more wrong with more contrast
_SUM = np.ones((1, 3), np.float32)  # of the channels; three times the largest fits into 8 bits
_OUTSIDE = 10.0  # grey levels, of a pixel that leaves the frame: neither good nor bad
_BOX = 5  # pixels; over which errors are averaged
_BETTER, _LESS = 0.95, 2.0  # another flow must have a smaller error by this factor, and grey levels: they are noisy
_GOOD = 1.5  # grey levels; a smaller error is noise, and another flow's is smaller by chance
_QUARTER, _ABOVE, _MOST_NOISE = 25, 1.3, 6.0  # percent that explain a window best; times their error; grey levels
_LARGEST_GAIN = 2.0  # in contrast
_SATURATED = 250  # grey levels
_SAME_MEAN, _SAME_GAIN = 2.0, 0.02  # grey levels; smaller differences may be what has moved in or out
_NOISE = 4 / 3  # grey levels, between frames of which one is the other one moved


def as_bright_as(frame1: Frame, frame2: Frame) -> tuple[Frame, Frame]:
    """Both frames, one with the mean and the contrast of the other, if exposure may have changed.

    It is the second one that is changed, unless much of it is saturated, which could not be undone: then the first one
    gets the levels of those that are not.
    """
    (mean1, spread1), (mean2, spread2) = ((float(frame.mean()), float(frame.std())) for frame in (frame1, frame2))
    if abs(mean1 - mean2) < _SAME_MEAN and abs(spread1 / max(spread2, 1.0) - 1) < _SAME_GAIN:
        return frame1, frame2
    if mean2 > mean1:
        ranks = np.arange(1, 100)
        levels1, levels2 = (np.percentile(frame, ranks) for frame in (frame1, frame2))
        whole = levels2 < _SATURATED
        if not whole.all() and whole.sum() > len(ranks) // 2:
            levels1, levels2 = levels1[whole], levels2[whole]
            return _matched(frame1, levels1.mean(), levels1.std(), levels2.mean(), levels2.std()), frame2
    return frame1, _matched(frame2, mean2, spread2, mean1, spread1)


def _matched(frame: Frame, mean: float, spread: float, new_mean: float, new_spread: float) -> Frame:
    """A frame with another mean and contrast of its levels."""
    gain = float(np.clip(new_spread / max(spread, 1.0), 1 / _LARGEST_GAIN, _LARGEST_GAIN))
    table = np.clip(np.rint((np.arange(256) - mean) * gain + new_mean), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(frame, table), np.uint8)


def photometric_error(frame1: Frame, frame2: Frame, flow: Flow, corner: tuple[int, int] = (0, 0)) -> Errors:
    """How far the colours that a flow connects differ: the mean over the channels, averaged over 5 x 5 pixels.

    Args:
        frame1: ``(h, w, 3)`` uint8 RGB, a part of a frame.
        frame2: ``(H, W, 3)`` uint8 RGB, all of the other.
        flow: ``(h, w, 2)`` in pixels.
        corner: row and column of the part's top left corner in its frame.

    Returns:
        The errors, ``(h, w)``.
    """
    height, width = frame1.shape[:2]
    x = np.arange(corner[1], corner[1] + width, dtype=np.float32) + flow[..., 0]
    y = np.arange(corner[0], corner[0] + height, dtype=np.float32)[:, None] + flow[..., 1]
    there = cv2.remap(frame2, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    differences = np.minimum(cv2.absdiff(frame1, there), np.uint8(_LARGEST))
    error = cv2.transform(differences, _SUM).astype(np.float32) / 3
    error[(x < 0) | (y < 0) | (x > frame2.shape[1] - 1) | (y > frame2.shape[0] - 1)] = _OUTSIDE
    return np.asarray(cv2.blur(error, (_BOX, _BOX), borderType=cv2.BORDER_REFLECT))


def shown(error: Errors, still: Errors) -> Mask:
    """Where the frames speak for a flow: it explains them clearly better than no motion."""
    return still > _SHOWN * error + _BARELY


def better(flow: Flow, error: Errors, other: Flow, other_error: Errors) -> tuple[Flow, Errors]:
    """Per pixel, the other flow where its error is clearly smaller; and the errors of what was chosen.

    An error that is no larger than the noise of the frames cannot be improved: what is left of a quarter of the window,
    with the better flow of each pixel, tells how large that is.
    """
    is_clear = (other_error < _BETTER * error) & (other_error < error - _LESS)
    is_better = is_clear & (error > max(_GOOD, noise(error, other_error)))
    return np.where(is_better[..., None], other, flow), np.where(is_better, other_error, error)


def noise(error: Errors, other_error: Errors) -> float:
    """The errors in grey levels that noise makes, at most 6: a little more than a quarter's, with the better flow."""
    return min(_ABOVE * float(np.percentile(np.minimum(error, other_error), _QUARTER)), _MOST_NOISE)


def confidence(error: Errors) -> Errors:
    """How much a flow counts beside others of the same pixel: less, the larger its error."""
    return np.square(1 / (error + np.float32(_NOISE)))
