"""TIFF (Adobe, "TIFF Revision 6.0", 1992) with two float samples, u and v; NaN marks unknown flow.

Written as 32-bit floats with deflate compression. What other programs compress otherwise needs imagecodecs, an optional
dependency of tifffile.
"""

from __future__ import annotations

import importlib.util
import io
import logging
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays import Flow
from ...errors import InputError
from ...limits import LARGEST_DEFLATE_RATIO, LARGEST_RATIO
from . import FlowFormat, check_length, check_size
from .npy import as_flow

if TYPE_CHECKING:
    from tifffile import TiffPage

_NONE, _DEFLATE, _OLD_DEFLATE = 1, 8, 32946  # values of the tag Compression
_OTHERS = {5: "LZW", 32773: "PackBits", 34925: "LZMA", 50000: "ZSTD"}  # that imagecodecs unpacks
_NO_PREDICTOR = 1
_FLOATS = 3  # the value of the tag SampleFormat
_REMEDY = "needs imagecodecs; pip install 'flowcli[tiff]'"
# Raised by tifffile on damaged files.
_DAMAGE = (
    OSError,
    LookupError,
    RuntimeError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    MemoryError,
    AssertionError,
    struct.error,
)

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # or else its warnings are printed on stderr


def encode(flow: Flow) -> bytes:
    """Encode a flow as a TIFF file."""
    import tifffile

    file = io.BytesIO()
    tifffile.imwrite(
        file,
        as_flow(flow),
        photometric="minisblack",
        planarconfig="contig",
        compression="zlib",
        metadata=None,
        software=False,
    )
    return file.getvalue()


def decode(data: bytes, name: object) -> Flow:
    """Decode a TIFF file with two float samples, in planes or interleaved; NaN where not finite.

    Raises:
        InputError: it is damaged, holds something else, or needs imagecodecs.
    """
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page = _page(file, name)
            _check_amount(page, len(data), name)
            values = page.asarray(maxworkers=1)
    except _DAMAGE as error:
        raise InputError(f"{name} is damaged, or not a TIFF file") from error
    if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE:
        values = np.moveaxis(values, 0, -1)
    if values.shape != (page.imagelength, page.imagewidth, 2):
        raise InputError(f"{name} is damaged: its pixels are an array of shape {values.shape}")
    return as_flow(values)


def _page(file: Any, name: object) -> TiffPage:
    """The only image of a file; raises ``InputError`` if there are several, or it has no two float samples."""
    if len(file.pages) != 1:
        raise InputError(f"{name} has {len(file.pages)} images; flow is one image with two float samples")
    page: TiffPage = file.pages[0]  # the first one is no TiffFrame
    if not _is_flow(page):
        raise InputError(
            f"{name} is a picture, not flow: it has {page.samplesperpixel} samples of type {page.dtype}; "
            "flow has two float samples"
        )
    return page


def _is_flow(page: TiffPage) -> bool:
    return (
        page.samplesperpixel == 2
        and page.sampleformat == _FLOATS
        and page.dtype is not None
        and page.dtype.kind == "f"
        and page.imagedepth == 1
    )


def _check_amount(page: TiffPage, length: int, name: object) -> None:
    """Raise ``InputError`` if ``length`` bytes cannot unpack to the pixels that the header claims."""
    assert page.dtype is not None
    height, width = page.imagelength, page.imagewidth
    check_size(height, width, name)
    expected = height * width * 2 * page.dtype.itemsize
    stored = sum(page.databytecounts)
    if any(offset + count > length for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)):
        raise InputError(f"{name} is damaged: it is truncated")
    if page.compression == _NONE:
        if not page.is_tiled:
            check_length(height, width, expected, stored, name)
        ratio = 1
    elif page.compression in {_DEFLATE, _OLD_DEFLATE}:
        ratio = LARGEST_DEFLATE_RATIO
    elif page.compression in _OTHERS:
        ratio = LARGEST_RATIO
    else:
        raise InputError(f"{name} is compressed by a method that flowcli does not read; save it with deflate")
    needs_more = page.compression in _OTHERS or page.predictor != _NO_PREDICTOR
    if needs_more and importlib.util.find_spec("imagecodecs") is None:
        raise InputError(f"cannot read {name}: its compression {_REMEDY}")
    # A tile is stored whole, also where it reaches beyond the image.
    tile = page.tilelength * page.tilewidth * 2 * page.dtype.itemsize if page.is_tiled else 0
    if max(expected, tile) > stored * ratio:
        raise InputError(f"{name} is damaged: its {length} bytes cannot unpack to {width} x {height} pixels")


def looks_like_flow(path: Path) -> bool:
    """Whether the header of a TIFF file says two float samples; also true if it cannot be read."""
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            return isinstance(page := file.pages[0], tifffile.TiffPage) and _is_flow(page)
    except OSError:
        return True  # reading the file will raise the error
    except _DAMAGE:
        return False


FORMAT = FlowFormat("tif", ".tif", encode, decode, None, recognizes=looks_like_flow, aliases=(".tiff",))
