"""Refuses images that are too large, before memory is taken for them."""

from __future__ import annotations

from ..errors import InputError

_LEAST_PIXELS, _PIXELS_PER_BYTE = 1 << 21, 2048  # more than this in a small file is damage


def check_pixels(height: int, width: int, name: object, max_pixels: int) -> None:
    """Raise ``InputError`` if an image called ``name`` has more than ``max_pixels`` pixels."""
    if height * width > max_pixels:
        raise InputError(
            f"cannot read {name}: {width} x {height} is more than {max_pixels} pixels; "
            "if that size is correct, raise `max_pixels`"
        )


def check_plausible(height: int, width: int, length: int, name: object, max_pixels: int) -> None:
    """Raise ``InputError`` for a size above ``max_pixels``, or one that a file of ``length`` bytes can hardly hold."""
    check_pixels(height, width, name, max_pixels)
    if height * width > max(_LEAST_PIXELS, length * _PIXELS_PER_BYTE):
        raise InputError(f"cannot read {name}: its {length} bytes can hardly hold the {width} x {height} it claims")
