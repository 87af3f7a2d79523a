"""KITTI 2015's figures (Menze and Geiger, CVPR 2015), as ``evaluate_scene_flow.cpp`` of its development kit counts.

An error is above 3 px and, divided by the true length, above 0.05. Both are float32 there, so that a quotient of
exactly 5 % is 0.05 rounded up and counts as an error. Pixels of all pairs are counted together.
"""

from __future__ import annotations

import numpy as np

from ..arrays import known
from .shared.figure_set import FigureSet, Judged, Rows
from .shared.kitti import fill_background, float32_lengths
from .shared.tally import Tally

_PIXELS, _SHARE = np.float32(3.0), 0.05
_PARTS = ("bg", "fg", "all")


def tally(judged: Judged) -> Tally:
    """The sums of a pair; raises ``InputError`` if a file is unreadable or a size is wrong."""
    judged.check_size()
    objects = judged.map("objects")
    is_estimated, filled = known(judged.flow), fill_background(judged.flow)
    sums = Tally()
    for row, truth in (("noc", judged.other_truth("noc")), ("all", judged.truth)):
        if truth is None:
            continue
        distance, length = float32_lengths(truth - filled), float32_lengths(truth)
        with np.errstate(invalid="ignore", divide="ignore"):
            is_error = (distance > _PIXELS) & ((distance / length).astype(np.float64) > _SHARE)
        counts = known(truth)
        parts = {"all": counts}
        if objects is not None:
            parts |= {"bg": counts & (objects == 0), "fg": counts & (objects != 0)}
        for part, pixels in parts.items():
            both = pixels & is_estimated
            sums.add(
                row,
                **{
                    f"{part}_pixels": pixels.sum(),
                    f"{part}_errors": (pixels & is_error).sum(),
                    f"{part}_est_pixels": both.sum(),
                    f"{part}_est_errors": (both & is_error).sum(),
                },
            )
    return sums


def table(sums: Tally) -> Rows:
    """The figures, in percent: over all pixels with true flow, and over those of them that have an estimate."""
    kinds = [(f"fl_{part}{end}", f"{part}{end}") for end in ("", "_est") for part in _PARTS]
    return {
        row: {
            **{key: sums.mean(row, f"{kind}_errors", f"{kind}_pixels", 100.0) for key, kind in kinds},
            "density": sums.mean(row, "all_est_pixels", "all_pixels", 100.0),
        }
        for row in sums.sums
    }


FIGURES = FigureSet(
    "kitti2015",
    "KITTI 2015",
    {
        "fl_bg": "Fl-bg %",
        "fl_fg": "Fl-fg %",
        "fl_all": "Fl-all %",
        "fl_bg_est": "Fl-bg est %",
        "fl_fg_est": "Fl-fg est %",
        "fl_all_est": "Fl-all est %",
        "density": "density %",
    },
    tally,
    table,
    compared=((None, "fl_bg"), (None, "fl_fg"), (None, "fl_all")),
    has_endpoint_error=False,
)
