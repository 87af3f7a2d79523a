"""A rendered scene with known motion, for the demo and for tests that need ground truth.

Textured discs slide and rotate over a textured background that slowly rotates and zooms in. Every motion is a
formula, so the flow and the occlusions are exact.
"""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from .arrays import Flow, Frame, Mask

Affine = npt.NDArray[np.float64]
"""A ``(2, 3)`` matrix that maps a point ``(x, y, 1)`` of frame 1 to its position in frame 2."""

Coordinate = npt.NDArray[np.float64]
"""The x or y coordinates of one point per pixel: ``(H, W)``."""

_BORDER = 64  # pixels of texture around the frame, for what moves into view
_OCTAVES = ((4, 0.15), (9, 0.3), (24, 0.3), (70, 0.25))  # grain in pixels and its share of the texture


@dataclass(frozen=True)
class Scene:
    """Two frames with ground truth."""

    frame1: Frame
    frame2: Frame
    flow: Flow
    """From frame 1 to frame 2, ``(H, W, 2)`` float32 in pixels, known everywhere."""

    visible: Mask
    """Pixels of frame 1 that are also visible in frame 2: ``(H, W)`` bool."""


@dataclass(frozen=True)
class Motion:
    """A rotation and a zoom about a centre, and a shift."""

    shift: tuple[float, float] = (0.0, 0.0)
    """To the right and down, in pixels."""

    angle: float = 0.0
    """In degrees, counter-clockwise."""

    zoom: float = 1.0


@dataclass(frozen=True)
class Disc:
    """A disc that moves over what is behind it."""

    place: tuple[float, float]
    """Its centre in frame 1, as shares of the width and the height."""

    size: float
    """Its radius, as a share of the shorter side."""

    motion: Motion
    hue: float
    """Of its texture, from 0 to 1."""


@dataclass(frozen=True)
class _Drawn:
    """A disc with its texture."""

    center: tuple[float, float]  # x, y in frame 1
    radius: float
    motion: Affine
    texture: npt.NDArray[np.float32]


BACKGROUND = Motion((1.5, -1.0), 1.0, 1.012)
DISCS = (
    Disc((0.30, 0.38), 0.21, Motion((9.0, 3.5), -4.0), 0.06),
    Disc((0.70, 0.60), 0.17, Motion((-5.0, -7.0), 6.0), 0.33),
    Disc((0.62, 0.22), 0.09, Motion((2.0, 12.0)), 0.88),
)
"""What is on the scene, from back to front."""


def render_scene(
    height: int = 368,
    width: int = 496,
    *,
    seed: int = 0,
    steps: int = 1,
    background: Motion = BACKGROUND,
    discs: Sequence[Disc] = DISCS,
    grain: float = 1.0,
) -> Scene:
    """Render a scene of the given size.

    Args:
        height: height of the frames in pixels, at least 32.
        width: width of the frames in pixels, at least 32.
        seed: seed of the textures.
        steps: how often the motion is repeated from frame 1 to frame 2; with 1, 2, 3 ... the second frames follow the
            first one as those of a video.
        background: how the background moves, about the middle of the frame.
        discs: what moves over it, from back to front.
        grain: how much coarser than usual the coarsest structure is, at least 1; finer ones stay, as in photographs.

    Returns:
        The frames, ``(height, width, 3)`` uint8 RGB, with their exact flow and visibility.

    Raises:
        ValueError: the size is below 32 x 32, or there are no steps.
    """
    if steps < 1:
        raise ValueError(f"a scene needs at least one step, not {steps}")
    if min(height, width) < 32:
        raise ValueError(f"a scene must be at least 32 x 32 pixels, not {width} x {height}")
    random = np.random.default_rng(seed)
    behind = _repeated(_similarity((width / 2, height / 2), background), steps)
    texture = _texture(random, height, width, 0.58, grain)
    drawn = [_draw(random, height, width, disc, steps, grain) for disc in discs]
    x, y = np.meshgrid(np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64))
    frame1 = _shade(behind, texture, drawn, x, y, moved=False)
    frame2 = _shade(behind, texture, drawn, x, y, moved=True)
    flow, visible = _truth(behind, drawn, x, y)
    return Scene(frame1, frame2, flow, visible)


def _similarity(center: tuple[float, float], motion: Motion) -> Affine:
    """The motion about ``center``."""
    matrix = np.asarray(cv2.getRotationMatrix2D(center, motion.angle, motion.zoom), np.float64)
    matrix[:, 2] += motion.shift
    return matrix


def _repeated(motion: Affine, times: int) -> Affine:
    """The same motion several times, one after the other."""
    return np.asarray(np.linalg.matrix_power(np.vstack([motion, (0, 0, 1)]), times)[:2])


def _draw(random: np.random.Generator, height: int, width: int, disc: Disc, steps: int, grain: float) -> _Drawn:
    center = (disc.place[0] * width, disc.place[1] * height)
    motion = _repeated(_similarity(center, disc.motion), steps)
    return _Drawn(center, disc.size * min(height, width), motion, _texture(random, height, width, disc.hue, grain))


def _texture(random: np.random.Generator, height: int, width: int, hue: float, grain: float) -> npt.NDArray[np.float32]:
    """Noise at several scales around a hue (0..1): ``(height + 2 b, width + 2 b, 3)`` float32 RGB, 0..255."""
    rows, columns = height + 2 * _BORDER, width + 2 * _BORDER
    noise = np.zeros((rows, columns, 3), np.float32)
    octaves = list(_OCTAVES)
    if grain > 1:
        octaves += [(round(size * grain), share) for size, share in _OCTAVES]
    for size, share in octaves:
        cells = random.uniform(-1, 1, (rows // size + 2, columns // size + 2, 3)).astype(np.float32)
        noise += share * cv2.resize(cells, (columns, rows), interpolation=cv2.INTER_CUBIC)
    base = np.array(colorsys.hsv_to_rgb(hue, 0.55, 0.6), np.float32) * 255
    noise = 0.3 * noise + 0.7 * noise[..., :1]  # mostly brightness, a little colour
    return np.asarray(np.clip(base + noise * 230, 0, 255), np.float32)


def _apply(motion: Affine, x: Coordinate, y: Coordinate) -> tuple[Coordinate, Coordinate]:
    """Map points of frame 1 to frame 2."""
    moved = motion @ np.stack([x, y, np.ones_like(x)]).reshape(3, -1)
    return moved[0].reshape(x.shape), moved[1].reshape(x.shape)


def _unapply(motion: Affine, x: Coordinate, y: Coordinate) -> tuple[Coordinate, Coordinate]:
    """Map points of frame 2 back to frame 1."""
    return _apply(np.asarray(cv2.invertAffineTransform(motion), np.float64), x, y)


def _shade(
    background: Affine,
    texture: npt.NDArray[np.float32],
    discs: list[_Drawn],
    x: Coordinate,
    y: Coordinate,
    *,
    moved: bool,
) -> Frame:
    """Render a frame: each pixel shows the texture at the point of frame 1 that is visible there."""
    image = _sample(texture, *(_unapply(background, x, y) if moved else (x, y)))
    for disc in discs:
        source_x, source_y = _unapply(disc.motion, x, y) if moved else (x, y)
        distance = np.hypot(source_x - disc.center[0], source_y - disc.center[1])
        cover = np.clip(disc.radius - distance + 0.5, 0, 1)[..., None].astype(np.float32)  # soft over one pixel
        image += cover * (_sample(disc.texture, source_x, source_y) - image)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def _sample(texture: npt.NDArray[np.float32], x: Coordinate, y: Coordinate) -> npt.NDArray[np.float32]:
    columns, rows = (x + _BORDER).astype(np.float32), (y + _BORDER).astype(np.float32)
    sampled = cv2.remap(texture, columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(sampled, np.float32)


def _truth(background: Affine, discs: list[_Drawn], x: Coordinate, y: Coordinate) -> tuple[Flow, Mask]:
    height, width = x.shape
    target_x, target_y = _apply(background, x, y)
    owner = np.full(x.shape, -1)
    for index, disc in enumerate(discs):
        inside = np.hypot(x - disc.center[0], y - disc.center[1]) <= disc.radius
        moved_x, moved_y = _apply(disc.motion, x, y)
        target_x[inside], target_y[inside] = moved_x[inside], moved_y[inside]
        owner[inside] = index
    visible = (target_x >= 0) & (target_x <= width - 1) & (target_y >= 0) & (target_y <= height - 1)
    for index, disc in enumerate(discs):
        back_x, back_y = _unapply(disc.motion, target_x, target_y)
        hidden = np.hypot(back_x - disc.center[0], back_y - disc.center[1]) <= disc.radius
        visible &= ~(hidden & (owner < index))
    return np.stack([target_x - x, target_y - y], axis=-1).astype(np.float32), visible
