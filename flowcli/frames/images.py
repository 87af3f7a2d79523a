"""Reads and writes image files of all formats; everywhere else an image is ``(H, W, 3)`` uint8 RGB."""

from __future__ import annotations

import io
import logging
import stat
import struct
from pathlib import Path
from typing import BinaryIO

import imagesize

from ..arrays import Frame
from ..errors import InputError
from ..limits import MAX_PIXELS
from ..places import is_remote, place
from ..storage import why, write_bytes
from . import exr, pillow, tiff
from .bounds import check_pixels, check_plausible
from .levels import Values, to_frame
from .opencv import decode_frame, encode_image

WRITTEN_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".ppm", ".avif")
"""The suffixes of pictures that can be written."""

_FLOAT_MAPS = (b"PF", b"Pf")  # portable float maps, which have no natural scale

_RADIANCE = (b"#?RADIANCE", b"#?RGBE")

_log = logging.getLogger(__name__)


def read_image(path: str | Path, *, max_pixels: int = MAX_PIXELS, levels: tuple[float, float] | None = None) -> Frame:
    """Read an image from a file or a named pipe.

    The result is always 8-bit RGB: grey becomes three equal channels, alpha is dropped, 16 bits are scaled to 8
    (0..65535 to 0..255) unless there are levels, CMYK and L*a*b* are converted, scene-linear values (OpenEXR, Radiance)
    are tone-mapped by the sRGB curve, and orientation is applied. Of several images the first is taken.

    Args:
        path: the file.
        max_pixels: larger images are refused before they are decoded, since a small file can unpack to fill all
            memory.
        levels: the stored values that become 0 and 255; needed for floats, signed and 32-bit integers.

    Returns:
        ``(H, W, 3)`` uint8 RGB.

    Raises:
        InputError: the file is missing, unreadable, truncated, too large, not an image, or needs levels.
    """
    path = place(path)
    return to_frame(read_values(path, max_pixels=max_pixels, as_stored=levels is not None), levels, path)


def read_values(path: Path, *, max_pixels: int = MAX_PIXELS, as_stored: bool = True) -> Values:
    """Read the values of an image, upright and without alpha.

    Args:
        path: the file.
        max_pixels: larger images are refused before they are decoded.
        as_stored: whether values keep their range; otherwise those of up to 16 bits are scaled to 8.

    Returns:
        ``(H, W)`` or ``(H, W, 3)``; uint8 unless they are ``as_stored``, or have no natural scale.

    Raises:
        InputError: the file is missing, unreadable, truncated, too large, or not an image.
    """
    data = _read_bytes(path)
    if not data:
        raise InputError(f"cannot read {path}: the file is empty")
    if tiff.is_tiff(data):
        return tiff.decode_first(data, path, max_pixels=max_pixels, as_stored=as_stored)
    check_pixels(*(_declared_size(io.BytesIO(data)) or (0, 0)), path, max_pixels)
    if pillow.holds_several(data):
        _log.warning("%s holds several images; of such frames the first image is used", path)
    if exr.is_exr(data):
        return _decode_exr(data, path, max_pixels, as_stored)
    if pillow.is_webp(data) and pillow.holds_several(data):
        return pillow.WebpAnimation(data, path, max_pixels=max_pixels).read(0)
    if pillow.is_avif(data) or (pillow.is_png(data) and pillow.holds_several(data) and not as_stored):
        return pillow.decode_upright(data, path, max_pixels=max_pixels)
    is_linear = data.startswith(_RADIANCE)
    values = decode_frame(data, path, as_stored=as_stored or is_linear or data.startswith(_FLOAT_MAPS))
    return _toned(values) if is_linear and not as_stored else values


def _decode_exr(data: bytes, path: Path, max_pixels: int, as_stored: bool) -> Values:
    check_plausible(*exr.window_size(data, path), len(data), path, max_pixels)
    values = exr.read_linear(data, path)
    values = values[..., 0] if values.shape[2] == 1 else values
    return values if as_stored else _toned(values)


def _toned(linear: Values) -> Frame:
    _log.info("frames of scene-linear values are tone-mapped by the sRGB curve and clipped")
    return exr.tone_map(linear)


def _read_bytes(path: Path) -> bytes:
    try:
        if is_remote(path):
            return path.read_bytes()
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode) or stat.S_ISDIR(mode)):
            raise InputError(f"cannot read {path}: it is neither a file nor a pipe")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {why(error)}; check the path") from error


def image_size(path: Path) -> tuple[int, int] | None:
    """The height and width in the header of an image; ``None`` if it is unreadable, or neither a file nor a URL.

    Much cheaper than :func:`read_image`. EXIF rotation is considered for JPEG only.
    """
    try:
        if not is_remote(path) and not path.is_file():
            return None
        with path.open("rb") as file:
            return _declared_size(file)
    except OSError:
        return None


def _declared_size(file: BinaryIO) -> tuple[int, int] | None:
    try:
        width, height = imagesize.get(file)
    except (ValueError, struct.error):
        return None
    return (height, width) if width > 0 and height > 0 else None


def write_image(path: Path, image: Frame) -> None:
    """Write an ``(H, W, 3)`` uint8 RGB image to ``path`` in the format of its suffix; raises ``OutputError``."""
    write_bytes(path, encode_image(image, path.suffix))
