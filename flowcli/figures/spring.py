"""Spring's figures (Mehl et al., CVPR 2023), as the program of its server computes them.

The error of a pixel is the smallest to its 2 x 2 true vectors; a pixel counts where all four are known. Each figure is
over all pixels, and over those with little or much detail, rigid or not, matched or not, sky or not, and by speed: the
mean length of the four.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..arrays import Mask
from ..frames.levels import Values
from .shared import wauc
from .shared.errors import endpoint_errors, lengths
from .shared.figure_set import FigureSet, Judged, Rows
from .shared.larger_truth import true_vectors
from .shared.tally import Tally

_ROWS: Mapping[str, tuple[str, str]] = {  # without and with the property that a map marks
    "detail": ("low-detail", "high-detail"),
    "rigid": ("rigid", "non-rigid"),
    "match": ("matched", "unmatched"),
    "sky": ("not sky", "sky"),
}
_OUTLIER = 1.0
_FL_PIXELS, _FL_SHARE = 3.0, 0.05
_SLOW, _FAST = 10.0, 40.0


def tally(judged: Judged) -> Tally:
    """The sums of a pair; raises ``InputError`` if a map is unreadable or a size is wrong."""
    vectors = true_vectors(judged.truth, judged.flow, (judged.truth_file, judged.estimate))
    errors = endpoint_errors(judged.flow[:, :, None, :], vectors).min(axis=2)  # NaN if one is
    long = lengths(vectors)
    speed, longest = _mean(long), long.max(axis=2)
    sums = Tally()
    rows = {"total": np.ones(errors.shape, np.bool_)}
    for kind, (without, having) in _ROWS.items():
        marked = _marked(judged, kind, factor=judged.truth.shape[0] // judged.flow.shape[0])
        if marked is not None:
            rows[without], rows[having] = ~marked, marked
    rows |= {"s0-10": speed < _SLOW, "s10-40": (speed >= _SLOW) & (speed < _FAST), "s40+": speed >= _FAST}
    counts = np.isfinite(errors)
    for row, pixels in rows.items():
        error, length = errors[counts & pixels], longest[counts & pixels]
        sums.add(
            row,
            pixels=error.size,
            error=error.sum(),
            outliers=(error > _OUTLIER).sum(),
            fl=((error > _FL_PIXELS) & (error > _FL_SHARE * length)).sum(),
            wauc=wauc.weight(error),
        )
    return sums


def _mean(long: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The mean of the last axis, added up in its order."""
    return np.asarray(sum(np.moveaxis(long, -1, 0)) / long.shape[-1])


def _marked(judged: Judged, kind: str, factor: int) -> Mask | None:
    """Where a map says that the property is there, ``(H, W)`` bool; ``None`` if there is no such map."""
    if kind in ("rigid", "sky"):  # of the size of the true flow
        values = judged.map(kind, factor)
        if values is None:
            return None
        marks = _any_channel(values)
        parts = [marks[row::factor, column::factor] for row in range(factor) for column in range(factor)]
        return np.asarray(2 * np.sum(parts, axis=0) >= len(parts))
    values = judged.map(kind)
    if values is None:
        return None
    return _any_channel(values if values.ndim == 2 or kind == "detail" else values[..., :2])


def _any_channel(values: Values) -> Mask:
    return np.asarray(values > 0 if values.ndim == 2 else (values > 0).any(axis=-1))


def table(sums: Tally) -> Rows:
    """The figures: percentages, and the end-point error in pixels."""
    return {
        row: {
            "outliers_1px": sums.mean(row, "outliers", factor=100.0),
            "epe": sums.mean(row, "error"),
            "fl": sums.mean(row, "fl", factor=100.0),
            "wauc": sums.mean(row, "wauc", factor=100.0 / wauc.TOTAL),
        }
        for row in sums.sums
    }


FIGURES = FigureSet(
    "spring",
    "Spring",
    {"outliers_1px": "1px %", "epe": "EPE", "fl": "Fl %", "wauc": "WAUC %"},
    tally,
    table,
    is_larger=True,
    compared=((None, "outliers_1px"), ("total", "epe"), ("total", "fl"), ("total", "wauc")),
    larger_is_better=frozenset({"wauc"}),
)
