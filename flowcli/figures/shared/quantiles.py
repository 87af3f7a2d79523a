"""Quantiles of numbers that are not all kept."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

KEPT = 1 << 19
"""Up to this many numbers all are kept, and quantiles are exact."""

_STEPS = 1 << 12  # bins for each doubling
_LOWEST, _HIGHEST = 2.0**-20, 2.0**20

RELATIVE_ERROR = 2 ** (1 / _STEPS) - 1
"""How far a quantile of more numbers may be off, relative to itself: 0.017 %; absolutely it is 1e-6 near 0."""

_Values = npt.NDArray[np.float64]


class Quantiles:
    """Quantiles of numbers that are 0 or larger.

    Up to :data:`KEPT` numbers are kept, and their quantiles are exact. Beyond that they are counted in bins whose width
    grows with the numbers, 4096 for each doubling from 2**-20 to 2**20; a quantile is then right up to
    :data:`RELATIVE_ERROR`. Memory is at most 4 MB either way.
    """

    def __init__(self) -> None:
        self._kept: list[_Values] = []
        self._count = 0
        self._bins: npt.NDArray[np.int64] | None = None

    def add(self, values: npt.NDArray[np.floating]) -> None:
        """Add numbers; none of them may be NaN."""
        new = np.asarray(values, np.float64).ravel()
        self._count += new.size
        if self._bins is None:
            self._kept.append(new)
            if self._count <= KEPT:
                return
            self._bins = np.zeros(_index(np.array([np.inf]))[0] + 1, np.int64)
            new = np.concatenate(self._kept)
            self._kept = []
        self._bins += np.bincount(_index(new), minlength=self._bins.size)

    def merge(self, other: Quantiles) -> None:
        """Add the numbers of ``other``."""
        for values in other._kept:
            self.add(values)
        if other._bins is not None:
            if self._bins is None:
                self._bins = np.zeros_like(other._bins)
                for values in self._kept:
                    self._bins += np.bincount(_index(values), minlength=self._bins.size)
                self._kept = []
            self._bins += other._bins
            self._count += other._count

    def at(self, share: float) -> float | None:
        """The number below which a ``share``, 0 to 1, of the numbers is, interpolated linearly between neighbours.

        This is the definition 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages", 1996, which NumPy uses.
        ``None`` if there are no numbers.
        """
        if not self._count:
            return None
        if self._bins is None:
            return float(np.quantile(np.concatenate(self._kept), share))
        position = share * (self._count - 1)
        low, high = int(np.floor(position)), int(np.ceil(position))
        ends = np.cumsum(self._bins)
        below, above = (_middle(int(np.searchsorted(ends, rank, side="right"))) for rank in (low, high))
        return below + (above - below) * (position - low)


def _index(values: _Values) -> npt.NDArray[np.int64]:
    """The bins of numbers: 0 for those near 0, and then by their logarithm."""
    octaves = np.log2(np.clip(values, _LOWEST, _HIGHEST) / _LOWEST)
    return np.asarray(np.ceil(octaves * _STEPS), np.int64)


def _middle(index: int) -> float:
    """A number that stands for those of a bin."""
    return 0.0 if index == 0 else float(_LOWEST * 2 ** ((index - 0.5) / _STEPS))
