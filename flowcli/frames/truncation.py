"""Detects truncated video files.

FFmpeg treats the end of a truncated file as the regular end. But most containers store their own length: MP4 and MOV
in their boxes (ISO/IEC 14496-12), Matroska and WebM in their elements (RFC 8794), AVI in its RIFF chunks. A GIF ends
with a trailer, and an MPEG transport stream consists of whole packets.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

_GIF_TRAILER, _GIF_TAIL = b";", 1024
_TS_SYNC, _TS_PACKET = b"G", 188
_MATROSKA_MAGIC = b"\x1a\x45\xdf\xa3"


def is_cut_off(path: Path) -> bool:
    """Whether the file ends earlier than its container says; ``False`` for containers that do not say.

    Raises:
        OSError: the file cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(12)
        if start[4:8] in {b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip"}:
            return _walk_boxes(file, size)
        if start.startswith(_MATROSKA_MAGIC):
            return _walk_elements(file, size)
        if start.startswith(b"RIFF"):
            return _walk_riff(file, size)
        if start.startswith((b"GIF87a", b"GIF89a")):
            file.seek(max(0, size - _GIF_TAIL))
            return not file.read().rstrip(b"\0").endswith(_GIF_TRAILER)
        if start[:1] == _TS_SYNC:
            file.seek(_TS_PACKET)
            return file.read(1) == _TS_SYNC and size % _TS_PACKET != 0
    return False


def _walk_boxes(file: BinaryIO, size: int) -> bool:
    position = 0
    while position < size:
        file.seek(position)
        header = file.read(16)
        if len(header) < 8:
            return True
        length = struct.unpack_from(">I", header)[0]
        if length == 0:  # up to the end of the file
            return False
        if length == 1:  # a 64-bit length follows
            if len(header) < 16:
                return True
            length = struct.unpack_from(">Q", header, 8)[0]
        if length < 8:  # not a box: something else was appended
            return False
        position += length
    return position > size


def _walk_riff(file: BinaryIO, size: int) -> bool:
    position = 0
    while position + 8 <= size:
        file.seek(position)
        kind, length = struct.unpack("<4sI", file.read(8))
        if kind != b"RIFF":
            return False
        position += 8 + length + length % 2
    return position > size + 1  # some programs leave out the last byte of padding


def _walk_elements(file: BinaryIO, size: int) -> bool:
    """Walk over the header and the segment, which contains everything else."""
    position = 0
    while position < size:
        file.seek(position)
        header = file.read(12)
        identifier_bytes = _vint_bytes(header, 0)
        length_bytes = _vint_bytes(header, identifier_bytes)
        if not identifier_bytes or not length_bytes or identifier_bytes + length_bytes > len(header):
            return False
        bits = 7 * length_bytes
        raw = int.from_bytes(header[identifier_bytes : identifier_bytes + length_bytes], "big")
        length = raw & ((1 << bits) - 1)
        if length == (1 << bits) - 1:  # unknown length: a live recording
            return False
        position += identifier_bytes + length_bytes + length
    return position > size


def _vint_bytes(data: bytes, at: int) -> int:
    """The length in bytes of the variable-length integer at ``at``; 0 if there is none."""
    return 9 - data[at].bit_length() if at < len(data) and data[at] else 0
