"""The common interface of all videos, whether files or sequences of images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from ..arrays import Frame
from ..errors import InputError
from .levels import Values
from .reading import Reading
from .selection import Selection

DEFAULT_RATE = Fraction(25)
"""The default number of frames per second of a folder of frames, as in FFmpeg."""


class DamagedError(InputError):
    """A video that is damaged at some point; all frames before that are good."""


@dataclass(frozen=True)
class TimedFrame:
    """A frame and its time."""

    image: Frame
    """``(H, W, 3)`` uint8 RGB."""

    time: Fraction
    """Seconds since the first frame of the video."""

    name: str
    """The stem for names of outputs: the stem of the image file, or the frame's number in the video."""

    number: int
    """The frame's number in the input, from 0."""

    file: Path | None
    """The image file; ``None`` for a frame of a video file."""

    changed: int
    """When the file it comes from was last modified, in nanoseconds since the epoch."""

    pixel_aspect: Fraction = Fraction(1)
    """The width of a pixel over its height, when the frame is shown."""


class FrameSource(Protocol):
    """A video file or a sequence of images."""

    path: Path
    """The file, folder or pattern."""

    selection: Selection
    """The frames to use."""

    reading: Reading
    """How frames are read; levels that are still to be chosen are set before the first frame is."""

    stream: int | None
    """The number of the video stream that was asked for; ``None`` if none was."""

    @property
    def rate(self) -> Fraction:
        """The average number of frames per second, before the selection."""

    @property
    def time_base(self) -> Fraction:
        """The unit of the frames' times, in seconds."""

    @property
    def count(self) -> int | None:
        """The number of selected frames, approximate for video files; ``None`` if it is not known in advance."""

    @property
    def notes(self) -> list[str]:
        """What a user may not know of the input, as lines."""

    @property
    def numbers(self) -> Sequence[int]:
        """The :attr:`TimedFrame.number` of the selected frames, as far as is known in advance."""

    @property
    def names(self) -> list[str] | None:
        """The :attr:`TimedFrame.name` of the selected frames; ``None`` if their number is not certain in advance."""

    def frames(self) -> Iterator[TimedFrame]:
        """The selected frames in order; raises ``DamagedError`` at a frame that is damaged or missing."""

    def sample_pairs(self, count: int, distance: int = 1) -> Iterator[tuple[Frame, Frame]]:
        """Up to ``count`` pairs of frames, spread over the selection; damaged ones are skipped.

        Args:
            count: how many at most.
            distance: how far apart the frames of a pair are, in selected frames.
        """

    def sample_values(self, count: int) -> Iterator[Values]:
        """The stored values of up to ``count`` frames, the first among them, spread over the selection."""
