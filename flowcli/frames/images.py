"""Image files in and out, through OpenCV; everywhere else an image is ``(H, W, 3)`` uint8 RGB."""

from __future__ import annotations

import contextlib
import io
import os
import re
import stat
import struct
import tempfile
import threading
from collections.abc import Iterator
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
from .png import SIGNATURE, end_of_png

WRITTEN_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".ppm", ".avif")
"""Suffixes of pictures that can be written."""

_PNM_HEADER = re.compile(rb"P[2356](?:\s|#[^\n]*\n)+\d+(?:\s|#[^\n]*\n)+\d+(?:\s|#[^\n]*\n)+(\d+)")
_LIBRARY_LINE = re.compile(rb"libpng (error|warning)|Corrupt JPEG data|Premature end of JPEG")
_HARMLESS = "extraneous bytes before marker"  # some cameras write them between a JPEG's headers
_STDERR_LOCK = threading.Lock()


def read_image(path: str | Path, *, max_pixels: int = MAX_PIXELS) -> Frame:
    """Read an image file, or a pipe that an image comes through.

    Whatever its kind, the result is 8-bit RGB: grey becomes three equal channels, alpha is dropped, 16 bits are
    scaled to 8 (0..65535 to 0..255), CMYK is converted, and EXIF rotation is applied.

    Args:
        path: the file.
        max_pixels: a larger image is refused before it is decoded: a small file can unpack to fill all memory.

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
    """The pixels of an image file as OpenCV gives them with these flags; raises ``InputError`` that names ``name``."""
    # OpenCV logs what it dislikes to stderr, where flowcli promises one line of its own.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        with _captured_stderr() as complaints:
            image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        if "CV_IO_MAX_IMAGE" in error.err:
            cause = "it has more pixels than OpenCV may read; raise `max_pixels`, or OPENCV_IO_MAX_IMAGE_PIXELS"
            raise InputError(f"cannot read {name}: {cause}") from error
        raise InputError(f"cannot read {name}: {error.err}") from error
    if image is None:
        raise InputError(f"cannot read {name}: not an image that OpenCV reads, or truncated")
    if any("JPEG" in line and _HARMLESS not in line for line in complaints):
        raise InputError(f"cannot read {name}: the image data are damaged")
    return image


def _read_bytes(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode) or stat.S_ISDIR(mode)):
            raise InputError(f"cannot read {path}: neither a file nor a pipe")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {why(error)}; check the path") from error


def check_pixels(height: int, width: int, path: Path, max_pixels: int) -> None:
    """Raise ``InputError`` if a picture of ``path`` has more than ``max_pixels``."""
    if height * width > max_pixels:
        raise InputError(
            f"cannot read {path}: {width} x {height} is more than {max_pixels} pixels; "
            "if it is meant to be that large, raise `max_pixels`"
        )


def image_size(path: Path) -> tuple[int, int] | None:
    """Height and width of the image in a regular file, as its header has them, or ``None`` if that cannot be told.

    Much cheaper than :func:`read_image`. Rotation by metadata is taken into account for JPEG only.
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
    """What is wrong with the bytes of an image file, as far as OpenCV would miss it or make noise about it."""
    if not data:
        return "the file is empty"
    if data.startswith(SIGNATURE) and end_of_png(data) is None:
        return "the PNG file is truncated or damaged"
    header = _PNM_HEADER.match(data)
    if header and int(header[1]) not in {255, 65535}:  # OpenCV takes the values as they are
        return f"its largest value is {int(header[1])}; save it with 255 or 65535"
    return None


@contextlib.contextmanager
def _captured_stderr() -> Iterator[list[str]]:
    """Collect the lines that libpng and libjpeg print straight to file descriptor 2.

    What others print meanwhile (a progress bar in another thread) is passed on.
    """
    complaints: list[str] = []
    with contextlib.ExitStack() as stack:
        stack.enter_context(_STDERR_LOCK)
        try:
            caught = stack.enter_context(tempfile.TemporaryFile())
            original = os.dup(2)
        except OSError:  # no stderr, or no place for a temporary file: let them print
            yield complaints
            return
        stack.callback(os.close, original)
        os.dup2(caught.fileno(), 2)
        try:
            yield complaints
        finally:
            os.dup2(original, 2)
            caught.seek(0)
            for line in caught.read().splitlines(keepends=True):
                if _LIBRARY_LINE.match(line):
                    complaints.append(line.decode(errors="replace"))
                else:
                    with contextlib.suppress(OSError):
                        os.write(2, line)


def write_image(path: Path, image: Frame) -> None:
    """Write ``(H, W, 3)`` uint8 RGB to ``path`` in the format of its suffix; raises ``OutputError``."""
    write_bytes(path, encode_image(image, path.suffix))


def encode_image(image: Frame, suffix: str = ".png") -> bytes:
    """The bytes of an image file of the given suffix holding ``(H, W, 3)`` uint8 RGB."""
    done, encoded = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    if not done:
        raise ValueError(f"OpenCV cannot encode {suffix}")
    return encoded.tobytes()
