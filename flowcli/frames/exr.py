"""Reads and writes OpenEXR files, with the official ``OpenEXR`` package, an optional dependency."""

from __future__ import annotations

import importlib
import io
import re
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays import Frame
from ..errors import InputError, OutputError
from .chatter import silenced
from .exr_header import MAGIC, Part, Window, read_header
from .levels import Values

_REMEDY = "the .exr format needs OpenEXR; pip install 'flowcli[exr]'"
_CHATTER = re.compile(rb".*\(EXR_ERR_|ojph ")  # what OpenEXR prints on stderr about a damaged file
# Raised by OpenEXR on damaged files.
_DAMAGE = (OSError, LookupError, RuntimeError, ValueError, TypeError, AttributeError, ArithmeticError, MemoryError)


def is_exr(data: bytes) -> bool:
    """Whether a file begins as OpenEXR does."""
    return data.startswith(MAGIC)


def window_size(data: bytes, name: object) -> tuple[int, int]:
    """Height and width of the image in an OpenEXR file, as its header says; raises ``InputError`` if damaged."""
    return read_header(data, name)[0].display.size


def read_linear(data: bytes, name: object) -> Values:
    """Read the picture in an OpenEXR file.

    It is R, G and B of the file; or of a layer, ``Combined`` first, as Blender calls the whole picture; or Y alone.
    Alpha is dropped. Pixels outside the data window are 0. A small file can claim a large display window: check
    :func:`window_size` first.

    Args:
        data: the bytes of the file.
        name: what errors call it.

    Returns:
        ``(H, W, 3)``, or ``(H, W, 1)`` for grey, float32: scene-linear values.

    Raises:
        InputError: the file is damaged, has no picture, or the OpenEXR package is missing.
    """
    _library(name)
    parts = read_header(data, name)
    pictures = _pictures(parts)
    if not pictures:
        raise InputError(f"cannot read {name}: it has neither channels R, G, B nor Y, but {listed(parts)}")
    index, channels = pictures[0]
    return read_channels(data, name, parts, index, channels, fill=0.0)


def _pictures(parts: Sequence[Part]) -> list[tuple[int, tuple[str, ...]]]:
    """The channels that make up pictures, each with its part's number; the best one first."""
    found: list[tuple[int, int, tuple[str, ...]]] = []
    for index, part in enumerate(parts):
        for channel in part.channels:
            layer = channel.removesuffix("R") if channel.endswith(".R") or channel == "R" else None
            if layer is not None and {f"{layer}G", f"{layer}B"} <= part.channels.keys():
                rank = 0 if not layer else 1 if layer.lower().endswith("combined.") else 3
                found.append((rank, index, (f"{layer}R", f"{layer}G", f"{layer}B")))
            elif channel == "Y":
                found.append((2, index, ("Y",)))
    return [(index, channels) for _, index, channels in sorted(found, key=lambda each: each[:2])]


def listed(parts: Sequence[Part]) -> str:
    """The names of the channels of all parts, for errors."""
    names = [channel for part in parts for channel in part.channels]
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "") if names else "no channels of floats"


def tone_map(linear: Values) -> Frame:
    """Encode scene-linear values for display by the sRGB curve (IEC 61966-2-1), clipped to 0..1.

    Args:
        linear: ``(H, W, C)`` float32; NaN becomes black.

    Returns:
        ``(H, W, C)`` uint8.
    """
    clipped = np.clip(np.nan_to_num(linear, nan=0.0), 0, 1).astype(np.float32)
    curved = np.float32(1.055) * clipped ** np.float32(1 / 2.4) - np.float32(0.055)
    encoded = np.where(clipped <= np.float32(0.0031308), np.float32(12.92) * clipped, curved)
    return np.asarray(np.rint(encoded * 255), np.uint8)


def read_channels(
    data: bytes, name: object, parts: Sequence[Part], index: int, channels: Sequence[str], *, fill: float
) -> Values:
    """Read channels of one part of an OpenEXR file, at the place of the display window.

    Args:
        data: the bytes of the file.
        name: what errors call it.
        parts: the headers of the file, from :func:`flowcli.frames.exr_header.read_header`.
        index: the number of the part.
        channels: the names of the channels, which the part has.
        fill: the value of pixels outside the data window.

    Returns:
        The values of the display window, ``(H, W, C)`` float32, the channels in the given order.

    Raises:
        InputError: the file is damaged, or the OpenEXR package is missing.
    """
    library = _library(name)
    damaged = InputError(f"{name} is damaged: OpenEXR cannot decode it")
    with silenced(_CHATTER.match):
        try:
            found = library.File(io.BytesIO(data), separate_channels=True).parts
            # A part that cannot be decoded is only left out.
            planes = [found[index].channels[channel].pixels for channel in channels] if len(found) == len(parts) else []
        except _DAMAGE as error:
            raise damaged from error
    part = parts[index]
    if not planes or any(plane.shape != part.data.size or plane.dtype.kind != "f" for plane in planes):
        raise damaged
    return _placed(planes, part.data, part.display, fill)


def _placed(planes: Sequence[npt.NDArray[Any]], data: Window, display: Window, fill: float) -> Values:
    """The planes of the data window, stacked, at their place in the display window."""
    height, width = display.size
    values = np.full((height, width, len(planes)), fill, np.float32)
    top, bottom = max(data.top, display.top), min(data.bottom, display.bottom) + 1
    left, right = max(data.left, display.left), min(data.right, display.right) + 1
    if top < bottom and left < right:
        place = values[top - display.top : bottom - display.top, left - display.left : right - display.left]
        for number, plane in enumerate(planes):
            place[..., number] = plane[top - data.top : bottom - data.top, left - data.left : right - data.left]
    return values


def encode_channels(channels: Mapping[str, Values], texts: Mapping[str, str]) -> bytes:
    """Encode channels as an OpenEXR file of 32-bit floats with ZIP compression.

    Args:
        channels: the channels by name, each ``(H, W)`` float32.
        texts: attributes to store with them.

    Returns:
        The bytes of the file.

    Raises:
        OutputError: the OpenEXR package is missing.
    """
    library = check_library()
    header = {"compression": library.ZIP_COMPRESSION, "type": library.scanlineimage, **texts}
    planes = {name: np.ascontiguousarray(values, np.float32) for name, values in channels.items()}
    file = io.BytesIO()
    library.File(header, planes).write(file)
    return file.getvalue()


def check_library() -> ModuleType:
    """The OpenEXR package; raises ``OutputError`` if it is missing."""
    try:
        return importlib.import_module("OpenEXR")
    except ModuleNotFoundError as error:
        raise OutputError(_REMEDY) from error


def _library(name: object) -> ModuleType:
    """The OpenEXR package; raises ``InputError`` if it is missing."""
    try:
        return importlib.import_module("OpenEXR")
    except ModuleNotFoundError as error:
        raise InputError(f"cannot read {name}: {_REMEDY}") from error
