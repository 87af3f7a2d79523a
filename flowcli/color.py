"""Flow as colour: hue is the direction, saturation the length.

The wheel is Middlebury's (Baker et al., IJCV 2011; the published C++ by Daniel Scharstein): 55 hues, more of them
where the eye tells more apart. The colours equal those of the ``flow-vis`` package within one grey level.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from .arrays import Flow, Frame

_TRANSITIONS = (15, 6, 4, 11, 13, 6)  # hues from red to yellow, green, cyan, blue, magenta, and back to red
_CORNERS = ((255, 0, 0), (255, 255, 0), (0, 255, 0), (0, 255, 255), (0, 0, 255), (255, 0, 255))
_STEPS_PER_HUE = 64  # the hue table's fineness: neighbours differ by at most one grey level
_BLOCK_PIXELS = 1 << 15  # a block's arrays stay in the processor's cache
_EPSILON = 1e-5  # pixels; keeps a flow that is zero everywhere from being divided by zero


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
    """What each colour lacks to white, finely interpolated around the wheel: ``(54 * 64 + 1, 3)`` float32, 0..255."""
    wheel = color_wheel()
    # The published program maps the full turn onto 54 steps between its 55 hues, so that both ends of the turn
    # fall on the first and on the last hue.
    position = np.arange((len(wheel) - 1) * _STEPS_PER_HUE + 1) / _STEPS_PER_HUE
    channels = [np.interp(position, np.arange(len(wheel)), wheel[:, channel]) for channel in range(3)]
    return (255 - np.stack(channels, axis=-1)).astype(np.float32)


def largest_flow(flow: Flow) -> float:
    """The length in pixels of the longest vector of an ``(H, W, 2)`` flow; unknown flow is left out, 0 if all is."""
    with np.errstate(over="ignore", invalid="ignore"):
        # In the very arithmetic of the colours, so that the longest vector falls on the wheel's rim and not beyond.
        squares = np.square(flow[..., 0]) + np.square(flow[..., 1])
    finite = squares[np.isfinite(squares)]
    return float(np.sqrt(finite.max())) if finite.size else 0.0


def colorize(flow: Flow, max_flow: float | None = None) -> Frame:
    """Colour a flow with Middlebury's wheel.

    Zero flow is white; the longer, the more saturated. Flow beyond ``max_flow`` keeps its hue and is darkened to
    three quarters; unknown flow (NaN) is black.

    Args:
        flow: ``(H, W, 2)`` float32 in pixels.
        max_flow: the length in pixels that gets full colour; ``None`` takes the longest in ``flow``.

    Returns:
        ``(H, W, 3)`` uint8 RGB.

    Raises:
        ValueError: ``max_flow`` is not positive.
    """
    if max_flow is not None and not max_flow > 0:
        raise ValueError(f"max_flow must be positive, not {max_flow}")
    scale = (largest_flow(flow) + _EPSILON) if max_flow is None else max_flow
    vectors = np.ascontiguousarray(flow, np.float32).reshape(-1, 2)
    image = np.empty((len(vectors), 3), np.uint8)
    for start in range(0, len(vectors), _BLOCK_PIXELS):
        block = slice(start, start + _BLOCK_PIXELS)
        image[block] = _color_block(vectors[block], np.float32(scale))
    return image.reshape(*flow.shape[:2], 3)


def _color_block(vectors: npt.NDArray[np.float32], scale: np.float32) -> npt.NDArray[np.uint8]:
    """Colours of ``(N, 2)`` vectors: ``(N, 3)`` uint8 RGB."""
    with np.errstate(over="ignore", invalid="ignore"):
        u, v = vectors[:, 0] / scale, vectors[:, 1] / scale
        radius = np.sqrt(np.square(u) + np.square(v))
    known = np.isfinite(vectors).all(axis=1)
    steps = len(_hue_table()) - 1
    turn = np.arctan2(-v, -u) * np.float32(0.5 / np.pi) + np.float32(0.5)
    np.nan_to_num(turn, copy=False)
    lack = _hue_table().take((turn * steps + np.float32(0.5)).astype(np.int32), axis=0)
    inside = radius <= 1
    lack *= np.where(inside, radius, 1)[:, None]
    colors = np.float32(255) - lack
    if not inside.all():
        colors[~inside] *= np.float32(0.75)
        colors[~known] = 0
    return np.asarray(colors.astype(np.uint8))
