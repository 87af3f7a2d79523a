"""Opens a video by name: a file, a folder of frames, or a pattern."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from ..errors import InputError
from ..places import listed, place
from ..storage import why
from .files import image_files
from .local import LocalFile
from .reading import Reading
from .selection import EVERYTHING, Selection
from .sequence import ImageSequence
from .source import DEFAULT_RATE, FrameSource
from .stack import open_stack


def open_source(
    path: Path | str,
    rate: Fraction | None = None,
    selection: Selection = EVERYTHING,
    reading: Reading = Reading(),
    stream: int | None = None,
) -> FrameSource:
    """Open a video file, a file of several images, a folder of frames, or the frames that match a pattern.

    Args:
        path: such as ``in.mp4``, ``frames/``, ``frames/*.png``, ``frames/%04d.png`` or ``s3://bucket/frames``. A file
            at a URL is fetched first.
        rate: frames per second of a folder, pattern or TIFF stack, 25 by default; ignored for video files.
        selection: the frames to use.
        reading: how frames are read.
        stream: the video stream to use, counted from 0; ``None`` takes the one that the ffmpeg program takes.

    Returns:
        The video.

    Raises:
        InputError: the path does not exist, contains no frames, or is not a video.
    """
    path = listed(place(path))
    try:
        files = image_files(path)
    except OSError as error:
        raise InputError(f"cannot read {path}: {why(error)}") from error
    if files is not None:
        return ImageSequence(path, files, rate or DEFAULT_RATE, selection, reading)
    file = LocalFile(path)
    if (stack := open_stack(path, rate, selection, reading, file)) is not None:
        return stack
    from .video import VideoFile  # imports FFmpeg, which a folder of frames does not need

    return VideoFile(path, selection, reading, stream, file)
