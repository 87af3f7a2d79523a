"""Finds the size of a PNG file, and whether it is complete (W3C, "Portable Network Graphics", 2003).

libpng prints its complaints directly to stderr, so damage has to be found before libpng sees the file.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from ..errors import InputError
from ..storage import why

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def whole_png_size(path: Path) -> tuple[int, int]:
    """Height and width of a PNG file; raises ``InputError`` if it is missing, damaged or truncated."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {why(error)}") from error
    if not data.startswith(SIGNATURE) or end_of_png(data) is None:
        raise InputError(f"{path} is damaged, or not a PNG file")
    width, height = struct.unpack_from(">II", data, 16)
    return height, width


def critical_chunks(data: bytes, name: object) -> bytes:
    """Strip the ancillary chunks from a PNG file.

    Args:
        data: the bytes of the file.
        name: what errors call it.

    Returns:
        The bytes of the file without these chunks.

    Raises:
        InputError: it is damaged or truncated, or has trailing data.
    """
    end = end_of_png(data)
    if end != len(data):
        cause = "it is truncated or corrupt" if end is None else f"{len(data) - end} bytes follow the end of the image"
        raise InputError(f"{name} is damaged: {cause}")
    return SIGNATURE + b"".join(data[start:stop] for start, stop in _chunks(data) if _is_critical(data, start))


def end_of_png(data: bytes) -> int | None:
    """Where the last chunk ends of a PNG whose chunks are complete, up to IEND, and whose checksums hold.

    Only the checksums of critical chunks matter. ``None`` if the file is not whole.
    """
    for start, stop in _chunks(data):
        (checksum,) = struct.unpack_from(">I", data, stop - 4)
        if _is_critical(data, start) and zlib.crc32(memoryview(data)[start + 4 : stop - 4]) != checksum:
            return None
        if data[start + 4 : start + 8] == b"IEND":
            return stop
    return None


def _is_critical(data: bytes, start: int) -> bool:
    return not data[start + 4] & 0x20  # its type starts with a capital letter


def _chunks(data: bytes) -> Iterator[tuple[int, int]]:
    """The start and stop of each complete chunk of a PNG file."""
    start = len(SIGNATURE)
    while start + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, start)
        stop = start + 12 + length
        if stop > len(data):
            return
        yield start, stop
        start = stop
