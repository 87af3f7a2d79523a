"""WAUC, the weighted area under the curve of the share of pixels with at most some error.

From Richter, Hayder and Koltun, "Playing for Benchmarks", ICCV 2017, in the form in which the program of the Spring
benchmark computes it: the shares of pixels with an error of at most i/20 px, i = 1 to 100, are weighted by
1 - (i-1)/100 and divided by the sum of the weights.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_STEPS = np.arange(1, 101)
_THRESHOLDS = _STEPS / 20.0
_WEIGHTS = 1 - (_STEPS - 1) / 100.0
_EARNED = np.append(np.cumsum(_WEIGHTS[::-1])[::-1], 0.0)  # by the first threshold that an error is within

TOTAL = float(_WEIGHTS.sum())
"""The sum of the weights: what a pixel without error has."""


def weight(errors: npt.NDArray[np.float64]) -> float:
    """The sum over pixels of the weights of the thresholds that their errors, ``(N,)`` in pixels, are within."""
    return float(_EARNED[np.searchsorted(_THRESHOLDS, errors, side="left")].sum())
