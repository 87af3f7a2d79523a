"""Reads video files through PyAV (FFmpeg); a frame is ``(H, W, 3)`` uint8 RGB."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error
import numpy as np
from av.video.frame import VideoFrame

from ..arrays import Frame
from ..errors import InputError
from ..limits import MAX_PIXELS
from ..storage import why
from .images import check_pixels
from .selection import EVERYTHING, Selection
from .source import DEFAULT_RATE, DamagedError, TimedFrame
from .truncation import is_cut_off

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

_SEEK_SECONDS = 10


class VideoFile:
    """A video file in any format that FFmpeg decodes. A :class:`flowcli.frames.source.FrameSource`.

    Args:
        path: the file.
        selection: the frames to use.
        max_pixels: larger frames are refused.

    Raises:
        InputError: it is missing, unreadable, not a video, has no video stream, or its frames are too large.
    """

    def __init__(self, path: Path, selection: Selection = EVERYTHING, max_pixels: int = MAX_PIXELS) -> None:
        self.path = path
        self.selection = selection
        with self._open() as (container, stream):
            check_pixels(stream.height, stream.width, path, max_pixels)
            self.rate = stream.average_rate or stream.guessed_rate or DEFAULT_RATE
            self.time_base = stream.time_base or 1 / self.rate
            self.count = len(selection.indices(stream.frames, self.rate)) if stream.frames else None
            self._duration = Fraction(container.duration or 0, av.time_base)

    def frames(self) -> Iterator[TimedFrame]:
        """The selected frames in display order, rotated according to the file's metadata.

        Raises:
            InputError: no frame can be decoded, or (``DamagedError``) the video is damaged from some frame on.
        """
        changed = self.path.stat().st_mtime_ns
        for index, time, frame in self.selection.pick(self._timed()):
            yield TimedFrame(_upright(frame), time, f"{index:06d}", None, changed)

    def _timed(self) -> Iterator[tuple[int, Fraction, VideoFrame]]:
        """All frames with their numbers and their seconds since the first frame."""
        start: Fraction | None = None
        time = Fraction(0)
        for index, frame in enumerate(self._decode()):
            stamp = frame.pts * frame.time_base if frame.pts is not None and frame.time_base else None
            start = stamp if start is None else start
            if index:
                # Times increase even if time stamps are missing or repeated.
                given = stamp - start if stamp is not None and start is not None else time
                time = given if given > time else time + 1 / self.rate
            yield index, time, frame

    def sample_pairs(self, count: int) -> Iterator[tuple[Frame, Frame]]:
        """Up to ``count`` pairs, evenly spread over the selection; only the first pair if the file is not seekable."""
        found = False
        with contextlib.suppress(av.error.FFmpegError, OSError), self._open() as (container, stream):
            frames = container.decode(stream)
            reached = Fraction(-1)
            times = self._sample_times(count)
            for wanted in times:
                if wanted - reached > _SEEK_SECONDS:  # for shorter distances decoding is faster
                    container.seek(int(wanted * av.time_base))
                    frames = container.decode(stream)
                first = next((frame for frame in frames if (frame.time or 0) >= wanted), None)
                second = next(itertools.islice(frames, self.selection.stride - 1, None), None)
                if first is None or second is None or (first.time or 0) >= times[-1] + 1 / self.rate:
                    break
                reached = Fraction(second.time or 0)
                found = True
                yield _upright(first), _upright(second)
        if not found:
            with contextlib.suppress(InputError):
                first_two = [frame.image for frame in itertools.islice(self.frames(), 2)]
                if len(first_two) == 2:
                    yield first_two[0], first_two[1]

    def _sample_times(self, count: int) -> list[Fraction]:
        """Times in seconds, evenly spread over the selection, at which a pair of selected frames can start."""
        begin, end = self.selection.seconds(self._duration, self.rate)
        room = max(Fraction(0), end - begin - (self.selection.stride + 1) / self.rate)
        return sorted({begin + part * room / count for part in range(count)})

    @contextlib.contextmanager
    def _open(self) -> Iterator[tuple[InputContainer, VideoStream]]:
        if self.path.exists() and not self.path.is_file():
            raise InputError(f"cannot read {self.path}: it is not a regular file; save the video to a file first")
        try:
            container = av.open(str(self.path))
        except OSError as error:
            raise InputError(f"cannot read {self.path}: {why(error)}; check the path") from error
        except av.error.FFmpegError as error:
            raise InputError(f"cannot read {self.path}: it is damaged, or not a video that FFmpeg can read") from error
        with container:
            if not container.streams.video:
                raise InputError(f"cannot read {self.path}: it has no video stream")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            yield container, stream

    def _decode(self) -> Iterator[VideoFrame]:
        decoded = 0
        refused: av.error.FFmpegError | None = None
        with self._open() as (container, stream):
            for packet in self._demux(container, stream):
                try:
                    frames = packet.decode()
                except av.error.FFmpegError as error:
                    if decoded:
                        raise self._damaged(decoded, cause_of(error)) from error
                    refused = error  # normal at first: a recording may start between key frames
                    continue
                for frame in frames:
                    if frame.is_corrupt and decoded:
                        raise self._damaged(decoded, "a frame cannot be decoded")
                    if not frame.is_corrupt:
                        yield frame
                        decoded += 1
        if not decoded and refused is not None:
            raise InputError(f"cannot read {self.path}: no frame can be decoded: {cause_of(refused)}")
        if is_cut_off(self.path):
            raise self._damaged(decoded, "the file is truncated")

    def _demux(self, container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
        packets = container.demux(stream)
        while True:
            try:
                yield next(packets)
            except StopIteration:
                return
            except (av.error.FFmpegError, OSError) as error:
                raise self._damaged(None, cause_of(error)) from error

    def _damaged(self, decoded: int | None, cause: str) -> DamagedError:
        after = "" if decoded is None else f" after {decoded} frames"
        return DamagedError(f"{self.path} is damaged{after}: {cause}")


def _upright(frame: VideoFrame) -> Frame:
    image = frame.to_ndarray(format="rgb24")
    return np.ascontiguousarray(np.rot90(image, round(frame.rotation / 90) % 4))


def cause_of(error: av.error.FFmpegError | OSError) -> str:
    """The cause of an FFmpeg error in lower case, such as ``invalid data found when processing input``."""
    return (error.strerror or type(error).__name__).lower()
