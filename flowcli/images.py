"""Image files in and out, through OpenCV; everywhere else an image is ``(H, W, 3)`` uint8 RGB."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np

from .arrays import Frame
from .errors import InputError
from .files import why, write_bytes

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".ppm", ".pgm", ".pnm", ".avif"})
"""Suffixes by which a folder's frames are told from its other files."""

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def read_image(path: str | Path) -> Frame:
    """Read an image file.

    Whatever its kind, the result is 8-bit RGB: grey becomes three equal channels, alpha is dropped, 16 bits are
    scaled to 8 (0..65535 to 0..255, rounded), and EXIF rotation is applied.

    Returns:
        ``(H, W, 3)`` uint8 RGB.

    Raises:
        InputError: the file is missing, unreadable, truncated, or not an image.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {why(error)}") from error
    if not data:
        raise InputError(f"cannot read {path}: the file is empty")
    if data.startswith(_PNG_SIGNATURE) and not _png_is_whole(data):
        raise InputError(f"cannot read {path}: the PNG file is truncated or damaged")
    return _to_rgb8(_decode(data, path), path)


def _decode(data: bytes, path: Path) -> np.ndarray:
    # OpenCV logs what it dislikes to stderr, where flowcli promises one line of its own.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    # Not IMREAD_COLOR_RGB, which OpenCV 5.0 forgets for 16-bit TIFF.
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise InputError(f"cannot read {path}: {error.err}") from error
    if image is None:
        raise InputError(f"cannot read {path}: not an image that OpenCV reads, or truncated")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _to_rgb8(image: np.ndarray, path: Path) -> Frame:
    if image.dtype == np.uint8:
        return image
    if image.dtype == np.uint16:
        return ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)
    raise InputError(f"cannot read {path}: {image.dtype} pixels; save the frame with 8 or 16 bits per channel")


def _png_is_whole(data: bytes) -> bool:
    """Whether the PNG's chunks are complete, up to IEND, and their checksums hold.

    libpng prints its complaints straight to stderr, so damage is found before it sees the file.
    """
    position = len(_PNG_SIGNATURE)
    while position + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        end = position + 12 + length
        if end > len(data):
            return False
        (checksum,) = struct.unpack_from(">I", data, end - 4)
        if zlib.crc32(memoryview(data)[position + 4 : end - 4]) != checksum:
            return False
        if data[position + 4 : position + 8] == b"IEND":
            return True
        position = end
    return False


def write_image(path: Path, image: Frame) -> None:
    """Write ``(H, W, 3)`` uint8 RGB to ``path`` in the format of its suffix; raises ``OutputError``."""
    write_bytes(path, encode_image(image, path.suffix))


def encode_image(image: Frame, suffix: str = ".png") -> bytes:
    """The bytes of an image file of the given suffix holding ``(H, W, 3)`` uint8 RGB."""
    done, encoded = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    if not done:
        raise ValueError(f"OpenCV cannot encode {suffix}")
    return encoded.tobytes()
