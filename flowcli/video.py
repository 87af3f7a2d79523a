"""Video files in and out through PyAV (FFmpeg); a frame is ``(H, W, 3)`` uint8 RGB."""

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
from av.video.reformatter import ColorRange, Colorspace

from .arrays import Frame
from .errors import InputError, OutputError
from .files import why
from .sources import DEFAULT_RATE, DamagedError, TimedFrame
from .truncation import is_cut_off

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

CONTAINERS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""What a video's suffix means to FFmpeg."""

_ENCODER_OPTIONS = {"crf": "17", "preset": "veryfast"}  # visually lossless; colours have to stay readable
_BT709 = 1  # primaries and transfer of HD video, as FFmpeg numbers them


class VideoFile:
    """A video file, whatever FFmpeg decodes. A :class:`flowcli.sources.FrameSource`.

    Args:
        path: the file.

    Raises:
        InputError: it is missing, unreadable, not a video, or has no pictures in it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._open() as (container, stream):
            self.rate = stream.average_rate or stream.guessed_rate or DEFAULT_RATE
            self.time_base = stream.time_base or 1 / self.rate
            self.count = stream.frames or None
            self._microseconds = container.duration or 0

    def frames(self) -> Iterator[TimedFrame]:
        """The frames in the order of their display, rotated as the file's metadata says."""
        changed = self.path.stat().st_mtime_ns
        start: Fraction | None = None
        time = Fraction(0)
        for index, frame in enumerate(self._decode()):
            stamp = frame.pts * frame.time_base if frame.pts is not None and frame.time_base else None
            start = stamp if start is None else start
            if index:
                # Files without time stamps, or with repeated ones, still play in order.
                given = stamp - start if stamp is not None and start is not None else time
                time = given if given > time else time + 1 / self.rate
            yield TimedFrame(_upright(frame), time, f"{index:06d}", changed)

    def sample_pairs(self, count: int) -> Iterator[tuple[Frame, Frame]]:
        """Pairs spread evenly over the file, or the first one where the file cannot be searched."""
        seen: set[int | None] = set()
        for part in range(count):
            wanted = part * self._microseconds // count
            with contextlib.suppress(av.error.FFmpegError, OSError), self._open() as (container, stream):
                container.seek(wanted)
                frames = container.decode(stream)
                first = next((frame for frame in frames if (frame.time or 0) * av.time_base >= wanted), None)
                second = next(frames, None)
                if first is not None and second is not None and first.pts not in seen:
                    seen.add(first.pts)
                    yield _upright(first), _upright(second)
        if not seen:
            with contextlib.suppress(InputError):
                first_two = [frame.image for frame in itertools.islice(self.frames(), 2)]
                if len(first_two) == 2:
                    yield first_two[0], first_two[1]

    @contextlib.contextmanager
    def _open(self) -> Iterator[tuple[InputContainer, VideoStream]]:
        if self.path.exists() and not self.path.is_file():
            raise InputError(f"cannot read {self.path}: not a regular file; save the video to one first")
        try:
            container = av.open(str(self.path))
        except OSError as error:
            raise InputError(f"cannot read {self.path}: {why(error)}; check the path") from error
        except av.error.FFmpegError as error:
            raise InputError(f"cannot read {self.path}: not a video that FFmpeg knows, or damaged") from error
        with container:
            if not container.streams.video:
                raise InputError(f"cannot read {self.path}: there are no pictures in it")
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
                        raise self._damaged(decoded, _cause(error)) from error
                    refused = error  # a recording may start between key frames
                    continue
                for frame in frames:
                    if frame.is_corrupt and decoded:
                        raise self._damaged(decoded, "a frame cannot be decoded")
                    if not frame.is_corrupt:
                        yield frame
                        decoded += 1
        if not decoded and refused is not None:
            raise InputError(f"cannot read {self.path}: no frame in it can be decoded: {_cause(refused)}")
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
                raise self._damaged(None, _cause(error)) from error

    def _damaged(self, decoded: int | None, cause: str) -> DamagedError:
        after = "" if decoded is None else f" after {decoded} frames"
        return DamagedError(f"{self.path} is damaged{after}: {cause}")


def _upright(frame: VideoFrame) -> Frame:
    image = frame.to_ndarray(format="rgb24")
    return np.ascontiguousarray(np.rot90(image, round(frame.rotation / 90) % 4))


def _cause(error: av.error.FFmpegError | OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


class VideoWriter:
    """Writes frames as H.264 in yuv420p, which plays in every browser.

    Args:
        path: where to write; the caller chooses a temporary name.
        name: the final name, whose suffix is one of ``CONTAINERS``.
        rate: frames per second, on average.
        time_base: the unit in which the frames' times can be told apart, in seconds.

    Raises:
        OutputError: the file cannot be written.
    """

    def __init__(self, path: Path, name: Path, rate: Fraction, time_base: Fraction) -> None:
        self._name = name
        self._rate = rate
        self._time_base = time_base
        container_format = CONTAINERS[name.suffix.lower()]
        # The index in front, so that a browser starts to play before the whole file is there.
        options = {} if container_format == "matroska" else {"movflags": "+faststart"}
        with self._output_errors():
            self._container = av.open(str(path), "w", format=container_format, options=options)
        self._stream: VideoStream | None = None
        self.padded = False
        """Whether an edge was repeated because the frames' height or width is odd, which yuv420p cannot hold."""

    def write(self, image: Frame, time: Fraction) -> None:
        """Append ``(H, W, 3)`` uint8 RGB, shown from ``time`` seconds on; all images have one size."""
        height, width = image.shape[:2]
        if height % 2 or width % 2:
            image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
            self.padded = True
        with self._output_errors():
            self._stream = self._stream or self._start(image)
            frame = VideoFrame.from_ndarray(image, format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)
            frame.pts = round(time / self._time_base)
            frame.time_base = self._time_base
            self._container.mux(self._stream.encode(frame))

    def _start(self, image: Frame) -> VideoStream:
        stream = self._container.add_stream("libx264", rate=self._rate, options=dict(_ENCODER_OPTIONS))
        stream.height, stream.width = image.shape[:2]
        stream.pix_fmt = "yuv420p"
        codec = stream.codec_context
        codec.time_base = self._time_base
        # Said in the file, or players guess from the size and small videos come out in other colours.
        codec.colorspace, codec.color_range = Colorspace.ITU709, ColorRange.MPEG
        codec.color_primaries = codec.color_trc = _BT709
        return stream

    def close(self) -> None:
        """Write what the encoder still holds and complete the file."""
        with self._output_errors():
            if self._stream is not None:
                self._container.mux(self._stream.encode(None))
            self._container.close()

    def abandon(self) -> None:
        """Let go of the file without completing it."""
        with contextlib.suppress(OSError):
            self._container.close()

    @contextlib.contextmanager
    def _output_errors(self) -> Iterator[None]:
        try:
            yield
        except (av.error.FFmpegError, OSError) as error:
            raise OutputError(f"cannot write {self._name}: {_cause(error)}") from error
