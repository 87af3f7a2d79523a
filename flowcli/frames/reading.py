"""How the frames of a run are read."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ..arrays import Frame
from ..errors import InputError
from ..limits import MAX_PIXELS
from .images import read_values
from .levels import SAMPLES, Levels, Values, choose_levels, to_frame

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reading:
    """How frames are read; the same for all frames of a run. Plain data."""

    max_pixels: int = MAX_PIXELS
    """Larger frames are refused."""

    levels: tuple[float, float] | Literal["auto"] | None = None
    """The values that become black and white; ``auto`` chooses them from the frames. ``None`` takes 8-bit values as
    they are, and scales 16-bit values to 8."""

    @property
    def fixed(self) -> tuple[float, float] | None:
        """The levels, if there are any.

        Raises:
            ValueError: they are still to be chosen; see :meth:`settled`.
        """
        if self.levels == "auto":
            raise ValueError("levels have not been chosen yet")
        return self.levels

    def frame(self, values: Values, name: object) -> Frame:
        """Stored values as ``(H, W, 3)`` uint8 RGB; raises ``InputError`` if they need levels."""
        return to_frame(values, self.fixed, name)

    def values(self, path: Path) -> Values:
        """The stored values of an image file; see :func:`flowcli.frames.images.read_values`."""
        return read_values(path, max_pixels=self.max_pixels, as_stored=self.levels is not None)

    def read(self, path: Path) -> Frame:
        """Read an image file as ``(H, W, 3)`` uint8 RGB; raises ``InputError``."""
        return self.frame(self.values(path), path)

    def read_all(self, paths: Sequence[Path]) -> tuple[list[Frame], Reading]:
        """Read a few image files, each once, choosing levels from all of them; returns those levels as well."""
        values = [self.values(path) for path in paths]
        settled = self.settled(lambda _: values)
        return [settled.frame(each, path) for each, path in zip(values, paths, strict=True)], settled

    def settled(self, samples: Callable[[int], Iterable[Values]], noted: object = None) -> Reading:
        """The same with levels that are chosen, where ``auto`` was asked for.

        Args:
            samples: called with a number of frames; returns the stored values of as many, spread over the input.
            noted: the levels that an earlier run has recorded, if any, as :meth:`note` gives them.

        Raises:
            InputError: none of these frames can be read.
        """
        if self.levels != "auto":
            return self
        if isinstance(noted, list) and len(noted) == 2:
            chosen = Levels(*map(float, noted))
        else:
            chosen = choose_levels(samples(SAMPLES))
        _log.info("levels auto: frame values from %.10g to %.10g become 0 to 255", *chosen)
        return replace(self, levels=chosen)

    def settled_by(self, files: Sequence[Path], noted: object = None) -> Reading:
        """The same for the frames in these files; those that cannot be read are left out."""
        return self.settled(lambda count: _samples(self, files, count), noted)

    def settings(self) -> dict[str, object]:
        """What a record says of the levels that were asked for; nothing if none were."""
        return {} if self.levels is None else {"levels": self.levels if self.levels == "auto" else str(self)}

    def note(self) -> dict[str, object]:
        """What a record notes of the levels in use."""
        return {} if self.fixed is None else {"levels": list(self.fixed)}

    def __str__(self) -> str:
        """The levels as ``LOW:HIGH``; empty if there are none."""
        return "" if self.fixed is None else str(Levels(*self.fixed))


def spread(total: int, count: int) -> list[int]:
    """Up to ``count`` of the numbers below ``total``: the first, the last, and others evenly between them."""
    last, parts = total - 1, max(1, count - 1)
    return sorted({part * last // parts for part in range(parts + 1)}) if total else []


def _samples(reading: Reading, files: Sequence[Path], count: int) -> Iterable[Values]:
    for index in spread(len(files), count):
        try:
            yield reading.values(files[index])
        except InputError:  # told when the frame is read again
            continue
