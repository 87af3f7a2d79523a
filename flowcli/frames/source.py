"""What every video offers, wherever its frames come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from ..arrays import Frame
from ..errors import InputError
from .selection import Selection

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

    file: Path | None
    """The image file that it is; ``None`` for a frame of a video file."""

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
