"""Reads TIFF files through tifffile: of one image, or a stack of them; strips or tiles, of any depth."""

from __future__ import annotations

import io
import logging
import re
import struct
import zlib
from lzma import LZMAError
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from ..errors import InputError
from ..limits import LARGEST_DEFLATE_RATIO, LARGEST_RATIO
from .bounds import check_pixels
from .chatter import captured_stderr
from .levels import Values
from .orientations import upright
from .photometric import PREMULTIPLIED, to_8_bits, to_values
from .pillow import decode_tiff

if TYPE_CHECKING:
    import tifffile

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_DAMAGE = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,  # imagecodecs
    OSError,
    EOFError,
    MemoryError,
    AssertionError,
    struct.error,
    zlib.error,
    LZMAError,
)
"""What tifffile and the codecs raise for damaged files."""

_NONE, _LZW, _JPEG, _DEFLATE, _OLD_DEFLATE, _PACKBITS = 1, 5, 7, 8, 32946, 32773  # compressions
_RATIOS = {
    _NONE: 8,  # of bits that are unpacked to bytes
    _PACKBITS: 64,
    _LZW: 1400,
    _JPEG: 1024,
    _DEFLATE: LARGEST_DEFLATE_RATIO,
    _OLD_DEFLATE: LARGEST_DEFLATE_RATIO,
}
"""How much larger an image can be than its file, by compression; what claims more is damaged."""

_PILLOWS_TYPES = (np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.bool_))
_PILLOWS_BITS = frozenset({1, 2, 4, 8, 12, 16})
_PILLOWS_COMPRESSIONS = frozenset({1, 2, 3, 4, 5, 6, 7})  # none, CCITT's, LZW and JPEG: those of TIFF 6.0
_CHATTER = re.compile(rb"JPEGLib: |Unrecognized WMPTag|ojph ")  # what the codecs of imagecodecs print
_SMALL_TILE = 1 << 22  # bytes
_MASK, _REDUCED = 4, 1  # in NewSubfileType: not images of their own

_log = logging.getLogger(__name__)


def is_tiff(data: bytes) -> bool:
    """Whether a file begins as TIFF or BigTIFF does."""
    return data.startswith(_MAGIC)


def decode_first(data: bytes, name: object, *, max_pixels: int, as_stored: bool) -> Values:
    """The first image of a TIFF file; arguments, result and errors as for :meth:`TiffStack.read`."""
    stack = TiffStack(io.BytesIO(data), name, max_pixels=max_pixels)
    if len(stack) > 1:
        _log.warning("%s holds several images; of such frames the first image is used", name)
    return stack.read(0, as_stored=as_stored)


class TiffStack:
    """The images of a TIFF file, without its thumbnails and masks.

    Args:
        file: the file, open for reading as long as images are read.
        name: what errors call it.
        max_pixels: larger images are refused.

    Raises:
        InputError: it is damaged.
    """

    def __init__(self, file: BinaryIO, name: object, *, max_pixels: int) -> None:
        import tifffile

        logging.getLogger("tifffile").addHandler(logging.NullHandler())  # else Python prints its warnings
        self._file, self._name, self._max_pixels = file, name, max_pixels
        self._length = file.seek(0, io.SEEK_END)
        file.seek(0)
        try:
            self._tiff = tifffile.TiffFile(file, _multifile=False)  # which never opens another file
            self._pages = [page for page in map(self._page, range(len(self._tiff.pages))) if not _is_extra(page)]
            self._virtual = self._imagej_images()
            channels = (self._tiff.imagej_metadata or {}).get("channels", 1) if self._tiff.is_imagej else 1
            if isinstance(channels, int) and channels > 1 and len(self) > channels:
                _log.info("%s has %d channels; each counts as a frame of its own", name, channels)
        except (*_DAMAGE, tifffile.TiffFileError) as error:
            raise InputError(f"cannot read {name}: it is truncated, or not a TIFF file ({_line(error)})") from error
        if not self._pages:
            raise InputError(f"cannot read {name}: it is truncated, or a TIFF file without images")

    def __len__(self) -> int:
        """The number of images."""
        return self._virtual or len(self._pages)

    @property
    def is_cut(self) -> bool:
        """Whether the last image names another one that the file does not have."""
        last, form = self._tiff.pages[len(self._tiff.pages) - 1], self._tiff.tiff
        self._file.seek(last.offset)
        count = struct.unpack(form.tagnoformat, self._file.read(form.tagnosize))[0]
        self._file.seek(last.offset + form.tagnosize + count * form.tagsize)
        following = self._file.read(form.offsetsize)
        return len(following) < form.offsetsize or struct.unpack(form.offsetformat, following)[0] > self._length

    def read(self, index: int, *, as_stored: bool) -> Values:
        """One of the images, upright, without alpha, as RGB or grey.

        Args:
            index: its number.
            as_stored: whether values keep their range; otherwise unsigned ones of up to 16 bits are scaled to 8.

        Returns:
            ``(H, W)`` or ``(H, W, 3)``.

        Raises:
            InputError: it is damaged, truncated, too large, or of a kind that cannot be read.
        """
        name = self._name if len(self) == 1 else f"image {index} of {self._name}"
        page = self._pages[0 if self._virtual else index]
        try:
            self._check(page, name)
            samples = self._read_virtual(page, index) if self._virtual else _samples(page)
            if samples is None:
                return self._read_by_pillow(page, name, as_stored)
            return upright(to_values(samples, page, name, as_stored=as_stored), _orientation(page))
        except _DAMAGE as error:
            raise InputError(f"cannot read {name}: it is truncated, or damaged ({_line(error)})") from error

    def _page(self, index: int) -> tifffile.TiffPage:
        page = self._tiff.pages[index]
        return page.aspage()

    def _imagej_images(self) -> int:
        """How many images lie one after the other behind the only page, as ImageJ writes large stacks; 0 if none do."""
        count = (self._tiff.imagej_metadata or {}).get("images", 1) if self._tiff.is_imagej else 1
        is_plain = len(self._pages) == 1 and self._pages[0].is_contiguous and self._pages[0].compression == _NONE
        return count if is_plain and type(count) is int and count > 1 else 0

    def _read_virtual(self, page: tifffile.TiffPage, index: int) -> Values:
        self._file.seek(page.dataoffsets[0] + index * page.nbytes)
        dtype = np.dtype(page.dtype).newbyteorder(self._tiff.byteorder)
        values = np.frombuffer(self._file.read(page.nbytes), dtype).reshape(page.shape)
        return values.astype(page.dtype)

    def _read_by_pillow(self, page: tifffile.TiffPage, name: object, as_stored: bool) -> Values:
        """The same as :meth:`read`, where libtiff has the codec and Pillow the kind of pixels."""
        import tifffile

        is_plain = page.dtype in _PILLOWS_TYPES and PREMULTIPLIED not in page.extrasamples
        is_plain = is_plain and page.bitspersample in _PILLOWS_BITS
        if is_plain and page.compression in _PILLOWS_COMPRESSIONS:
            self._file.seek(0)
            values = decode_tiff(self._file.read(), page.index, name)
            is_scaled = page.bitspersample not in {8, 12, 16} and as_stored
            is_looked_up = page.colormap is not None and as_stored  # by Pillow in 8 bits, not in 16
            if not (is_looked_up or is_scaled) and (values.dtype == page.dtype or not as_stored):
                return to_8_bits(values, page.bitspersample) if values.dtype == np.uint16 and not as_stored else values
        method = tifffile.COMPRESSION(page.compression).name
        raise InputError(
            f"cannot read {name}: decoding its compression, {method}, needs imagecodecs; pip install 'flowcli[tiff]'"
        )

    def _check(self, page: tifffile.TiffPage, name: object) -> None:
        """Raise ``InputError`` if reading a page would take much memory for little data, or data is missing."""
        numbers = page.imagelength, page.imagewidth, page.tilelength, page.tilewidth, page.samplesperpixel
        if not all(isinstance(number, int) for number in numbers):  # a damaged tag may hold many
            raise InputError(f"cannot read {name}: it is damaged")
        check_pixels(page.imagelength, page.imagewidth, name, self._max_pixels)
        if page.imagedepth != 1 or page.dtype is None or page.dtype.kind == "c":
            raise InputError(f"cannot read {name}: it is no picture, but a volume or complex numbers")
        stored = sum(page.databytecounts)
        ends = map(sum, zip(page.dataoffsets, page.databytecounts, strict=True))
        if max(ends, default=0) > self._length or (page.compression == _NONE and 8 * stored < page.size):
            raise InputError(f"cannot read {name}: it is truncated")
        ratio = _RATIOS.get(page.compression, LARGEST_RATIO)
        tile = page.tilewidth * page.tilelength * page.samplesperpixel * page.dtype.itemsize if page.is_tiled else 0
        if page.nbytes > self._length * ratio or tile > max(_SMALL_TILE, 4 * page.nbytes):
            raise InputError(f"cannot read {name}: it is damaged, and claims more than its {self._length} bytes hold")


def _samples(page: tifffile.TiffPage) -> Values | None:
    """The samples of a page with the channels last; ``None`` if tifffile lacks what it takes to decode them."""
    try:
        with captured_stderr(_CHATTER.match):
            samples = page.asarray()
    except (*_DAMAGE, ImportError) as error:
        if "imagecodecs" in str(error) or isinstance(error, ImportError) or page.is_subsampled:
            return None
        raise
    return np.moveaxis(samples, 0, -1) if page.axes.startswith("S") else samples


def _is_extra(page: tifffile.TiffPage) -> bool:
    return bool(page.subfiletype & (_REDUCED | _MASK))


def _orientation(page: tifffile.TiffPage) -> int:
    tag = page.tags.get("Orientation")
    return int(tag.value) if tag is not None and isinstance(tag.value, int) else 1


def _line(error: object) -> str:
    return " ".join(str(error).split()) or type(error).__name__
