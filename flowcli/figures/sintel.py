"""Sintel's figures (Butler et al., ECCV 2012): end-point errors by visibility, by distance to occlusions and by speed.

The program of the server is not published; the regions are those that its result pages describe in words. Read here as:
pixels that ``invalid`` marks are left out; matched are those that ``occlusions`` does not mark; the distance of a pixel
is the Euclidean one to the nearest pixel on the other side of a boundary of ``occlusions``; lower bounds belong to a
region and upper ones do not.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from ..arrays import Mask
from .shared.errors import Errors, endpoint_errors, lengths
from .shared.figure_set import FigureSet, Judged, Rows
from .shared.tally import Tally

_DISTANCES = {"d0_10": (0.0, 10.0), "d10_60": (10.0, 60.0), "d60_140": (60.0, 140.0)}
_SPEEDS = {"s0_10": (0.0, 10.0), "s10_40": (10.0, 40.0), "s40": (40.0, np.inf)}
_COLUMNS = {
    "epe_all": "EPE all",
    "epe_matched": "matched",
    "epe_unmatched": "unmatched",
    "d0_10": "d0-10",
    "d10_60": "d10-60",
    "d60_140": "d60-140",
    "s0_10": "s0-10",
    "s10_40": "s10-40",
    "s40": "s40+",
}


def tally(judged: Judged) -> Tally:
    """The sums of a pair; raises ``InputError`` if a map is unreadable or a size is wrong."""
    judged.check_size()
    errors, speed = endpoint_errors(judged.flow, judged.truth), lengths(judged.truth)
    counts = np.isfinite(errors)
    invalid, occluded = _mask(judged, "invalid"), _mask(judged, "occlusions")
    if invalid is not None:
        counts &= ~invalid
    regions: dict[str, Mask] = {"epe_all": np.ones_like(counts)}
    if occluded is not None:
        regions |= {"epe_matched": ~occluded, "epe_unmatched": occluded}
        regions |= _within(distance_to_boundary(occluded), _DISTANCES)
    regions |= _within(speed, _SPEEDS)
    sums = Tally()
    for region, pixels in regions.items():
        chosen = errors[counts & pixels]
        sums.add("", **{region: chosen.sum(), f"{region}_pixels": chosen.size})
    return sums


def _mask(judged: Judged, kind: str) -> Mask | None:
    values = judged.map(kind)
    if values is None:
        return None
    return np.asarray(values > 0 if values.ndim == 2 else (values > 0).any(axis=-1))


def _within(values: Errors, bounds: Mapping[str, tuple[float, float]]) -> dict[str, Mask]:
    with np.errstate(invalid="ignore"):
        return {name: np.asarray((values >= low) & (values < high)) for name, (low, high) in bounds.items()}


def distance_to_boundary(marked: Mask) -> Errors:
    """The distance of each pixel of a mask to the nearest pixel that is not as it is: ``(H, W)`` in pixels.

    Infinite everywhere if all are alike.
    """
    if marked.all() or not marked.any():
        return np.full(marked.shape, np.inf)
    to_unmarked, to_marked = (
        cv2.distanceTransform(side.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for side in (marked, ~marked)
    )
    return np.where(marked, to_unmarked, to_marked).astype(np.float64)


def table(sums: Tally) -> Rows:
    """The figures, in pixels."""
    return {row: {name: sums.mean(row, name, f"{name}_pixels") for name in _COLUMNS} for row in sums.sums}


FIGURES = FigureSet("sintel", "Sintel, end-point error in px", _COLUMNS, tally, table)
