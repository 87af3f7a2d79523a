"""Reads and writes image files through OpenCV; everywhere else an image is ``(H, W, 3)`` uint8 RGB."""

from __future__ import annotations

import io
import re
import stat
import struct
from pathlib import Path
from typing import BinaryIO

import cv2
import imagesize
import numpy as np
import numpy.typing as npt

from ..arrays import Frame
from ..errors import InputError
from ..limits import MAX_PIXELS
from ..storage import why, write_bytes
from .chatter import captured_stderr
from .png import SIGNATURE, end_of_png

WRITTEN_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".ppm", ".avif")
"""The suffixes of pictures that can be written."""

_PNM_HEADER = re.compile(rb"P[2356](?:\s|#[^\n]*\n)+\d+(?:\s|#[^\n]*\n)+\d+(?:\s|#[^\n]*\n)+(\d+)")
_LIBRARY_LINE = re.compile(rb"libpng (error|warning)|Corrupt JPEG data|Premature end of JPEG")
_HARMLESS = "extraneous bytes before marker"  # some cameras write these between the headers of a JPEG


def read_image(path: str | Path, *, max_pixels: int = MAX_PIXELS) -> Frame:
    """Read an image from a file or a named pipe.

    The result is always 8-bit RGB: grey becomes three equal channels, alpha is dropped, 16 bits are scaled to 8
    (0..65535 to 0..255), CMYK is converted, and EXIF rotation is applied.

    Args:
        path: the file.
        max_pixels: larger images are refused before they are decoded, since a small file can unpack to fill all
            memory.

    Returns:
        ``(H, W, 3)`` uint8 RGB.

    Raises:
        InputError: the file is missing, unreadable, truncated, too large, or not an image.
    """
    path = Path(path)
    data = _read_bytes(path)
    fault = _fault(data)
    if fault:
        raise InputError(f"cannot read {path}: {fault}")
    check_pixels(*(_declared_size(io.BytesIO(data)) or (0, 0)), path, max_pixels)
    return np.asarray(decode_image(data, cv2.IMREAD_COLOR_RGB, path), np.uint8)


def decode_image(data: bytes, flags: int, name: object) -> npt.NDArray[np.generic]:
    """Decode an image file with OpenCV.

    Args:
        data: the bytes of the file.
        flags: OpenCV's ``IMREAD`` flags; they determine the shape and type of the result.
        name: what errors call the file.

    Returns:
        The pixels as OpenCV returns them: ``(H, W)`` or ``(H, W, C)``, in BGR order unless the flags ask for RGB.

    Raises:
        InputError: the image is damaged, too large, or in a format that OpenCV does not read.
    """
    # OpenCV would log to stderr, where flowcli promises a single line of its own.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        with captured_stderr(_LIBRARY_LINE.match) as complaints:
            image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        if "CV_IO_MAX_IMAGE" in error.err:
            cause = "it has more pixels than OpenCV's limit; raise `max_pixels`, or OPENCV_IO_MAX_IMAGE_PIXELS"
            raise InputError(f"cannot read {name}: {cause}") from error
        raise InputError(f"cannot read {name}: {error.err}") from error
    if image is None:
        raise InputError(f"cannot read {name}: it is truncated, or not an image in a format that OpenCV reads")
    if any("JPEG" in line and _HARMLESS not in line for line in complaints):
        raise InputError(f"cannot read {name}: the image data is damaged")
    return image


def _read_bytes(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode) or stat.S_ISDIR(mode)):
            raise InputError(f"cannot read {path}: it is neither a file nor a pipe")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {why(error)}; check the path") from error


def check_pixels(height: int, width: int, path: Path, max_pixels: int) -> None:
    """Raise ``InputError`` if an image of ``path`` has more than ``max_pixels`` pixels."""
    if height * width > max_pixels:
        raise InputError(
            f"cannot read {path}: {width} x {height} is more than {max_pixels} pixels; "
            "if that size is correct, raise `max_pixels`"
        )


def image_size(path: Path) -> tuple[int, int] | None:
    """The height and width in the header of an image file, or ``None`` if it is not a regular file or unreadable.

    Much cheaper than :func:`read_image`. EXIF rotation is considered for JPEG only.
    """
    try:
        if not path.is_file():
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


def _fault(data: bytes) -> str | None:
    """Damage in an image file that OpenCV would miss, or would only print to stderr; ``None`` if there is none."""
    if not data:
        return "the file is empty"
    if data.startswith(SIGNATURE) and end_of_png(data) is None:
        return "the PNG file is truncated or damaged"
    header = _PNM_HEADER.match(data)
    if header and int(header[1]) not in {255, 65535}:  # OpenCV does not rescale the values
        return f"its largest value is {int(header[1])}; save it with 255 or 65535 instead"
    return None


def write_image(path: Path, image: Frame) -> None:
    """Write an ``(H, W, 3)`` uint8 RGB image to ``path`` in the format of its suffix; raises ``OutputError``."""
    write_bytes(path, encode_image(image, path.suffix))


def encode_image(image: Frame, suffix: str = ".png") -> bytes:
    """Encode an ``(H, W, 3)`` uint8 RGB image as a file with the given suffix.

    Returns:
        The bytes of the file.

    Raises:
        ValueError: OpenCV cannot encode it.
    """
    done, encoded = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    if not done:
        raise ValueError(f"OpenCV cannot encode {suffix}")
    return encoded.tobytes()
