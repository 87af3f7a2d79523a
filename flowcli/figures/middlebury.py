"""Middlebury's figures (Baker et al., IJCV 2011, section 4): averages, standard deviations, R and A of both errors.

R is the percentage of pixels with an error above a threshold, A the error at a percentile; of the end-point error in
pixels (EE) and of the angular error in degrees (AE). Standard deviations are those of the pixels themselves (divided by
their number); percentiles are interpolated linearly; the paper leaves both open.
"""

from __future__ import annotations

import math

import numpy as np

from .shared.errors import Errors, angular_errors, endpoint_errors
from .shared.figure_set import FigureSet, Judged, Rows
from .shared.tally import Tally

_REGIONS = ("all", "disc", "untext")
_THRESHOLDS = {"ee": (0.5, 1.0, 2.0), "ae": (2.5, 5.0, 10.0)}
_PERCENTILES = (50, 75, 95)


def tally(judged: Judged) -> Tally:
    """The sums of a pair; raises ``InputError`` if a mask is unreadable or a size is wrong."""
    judged.check_size()
    errors = {"ee": endpoint_errors(judged.flow, judged.truth), "ae": angular_errors(judged.flow, judged.truth)}
    counts = np.isfinite(errors["ee"])
    sums = Tally()
    for region in _REGIONS:
        values = None if region == "all" else judged.map(region)
        if region != "all" and values is None:
            continue
        pixels = counts if values is None else counts & (values.reshape(*counts.shape, -1) > 0).any(axis=-1)
        sums.add(region, pixels=pixels.sum())
        for kind, of_all in errors.items():
            _add(sums, region, kind, of_all[pixels])
    return sums


def _add(sums: Tally, region: str, kind: str, errors: Errors) -> None:
    sums.add(region, **{kind: errors.sum(), f"{kind}_squares": (errors * errors).sum()})
    sums.add(region, **{_key(kind, "r", limit): (errors > limit).sum() for limit in _THRESHOLDS[kind]})
    sums.spread(region, kind, errors)


def _key(kind: str, letter: str, number: float) -> str:
    return f"{kind}_{letter}{number:g}".replace(".", "_")


def table(sums: Tally) -> Rows:
    """The figures: errors in pixels and degrees, R in percent."""
    rows = {}
    for region in sums.sums:
        row: dict[str, float | None] = {}
        for kind, limits in _THRESHOLDS.items():
            mean, square = sums.mean(region, kind), sums.mean(region, f"{kind}_squares")
            row[f"{kind}_avg"] = mean
            row[f"{kind}_sd"] = None if mean is None or square is None else math.sqrt(max(square - mean * mean, 0.0))
            row |= {_key(kind, "r", limit): sums.mean(region, _key(kind, "r", limit), factor=100.0) for limit in limits}
            row |= {_key(kind, "a", share): sums.quantile(region, kind, share / 100) for share in _PERCENTILES}
        rows[region] = row
    return rows


def _columns() -> dict[str, str]:
    columns: dict[str, str] = {}
    for kind, limits in _THRESHOLDS.items():
        columns |= {f"{kind}_avg": f"{kind.upper()} avg", f"{kind}_sd": "SD"}
        columns |= {_key(kind, "r", limit): f"R{limit}" for limit in limits}
        columns |= {_key(kind, "a", share): f"A{share}" for share in _PERCENTILES}
    return columns


FIGURES = FigureSet(
    "middlebury",
    "Middlebury",
    _columns(),
    tally,
    table,
    compared=tuple((region, f"{kind}_avg") for kind in _THRESHOLDS for region in _REGIONS),
)
