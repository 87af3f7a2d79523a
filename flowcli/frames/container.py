"""Opens a video file with FFmpeg, and only that file."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import av
import av.error
from av.stream import Disposition

from ..errors import InputError
from ..storage import why
from .local import LocalFile

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_TEXT = "tty"  # what FFmpeg would show as a terminal does
_BUFFER_BYTES = 1 << 18
_XML_PREAMBLE = rb"(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*"
_PLAYLIST = re.compile(
    rb"\s*(?:ffconcat version|#EXTM3U|\[playlist\]|v=0\r?\n|"
    + _XML_PREAMBLE
    + rb"<(?:MPD|smil|SmoothStreamingMedia)\b)",
    re.DOTALL,
)
"""How the files begin that name others: concat scripts, HLS, PLS, SDP, DASH and their kin."""


@contextlib.contextmanager
def opened(
    path: Path, number: int | None = None, local: LocalFile | None = None
) -> Iterator[tuple[BinaryIO, InputContainer, VideoStream]]:
    """Open a video file.

    FFmpeg gets the open file rather than its name, so no part of a name is taken for a protocol, and may open nothing
    else, so a file cannot make it read others or use the network.

    Args:
        path: the file.
        number: the video stream to use, counted from 0; ``None`` takes the one that the ffmpeg program takes.
        local: that file on this machine, if it is there already.

    Yields:
        The file, its container and the video stream.

    Raises:
        InputError: it is missing, unreadable, not a video, a playlist, or has no such stream.
    """
    with _open_file(path, local or LocalFile(path)) as file:
        beginning = file.read(4096)
        if not beginning:
            raise InputError(f"cannot read {path}: it is empty, not a video")
        if _PLAYLIST.match(beginning.removeprefix(b"\xef\xbb\xbf")):
            raise InputError(
                f"cannot read {path}: it is a playlist, which only names other files; give the video itself"
            )
        file.seek(0)
        try:
            container = av.open(file, "r", options={"protocol_whitelist": "none"}, buffer_size=_BUFFER_BYTES)
        except (av.error.FFmpegError, UnicodeError) as error:  # the latter of damaged metadata
            raise InputError(f"cannot read {path}: it is damaged, or not a video that FFmpeg can read") from error
        except OSError as error:
            raise InputError(f"cannot read {path}: {why(error)}; check the path") from error
        with container:
            if container.format.name == _TEXT:
                raise InputError(f"cannot read {path}: it is text, not a video")
            stream = _choose_stream(container, path, number)
            stream.thread_type = "AUTO"
            yield file, container, stream


def _open_file(path: Path, local: LocalFile) -> BinaryIO:
    try:
        if local.path.exists() and not local.path.is_file():
            raise InputError(f"cannot read {path}: it is not a regular file; save the video to a file first")
        return local.path.open("rb")
    except OSError as error:
        raise InputError(f"cannot read {path}: {why(error)}; check the path") from error


def _choose_stream(container: InputContainer, path: Path, number: int | None) -> VideoStream:
    """The stream of that number, or the one with the most pixels, then the default one; attached pictures last."""
    streams = container.streams.video
    if not streams:
        raise InputError(f"cannot read {path}: it has no video stream")
    if number is None:
        return max(streams, key=_preference)
    if number >= len(streams):
        raise InputError(f"cannot read {path}: it has {len(streams)} video streams; `stream` counts them from 0")
    return streams[number]


def _preference(stream: VideoStream) -> tuple[bool, int, bool, int]:
    is_cover = bool(stream.disposition & Disposition.attached_pic)
    is_default = bool(stream.disposition & Disposition.default)
    # The still picture of an animated AVIF is a stream of its own, of one frame.
    return not is_cover, stream.height * stream.width, is_default, stream.frames


def cause_of(error: av.error.FFmpegError | OSError) -> str:
    """The cause of an FFmpeg error in lower case, such as ``invalid data found when processing input``."""
    return (error.strerror or type(error).__name__).lower()
