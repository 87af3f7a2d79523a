"""Where a video's frames come from: a video file, a folder of frames, or a pattern."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from ..arrays import Frame
from ..errors import InputError
from ..limits import MAX_PIXELS
from ..storage import why
from .images import IMAGE_SUFFIXES, read_image
from .selection import EVERYTHING, Selection

DEFAULT_RATE = Fraction(25)
"""Frames per second of a folder of frames, unless said otherwise (as in FFmpeg)."""


class DamagedError(InputError):
    """A video that breaks off: what came before the damage is good."""


@dataclass(frozen=True)
class TimedFrame:
    """A frame and when it is shown."""

    image: Frame
    time: Fraction
    """Seconds since the first frame."""

    name: str
    """What a file about this frame is called: the frame file's stem, or the frame's number."""

    changed: int
    """When the file that it comes from was last changed, in nanoseconds."""


class FrameSource(Protocol):
    """A video, wherever it comes from."""

    path: Path
    selection: Selection

    @property
    def rate(self) -> Fraction:
        """Frames per second, on average, before any are left out."""

    @property
    def time_base(self) -> Fraction:
        """The unit of the frames' times in seconds."""

    @property
    def count(self) -> int | None:
        """The number of selected frames, if it is known beforehand; of a video perhaps not exactly."""

    def frames(self) -> Iterator[TimedFrame]:
        """The frames in order; raises ``DamagedError`` where one is damaged or missing."""

    def sample_pairs(self, count: int) -> Iterator[tuple[Frame, Frame]]:
        """Up to ``count`` pairs of consecutive frames spread over the whole; damaged ones are left out."""


def open_source(
    path: Path,
    rate: Fraction | None = None,
    selection: Selection = EVERYTHING,
    max_pixels: int = MAX_PIXELS,
) -> FrameSource:
    """Open a video file, a folder of frames, or frames given by a glob or printf pattern.

    Args:
        path: ``in.mp4``, ``frames/``, ``frames/*.png`` or ``frames/%04d.png``.
        rate: frames per second of a folder or pattern; videos have their own.
        selection: which of the frames.
        max_pixels: larger frames are refused.

    Raises:
        InputError: there is nothing there, or no frame in it, or it is not a video.
    """
    try:
        files = _image_files(path)
    except OSError as error:
        raise InputError(f"cannot read {path}: {why(error)}") from error
    if files is not None:
        return ImageSequence(path, files, rate or DEFAULT_RATE, selection, max_pixels)
    from .video import VideoFile

    return VideoFile(path, selection, max_pixels)


def _image_files(path: Path) -> list[Path] | None:
    """The frames that a folder or a pattern means; ``None`` if ``path`` is neither."""
    if path.is_dir():
        files = list(path.iterdir())
    elif path.exists():
        return None
    elif re.search(r"%\d*d", path.name):
        files = _printf_files(path)
    elif re.search(r"[*?\[]", str(path)):
        anchor = Path(path.anchor)  # of Windows' C:\x, C:x and \x as well
        files = list(anchor.glob(str(path.relative_to(anchor))))
    else:
        return None
    return [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES and not file.name.startswith(".")]


def natural_key(path: Path) -> tuple[list[tuple[int, str]], str]:
    """Sort key for natural order: ``frame_9`` comes before ``frame_10``."""
    parts = re.split(r"([0-9]+)", str(path))
    return [(int(part), "") if part.isdecimal() else (-1, part.casefold()) for part in parts], str(path)


def _printf_files(pattern: Path) -> list[Path]:
    """The files of a pattern such as ``%04d.png``, whatever number they start with."""
    before, width, after = re.split(r"%(\d*)d", pattern.name, maxsplit=1)
    digits = rf"\d{{{int(width)},}}" if width else r"\d+"
    name = re.compile(re.escape(before) + digits + re.escape(after))
    if not pattern.parent.is_dir():
        return []
    return [file for file in pattern.parent.iterdir() if name.fullmatch(file.name)]


class ImageSequence:
    """Image files as a video, in natural order. A :class:`FrameSource`.

    Args:
        path: what the user called them.
        files: the images, in any order.
        rate: frames per second.
        selection: which of them.
        max_pixels: larger images are refused.

    Raises:
        InputError: there are no files.
    """

    def __init__(
        self,
        path: Path,
        files: list[Path],
        rate: Fraction,
        selection: Selection = EVERYTHING,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        self.path = path
        self.files = sorted(files, key=natural_key)
        self.rate = rate
        self.selection = selection
        self._max_pixels = max_pixels
        if not self.files:
            raise InputError(f"no frames in {path}: expected images such as .png or .jpg")

    @property
    def time_base(self) -> Fraction:
        """One frame."""
        return 1 / self.rate

    @property
    def count(self) -> int:
        """The number of selected files."""
        return len(self._indices)

    @property
    def _indices(self) -> range:
        return self.selection.indices(len(self.files), self.rate)

    def frames(self) -> Iterator[TimedFrame]:
        """The selected files' images in order."""
        # Files of several folders (frames/*/*.png) may share their names.
        unique = len({file.stem for file in self.files}) == len(self.files)
        for index in self._indices:
            file = self.files[index]
            try:
                image = read_image(file, max_pixels=self._max_pixels)
                changed = file.stat().st_mtime_ns
            except InputError as error:
                raise DamagedError(str(error)) from error
            except OSError as error:
                raise DamagedError(f"cannot read {file}: {why(error)}") from error
            name = file.stem if unique else f"{index:06d}"
            yield TimedFrame(image, index / self.rate, name, changed)

    def sample_pairs(self, count: int) -> Iterator[tuple[Frame, Frame]]:
        """Pairs spread evenly over the selected files."""
        files = [self.files[index] for index in self._indices]
        last = len(files) - 1
        for index in sorted({part * last // count for part in range(count)} if last > 0 else ()):
            with contextlib.suppress(InputError):  # a damaged frame is reported where its turn comes
                first, second = (read_image(file, max_pixels=self._max_pixels) for file in files[index : index + 2])
                yield first, second
