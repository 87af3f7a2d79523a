"""VIPER's figure (Richter, Hayder and Koltun, "Playing for Benchmarks", ICCV 2017): WAUC; see ``shared/wauc.py``."""

from __future__ import annotations

import numpy as np

from .shared import wauc
from .shared.errors import endpoint_errors
from .shared.figure_set import FigureSet, Judged, Rows
from .shared.tally import Tally


def tally(judged: Judged) -> Tally:
    """The sums of a pair; raises ``InputError`` if the sizes differ."""
    judged.check_size()
    errors = endpoint_errors(judged.flow, judged.truth)
    errors = errors[np.isfinite(errors)]
    sums = Tally()
    sums.add("", pixels=errors.size, wauc=wauc.weight(errors))
    return sums


def table(sums: Tally) -> Rows:
    """The figure, in percent."""
    return {row: {"wauc": sums.mean(row, "wauc", factor=100.0 / wauc.TOTAL)} for row in sums.sums}


FIGURES = FigureSet(
    "viper",
    "VIPER",
    {"wauc": "WAUC %"},
    tally,
    table,
    larger_is_better=frozenset({"wauc"}),
    has_endpoint_error=False,
)
