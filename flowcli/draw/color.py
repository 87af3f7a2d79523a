"""Colours flow: the hue shows the direction, the saturation the length.

The colour wheel is Middlebury's (Baker et al., IJCV 2011; C++ code by Daniel Scharstein): 55 hues, more of them where
the eye distinguishes more. The colours equal those of the ``flow-vis`` package to within one grey level.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np
import numpy.typing as npt

from ..arrays import Flow, Frame, known
from ..choices import Wheel

_TRANSITIONS = (15, 6, 4, 11, 13, 6)  # hues from red to yellow, green, cyan, blue, magenta, and back to red
_CORNERS = ((255, 0, 0), (255, 255, 0), (0, 255, 0), (0, 255, 255), (0, 0, 255), (255, 0, 255))
_STEPS_PER_HUE = 256  # resolution of the hue table: neighbours differ by at most a quarter of a grey level
_EPSILON = 1e-5  # pixels; avoids a division by zero for flow that is zero everywhere

# The colour table covers all flow within the wheel. Over the wheel's disc of radius 1, a colour changes by at most 606
# grey levels per unit (255 outwards, 550 around), so half the diagonal of a cell is worth 0.67 of a grey level.
_TABLE_SIDE = 1280
_BLOCK_SIDE = 224
_BLOCK = _BLOCK_SIDE**2  # a block of this many vectors stays in the processor's cache
_NEAR_JUMP = 4e-6  # relative distance from discontinuities within which colours are computed, not looked up
_UNKNOWN_GREY = 128
_DARKER = ((np.arange(256) + 0.5) * 0.75).astype(np.uint8)

Vectors = npt.NDArray[np.float32]
"""``(N, 2)`` float32, u then v."""


@functools.cache
def color_wheel() -> npt.NDArray[np.float32]:
    """The hues of Middlebury's colour wheel: ``(55, 3)`` float32 RGB, 0..255."""
    hues = []
    for index, steps in enumerate(_TRANSITIONS):
        start = np.array(_CORNERS[index])
        change = np.array(_CORNERS[(index + 1) % len(_CORNERS)]) - start
        ramp = np.floor(255 * np.arange(steps) / steps)[:, None]
        hues.append(start + np.sign(change) * ramp)
    return np.concatenate(hues).astype(np.float32)


@functools.cache
def _hue_table() -> npt.NDArray[np.float32]:
    """White minus each colour, finely interpolated around the wheel: ``(54 * 256 + 1, 3)`` float32, 0..255."""
    wheel = color_wheel()
    # The published program maps the full turn to the 54 steps between its 55 hues, so the two ends of the turn get
    # the first and the last hue.
    position = np.arange((len(wheel) - 1) * _STEPS_PER_HUE + 1) / _STEPS_PER_HUE
    channels = [np.interp(position, np.arange(len(wheel)), wheel[:, channel]) for channel in range(3)]
    return (255 - np.stack(channels, axis=-1)).astype(np.float32)


@functools.cache
def _color_table() -> Frame:
    """Colours of all flow with u and v in -1..1, by the cell of (v, u): ``(1280, 1280, 3)`` uint8 RGB."""
    centers = ((np.arange(_TABLE_SIDE) + 0.5) * (2 / _TABLE_SIDE) - 1).astype(np.float32)
    row = np.empty((_TABLE_SIDE, 2), np.float32)
    row[:, 0] = centers
    table = np.empty((_TABLE_SIDE, _TABLE_SIDE, 3), np.uint8)
    for index, v in enumerate(centers):
        row[:, 1] = v
        table[index] = _shade(row, np.float32(1), darken=False)
    return table


def largest_flow(flow: Flow) -> float:
    """The length in pixels of the longest known vector of an ``(H, W, 2)`` flow; 0 if none is known."""
    vectors = flow.reshape(-1, 2)
    return _largest(vectors, _tops(vectors))


def _tops(vectors: Vectors) -> list[np.float32]:
    """The largest squared length in each block of vectors; not finite if any of the block is not."""
    # In the same arithmetic as the colours, so that the longest vector falls on the wheel's rim, not beyond it.
    return [_squares(vectors[start : start + _BLOCK]).max() for start in range(0, len(vectors), _BLOCK)]


def _largest(vectors: Vectors, tops: list[np.float32]) -> float:
    """The length of the longest vector with a finite length, in pixels."""
    largest = np.float32(0)
    for index, top in enumerate(tops):
        if not np.isfinite(top):
            squares = _squares(vectors[index * _BLOCK : (index + 1) * _BLOCK])
            top = squares[np.isfinite(squares)].max(initial=0)
        largest = max(largest, top)
    return float(np.sqrt(largest))


def _squares(vectors: Vectors) -> npt.NDArray[np.float32]:
    """The squared lengths of ``(N, 2)`` vectors."""
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.square(vectors)
        return np.asarray(squares[:, 0] + squares[:, 1])


def colorize(flow: Flow, max_flow: float | None = None, wheel: Wheel = "middlebury") -> Frame:
    """Colour a flow; the hue shows its direction.

    ``middlebury`` (Baker et al., IJCV 2011): zero flow is white, longer flow is more saturated, flow longer than
    ``max_flow`` is darkened to three quarters, and unknown flow is black. ``hsv`` (as in OpenCV's tutorials): zero flow
    is black, longer flow is brighter, and unknown flow is grey.

    Args:
        flow: ``(H, W, 2)`` float32 in pixels; NaN where unknown.
        max_flow: the flow length in pixels that gets full colour; ``None`` uses the longest vector in ``flow``.
        wheel: ``middlebury`` or ``hsv``.

    Returns:
        ``(H, W, 3)`` uint8 RGB.

    Raises:
        ValueError: ``max_flow`` is not positive.
    """
    if max_flow is not None and not max_flow > 0:
        raise ValueError(f"max_flow must be positive, not {max_flow}")
    vectors = np.ascontiguousarray(flow, np.float32).reshape(-1, 2)
    tops = _tops(vectors)
    scale = np.float32((_largest(vectors, tops) + _EPSILON) if max_flow is None else max_flow)
    if wheel == "hsv":
        return _colorize_hsv(flow, scale)
    image = np.empty((len(vectors), 3), np.uint8)
    for index, top in enumerate(tops):
        part = slice(index * _BLOCK, (index + 1) * _BLOCK)
        if len(vectors[part]) == _BLOCK:
            _look_up(vectors[part], top, scale, image[part])
        else:
            image[part] = _shade(vectors[part], scale)
    return image.reshape(*flow.shape[:2], 3)


def _colorize_hsv(flow: Flow, scale: np.float32) -> Frame:
    is_known = known(flow)
    u, v = np.moveaxis(np.where(is_known[..., None], flow, 0).astype(np.float64), -1, 0)
    degrees = np.degrees(np.arctan2(v, u)) % 360
    hsv = np.stack([degrees, np.ones_like(u), np.minimum(np.hypot(u, v) / scale, 1)], axis=-1).astype(np.float32)
    image = np.rint(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB) * 255).astype(np.uint8)
    image[~is_known] = _UNKNOWN_GREY
    return image


def _look_up(vectors: Vectors, top: np.float32, scale: np.float32, colors: npt.NDArray[np.uint8]) -> None:
    """Write the colours of a full block of vectors into ``colors``, ``(N, 3)`` uint8 RGB; ``top`` is from ``_tops``."""
    limit, near = scale * scale, np.float32(_NEAR_JUMP)
    if top < limit * (1 - near):
        computed = _below_axis(vectors, scale * near)
        _draw(vectors, scale, colors)
    else:
        squares = _squares(vectors)
        within = squares < limit * (1 - near)
        beyond = (squares > limit * (1 + near)) & (squares < np.inf)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            # Vectors beyond the rim are shortened to just inside it, then darkened.
            shrink = np.where(beyond, scale * np.float32(1 - 1e-5) / np.sqrt(squares), np.float32(1))
            inner = vectors * shrink[:, None]
        computed = _below_axis(inner, scale * near) | ~(within | beyond)
        _draw(inner, scale, colors)
        picture = colors.reshape(_BLOCK_SIDE, _BLOCK_SIDE, 3)
        cv2.copyTo(cv2.LUT(picture, _DARKER), beyond.view(np.uint8).reshape(_BLOCK_SIDE, _BLOCK_SIDE), picture)
    others = np.flatnonzero(computed)
    if len(others):
        colors[others] = _shade(vectors[others], scale)


def _draw(vectors: Vectors, scale: np.float32, colors: npt.NDArray[np.uint8]) -> None:
    """Write the colours of a full block of vectors, all within the rim, from the table."""
    with np.errstate(over="ignore", invalid="ignore"):  # unknown flow is coloured later
        cells = vectors * (_TABLE_SIDE / 2 / scale)
        cells += np.float32((_TABLE_SIDE - 1) / 2)
    square = (_BLOCK_SIDE, _BLOCK_SIDE)
    cv2.remap(  # type: ignore[call-overload]
        _color_table(), cells.reshape(*square, 2), None, cv2.INTER_NEAREST, dst=colors.reshape(*square, 3)
    )


def _below_axis(vectors: Vectors, distance: np.float32) -> npt.NDArray[np.bool_]:
    """Where v is from ``-distance`` to -0.0: for positive u, the wheel closes there and colours jump."""
    # Read as integers, the bits of negative floats are in the order of their distance from -0.0.
    bits = vectors.view(np.uint32)[:, 1] - np.float32(-0.0).view(np.uint32)
    return np.asarray(bits <= distance.view(np.uint32))


def _shade(vectors: Vectors, scale: np.float32, *, darken: bool = True) -> npt.NDArray[np.uint8]:
    """Compute the colours of ``(N, 2)`` vectors: ``(N, 3)`` uint8 RGB; beyond the rim as on it, darkened if asked."""
    with np.errstate(over="ignore", invalid="ignore"):
        u, v = vectors[:, 0] / scale, vectors[:, 1] / scale
        radius = np.sqrt(np.square(u) + np.square(v))
    steps = len(_hue_table()) - 1
    turn = np.arctan2(-v, -u) * np.float32(0.5 / np.pi) + np.float32(0.5)
    np.nan_to_num(turn, copy=False)
    lack = _hue_table().take((turn * steps + np.float32(0.5)).astype(np.int32), axis=0)
    inside = radius <= 1
    lack *= np.where(inside, radius, 1)[:, None]
    colors = np.float32(255) - lack
    if darken and not inside.all():
        colors[~inside] *= np.float32(0.75)
        colors[~known(vectors)] = 0
    return np.asarray(colors.astype(np.uint8))
