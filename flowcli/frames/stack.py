"""Reads the images of one file as a video: TIFF stacks, and animated WebP, which FFmpeg does not decode."""

from __future__ import annotations

import contextlib
import os
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from ..errors import InputError
from ..storage import why
from .levels import Values
from .local import LocalFile
from .pillow import WebpAnimation, is_webp
from .reading import Reading
from .selection import EVERYTHING, Selection
from .sequence import Images
from .source import DEFAULT_RATE, DamagedError, TimedFrame
from .tiff import TiffStack, is_tiff


def open_stack(
    path: Path,
    rate: Fraction | None = None,
    selection: Selection = EVERYTHING,
    reading: Reading = Reading(),
    file: LocalFile | None = None,
) -> Images | None:
    """Open a file of several images as a video.

    Args:
        path: the file.
        rate: frames per second of a TIFF stack, 25 by default; other files say when each image is shown.
        selection: the frames to use.
        reading: how they are read.
        file: that file on this machine, if it is there already.

    Returns:
        The video, or ``None`` if the file is of another kind, or cannot be opened.

    Raises:
        InputError: it is damaged.
    """
    file = file or LocalFile(path)
    try:
        with file.path.open("rb") if file.path.is_file() else contextlib.nullcontext() as opened:
            head = b"" if opened is None else opened.read(16)
    except OSError:
        return None
    if is_tiff(head):
        return _Tiff(path, file, rate or DEFAULT_RATE, selection, reading)
    return _Webp(path, file, selection, reading) if is_webp(head) else None


class _Stack(Images):
    """The images of one file; what is missing at its end is damage."""

    _changed = 0
    _local: LocalFile

    def _described(self, index: int) -> tuple[Path | None, int]:  # noqa: ARG002  (all are of one file)
        return None, self._changed

    def _name(self, index: int) -> object:
        return f"image {index} of {self.path}"

    def frames(self) -> Iterator[TimedFrame]:
        """The selected images in order; raises ``DamagedError`` if one cannot be read or is missing at the end."""
        yield from super().frames()
        if self._is_cut() and (not self._indices or self._indices[-1] + self.selection.stride >= len(self._times)):
            raise DamagedError(f"{self.path} is damaged after {len(self._times)} frames: the file is truncated")

    @abstractmethod
    def _is_cut(self) -> bool:
        """Whether the file announces images that it does not have."""

    @contextlib.contextmanager
    def _file(self) -> Iterator[BinaryIO]:
        try:
            with self._local.path.open("rb") as file:
                self._changed = os.fstat(file.fileno()).st_mtime_ns
                yield file
        except OSError as error:
            raise InputError(f"cannot read {self.path}: {why(error)}; check the path") from error


class _Tiff(_Stack):
    """A TIFF stack."""

    def __init__(self, path: Path, local: LocalFile, rate: Fraction, selection: Selection, reading: Reading) -> None:
        self.path, self._local = path, local
        with self._file() as file:
            stack = TiffStack(file, path, max_pixels=reading.max_pixels)
            count, self._lacks_images = len(stack), stack.is_cut
        super().__init__(path, [index / rate for index in range(count)], rate, selection, reading)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Callable[[int], Values]]:
        with self._file() as file:
            stack = TiffStack(file, self.path, max_pixels=self.reading.max_pixels)
            yield lambda index: stack.read(index, as_stored=self.reading.levels is not None)

    def _is_cut(self) -> bool:
        return self._lacks_images


class _Webp(_Stack):
    """An animated WebP file."""

    def __init__(self, path: Path, local: LocalFile, selection: Selection, reading: Reading) -> None:
        self.path, self._local = path, local
        with self._file() as file:
            animation = WebpAnimation(file.read(), path, max_pixels=reading.max_pixels)
        self._lacks_images = animation.is_cut
        super().__init__(path, animation.times, _rate(animation.times), selection, reading)

    @property
    def time_base(self) -> Fraction:
        """The unit of the frames' times, in seconds."""
        return Fraction(1, 1000)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Callable[[int], Values]]:
        with self._file() as file:
            animation = WebpAnimation(file.read(), self.path, max_pixels=self.reading.max_pixels)
        yield animation.read

    def _is_cut(self) -> bool:
        return self._lacks_images


def _rate(times: Sequence[Fraction]) -> Fraction:
    """The average number of images per second."""
    return (len(times) - 1) / times[-1] if times[-1] else DEFAULT_RATE
