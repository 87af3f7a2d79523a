"""The eight orientations of images, by the numbers of TIFF and EXIF."""

from __future__ import annotations

from .levels import Values


def upright(values: Values, orientation: int) -> Values:
    """Turn and mirror an image by the number of its orientation, 1 to 8, as in TIFF and EXIF."""
    if orientation in {5, 6, 7, 8}:
        values = values.swapaxes(0, 1)
    if orientation in {3, 4, 7, 8}:
        values = values[::-1]
    if orientation in {2, 3, 6, 7}:
        values = values[:, ::-1]
    return values
