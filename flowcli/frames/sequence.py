"""Reads image files as a video."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from ..arrays import Frame
from ..errors import InputError
from ..limits import MAX_PIXELS
from ..storage import why
from .files import natural_key, oddities
from .images import read_image
from .selection import EVERYTHING, Selection
from .source import DamagedError, TimedFrame


class ImageSequence:
    """Image files as a video, in natural order. A :class:`flowcli.frames.source.FrameSource`.

    Args:
        path: the folder or pattern that the user gave.
        files: the images, in any order.
        rate: frames per second.
        selection: the frames to use.
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
        self.stream: int | None = None
        self._max_pixels = max_pixels
        if not self.files:
            raise InputError(f"no frames in {path}; it must contain images such as .png or .jpg")

    @property
    def notes(self) -> list[str]:
        """What a user may not know of the selected files."""
        return oddities([self.files[index] for index in self._indices])

    @property
    def time_base(self) -> Fraction:
        """The duration of one frame in seconds."""
        return 1 / self.rate

    @property
    def count(self) -> int:
        """The number of selected files."""
        return len(self._indices)

    @property
    def _indices(self) -> range:
        return self.selection.indices(len(self.files), self.rate)

    def frames(self) -> Iterator[TimedFrame]:
        """The selected images in order; raises ``DamagedError`` if one cannot be read."""
        # Files from several folders (frames/*/*.png) may have the same name.
        unique = len({file.stem for file in self.files}) == len(self.files)
        for index in self._indices:
            file = self.files[index]
            try:
                image = read_image(file, max_pixels=self._max_pixels)
                changed = file.stat().st_mtime_ns
            except InputError as error:
                raise DamagedError(error.message) from error
            except OSError as error:
                raise DamagedError(f"cannot read {file}: {why(error)}") from error
            name = file.stem if unique else f"{index:06d}"
            yield TimedFrame(image, index / self.rate, name, file, changed)

    def sample_pairs(self, count: int) -> Iterator[tuple[Frame, Frame]]:
        """Up to ``count`` pairs of consecutive frames, evenly spread over the selection; damaged ones are skipped."""
        files = [self.files[index] for index in self._indices]
        last = len(files) - 1
        for index in sorted({part * last // count for part in range(count)} if last > 0 else ()):
            with contextlib.suppress(InputError):  # a damaged frame is reported later, by frames()
                first, second = (read_image(file, max_pixels=self._max_pixels) for file in files[index : index + 2])
                yield first, second
