"""Reads the headers of OpenEXR files ("OpenEXR File Layout", openexr.com), and checks that the pixels are all there.

OpenEXR allocates what a header claims and prints what it finds wrong, so damage has to be found before it sees the
file.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ..errors import InputError
from ..limits import LARGEST_DEFLATE_RATIO, LARGEST_RATIO, MAX_SIDE

MAGIC = b"\x76\x2f\x31\x01"
"""How the files begin."""

_TILED, _DEEP, _MULTIPART = 0x200, 0x800, 0x1000  # flags in the version field
_BYTES = {0: 4, 1: 2, 2: 4}  # of a sample of type UINT, HALF, FLOAT
_UINT = 0
_LINES = {0: 1, 1: 1, 2: 1, 3: 16, 4: 32, 5: 16, 6: 32, 7: 32, 8: 32, 9: 256, 10: 256, 11: 32}  # in a chunk, by codec
_NONE, _ZIPS, _ZIP = 0, 2, 3
_LONGEST_NAME = 255


@dataclass(frozen=True)
class Window:
    """A rectangle of pixels; x grows to the right, y downwards, and both corners are part of it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.bottom - self.top + 1, self.right - self.left + 1


@dataclass(frozen=True)
class Part:
    """One of the images in a file."""

    channels: dict[str, int]
    """The names of the channels whose samples are floats, one for each pixel; with the bytes of a sample."""

    data: Window
    """The pixels that are stored."""

    display: Window
    """The pixels that make up the image."""

    texts: dict[str, str]
    """The attributes that are strings."""


def read_header(data: bytes, name: object, *, nothing_follows: bool = False) -> tuple[Part, ...]:
    """Read the headers of all parts of a file.

    Args:
        data: the bytes of the file.
        name: what errors call it.
        nothing_follows: whether bytes after the last pixel make the file damaged.

    Returns:
        The parts, in order; at least one.

    Raises:
        InputError: the file is not OpenEXR, damaged, truncated or deep, or claims more pixels than it can hold.
    """
    if data[:4] != MAGIC:
        raise InputError(f"{name} is not an OpenEXR file")
    try:
        (version,) = struct.unpack_from("<I", data, 4)
        headers, tables = _headers(data, bool(version & _MULTIPART))
        if version & _DEEP or any(header["type"][1].startswith(b"deep") for header in headers if "type" in header):
            raise InputError(f"{name} is a deep image, with many samples for a pixel; flatten it first")
        parts = tuple(_part(header) for header in headers)
        _check_amount(headers, parts, len(data), name)
        end = _end_of_chunks(data, headers, parts, tables, version)
    except (struct.error, LookupError, ValueError, ArithmeticError) as error:
        raise InputError(f"{name} is damaged, or not an OpenEXR file") from error
    if end is not None and (end > len(data) or (nothing_follows and end < len(data))):
        cause = "it is truncated" if end > len(data) else f"{len(data) - end} bytes follow the end of the image"
        raise InputError(f"{name} is damaged: {cause}")
    return parts


_Header = dict[str, tuple[bytes, bytes]]  # the type and the value of each attribute


def _headers(data: bytes, are_several: bool) -> tuple[list[_Header], int]:
    """The attributes of each part, and where the tables of chunks begin."""
    headers: list[_Header] = []
    position = 8
    while True:
        header, position = _attributes(data, position)
        if header:
            headers.append(header)
        if not are_several or not header:
            break
    if not headers:
        raise ValueError("no parts")
    return headers, position


def _attributes(data: bytes, position: int) -> tuple[_Header, int]:
    header: _Header = {}
    while data[position]:
        name, position = _text(data, position)
        kind, position = _text(data, position)
        (length,) = struct.unpack_from("<i", data, position)
        position += 4
        if name.decode() in header or not 0 <= length <= len(data) - position:
            raise ValueError(f"attribute {name!r}")
        header[name.decode()] = kind, data[position : position + length]
        position += length
    return header, position + 1


def _text(data: bytes, position: int) -> tuple[bytes, int]:
    """A text that ends with a zero, and where the next thing begins."""
    end = data.index(0, position, position + _LONGEST_NAME + 1)
    return data[position:end], end + 1


def _part(header: _Header) -> Part:
    channels: dict[str, int] = {}
    for name, kind, sampling in _channels(header):
        if kind != _UINT and sampling == (1, 1):
            channels[name] = _BYTES[kind]
    texts = {name: value.decode(errors="replace") for name, (kind, value) in header.items() if kind == b"string"}
    return Part(channels, _window(header, "dataWindow"), _window(header, "displayWindow"), texts)


def _channels(header: _Header) -> list[tuple[str, int, tuple[int, int]]]:
    """The name, type and sampling of each channel."""
    values = header["channels"][1]
    found, position = [], 0
    while values[position]:
        name, position = _text(values, position)
        kind, _, across, down = struct.unpack_from("<iiii", values, position)
        position += 16
        if kind not in _BYTES or across < 1 or down < 1:
            raise ValueError(f"channel {name!r}")
        found.append((name.decode(), kind, (across, down)))
    if len({name for name, _, _ in found}) != len(found):
        raise ValueError("two channels of one name")
    return found


def _window(header: _Header, name: str) -> Window:
    window = Window(*struct.unpack("<iiii", header[name][1]))
    if not all(0 < side <= MAX_SIDE for side in window.size):
        raise ValueError(f"{name} {window}")
    return window


def _check_amount(headers: list[_Header], parts: tuple[Part, ...], length: int, name: object) -> None:
    """Raise ``InputError`` if ``length`` bytes cannot unpack to all pixels of all parts, which are read at once."""
    unpacked = 0.0
    for header, part in zip(headers, parts, strict=True):
        codec = header["compression"][1][0]
        ratio = {_NONE: 1, _ZIPS: LARGEST_DEFLATE_RATIO, _ZIP: LARGEST_DEFLATE_RATIO}.get(codec, LARGEST_RATIO)
        height, width = part.data.size
        samples = sum(_BYTES[kind] / (across * down) for _, kind, (across, down) in _channels(header))
        unpacked += height * width * samples / ratio
    if unpacked > length:
        sizes = ", ".join("{1} x {0}".format(*part.data.size) for part in parts)
        raise InputError(f"{name} is damaged: its {length} bytes cannot unpack to the {sizes} pixels that it claims")


def _end_of_chunks(
    data: bytes, headers: list[_Header], parts: tuple[Part, ...], position: int, version: int
) -> int | None:
    """Where the last chunk of pixels ends; beyond the file if one is missing; ``None`` if that cannot be told."""
    end = 0
    for header, part in zip(headers, parts, strict=True):
        is_tiled = bool(version & _TILED) or header.get("type", (b"", b""))[1] == b"tiledimage"
        count = _chunk_count(header, part, is_tiled)
        if count is None:
            return None
        before_size = (16 if is_tiled else 4) + (4 if version & _MULTIPART else 0)
        if not 0 < count <= (len(data) - position) // 8:
            return len(data) + 1
        for offset in struct.unpack_from(f"<{count}Q", data, position):
            if not position + 8 * count <= offset <= len(data) - before_size - 4:
                return len(data) + 1
            (length,) = struct.unpack_from("<i", data, offset + before_size)
            end = max(end, offset + before_size + 4 + length)
        position += 8 * count
    return end


def _chunk_count(header: _Header, part: Part, is_tiled: bool) -> int | None:
    """How many chunks a part has; ``None`` if that depends on what flowcli does not know."""
    if "chunkCount" in header:
        (count,) = struct.unpack("<i", header["chunkCount"][1])
        return int(count)
    height, width = part.data.size
    if is_tiled:
        tile_width, tile_height, mode = struct.unpack("<IIB", header["tiles"][1])
        return -(-height // tile_height) * -(-width // tile_width) if mode & 0xF == 0 else None
    lines = _LINES.get(header["compression"][1][0])
    return None if lines is None else -(-height // lines)
