"""Decodes what Pillow reads better than OpenCV: AVIF with its orientation, animated WebP."""

from __future__ import annotations

import contextlib
import io
import re
import struct
import warnings
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ..arrays import Frame
from ..errors import InputError
from .bounds import check_plausible
from .chatter import captured_stderr
from .levels import Values
from .orientations import upright
from .png import SIGNATURE

_DAMAGE = (OSError, ValueError, SyntaxError, EOFError, LookupError, RuntimeError, MemoryError, struct.error)
"""What Pillow raises for damaged files."""

_AVIF = re.compile(rb"....ftyp(?:avif|avis)", re.DOTALL)
_RIFF_BYTES, _ANIMATED = 12, 0x02  # the size of WebP's file header; a flag in its first chunk (VP8X)
_CHATTER = re.compile(rb"tempfile\.tif: |JPEGLib: ")  # how libtiff begins what it prints of a file without a name
_ORIENTATION = 0x112  # a tag of EXIF
_GREYS = ("1", "L", "LA")
_NO_DURATION = 100  # milliseconds for which browsers show an image that does not say how long
_MILLISECOND = Fraction(1, 1000)

warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")  # about odd files


def is_avif(data: bytes) -> bool:
    """Whether a file begins as AVIF does (its file type box, ISO/IEC 14496-12)."""
    return _AVIF.match(data) is not None


def is_png(data: bytes) -> bool:
    """Whether a file begins as PNG does."""
    return data.startswith(SIGNATURE)


def is_webp(data: bytes) -> bool:
    """Whether a file begins as WebP does."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def holds_several(data: bytes) -> bool:
    """Whether an image file is an animation: GIF, WebP, PNG or AVIF."""
    if is_webp(data):
        return data[12:16] == b"VP8X" and len(data) > 20 and bool(data[20] & _ANIMATED)
    if is_png(data):
        return data.find(b"acTL", 0, data.find(b"IDAT")) > 0
    if data.startswith((b"GIF87a", b"GIF89a")):
        return _has_second_gif_image(data)
    return data[4:12] == b"ftypavis"


def _has_second_gif_image(data: bytes) -> bool:
    from PIL.GifImagePlugin import GifImageFile

    with contextlib.suppress(InputError), _damage_of("the image"):
        return bool(GifImageFile(io.BytesIO(data)).is_animated)
    return False  # damage is reported when it is decoded


@contextlib.contextmanager
def _damage_of(name: object) -> Iterator[None]:
    """Raise what Pillow says of a damaged file as ``InputError``."""
    from PIL.Image import DecompressionBombError

    try:
        yield
    except (*_DAMAGE, DecompressionBombError) as error:
        raise InputError(f"cannot read {name}: it is truncated, or damaged ({error})") from error


def decode_upright(data: bytes, name: object, *, max_pixels: int) -> Frame:
    """Decode the first image of an AVIF or PNG file, upright: ``(H, W, 3)`` uint8 RGB.

    Raises:
        InputError: it is damaged, or has more than ``max_pixels`` pixels.
    """
    from PIL import AvifImagePlugin, ImageOps, PngImagePlugin

    with _damage_of(name):  # not Image.open, which has a limit of its own
        kind: Any = AvifImagePlugin.AvifImageFile if is_avif(data) else PngImagePlugin.PngImageFile
        image = kind(io.BytesIO(data))
        check_plausible(image.height, image.width, len(data), name, max_pixels)
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def decode_tiff(data: bytes, page: int, name: object) -> Values:
    """Decode a page of a TIFF file through libtiff, upright.

    Returns:
        Grey of 16 bits, ``(H, W)`` uint16; else ``(H, W)`` or ``(H, W, 3)`` uint8.

    Raises:
        InputError: it is damaged, or Pillow has no such pixels.
    """
    from PIL.TiffImagePlugin import TiffImageFile

    with _damage_of(name), captured_stderr(_CHATTER.match) as complaints:
        image = TiffImageFile(io.BytesIO(data))
        image.seek(page)
        deep = image.mode == "I;16"
        values = np.asarray(image if deep else image.convert("L" if image.mode in _GREYS else "RGB"))
    if complaints:
        raise InputError(f"cannot read {name}: it is truncated, or damaged")
    return values


class WebpAnimation:
    """The images of an animated WebP file, or the one of a still.

    Args:
        data: the bytes of the file.
        name: what errors call it.
        max_pixels: larger images are refused.

    Raises:
        InputError: it is damaged or too large.
    """

    def __init__(self, data: bytes, name: object, *, max_pixels: int) -> None:
        from PIL.WebPImagePlugin import WebPImageFile

        self._name = name
        whole, self.times, self.is_cut = _whole_part(data)
        with _damage_of(name):
            self._image = WebPImageFile(io.BytesIO(whole))
            check_plausible(self._image.height, self._image.width, len(data), name, max_pixels)
            self._orientation = int(self._image.getexif().get(_ORIENTATION, 1))

    times: Sequence[Fraction]
    """When each image is shown, in seconds since the first."""

    is_cut: bool
    """Whether images are missing at the end."""

    def read(self, index: int) -> Frame:
        """One of the images: ``(H, W, 3)`` uint8 RGB; alpha is dropped. Raises ``InputError`` if it is damaged."""
        with _damage_of(f"image {index} of {self._name}"):
            self._image.seek(index)
            image = np.asarray(self._image.convert("RGB"))
        return np.asarray(upright(image, self._orientation), np.uint8)


def _whole_part(data: bytes) -> tuple[bytes, list[Fraction], bool]:
    """What an animation has before it was cut off, since libwebp reads only whole files.

    Returns:
        A whole file of the frame chunks that are complete (the WebP Container Specification), when each is shown, and
        whether something is missing.
    """
    times, time, at = [], 0, _RIFF_BYTES
    end = 8 + int.from_bytes(data[4:8], "little")
    while at + 8 <= min(end, len(data)):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        after = at + 8 + length + length % 2
        if after > len(data):
            break
        if data[at : at + 4] == b"ANMF":
            times.append(time * _MILLISECOND)
            time += int.from_bytes(data[at + 20 : at + 23], "little") or _NO_DURATION
        at = after
    is_cut = bool(times) and at < end
    whole = data[:4] + (at - 8).to_bytes(4, "little") + data[8:at] if is_cut else data
    return whole, times or [Fraction(0)], is_cut
