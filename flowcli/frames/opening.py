"""Opens a video by name: a file, a folder of frames, or a pattern."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from ..errors import InputError
from ..limits import MAX_PIXELS
from ..storage import why
from .files import image_files
from .selection import EVERYTHING, Selection
from .sequence import ImageSequence
from .source import DEFAULT_RATE, FrameSource


def open_source(
    path: Path,
    rate: Fraction | None = None,
    selection: Selection = EVERYTHING,
    max_pixels: int = MAX_PIXELS,
    stream: int | None = None,
) -> FrameSource:
    """Open a video file, a folder of frames, or the frames that match a glob or printf pattern.

    Args:
        path: such as ``in.mp4``, ``frames/``, ``frames/*.png`` or ``frames/%04d.png``.
        rate: frames per second of a folder or pattern, 25 by default; ignored for video files.
        selection: the frames to use.
        max_pixels: larger frames are refused.
        stream: the video stream to use, counted from 0; ``None`` takes the one that the ffmpeg program takes.

    Returns:
        The video.

    Raises:
        InputError: the path does not exist, contains no frames, or is not a video.
    """
    try:
        files = image_files(path)
    except OSError as error:
        raise InputError(f"cannot read {path}: {why(error)}") from error
    if files is not None:
        return ImageSequence(path, files, rate or DEFAULT_RATE, selection, max_pixels)
    from .video import VideoFile  # imports FFmpeg, which a folder of frames does not need

    return VideoFile(path, selection, max_pixels, stream)
