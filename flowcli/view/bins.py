"""Histograms whose memory does not grow with what is counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_LOWEST, _HIGHEST, _PARTS = -6, 10, 4  # powers of two, and bins in each doubling
_EDGES = 2.0 ** (np.arange(_LOWEST * _PARTS, _HIGHEST * _PARTS + 1) / _PARTS)
_FEWEST = 12  # bins that are shown
_SHARES = (0.5, 0.9, 0.99)


class Bins:
    """Counts positive numbers, such as errors in pixels, in bins that are each a fixed factor wider than the last.

    They reach from 1/64 to 1024; what is smaller or larger is counted beside them.

    Args:
        title: what is counted.
        unit: the unit of the numbers.
        of: what has these numbers, in the plural, such as ``pixels``.
    """

    def __init__(self, title: str, unit: str, of: str) -> None:
        self._title, self._unit, self._of = title, unit, of
        self._counts = np.zeros(len(_EDGES) + 1, np.int64)

    def add(self, values: npt.ArrayLike) -> None:
        """Count numbers of an array of any shape; NaN and infinities are left out."""
        numbers = np.asarray(values)
        places = np.searchsorted(_EDGES, numbers[np.isfinite(numbers)], side="right")
        self._counts += np.bincount(places, minlength=len(self._counts))

    def data(self) -> dict[str, Any] | None:
        """What the page has to know, without most empty bins at both ends; ``None`` if nothing was counted."""
        filled = np.flatnonzero(self._counts)
        if not len(filled):
            return None
        first, last = _widened(int(filled[0]), int(filled[-1]))
        edges = [0.0, *_EDGES.tolist()]
        upper = [*_EDGES.tolist(), None]
        cumulated = np.cumsum(self._counts) / self._counts.sum()
        return {
            "title": self._title,
            "unit": self._unit,
            "of": self._of,
            "lower": edges[first : last + 1],
            "upper": upper[first : last + 1],
            "counts": self._counts[first : last + 1].tolist(),
            "below": [[share, upper[int(np.searchsorted(cumulated, share))]] for share in _SHARES],
        }


def _widened(first: int, last: int) -> tuple[int, int]:
    """A range of bins with others at both ends, if it is so short that a few bars would fill the picture."""
    lacking = max(0, _FEWEST - (last - first + 1))
    first = max(0, first - (lacking + 1) // 2)
    return first, min(len(_EDGES), last + lacking // 2)
