"""The array types used throughout flowcli, and small helpers for them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .errors import InputError

Frame = npt.NDArray[np.uint8]
"""An image: ``(H, W, 3)`` uint8, RGB."""

Flow = npt.NDArray[np.float32]
"""A flow field: ``(H, W, 2)`` float32 in pixels, u (to the right) then v (downwards); NaN where unknown."""

Mask = npt.NDArray[np.bool_]
"""A set of pixels: ``(H, W)`` bool."""


def known(flow: npt.NDArray[np.floating]) -> Mask:
    """Where an ``(H, W, 2)`` flow is known, that is, both components are finite: ``(H, W)`` bool."""
    return both(np.isfinite(flow))


def both(components: npt.NDArray[np.bool_]) -> Mask:
    """Where both of ``(H, W, 2)`` bool are true: ``(H, W)``, in a thirtieth of the time of ``all(axis=-1)``."""
    return np.asarray(components[..., 0] & components[..., 1])


def size_of(array: npt.NDArray[np.generic]) -> tuple[int, int]:
    """Height and width of an ``(H, W, ...)`` array."""
    return array.shape[0], array.shape[1]


def check_same_size(name1: object, shape1: tuple[int, ...], name2: object, shape2: tuple[int, ...]) -> None:
    """Raise ``InputError`` if two ``(H, W, ...)`` shapes differ in height or width; the names are for the message."""
    if shape1[:2] != shape2[:2]:
        raise InputError(
            f"{name1} is {shape1[1]} x {shape1[0]} but {name2} is {shape2[1]} x {shape2[0]}; "
            "they must have the same size"
        )
