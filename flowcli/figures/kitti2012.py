"""KITTI 2012's figures (Geiger et al., CVPR 2012), as ``evaluate_flow.cpp`` of its development kit computes them.

The share of pixels with an error above a threshold, and the mean error, are those of each pair; figures are their means
over the pairs. The mean error is summed up in float32 there, column after column, which shows in the sixth digit.
"""

from __future__ import annotations

import numpy as np

from ..arrays import known
from .shared.figure_set import FigureSet, Judged, Rows
from .shared.kitti import fill_background, float32_lengths
from .shared.tally import Tally

_THRESHOLDS = (2, 3, 4, 5)


def tally(judged: Judged) -> Tally:
    """The sums of a pair; raises ``InputError`` if a file is unreadable or a size is wrong."""
    judged.check_size()
    is_estimated, filled = known(judged.flow), fill_background(judged.flow)
    sums = Tally()
    for row, truth in (("noc", judged.other_truth("noc")), ("all", judged.truth)):
        if truth is None or not (pixels := known(truth)).any():
            continue
        errors = float32_lengths(truth - filled).T[pixels.T]
        outliers = {f"out_{pixel}px": float((errors > np.float32(pixel)).mean()) for pixel in _THRESHOLDS}
        average = float(np.add.accumulate(errors, dtype=np.float32)[-1] / np.float32(errors.size))
        sums.add(row, pairs=1, avg=average, density=float(is_estimated[pixels].mean()), **outliers)
    return sums


def table(sums: Tally) -> Rows:
    """The figures: percentages of pixels, and the mean error in pixels."""
    return {
        row: {
            **{key: sums.mean(row, key, "pairs", 100.0) for key in (f"out_{pixel}px" for pixel in _THRESHOLDS)},
            "avg": sums.mean(row, "avg", "pairs"),
            "density": sums.mean(row, "density", "pairs", 100.0),
        }
        for row in sums.sums
    }


FIGURES = FigureSet(
    "kitti2012",
    "KITTI 2012",
    {**{f"out_{pixel}px": f"Out {pixel}px %" for pixel in _THRESHOLDS}, "avg": "Avg px", "density": "density %"},
    tally,
    table,
    compared=tuple((None, key) for key in (*(f"out_{pixel}px" for pixel in _THRESHOLDS), "avg")),
)
