"""Images in order as a video: files, or the images of one file."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from ..arrays import Frame
from ..errors import InputError
from ..storage import why
from .files import natural_key, oddities
from .levels import Values
from .reading import Reading, spread
from .selection import EVERYTHING, Selection
from .source import DamagedError, TimedFrame


class Images(ABC):
    """Images that can be read by number, as a video. A :class:`flowcli.frames.source.FrameSource`.

    Args:
        path: the file, folder or pattern that the user gave.
        times: when each image is shown, in seconds since the first.
        rate: the average number of frames per second.
        selection: the frames to use.
        reading: how they are read.
    """

    def __init__(
        self,
        path: Path,
        times: Sequence[Fraction],
        rate: Fraction,
        selection: Selection = EVERYTHING,
        reading: Reading = Reading(),
    ) -> None:
        self.path = path
        self.rate = rate
        self.selection = selection
        self.reading = reading
        self.stream: int | None = None
        self._times = times
        picked = selection.pick((index, time, None) for index, time in enumerate(times))
        self._indices = [index for index, _, _ in picked]

    @abstractmethod
    def _opened(self) -> contextlib.AbstractContextManager[Callable[[int], Values]]:
        """Open the images; the context's value reads one by its number, and raises ``InputError`` or ``OSError``."""

    @abstractmethod
    def _described(self, index: int) -> tuple[Path | None, int]:
        """An image's file, and when that was changed; raises ``OSError``."""

    def _stem(self, index: int) -> str:
        """An image's :attr:`TimedFrame.name`."""
        return f"{index:06d}"

    @abstractmethod
    def _name(self, index: int) -> object:
        """What errors call an image."""

    @property
    def numbers(self) -> Sequence[int]:
        """The numbers of the selected images."""
        return self._indices

    @property
    def names(self) -> list[str]:
        """The :attr:`TimedFrame.name` of the selected images."""
        return [self._stem(index) for index in self._indices]

    @property
    def notes(self) -> list[str]:
        """What a user may not know of the input, as lines."""
        return []

    @property
    def time_base(self) -> Fraction:
        """The unit of the frames' times, in seconds."""
        return 1 / self.rate

    @property
    def count(self) -> int:
        """The number of selected images."""
        return len(self._indices)

    def frames(self) -> Iterator[TimedFrame]:
        """The selected images in order; raises ``DamagedError`` if one cannot be read."""
        with self._opened() as read:
            for index in self._indices:
                try:
                    image = self.reading.frame(read(index), self._name(index))
                    file, changed = self._described(index)
                except InputError as error:
                    raise DamagedError(error.message) from error
                except OSError as error:
                    raise DamagedError(f"cannot read {self._name(index)}: {why(error)}") from error
                yield TimedFrame(image, self._times[index], self._stem(index), index, file, changed)

    def sample_pairs(self, count: int, distance: int = 1) -> Iterator[tuple[Frame, Frame]]:
        """Up to ``count`` pairs of frames, evenly spread over the selection; damaged ones are skipped.

        Args:
            count: how many at most.
            distance: how far apart the frames of a pair are, in selected frames.
        """
        last = len(self._indices) - distance
        with self._opened() as read:
            for number in sorted({part * last // count for part in range(count)} if last > 0 else ()):
                with contextlib.suppress(InputError, OSError):  # a damaged frame is reported later, by frames()
                    first, second = (
                        self.reading.frame(read(index), self._name(index))
                        for index in (self._indices[number], self._indices[number + distance])
                    )
                    yield first, second

    def sample_values(self, count: int) -> Iterator[Values]:
        """The stored values of up to ``count`` frames, evenly spread over the selection; damaged ones are skipped."""
        with self._opened() as read:
            for number in spread(len(self._indices), count):
                with contextlib.suppress(InputError, OSError):
                    yield read(self._indices[number])


class ImageSequence(Images):
    """Image files in natural order.

    Args:
        path: the folder or pattern that the user gave.
        files: the images, in any order.
        rate: frames per second.
        selection: the frames to use.
        reading: how they are read.

    Raises:
        InputError: there are no files.
    """

    def __init__(
        self,
        path: Path,
        files: list[Path],
        rate: Fraction,
        selection: Selection = EVERYTHING,
        reading: Reading = Reading(),
    ) -> None:
        self.files = sorted(files, key=natural_key)
        if not self.files:
            raise InputError(f"no frames in {path}; it must contain images such as .png or .jpg")
        super().__init__(path, [index / rate for index in range(len(files))], rate, selection, reading)
        # Files from several folders (frames/*/*.png) may have the same name.
        self._are_unique = len({file.stem for file in self.files}) == len(self.files)

    @property
    def notes(self) -> list[str]:
        """What a user may not know of the selected files."""
        return oddities([self.files[index] for index in self._indices])

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Callable[[int], Values]]:
        yield lambda index: self.reading.values(self.files[index])

    def _stem(self, index: int) -> str:
        return self.files[index].stem if self._are_unique else super()._stem(index)

    def _described(self, index: int) -> tuple[Path | None, int]:
        return self.files[index], self.files[index].stat().st_mtime_ns

    def _name(self, index: int) -> object:
        return self.files[index]
