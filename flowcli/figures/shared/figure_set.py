"""What a set of figures is, and what it gets to see of each pair."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...arrays import Flow, check_same_size
from ...frames.images import read_values
from ...frames.levels import Values
from .tally import Tally

Rows = Mapping[str, Mapping[str, float | None]]
"""A table: by row, and then by the key of the column; ``None`` where nothing counts."""


@dataclass(frozen=True)
class Judged:
    """A flow, its true flow, and what else its judges need."""

    estimate: Path
    """The file of the estimated flow, for messages."""

    flow: Flow
    """The estimated flow, ``(H, W, 2)`` float32 in pixels; NaN where unknown."""

    truth_file: Path
    truth: Flow
    """The true flow as it is stored: ``(H, W, 2)`` or a multiple of that size, float32 in pixels; NaN where unknown."""

    maps: Mapping[str, Path] = field(default_factory=dict)
    """Further files, by what they are."""

    read_truth: Callable[[Path], Flow] | None = None
    """Reads further files of true flow; raises ``InputError``."""

    def map(self, name: str, factor: int = 1) -> Values | None:
        """Read a picture that belongs to the pair.

        Args:
            name: what it is.
            factor: how many times as large as the flow it is in both directions.

        Returns:
            Its values as they are stored, ``(H, W)`` or ``(H, W, 3)``; ``None`` if there is none.

        Raises:
            InputError: it is unreadable, or of another size.
        """
        path = self.maps.get(name)
        if path is None:
            return None
        values = read_values(path)
        height, width = self.flow.shape[:2]
        check_same_size(self.estimate, (factor * height, factor * width), path, values.shape)
        return values

    def other_truth(self, name: str) -> Flow | None:
        """Read further true flow, ``(H, W, 2)``; ``None`` if there is none. Raises ``InputError``."""
        path = self.maps.get(name)
        if path is None or self.read_truth is None:
            return None
        truth = self.read_truth(path)
        check_same_size(self.estimate, self.flow.shape, path, truth.shape)
        return truth

    def check_size(self) -> None:
        """Raise ``InputError`` if the true flow is not of the size of the flow."""
        check_same_size(self.estimate, self.flow.shape, self.truth_file, self.truth.shape)


@dataclass(frozen=True)
class FigureSet:
    """Figures as authors of a data set define them."""

    name: str
    """What ``--figures`` takes."""

    title: str
    """What the table is headed with."""

    columns: Mapping[str, str]
    """The headings of the columns, by their keys in JSON."""

    tally: Callable[[Judged], Tally]
    """The sums of one pair; raises ``InputError``."""

    table: Callable[[Tally], Rows]
    """The table of the sums over some pairs."""

    is_larger: bool = False
    """Whether the true flow may be larger than the frames, and each pixel is compared with several true vectors."""

    compared: tuple[tuple[str | None, str], ...] = ()
    """The cells that tables of several models have, by row and key; ``None`` for every row, nothing for all cells."""

    larger_is_better: frozenset[str] = frozenset()
    """The keys of figures that are better when they are larger."""

    has_endpoint_error: bool = True
    """Whether the mean end-point error is among them."""
