"""Packs flow, masks and pictures for a page; ``assets/unpack.js`` is the other side.

Flow is stored in steps of a fixed size, chosen for each flow, so that a vector read off the page is off by a known
amount. Each component is predicted from its neighbours; what is left is cut into planes of low and high bytes, which
are compressed with deflate, since every browser can undo that by itself.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays import Flow, Mask, both, known
from ..draw.color import largest_flow

COARSEST = 1 / 36
"""The largest step in pixels: a vector is off by at most 0.0197 px, half the diagonal of a step."""

_FINEST = 2.0**-30  # pixels
_STEPS_TO_RIM = 1280  # for colours: one step around the wheel's rim is worth half a grey level
_FINE_STEPS_TO_RIM = 1 << 14  # worth having where there is room, so that colours also hold at a smaller scale
_FARTHEST = 2**30  # steps; longer flow is as unknown
_BITS = 8

Steps = npt.NDArray[np.int32]
"""One component of a flow in steps: ``(H, W)`` int32."""


@dataclass(frozen=True)
class PackedFlow:
    """A flow, ready for a page."""

    step: float
    """The size of a step in pixels."""

    predictors: tuple[int, int]
    """How u and v are predicted: 0 by the pixel to the left, 1 by left + above - above left, 2 by the median of these
    three, as in JPEG-LS (ITU-T T.87)."""

    planes: tuple[int, int]
    """How many bytes a value of u and v has."""

    data: bytes
    """The planes of u, low bytes first, then those of v, deflated."""

    unknown: bytes | None
    """The mask of unknown vectors, as by :func:`pack_mask`; ``None`` if all are known."""

    above: bytes | None
    """The mask of vectors to the right that lead up by less than is stored, likewise; ``None`` if there are none.
    Middlebury's wheel closes there, so colours jump."""

    def header(self) -> dict[str, Any]:
        """What the page has to know, the data included."""
        return {
            "step": self.step,
            "predictors": self.predictors,
            "planes": self.planes,
            "blob": self.data,
            "unknown": self.unknown,
            "above": self.above,
        }

    @property
    def size(self) -> int:
        """The number of its bytes."""
        return len(self.data) + len(self.unknown or b"") + len(self.above or b"")


def pack_flow(flow: Flow, budget: int) -> PackedFlow:
    """Pack a flow in the finest steps that fit into a budget.

    Args:
        flow: ``(H, W, 2)`` float32 in pixels; NaN where unknown.
        budget: bytes that the packed flow may have. Where even steps of ``COARSEST`` take more, it has these.

    Returns:
        The packed flow. Its vectors are off by at most half the diagonal of a step.
    """
    is_known = known(flow)
    longest = largest_flow(flow)
    true_colors = _step(longest / _STEPS_TO_RIM)
    packed = _pack(flow, is_known, true_colors)
    if packed.size > budget:
        return _fitting(flow, is_known, true_colors, budget)
    halving = 2 * is_known.sum() / _BITS  # bytes: a bit more for each component
    step, finest = true_colors / 2, _step(longest / _FINE_STEPS_TO_RIM)
    while step >= finest and packed.size + halving <= budget:
        finer = _pack(flow, is_known, step)
        if finer.size > budget:
            break
        packed, step = finer, step / 2
    return packed


def _fitting(flow: Flow, is_known: Mask, step: float, budget: int) -> PackedFlow:
    """Pack a flow in coarser steps than ``step``, until it fits or they are the coarsest."""
    while True:
        step = min(2 * step, COARSEST)
        packed = _pack(flow, is_known, step)
        if packed.size <= budget:
            return packed
        if step == COARSEST:
            return replace(packed, above=None)  # a bit a pixel, for the colours of few


def _step(size: float) -> float:
    """The largest power of two up to ``size``, within what is used for steps."""
    exponent = math.floor(math.log2(size)) if size > 0 else 0
    return float(min(1 / 64, max(_FINEST, 2.0**exponent)))


def _pack(flow: Flow, is_known: Mask, step: float) -> PackedFlow:
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = np.rint(flow.astype(np.float64) / step)
        is_known = is_known & both(np.abs(scaled) < _FARTHEST)
    steps = np.where(is_known[..., None], scaled, 0).astype(np.int32)
    is_above = is_known & (steps[..., 1] == 0) & np.signbit(flow[..., 1]) & (steps[..., 0] > 0)
    filling = None if is_known.all() else _last_known(is_known)
    parts, predictors, counts = [], [], []
    for component in range(2):
        values = steps[..., component]
        if filling is not None:
            values = np.take_along_axis(values, filling, axis=1)
        predictor, planes = _planes(values)
        predictors.append(predictor)
        counts.append(len(planes))
        parts += planes
    return PackedFlow(
        step,
        (predictors[0], predictors[1]),
        (counts[0], counts[1]),
        _deflate(b"".join(parts)),
        None if filling is None else pack_mask(~is_known),
        pack_mask(is_above) if is_above.any() else None,
    )


def _last_known(is_known: Mask) -> npt.NDArray[np.intp]:
    """The column of the last known pixel up to each pixel of its row: cheap to predict, and never shown."""
    columns = np.where(is_known, np.arange(is_known.shape[1]), 0)
    return np.maximum.accumulate(columns, axis=1)


def _planes(values: Steps) -> tuple[int, list[bytes]]:
    """The best predictor, and what it leaves: planes of bytes, low first."""
    residuals = [_zigzag(residual) for residual in _residuals(values)]
    predictor = int(np.argmin([_cost(residual) for residual in residuals]))
    best = residuals[predictor]
    count = max(1, -(-int(best.max(initial=0)).bit_length() // _BITS))
    return predictor, [(best >> np.uint32(_BITS * plane)).astype(np.uint8).tobytes() for plane in range(count)]


def _residuals(values: Steps) -> list[Steps]:
    """What each predictor leaves, ``(H, W)``; pixels beyond the first row and column count as 0."""
    padded = np.pad(values, ((1, 0), (1, 0)))
    left, above, corner = padded[1:, :-1], padded[:-1, 1:], padded[:-1, :-1]
    return [values - left, values - (left + above - corner), values - _median(left, above, left + above - corner)]


def _median(left: Steps, above: Steps, both: Steps) -> Steps:
    low, high = np.minimum(left, above), np.maximum(left, above)
    return np.minimum(np.maximum(both, low), high)


def _zigzag(values: Steps) -> npt.NDArray[np.uint32]:
    """Small numbers of both signs as small numbers: 0, -1, 1, -2 become 0, 1, 2, 3."""
    return ((values << 1) ^ (values >> 31)).astype(np.uint32)


def _cost(residual: npt.NDArray[np.uint32]) -> float:
    """About how many bits a residual takes, in all."""
    return float(np.log2(residual.astype(np.float32) + 1).sum())


def pack_mask(mask: Mask) -> bytes:
    """An ``(H, W)`` bool mask, a bit for each pixel from the highest on, row after row without gaps, deflated."""
    return _deflate(np.packbits(mask).tobytes())


def _deflate(data: bytes) -> bytes:
    # Told that most values are small and at random, zlib saves 4 %; at level 9 another 4 %, in nine times as long.
    compressor = zlib.compressobj(6, strategy=zlib.Z_FILTERED)
    return compressor.compress(data) + compressor.flush()
