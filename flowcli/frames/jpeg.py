"""Reads the headers of JPEG files (ITU-T T.81, 1992, annex B)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..storage import why

LONGEST_SIDE = 65_500
"""The most pixels in height or width that libjpeg writes."""

_START, _END = b"\xff\xd8", b"\xff\xd9"
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # the markers SOF0 to SOF15
_ALONE = frozenset(range(0xD0, 0xD8)) | {0x01}  # markers without a length


@dataclass(frozen=True)
class JpegHeader:
    """What the headers of a JPEG file say."""

    height: int
    width: int
    is_grey: bool
    """Whether there is one component, of 8 bits."""

    is_whole: bool
    """Whether the file ends with the end of the image."""


def jpeg_header(data: bytes, name: object) -> JpegHeader:
    """Read the headers from the bytes of a file, or from enough of its beginning; raises ``InputError``."""
    position = len(_START)
    if not data.startswith(_START):
        raise InputError(f"{name} is damaged, or not a JPEG file")
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:  # fill
            position += 1
        elif marker in _ALONE:
            position += 2
        elif marker in _FRAMES and position + 10 <= len(data):
            depth, height, width, count = struct.unpack_from(">BHHB", data, position + 4)
            return JpegHeader(height, width, (depth, count) == (8, 1), data.endswith(_END))
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    raise InputError(f"{name} is damaged: it has no header of a JPEG image")


def whole_jpeg_size(path: Path) -> tuple[int, int]:
    """Height and width of a JPEG file; raises ``InputError`` if it is missing, damaged or truncated."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {why(error)}") from error
    header = jpeg_header(data, path)
    if not header.is_whole or min(header.height, header.width) < 1:
        raise InputError(f"{path} is damaged: it is truncated")
    return header.height, header.width
