"""A rendered scene with known motion, for the demo and for tests that need ground truth.

Textured discs slide and rotate over a textured background that slowly rotates and zooms in. Every motion is a
formula, so the flow and the occlusions are exact.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass, replace

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
class _Disc:
    center: tuple[float, float]  # x, y in frame 1
    radius: float
    motion: Affine
    texture: npt.NDArray[np.float32]


def render_scene(height: int = 368, width: int = 496, *, seed: int = 0, steps: int = 1) -> Scene:
    """Render a scene of the given size.

    Args:
        height: height of the frames in pixels, at least 32.
        width: width of the frames in pixels, at least 32.
        seed: seed of the textures; the motion is always the same.
        steps: how often the motion is repeated from frame 1 to frame 2; with 1, 2, 3 ... the second frames follow the
            first one as those of a video.

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
    middle = (width / 2, height / 2)
    background = _repeated(_similarity(middle, angle=1.0, zoom=1.012, shift=(1.5, -1.0)), steps)
    texture = _texture(random, height, width, hue=0.58)
    discs = [
        _disc(random, height, width, place=(0.30, 0.38), size=0.21, angle=-4.0, shift=(9.0, 3.5), hue=0.06),
        _disc(random, height, width, place=(0.70, 0.60), size=0.17, angle=6.0, shift=(-5.0, -7.0), hue=0.33),
        _disc(random, height, width, place=(0.62, 0.22), size=0.09, angle=0.0, shift=(2.0, 12.0), hue=0.88),
    ]
    discs = [replace(disc, motion=_repeated(disc.motion, steps)) for disc in discs]
    x, y = np.meshgrid(np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64))
    frame1 = _shade(background, texture, discs, x, y, moved=False)
    frame2 = _shade(background, texture, discs, x, y, moved=True)
    flow, visible = _truth(background, discs, x, y)
    return Scene(frame1, frame2, flow, visible)


def _similarity(center: tuple[float, float], *, angle: float, zoom: float, shift: tuple[float, float]) -> Affine:
    """Rotate by ``angle`` degrees and scale by ``zoom`` about ``center``, then move by ``shift``."""
    motion = np.asarray(cv2.getRotationMatrix2D(center, angle, zoom), np.float64)
    motion[:, 2] += shift
    return motion


def _repeated(motion: Affine, times: int) -> Affine:
    """The same motion several times, one after the other."""
    return np.asarray(np.linalg.matrix_power(np.vstack([motion, (0, 0, 1)]), times)[:2])


def _disc(
    random: np.random.Generator,
    height: int,
    width: int,
    *,
    place: tuple[float, float],
    size: float,
    angle: float,
    shift: tuple[float, float],
    hue: float,
) -> _Disc:
    center = (place[0] * width, place[1] * height)
    motion = _similarity(center, angle=angle, zoom=1.0, shift=shift)
    return _Disc(center, size * min(height, width), motion, _texture(random, height, width, hue))


def _texture(random: np.random.Generator, height: int, width: int, hue: float) -> npt.NDArray[np.float32]:
    """Noise at several scales around a hue (0..1): ``(height + 2 b, width + 2 b, 3)`` float32 RGB, 0..255."""
    rows, columns = height + 2 * _BORDER, width + 2 * _BORDER
    noise = np.zeros((rows, columns, 3), np.float32)
    for grain, share in _OCTAVES:
        cells = random.uniform(-1, 1, (rows // grain + 2, columns // grain + 2, 3)).astype(np.float32)
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
    discs: list[_Disc],
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


def _truth(background: Affine, discs: list[_Disc], x: Coordinate, y: Coordinate) -> tuple[Flow, Mask]:
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
