"""Brings the values of a frame to 8 bits: by stated levels, which are the same for all frames of a run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..arrays import Frame
from ..errors import InputError

Values = npt.NDArray[Any]
"""The stored values of an image: ``(H, W)`` grey or ``(H, W, 3)`` RGB, of any integer or float type."""

SAMPLES = 9
"""From how many frames levels are chosen: the first, and up to eight more spread over the input."""

_PERCENTILES = (0.1, 99.9)
_TABLE_BITS = 16  # values of so few bits are mapped by a table


class Levels(NamedTuple):
    """The range of values that is mapped to 0..255; what lies outside is clipped."""

    low: float
    high: float

    def __str__(self) -> str:
        """As it is written on the command line: ``LOW:HIGH``."""
        return f"{self.low:.10g}:{self.high:.10g}"


def choose_levels(samples: Iterable[Values]) -> Levels:
    """The 0.1 and 99.9 percentiles of all values of some frames; values that are not finite do not count.

    Raises:
        InputError: there are no values.
    """
    values = [sample[np.isfinite(sample)] if sample.dtype.kind == "f" else sample.ravel() for sample in samples]
    together = np.concatenate(values) if values else np.empty(0)
    if not together.size:
        raise InputError("no frame has values to choose levels from that can be read; give `levels` LOW:HIGH")
    low, high = np.percentile(together, _PERCENTILES)
    return Levels(float(low), float(high))


def to_frame(values: Values, levels: tuple[float, float] | None, name: object) -> Frame:
    """Map the values of an image to 8 bits.

    Args:
        values: ``(H, W)`` or ``(H, W, 3)``.
        levels: the values that become 0 and 255, with all between them evenly spread and all beyond them clipped;
            ``None`` takes 8-bit values as they are. What is not a number becomes 0.
        name: what errors call the image.

    Returns:
        ``(H, W, 3)`` uint8 RGB.

    Raises:
        InputError: the values need levels.
    """
    if levels is not None:
        pixels = _mapped(values, *levels)
    elif values.dtype == np.uint8:
        pixels = np.asarray(values, np.uint8)
    else:
        raise InputError(
            f"cannot read {name}: it holds {_kind(values)}, which have no common scale; give `levels` LOW:HIGH, the "
            "values for black and white, or `levels` auto"
        )
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=-1)
    return np.ascontiguousarray(pixels, np.uint8)


def _mapped(values: Values, low: float, high: float) -> Frame:
    if values.dtype.kind in "ui" and values.dtype.itemsize * 8 <= _TABLE_BITS:
        unsigned = np.dtype(f"u{values.dtype.itemsize}")
        every = np.arange(np.iinfo(unsigned).max + 1, dtype=unsigned)
        return np.take(_scaled(every.view(values.dtype), low, high), values.view(unsigned))
    return _scaled(values, low, high)


def _scaled(values: Values, low: float, high: float) -> Frame:
    with np.errstate(over="ignore", invalid="ignore"):
        exact: Values = values.astype(np.float64 if values.dtype.itemsize > 2 else np.float32)
        exact -= low
        exact *= 255 / (high - low) if high > low else np.inf  # no range at all: black and white
        np.rint(exact, out=exact)
    np.nan_to_num(exact, copy=False)
    return np.asarray(exact.clip(0, 255, out=exact), np.uint8)


def _kind(values: Values) -> str:
    bits = values.dtype.itemsize * 8
    return {"f": f"{bits}-bit floats", "i": f"signed {bits}-bit integers"}.get(
        values.dtype.kind, f"{bits}-bit integers"
    )
