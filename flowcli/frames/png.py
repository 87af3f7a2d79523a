"""What a PNG file says of itself: its size, and whether it is whole (W3C, "Portable Network Graphics", 2003).

libpng prints its complaints straight to stderr, so damage is found before it sees the file.
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
    """Height and width of a PNG file; raises ``InputError`` if it is missing or not whole."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {why(error)}") from error
    if not data.startswith(SIGNATURE) or end_of_png(data) is None:
        raise InputError(f"{path} is not a PNG file, or damaged")
    width, height = struct.unpack_from(">II", data, 16)
    return height, width


def critical_chunks(data: bytes, name: object) -> bytes:
    """A PNG file without its ancillary chunks; raises ``InputError`` if it is not whole, or goes on after its end."""
    end = end_of_png(data)
    if end != len(data):
        cause = "is not complete" if end is None else f"ends after {end} of {len(data)} bytes"
        raise InputError(f"{name} is damaged: the PNG file {cause}")
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
    return not data[start + 4] & 0x20  # the first letter is a capital


def _chunks(data: bytes) -> Iterator[tuple[int, int]]:
    """Where the complete chunks of a PNG start and stop."""
    start = len(SIGNATURE)
    while start + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, start)
        stop = start + 12 + length
        if stop > len(data):
            return
        yield start, stop
        start = stop
