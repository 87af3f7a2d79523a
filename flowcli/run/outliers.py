"""Finds pairs whose motion is unusual among the pairs of a run."""

from __future__ import annotations

from array import array

import numpy as np

LIMIT = 3.5
"""The score from which on a pair is an outlier, as Iglewicz and Hoaglin, "How to Detect and Handle Outliers" (1993),
recommend for the modified z-score."""

_FEWEST = 8  # pairs that tell what is usual
_STILL = 0.05  # pixels added to lengths, so that still pairs differ little
_NARROWEST = 0.05  # of the logarithm: where all pairs are nearly equal, a difference of 5 % is not unusual
_TO_DEVIATION = 0.6745  # the median absolute deviation of a normal distribution, in standard deviations


class Outliers:
    """Scores mean lengths by the modified z-score of their logarithm: ``0.6745 * (x - median) / MAD``."""

    explanation = (
        f"the logarithm of its mean length (plus {_STILL} px) is more than {LIMIT} robust standard deviations from the "
        "median of all pairs, where a standard deviation is the median absolute deviation / "
        f"{_TO_DEVIATION}, at least {_NARROWEST / _TO_DEVIATION:.3f}; with fewer than {_FEWEST} pairs, nothing is"
    )
    """How pairs are judged, as part of a sentence."""

    def __init__(self) -> None:
        self._logarithms = array("d")
        self._judged = 0
        self._median = self._deviation = 0.0

    def add(self, length: float) -> None:
        """Add the mean length of a pair's flow in pixels."""
        self._logarithms.append(_logarithm(length))

    def score(self, length: float) -> float | None:
        """How unusual a mean length is, with its sign; ``None`` if too few have been added."""
        if len(self._logarithms) < _FEWEST:
            return None
        if self._judged != len(self._logarithms):
            self._judged = len(self._logarithms)
            self._median = float(np.median(self._logarithms))
            spread = float(np.median(np.abs(np.array(self._logarithms) - self._median)))
            self._deviation = max(spread, _NARROWEST)
        return _TO_DEVIATION * (_logarithm(length) - self._median) / self._deviation


def _logarithm(length: float) -> float:
    return float(np.log(length + _STILL))
