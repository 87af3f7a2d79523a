"""Flow as colour: hue is the direction, saturation the length.

The wheel is Middlebury's (Baker et al., IJCV 2011; the published C++ by Daniel Scharstein): 55 hues, more of them
where the eye tells more apart. The colours equal those of the ``flow-vis`` package within one grey level.
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
_STEPS_PER_HUE = 256  # the hue table's fineness: neighbours differ by a quarter of a grey level at most
_EPSILON = 1e-5  # pixels; keeps a flow that is zero everywhere from being divided by zero

# A table over all flows within the wheel. Across the wheel's disc of radius 1 a colour changes by at most 606 grey
# levels per unit (255 outwards, 550 around it), so half the diagonal of a cell is worth 0.67 of a level.
_TABLE_SIDE = 1280
_BLOCK_SIDE = 224
_BLOCK = _BLOCK_SIDE**2  # a block of this many vectors stays in the processor's cache
_NEAR_JUMP = 4e-6  # relative distance to where the colours jump, within which they are computed instead of looked up
_UNKNOWN_GREY = 128
_DARKER = ((np.arange(256) + 0.5) * 0.75).astype(np.uint8)

Vectors = npt.NDArray[np.float32]
"""``(N, 2)`` float32, u then v."""


@functools.cache
def color_wheel() -> npt.NDArray[np.float32]:
    """Middlebury's colour wheel: ``(55, 3)`` float32 RGB in 0..255."""
    hues = []
    for index, steps in enumerate(_TRANSITIONS):
        start = np.array(_CORNERS[index])
        change = np.array(_CORNERS[(index + 1) % len(_CORNERS)]) - start
        ramp = np.floor(255 * np.arange(steps) / steps)[:, None]
        hues.append(start + np.sign(change) * ramp)
    return np.concatenate(hues).astype(np.float32)


@functools.cache
def _hue_table() -> npt.NDArray[np.float32]:
    """What each colour lacks to white, finely interpolated around the wheel: ``(54 * 256 + 1, 3)`` float32, 0..255."""
    wheel = color_wheel()
    # The published program maps the full turn onto 54 steps between its 55 hues, so that both ends of the turn
    # fall on the first and on the last hue.
    position = np.arange((len(wheel) - 1) * _STEPS_PER_HUE + 1) / _STEPS_PER_HUE
    channels = [np.interp(position, np.arange(len(wheel)), wheel[:, channel]) for channel in range(3)]
    return (255 - np.stack(channels, axis=-1)).astype(np.float32)


@functools.cache
def _color_table() -> Frame:
    """Colours of all flows within -1..1, by the cell that (v, u) falls into: ``(1280, 1280, 3)`` uint8 RGB."""
    centers = ((np.arange(_TABLE_SIDE) + 0.5) * (2 / _TABLE_SIDE) - 1).astype(np.float32)
    row = np.empty((_TABLE_SIDE, 2), np.float32)
    row[:, 0] = centers
    table = np.empty((_TABLE_SIDE, _TABLE_SIDE, 3), np.uint8)
    for index, v in enumerate(centers):
        row[:, 1] = v
        table[index] = _shade(row, np.float32(1), darken=False)
    return table


def largest_flow(flow: Flow) -> float:
    """The length in pixels of the longest vector of an ``(H, W, 2)`` flow; unknown flow is left out, 0 if all is."""
    vectors = flow.reshape(-1, 2)
    return _largest(vectors, _tops(vectors))


def _tops(vectors: Vectors) -> list[np.float32]:
    """The largest squared length of each block of vectors; not finite if any of the block is not."""
    # In the very arithmetic of the colours, so that the longest vector falls on the wheel's rim and not beyond.
    return [_squares(vectors[start : start + _BLOCK]).max() for start in range(0, len(vectors), _BLOCK)]


def _largest(vectors: Vectors, tops: list[np.float32]) -> float:
    """The longest of the vectors whose length is finite, in pixels."""
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
    """Colour a flow: the hue is its direction.

    With Middlebury's wheel, zero flow is white; the longer, the more saturated. Flow beyond ``max_flow`` keeps its hue
    and is darkened to three quarters; unknown flow (NaN) is black. With ``hsv``, as in OpenCV's tutorials, zero flow is
    black; the longer, the brighter; unknown flow is grey.

    Args:
        flow: ``(H, W, 2)`` float32 in pixels.
        max_flow: the length in pixels that gets full colour; ``None`` takes the longest in ``flow``.
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
    """Write the colours of a whole block of vectors into ``(N, 3)`` uint8 RGB ``colors``; ``top`` from ``_tops``."""
    limit, near = scale * scale, np.float32(_NEAR_JUMP)
    if top < limit * (1 - near):
        computed = _below_axis(vectors, scale * near)
        _draw(vectors, scale, colors)
    else:
        squares = _squares(vectors)
        within = squares < limit * (1 - near)
        beyond = (squares > limit * (1 + near)) & (squares < np.inf)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            # What is beyond the rim is brought just inside it, and darkened.
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
    """Write the colours of a block of vectors that are all within the rim, from the table."""
    with np.errstate(over="ignore", invalid="ignore"):  # unknown flow gets its colour later
        cells = vectors * (_TABLE_SIDE / 2 / scale)
        cells += np.float32((_TABLE_SIDE - 1) / 2)
    square = (_BLOCK_SIDE, _BLOCK_SIDE)
    cv2.remap(  # type: ignore[call-overload]
        _color_table(), cells.reshape(*square, 2), None, cv2.INTER_NEAREST, dst=colors.reshape(*square, 3)
    )


def _below_axis(vectors: Vectors, distance: np.float32) -> npt.NDArray[np.bool_]:
    """Where v is from ``-distance`` to -0.0: there, at positive u, the turn closes and colours jump."""
    # The bits of negative numbers are in the order of their distance from -0.0.
    bits = vectors.view(np.uint32)[:, 1] - np.float32(-0.0).view(np.uint32)
    return np.asarray(bits <= distance.view(np.uint32))


def _shade(vectors: Vectors, scale: np.float32, *, darken: bool = True) -> npt.NDArray[np.uint8]:
    """Colours of ``(N, 2)`` vectors by the formula: ``(N, 3)`` uint8 RGB; beyond the rim darkened, or as on it."""
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
