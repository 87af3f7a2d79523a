"""Reads video files through PyAV (FFmpeg); a frame is ``(H, W, 3)`` uint8 RGB."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error

from ..arrays import Frame
from ..errors import InputError
from .bounds import check_pixels
from .container import cause_of, opened
from .entry import Entries, Entry, find_entries
from .levels import Values
from .local import LocalFile
from .orientation import Orientation
from .reading import Reading
from .selection import EVERYTHING, Selection
from .source import DEFAULT_RATE, DamagedError, TimedFrame
from .truncation import lacks_frames

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_SOME_FRAMES = 1000  # where nobody says how many there are
_SEEK_SECONDS = 10  # for shorter distances decoding is faster
_ALL_OR_NOTHING = frozenset({"h264", "hevc"})  # decoders of packets that say how long they are
_JOINABLE = frozenset({"mpegts", "mpeg"})  # recordings in these formats are joined by joining their bytes
_SMALL_BYTES = 1 << 24  # of a file that is decoded to look at some of its frames
_JUMP_SECONDS = 10  # a longer gap in a transport stream is where another recording was appended, as in FFmpeg


class VideoFile:
    """A video file in any format that FFmpeg decodes. A :class:`flowcli.frames.source.FrameSource`.

    Args:
        path: the file.
        selection: the frames to use.
        reading: how frames are read.
        stream: the video stream to use, counted from 0; ``None`` takes the one that the ffmpeg program takes.
        file: that file on this machine, if it is there already.

    Raises:
        InputError: it is missing, unreadable, not a video, has no such video stream, or its frames are too large.
    """

    def __init__(
        self,
        path: Path,
        selection: Selection = EVERYTHING,
        reading: Reading = Reading(),
        stream: int | None = None,
        file: LocalFile | None = None,
    ) -> None:
        self.path = path
        self._local = file or LocalFile(path)
        self.selection = selection
        self.reading = reading
        self.stream = stream
        self.notes: list[str] = []
        self.names: list[str] | None = None
        self.entry: Entry | None = None
        """The key frame, one of :meth:`entries`, that :meth:`frames` begins at; ``None`` for the beginning."""

        with opened(path, stream, self._local) as (_, container, found):
            check_pixels(found.height, found.width, path, reading.max_pixels)
            self.rate = found.average_rate or found.guessed_rate or DEFAULT_RATE
            self.time_base = found.time_base or 1 / self.rate
            self._pixel_aspect = found.sample_aspect_ratio or Fraction(1)
            self._duration = _duration(container)
            self.numbers = selection.indices(found.frames or _SOME_FRAMES, self.rate)
            self.count = len(self.numbers) if found.frames else None
            self._joins = container.format.name in _JOINABLE
            self._orientation = Orientation(is_of_first=container.format.name == "apng")

    def frames(self) -> Iterator[TimedFrame]:
        """The selected frames in display order, turned and mirrored according to the file's metadata.

        Raises:
            InputError: no frame can be decoded, or (``DamagedError``) the video is damaged from some frame on.
        """
        with opened(self.path, self.stream, self._local) as (file, container, stream):
            begun = os.fstat(file.fileno())
            decoder = _Decoder(self.path, container, stream)
            timed = self._timed(decoder.frames()) if self.entry is None else self._from(self.entry, container, decoder)
            for index, time, frame in self.selection.pick(timed):
                aspect = 1 / self._pixel_aspect if self._orientation.is_transposed(frame) else self._pixel_aspect
                yield TimedFrame(self._frame(frame), time, f"{index:06d}", index, None, begun.st_mtime_ns, aspect)
            was_cut = os.fstat(file.fileno()).st_size < begun.st_size  # while it was read
            if decoder.is_at_end and (was_cut or lacks_frames(file, stream, decoder.decoded, decoder.last)):
                raise decoder.damaged("the file is truncated, or part of it is overwritten")

    def _timed(self, frames: Iterator[VideoFrame]) -> Iterator[tuple[int, Fraction, VideoFrame]]:
        """All frames with their numbers and their seconds since the first frame, which increase.

        Time stamps may start anywhere, be missing, repeat, or start again where recordings were joined.
        """
        start, previous, time, step = Fraction(0), Fraction(0), Fraction(0), 1 / self.rate
        for index, frame in enumerate(frames):
            stamp = _stamp(frame)
            if index == 0:
                start = previous = stamp or Fraction(0)
            elif stamp is None:
                time += step
            else:
                if stamp < previous or (self._joins and stamp > previous + _JUMP_SECONDS):
                    start = stamp - time - step
                elif stamp > previous:
                    step = stamp - previous
                previous = stamp
                time = stamp - start if stamp - start > time else time + 1 / self.rate
            yield index, time, frame

    def entries(self) -> Entries | None:
        """The key frames that :meth:`frames` can begin at; ``None`` where it cannot be told which frame is which."""
        if self._joins or isinstance(self.selection.start, Fraction) or isinstance(self.selection.end, Fraction):
            return None
        with (
            contextlib.suppress(av.error.FFmpegError, OSError),
            opened(self.path, self.stream, self._local) as (_, video, stream),
        ):
            return find_entries(video, stream)
        return None

    def _from(
        self, entry: Entry, container: InputContainer, decoder: _Decoder
    ) -> Iterator[tuple[int, Fraction, VideoFrame]]:
        """All frames from a key frame on, with their numbers and their seconds since the first frame."""
        container.seek(entry.stamp, stream=decoder.stream)
        decoder.decoded = entry.number  # as if all before it had been decoded
        number = entry.number
        for frame in decoder.frames():
            if frame.pts is None or frame.pts < entry.stamp:  # refers to what is before the key frame
                decoder.decoded -= 1
                continue
            if number == entry.number and frame.pts != entry.stamp:
                raise decoder.damaged("frame numbers and time stamps do not agree")
            yield number, (frame.pts - entry.opening) * self.time_base, frame
            number += 1

    def sample_pairs(self, count: int, distance: int = 1) -> Iterator[tuple[Frame, Frame]]:
        """Up to ``count`` pairs, evenly spread over the selection; only the first pair if the file is not seekable.

        Args:
            count: how many at most.
            distance: how far apart the frames of a pair are, in selected frames.
        """
        found = False
        with contextlib.suppress(av.error.FFmpegError, OSError):
            for first, second in self._samples(count, distance):
                found = True
                yield self._frame(first), self._frame(second)
        if not found:
            with contextlib.suppress(InputError):
                first_ones = [frame.image for frame in itertools.islice(self.frames(), distance + 1)]
                if len(first_ones) > distance:
                    yield first_ones[0], first_ones[-1]

    def sample_values(self, count: int) -> Iterator[Values]:
        """The stored values of up to ``count`` frames, evenly spread over the selection; the first if that fails."""
        found = False
        with contextlib.suppress(av.error.FFmpegError, OSError):
            for frame in self._single_samples(count):
                found = True
                yield self._values(frame)
        if not found:
            with (
                contextlib.suppress(av.error.FFmpegError, OSError),
                opened(self.path, self.stream, self._local) as (_, video, found_in),
            ):
                yield from map(self._values, itertools.islice(_decodable(video, found_in), 1))

    def _single_samples(self, count: int) -> Iterator[VideoFrame]:
        """Frames spread over the selection, the first and the last among them, as far as time stamps tell."""
        if self._joins:
            yield from (first for first, _ in self._samples(count))
            return
        with opened(self.path, self.stream, self._local) as (_, container, stream):
            frames = container.decode(stream)
            opening = next(frames, None)
            if opening is None:
                return
            start, reached = _stamp(opening) or Fraction(0), Fraction(0)
            frames = itertools.chain([opening], frames)
            begin, end = self.selection.seconds(self._duration, self.rate)
            room = max(Fraction(0), end - begin - 1 / self.rate)
            for wanted in sorted({begin + part * room / (count - 1) for part in range(count)}):
                if wanted - reached > _SEEK_SECONDS:
                    container.seek(int((start + wanted) / self.time_base), stream=stream)
                    frames = container.decode(stream)
                earliest = start + wanted - 1 / (2 * self.rate)
                frame = next((frame for frame in frames if (_stamp(frame) or 0) >= earliest), None)
                if frame is None:
                    return
                reached = (_stamp(frame) or Fraction(0)) - start
                if reached >= end:
                    return
                yield frame

    def _values(self, frame: VideoFrame) -> Values:
        return self._orientation.upright(frame, as_stored=self.reading.levels is not None)

    def _frame(self, frame: VideoFrame) -> Frame:
        try:
            values = self._values(frame)
        except (av.error.FFmpegError, OSError) as error:  # colours that cannot be converted
            raise DamagedError(f"{self.path} is damaged: {cause_of(error)}") from error
        return self.reading.frame(values, self.path)

    def _samples(self, count: int, distance: int = 1) -> Iterator[tuple[VideoFrame, VideoFrame]]:
        with opened(self.path, self.stream, self._local) as (file, container, stream):
            if self._joins and self.selection == EVERYTHING and distance == 1:
                yield from _samples_by_place(container, stream, os.fstat(file.fileno()).st_size, count)
            else:
                yield from self._samples_by_time(container, stream, count, distance)

    def _samples_by_time(
        self, container: InputContainer, stream: VideoStream, count: int, distance: int
    ) -> Iterator[tuple[VideoFrame, VideoFrame]]:
        frames = container.decode(stream)
        opening = next(frames, None)
        if opening is None:
            return
        start = _stamp(opening) or Fraction(0)
        frames = itertools.chain([opening], frames)
        reached = Fraction(-1)
        times = self._sample_times(count, distance)
        for wanted in times:
            if wanted - reached > _SEEK_SECONDS:
                container.seek(int((start + wanted) / self.time_base), stream=stream)
                frames = container.decode(stream)
            first = next((frame for frame in frames if (_stamp(frame) or 0) - start >= wanted), None)
            second = next(itertools.islice(frames, self.selection.stride * distance - 1, None), None)
            if first is None or second is None or (_stamp(first) or 0) - start >= times[-1] + 1 / self.rate:
                return
            reached = (_stamp(second) or Fraction(0)) - start
            yield first, second

    def _sample_times(self, count: int, distance: int) -> list[Fraction]:
        """Seconds since the first frame, evenly spread over the selection, at which a pair of its frames can start."""
        begin, end = self.selection.seconds(self._duration, self.rate)
        room = max(Fraction(0), end - begin - (self.selection.stride * distance + 1) / self.rate)
        return sorted({begin + part * room / count for part in range(count)})


def _samples_by_place(
    container: InputContainer, stream: VideoStream, size: int, count: int
) -> Iterator[tuple[VideoFrame, VideoFrame]]:
    """Pairs spread over the bytes of a file whose time stamps may start again."""
    if size <= _SMALL_BYTES:
        yield from _samples_by_number(container, stream, count)
        return
    for part in range(count):
        container.seek(size * part // count, unsupported_byte_offset=True)
        pair = list(itertools.islice(_decodable(container, stream), 2))
        if len(pair) == 2:
            yield pair[0], pair[1]


def _samples_by_number(
    container: InputContainer, stream: VideoStream, count: int
) -> Iterator[tuple[VideoFrame, VideoFrame]]:
    """Pairs spread over the frames of a file that is small enough to be decoded as a whole."""
    last = sum(packet.size > 0 for packet in container.demux(stream)) - 1
    wanted = {part * last // count for part in range(count)}
    container.seek(0, unsupported_byte_offset=True)
    for index, pair in enumerate(itertools.pairwise(_decodable(container, stream))):
        if index in wanted:
            yield pair


def _decodable(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """The frames from here on that can be decoded: not those that refer to frames before."""
    for packet in container.demux(stream):
        with contextlib.suppress(av.error.FFmpegError):
            yield from (frame for frame in packet.decode() if not frame.is_corrupt)


class _Decoder:
    """Decodes a stream, and tells damage from its end."""

    def __init__(self, path: Path, container: InputContainer, stream: VideoStream) -> None:
        self._path = path
        self._container = container
        self.stream = stream
        # Part of a packet, at the end of a truncated file, would cost such decoders the frames that they still hold.
        self._loses_frames_with_a_part = "mp4" in container.format.name and stream.codec_context.name in _ALL_OR_NOTHING
        self.decoded = 0
        """How many good frames there were so far."""

        self.last = Fraction(0)
        """The time stamp of the last frame in seconds."""

        self.is_at_end = False

    def frames(self) -> Iterator[VideoFrame]:
        """All frames in display order; raises ``InputError`` if there is none, ``DamagedError`` where damage begins."""
        refused: av.error.FFmpegError | OSError | None = None
        for packet in self._packets():
            if packet.is_corrupt and self._loses_frames_with_a_part:
                yield from map(self._counted, self._remaining())
                raise self.damaged("the file is truncated")
            try:
                frames = packet.decode()
            except (av.error.FFmpegError, OSError) as error:
                refused = error
                if not self.decoded:
                    continue  # normal at first: a recording may start between key frames
                yield from map(self._counted, self._remaining())
                raise self.damaged(cause_of(error)) from error
            for frame in frames:
                if not frame.is_corrupt:
                    yield self._counted(frame)
                elif self.decoded:
                    raise self.damaged("a frame cannot be decoded")
        if not self.decoded and refused is not None:
            raise InputError(f"cannot read {self._path}: no frame can be decoded: {cause_of(refused)}")
        self.is_at_end = True

    def _counted(self, frame: VideoFrame) -> VideoFrame:
        self.decoded += 1
        self.last = _stamp(frame) or self.last
        return frame

    def _remaining(self) -> list[VideoFrame]:
        """The good frames that the decoder still holds when a packet is damaged."""
        try:
            return [frame for frame in self.stream.decode(None) if not frame.is_corrupt]
        except (av.error.FFmpegError, OSError):
            return []

    def _packets(self) -> Iterator[Packet[VideoStream]]:
        packets = self._container.demux(self.stream)
        while True:
            try:
                yield next(packets)
            except StopIteration:
                return
            except (av.error.FFmpegError, OSError) as error:
                raise self.damaged(cause_of(error)) from error

    def damaged(self, cause: str) -> DamagedError:
        """The error that says how far the video is good."""
        return DamagedError(f"{self._path} is damaged after {self.decoded} frames: {cause}")


def _duration(container: InputContainer) -> Fraction:
    """How long the container's streams are together, in seconds."""
    duration = Fraction(container.duration or 0, av.time_base)
    if "matroska" in container.format.name:  # which counts from zero, not from the first frame
        duration -= Fraction(container.start_time or 0, av.time_base)
    return max(duration, Fraction(0))


def _stamp(frame: VideoFrame) -> Fraction | None:
    """When the container shows a frame, in seconds."""
    return frame.pts * frame.time_base if frame.pts is not None and frame.time_base else None
