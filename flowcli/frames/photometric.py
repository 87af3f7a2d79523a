"""What the samples of a TIFF page mean: from any photometric interpretation to grey or RGB (TIFF 6.0)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from .levels import Values

if TYPE_CHECKING:
    import tifffile

PREMULTIPLIED = 1
"""An extra sample: alpha by which the colours are multiplied already."""

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _YCBCR, _LAB = 0, 1, 2, 3, 5, 6, 8
_JPEG = 7  # a compression whose decoder gives RGB
_CONVERTED = {_CMYK: "CMYK", _YCBCR: "YCbCr", _LAB: "LAB"}  # as Pillow calls them
_COLORS = {_RGB: 3, _CMYK: 4, _YCBCR: 3, _LAB: 3}  # samples for each pixel; 1 for all others


def to_values(samples: Values, page: tifffile.TiffPage, name: object, *, as_stored: bool) -> Values:
    """Grey or RGB values of a page's samples; alpha is dropped.

    Args:
        samples: ``(H, W)`` or ``(H, W, samples)``.
        page: the page that they are from.
        name: what errors call it.
        as_stored: whether values keep their range; otherwise unsigned ones of up to 16 bits are scaled to 8.

    Returns:
        ``(H, W)`` or ``(H, W, 3)``.

    Raises:
        InputError: the page has another number of samples, or colours that cannot be converted.
    """
    samples = samples if samples.ndim == 3 else samples[..., None]
    kind = int(page.photometric) if page.photometric is not None else _BLACK_IS_ZERO
    colors = _COLORS.get(kind, 1)
    found = samples.shape[2]
    if samples.ndim != 3 or found < colors or (colors == 1 and found > 2):
        raise InputError(f"cannot read {name}: it has {found} samples for each pixel; save it as grey or RGB")
    alpha = samples[..., colors] if found > colors and PREMULTIPLIED in page.extrasamples[:1] else None
    values = samples[..., :colors]
    if alpha is not None and values.dtype.kind == "u":
        values = _unmultiplied(values, alpha)
    if kind == _PALETTE:
        values = _looked_up(values[..., 0], page, name)
        return values if as_stored else to_8_bits(values, 16)
    if kind in _CONVERTED:
        return _converted(values, page, name)
    values = values[..., 0] if colors == 1 else values
    bits = page.bitspersample
    if kind == _WHITE_IS_ZERO and values.dtype.kind in "ub":
        values = (1 << bits) - 1 - values.astype(values.dtype if bits > 1 else np.uint8)
    return values if as_stored else to_8_bits(values, bits)


def to_8_bits(values: Values, bits: int) -> Values:
    """Unsigned values of up to 16 bits scaled to 8; others as they are."""
    if values.dtype.kind not in "ub" or bits > 16:
        return values
    if bits > 8:
        return (values >> (bits - 8)).astype(np.uint8)
    return (values.astype(np.uint16) * 255 // ((1 << bits) - 1)).astype(np.uint8)


def _unmultiplied(values: Values, alpha: Values) -> Values:
    """Colours divided by the alpha that they were multiplied by; where it is 0 they stay as they are."""
    full = np.iinfo(values.dtype).max
    divisor = np.where(alpha == 0, full, alpha)[..., None].astype(np.uint64)
    return np.asarray(np.minimum(values * np.uint64(full) // divisor, full), values.dtype)


def _looked_up(indices: Values, page: tifffile.TiffPage, name: object) -> Values:
    colormap = page.colormap
    if colormap is None or indices.dtype.kind not in "ub" or int(indices.max(initial=0)) >= colormap.shape[1]:
        raise InputError(f"cannot read {name}: its palette is damaged")
    return np.ascontiguousarray(np.moveaxis(colormap, 0, -1)[indices.astype(np.intp)])


def _converted(values: Values, page: tifffile.TiffPage, name: object) -> Values:
    """CMYK, YCbCr and L*a*b* as 8-bit RGB, by Pillow."""
    from PIL import Image, ImageCms

    kind = int(page.photometric)
    if kind == _YCBCR and page.compression == _JPEG:
        return values
    if values.dtype == np.uint16 and kind == _CMYK:
        values = to_8_bits(values, 16)
    if values.dtype.itemsize != 1:
        bits = values.dtype.itemsize * 8
        raise InputError(f"cannot read {name}: it holds {_CONVERTED[kind]} colours of {bits} bits; save it as RGB")
    size = (values.shape[1], values.shape[0])
    image: Any = Image.frombytes(_CONVERTED[kind], size, np.ascontiguousarray(values).tobytes())
    if kind != _LAB:
        return np.asarray(image.convert("RGB"))
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return np.asarray(ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB"))
