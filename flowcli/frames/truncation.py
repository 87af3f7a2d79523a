"""Tells a video file that lacks frames from one that is whole.

FFmpeg takes the end of a truncated file for its regular end, and leaves out of Matroska what it cannot make sense of.
Some containers announce their frames: MP4 and MOV in tables, which FFmpeg reads into an index (ISO/IEC 14496-12);
Matroska and WebM by the lengths of their clusters and the duration (RFC 9559); AVI by the length of its list of frames;
PNG by their number; a GIF image ends with an empty block. What follows the last frame (an index, a trailer, what a
phone appends) does not matter. Where nothing is announced, as in MPEG transport streams and raw streams, nothing can be
told.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO

from .png import SIGNATURE

if TYPE_CHECKING:
    from av.video.stream import VideoStream

_EBML_MAGIC = b"\x1a\x45\xdf\xa3"
_SEGMENT, _INFO, _TRACKS, _CLUSTER = 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675
_TIME_SCALE, _DURATION = 0x2AD7B1, 0x4489
_TRACK, _TRACK_NUMBER, _TRACK_TYPE, _VIDEO = 0xAE, 0xD7, 0x83, 1
_SIMPLE_BLOCK, _BLOCK_GROUP, _BLOCK = 0xA3, 0xA0, 0xA1
_CHUNK_BYTES = 1 << 20
_TOLERANCE = Fraction(1, 2)  # seconds by which sound may outlast the picture

_GIF_MAGIC = (b"GIF87a", b"GIF89a")
_GIF_HEADER_BYTES = 13
_GIF_IMAGE, _GIF_EXTENSION = 0x2C, 0x21


def lacks_frames(file: BinaryIO, stream: VideoStream, decoded: int, end: Fraction) -> bool:
    """Whether the container announces frames that the file does not have.

    Args:
        file: the video, open for reading; its position is moved.
        stream: of that file, decoded to its end.
        decoded: how many frames were decoded.
        end: the time stamp of the last frame in seconds, as the container counts.

    Returns:
        ``False`` also for containers that announce nothing.
    """
    size = os.fstat(file.fileno()).st_size
    if "mp4" in stream.container.format.name:
        entries = stream.index_entries
        return decoded < len(entries) and any(entry.pos >= size for entry in entries)
    file.seek(0)
    start = file.read(12)
    if start.startswith(_EBML_MAGIC):
        return _matroska_lacks_frames(file, size, end)
    if start.startswith(b"RIFF") and start.endswith(b"AVI "):
        return _list_of_frames_is_cut(file, size)
    if start.startswith(_GIF_MAGIC):
        return _gif_image_is_cut(file)
    if start.startswith(SIGNATURE):
        return _animated_png_is_cut(file, size, decoded)
    return False


def _matroska_lacks_frames(file: BinaryIO, size: int, end: Fraction) -> bool:
    """By the lengths of the clusters, or, where these are whole but the segment is not, by the duration."""
    segments = (each for each in _elements(file, 0, size) if each[0] == _SEGMENT)
    _, first, last = next(segments, (_SEGMENT, 0, None))
    if last is None:  # a live recording does not say how long it is
        return False
    duration: Fraction | None = None
    video_tracks: set[int] = set()
    reached: int | None = first
    seen = first
    for element, start, reached in _elements(file, first, last):
        seen = start if element == _CLUSTER else seen
        if reached is None:
            break
        if element == _INFO:
            duration = _duration(file, start, reached)
        elif element == _TRACKS:
            video_tracks = _video_tracks(file, start, reached)
        elif element == _CLUSTER and reached > size:
            return _cluster_lacks_frames(file, start, reached, size, video_tracks)
        elif element == _CLUSTER and not _is_filled(file, start, reached):
            return True
    if last <= size and reached in {last, None}:  # its duration may be that of its sound
        return False
    return _has_cluster(file, seen, min(last, size)) or (duration is not None and duration > end + _TOLERANCE)


def _has_cluster(file: BinaryIO, start: int, end: int) -> bool:
    """Whether a cluster begins between two places, after elements that are overwritten."""
    file.seek(start)
    before = b""
    while chunk := file.read(min(_CHUNK_BYTES, end - file.tell())):
        if _CLUSTER.to_bytes(4) in before + chunk:
            return True
        before = chunk[-3:]
    return False


def _is_filled(file: BinaryIO, start: int, end: int) -> bool:
    """Whether elements follow each other up to the end; where they do not, some of them are overwritten."""
    ends = [start, *(stop for _, _, stop in _elements(file, start, end))]
    return ends[-1] == end


def _cluster_lacks_frames(file: BinaryIO, start: int, end: int, size: int, video_tracks: set[int]) -> bool:
    """Whether a cluster that goes beyond the end of the file announces more than the rest of one block of sound."""
    for element, first, last in _elements(file, start, end):
        if last is not None and last > size:
            track = _block_track(file, element, first, last)
            return last < end or track is None or track in video_tracks
    return True


def _block_track(file: BinaryIO, element: int, start: int, end: int) -> int | None:
    """The number of the track that a block belongs to."""
    if element == _BLOCK_GROUP:
        return next((_block_track(file, inner, first, end) for inner, first, _ in _elements(file, start, end)), None)
    if element not in {_SIMPLE_BLOCK, _BLOCK}:
        return None
    file.seek(start)
    data = file.read(8)
    length = _vint_bytes(data, 0)
    return int.from_bytes(data[:length], "big") & ((1 << 7 * length) - 1) if 0 < length <= len(data) else None


def _video_tracks(file: BinaryIO, start: int, end: int) -> set[int]:
    found = set()
    for element, first, last in _elements(file, start, end):
        if element == _TRACK and last is not None:
            fields = {inner: _unsigned(file, a, b) for inner, a, b in _elements(file, first, last) if b is not None}
            if fields.get(_TRACK_TYPE) == _VIDEO:
                found.add(fields.get(_TRACK_NUMBER, 0))
    return found


def _duration(file: BinaryIO, start: int, end: int) -> Fraction | None:
    """The duration that the segment announces, in seconds."""
    scale, ticks = 1_000_000, None  # nanoseconds per tick, unless it says otherwise
    for element, first, last in _elements(file, start, end):
        if element == _TIME_SCALE and last is not None:
            scale = _unsigned(file, first, last)
        elif element == _DURATION and last is not None and last - first in {4, 8}:
            file.seek(first)
            data = file.read(last - first)
            ticks = struct.unpack(">f" if len(data) == 4 else ">d", data)[0]
    if ticks is None or not 0 <= ticks < 1e15:
        return None
    return Fraction(ticks) * scale / 1_000_000_000


def _unsigned(file: BinaryIO, start: int, end: int) -> int:
    file.seek(start)
    return int.from_bytes(file.read(min(8, end - start)), "big")


def _elements(file: BinaryIO, start: int, end: int) -> Iterator[tuple[int, int, int | None]]:
    """The elements from ``start`` on: identifiers, where the content starts and ends (``None``: nobody says)."""
    while start < end:
        file.seek(start)
        header = file.read(12)
        identifier_bytes = _vint_bytes(header, 0)
        length_bytes = _vint_bytes(header, identifier_bytes)
        first = start + identifier_bytes + length_bytes
        if not identifier_bytes or not length_bytes or first - start > len(header):
            return
        identifier = int.from_bytes(header[:identifier_bytes], "big")
        unknown = (1 << 7 * length_bytes) - 1
        length = int.from_bytes(header[identifier_bytes : first - start], "big") & unknown
        if length == unknown:
            yield identifier, first, None
            return
        yield identifier, first, first + length
        start = first + length


def _vint_bytes(data: bytes, at: int) -> int:
    """The length in bytes of the variable-length integer at ``at``; 0 if there is none."""
    return 9 - data[at].bit_length() if at < len(data) and data[at] else 0


def _list_of_frames_is_cut(file: BinaryIO, size: int) -> bool:
    """Whether the list ``movi`` of an AVI file, also of one in several parts, goes beyond the end of the file."""
    position = 0
    while position + 12 <= size:
        file.seek(position)
        kind, length, form = struct.unpack("<4sI4s", file.read(12))
        if kind == b"RIFF":
            position += 12
            continue
        if (kind, form) == (b"LIST", b"movi") and position + 8 + length > size:
            return True
        position += 8 + length + length % 2
    return False


def _animated_png_is_cut(file: BinaryIO, size: int, decoded: int) -> bool:
    """Whether a chunk of pixels goes beyond the end of the file, or fewer frames than announced were decoded.

    By the chunks of the PNG specification (third edition); ``acTL`` announces the frames.
    """
    position, announced = len(SIGNATURE), 0
    while position + 8 <= size:
        file.seek(position)
        length, kind = struct.unpack(">I4s", file.read(8))
        if kind == b"acTL":
            announced = int.from_bytes(file.read(4), "big")
        elif kind == b"IEND":
            return False
        elif kind in {b"IDAT", b"fdAT"} and position + 12 + length > size:
            return True
        position += 12 + length
    return decoded < announced


def _gif_image_is_cut(file: BinaryIO) -> bool:
    """Whether a GIF ends within an image; what follows the last one, a trailer or not, does not matter."""
    file.seek(0)
    header = file.read(_GIF_HEADER_BYTES)
    if len(header) < _GIF_HEADER_BYTES:
        return True
    file.seek(_color_table_bytes(header[10]), os.SEEK_CUR)
    while introducer := file.read(1):
        if introducer[0] == _GIF_EXTENSION:
            file.read(1)
        elif introducer[0] == _GIF_IMAGE:
            descriptor = file.read(9)
            if len(descriptor) < 9:
                return True
            file.seek(_color_table_bytes(descriptor[8]) + 1, os.SEEK_CUR)  # and the size of its codes
        else:
            return False
        if not _skip_blocks(file):
            return introducer[0] == _GIF_IMAGE
    return False


def _color_table_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _skip_blocks(file: BinaryIO) -> bool:
    """Skip blocks up to the empty one that ends them; ``False`` if it does not come."""
    while length := file.read(1):
        if not length[0]:
            return True
        if len(file.read(length[0])) < length[0]:
            return False
    return False
