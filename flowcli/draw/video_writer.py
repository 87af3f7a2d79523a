"""Writes videos through PyAV (FFmpeg); a frame is ``(H, W, 3)`` uint8 RGB."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
import av.error
import numpy as np
from av.filter import Graph
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace

from ..arrays import Frame
from ..errors import OutputError
from ..frames.container import cause_of, opened
from ..geometry import resize_frame
from ..storage import atomic_output

if TYPE_CHECKING:
    from av.video.stream import VideoStream

_BT709 = 1  # FFmpeg's number for the primaries and the transfer function of HD video
_GIF_TICK = Fraction(1, 100)
_GIF_SHORTEST = 2  # ticks; browsers show anything shorter for a tenth of a second


@dataclass(frozen=True)
class _Kind:
    """How videos with a certain suffix are written."""

    container: str
    encoder: str
    encoder_options: dict[str, str]
    container_options: dict[str, str] = field(default_factory=dict)
    has_square_pixels: bool = False


# Visually lossless, since the colours must stay readable. x264's macroblock tree is off: its AVX-512 code reads
# undefined memory if the width is not a multiple of 16, and the same flow must always give the same file.
_X264 = {"crf": "19", "preset": "superfast", "x264-params": "mbtree=0"}
_VP9 = {"crf": "20", "b": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1"}
# The index comes first, so that browsers can start to play before they have the whole file.
_INDEX_FIRST = {"movflags": "+faststart"}
# No random identifiers: the same flow must always give the same file.
_REPEATABLE = {"fflags": "+bitexact"}

_KINDS = {
    ".mp4": _Kind("mp4", "libx264", _X264, _INDEX_FIRST),
    ".mov": _Kind("mov", "libx264", _X264, _INDEX_FIRST),
    ".mkv": _Kind("matroska", "libx264", _X264, _REPEATABLE),
    ".webm": _Kind("webm", "libvpx-vp9", _VP9, _REPEATABLE, has_square_pixels=True),
    ".gif": _Kind("gif", "gif", {}, has_square_pixels=True),
}

VIDEO_SUFFIXES = tuple(_KINDS)
"""The suffixes of videos that can be written."""


class VideoWriter:
    """Writes frames as H.264 or VP9 in yuv420p, which play in every browser, or as a GIF.

    Args:
        path: the file to write, under a temporary name that the caller chooses.
        name: the final name; its suffix is one of ``VIDEO_SUFFIXES``.
        rate: average number of frames per second.
        time_base: resolution of the frames' times, in seconds.

    Raises:
        OutputError: the file cannot be written.
    """

    def __init__(self, path: Path, name: Path, rate: Fraction, time_base: Fraction) -> None:
        self._path = path
        self._name = name
        self._rate = rate
        self._kind = _KINDS[name.suffix.lower()]
        self._is_gif = self._kind.container == "gif"
        self._time_base = _GIF_TICK if self._is_gif else time_base
        with self._output_errors():
            self._container = av.open(
                str(path), "w", format=self._kind.container, options=dict(self._kind.container_options)
            )
        self._stream: VideoStream | None = None
        self._palettes: Graph | None = None
        self._last = -_GIF_SHORTEST
        self.pixel_aspect = Fraction(1)
        """The width of a pixel over its height, to be set before the first frame. Where the format (or, for WebM, PyAV)
        has square pixels only, the pictures are resized to the shape they are shown in."""

        self.padded = False
        """Whether a row or column was repeated because the height or width is odd, which yuv420p does not allow."""

    def write(self, image: Frame, time: Fraction) -> None:
        """Append an image.

        A GIF leaves out images that follow the previous one in less than 20 ms, the shortest time browsers support.

        Args:
            image: ``(H, W, 3)`` uint8 RGB; all images must have the same size.
            time: the time from which it is shown, in seconds.

        Raises:
            OutputError: the file cannot be written.
        """
        height, width = image.shape[:2]
        if self.pixel_aspect != 1 and self._kind.has_square_pixels:
            width = max(1, round(width * self.pixel_aspect))
            image = resize_frame(image, height, width)
        if not self._is_gif and (height % 2 or width % 2):
            image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
            self.padded = True
        stamp = round(time / self._time_base)
        if self._is_gif:
            if stamp < self._last + _GIF_SHORTEST:
                return
            self._last = stamp
        with self._output_errors():
            self._stream = self._stream or self._start(image)
            frame = VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = stamp
            frame.time_base = self._time_base
            self._container.mux(self._stream.encode(self._indexed(frame) if self._is_gif else _subsampled(frame)))

    def _start(self, image: Frame) -> VideoStream:
        options = dict(self._kind.encoder_options)
        stream = cast("VideoStream", self._container.add_stream(self._kind.encoder, rate=self._rate, options=options))
        stream.height, stream.width = image.shape[:2]
        stream.codec_context.time_base = self._time_base
        if self._is_gif:
            stream.pix_fmt = "pal8"
            return stream
        stream.pix_fmt = "yuv420p"
        codec = stream.codec_context
        if self.pixel_aspect != 1 and not self._kind.has_square_pixels:
            codec.sample_aspect_ratio = self.pixel_aspect
        # Without this in the file, players guess from the size, and small videos show wrong colours.
        codec.colorspace, codec.color_range = Colorspace.ITU709, ColorRange.MPEG
        codec.color_primaries = codec.color_trc = _BT709
        return stream

    def _indexed(self, frame: VideoFrame) -> VideoFrame:
        """The frame, reduced to its own palette of 256 colours."""
        self._palettes = self._palettes or _palette_graph(frame.width, frame.height)
        self._palettes.push(frame)
        indexed = self._palettes.pull()
        assert isinstance(indexed, VideoFrame)
        return indexed

    def close(self) -> None:
        """Flush the encoder and complete the file; raises ``OutputError``."""
        with self._output_errors():
            if self._stream is not None:
                self._container.mux(self._stream.encode(None))
            self._container.close()

    def abandon(self) -> None:
        """Remove the unfinished file and release the encoder."""
        # Remove it first: closing would complete an .mp4, and rewrite all of it to put the index first.
        with contextlib.suppress(OSError):  # Windows does not remove what is open
            self._path.unlink(missing_ok=True)
        with contextlib.suppress(av.error.FFmpegError, OSError):
            self._container.close()

    @contextlib.contextmanager
    def _output_errors(self) -> Iterator[None]:
        try:
            yield
        except (av.error.FFmpegError, OSError) as error:
            raise OutputError(f"cannot write {self._name}: {cause_of(error)}") from error


@contextlib.contextmanager
def written_video(
    path: Path, rate: Fraction, time_base: Fraction, made_from: str | None = None
) -> Iterator[VideoWriter]:
    """Write a video while the block runs; it gets its name if the block ends well, and is removed otherwise.

    Args:
        path: the video; its suffix is one of ``VIDEO_SUFFIXES``.
        rate: average number of frames per second.
        time_base: resolution of the frames' times, in seconds.
        made_from: what it is made from, for :func:`flowcli.storage.is_made_from`.

    Raises:
        OutputError: the file cannot be written.
    """
    with atomic_output(path, made_from) as temporary, contextlib.ExitStack() as unfinished:
        writer = VideoWriter(temporary, path, rate, time_base)
        unfinished.callback(writer.abandon)
        yield writer
        unfinished.pop_all()  # success: nothing to abandon
        writer.close()


def written_size(path: Path) -> tuple[int, int]:
    """The height and width of a written video; raises ``InputError`` if it cannot be read."""
    with opened(path) as (_, _, stream):
        return stream.height, stream.width


def _subsampled(frame: VideoFrame) -> VideoFrame:
    return frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)


def _palette_graph(width: int, height: int) -> Graph:
    """FFmpeg filters that choose a palette for each frame and convert the frame to it."""
    graph = Graph()
    source = graph.add_buffer(width=width, height=height, format=VideoFormat("rgb24"), time_base=_GIF_TICK)
    split = graph.add("split")
    choose = graph.add("palettegen", "stats_mode=single:reserve_transparent=0")
    use = graph.add("paletteuse", "new=1:dither=sierra2_4a")
    sink = graph.add("buffersink")
    for start, output, end, entry in (
        (source, 0, split, 0),
        (split, 0, choose, 0),
        (split, 1, use, 0),
        (choose, 0, use, 1),
        (use, 0, sink, 0),
    ):
        start.link_to(end, output, entry)
    graph.configure()
    return graph
