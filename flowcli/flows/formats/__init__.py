"""Flow file formats: one module each, with a common interface, found by suffix or by name.

The module of a format defines ``FORMAT``, and its name is listed in :data:`flowcli.choices.FlowFormatName`.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from ...arrays import Flow, Mask
from ...choices import AmbiguousFormatName, FlowFormatName
from ...errors import InputError
from ...limits import LARGEST_DEFLATE_RATIO, MAX_SIDE

HEAD_BYTES = 4096
"""The number of bytes from a file's beginning that :attr:`FlowFormat.size` gets; fewer if the file is shorter."""


@dataclass(frozen=True)
class FlowFormat:
    """A file format for flow."""

    name: str
    """The name of the format, and of its module."""

    suffix: str
    """The suffix of its files, such as ``.flo``."""

    encode: Callable[[Flow], bytes]
    """Encodes an ``(H, W, 2)`` float32 flow in pixels, NaN where unknown, as the bytes of a file."""

    decode: Callable[[bytes, object], Flow]
    """Decodes the bytes of a complete file; the second argument is the file's name for ``InputError``."""

    size: Callable[[bytes, int, object], tuple[int, int]] | None
    """Returns height and width, from the beginning of a file and its length in bytes, or raises ``InputError`` if they
    do not match; the third argument is the file's name for errors. ``None`` if the check needs the complete file."""

    holds: Callable[[Flow], Mask] | None = None
    """Which vectors of a flow the format can store, ``(H, W)`` bool; ``None`` if it stores all finite ones."""

    range: str = ""
    """The range of values that it can store, such as ``-512 to 511.98 px``."""

    recognizes: Callable[[Path], bool] | None = None
    """Whether a file is in this format, by its header; ``None`` if the suffix is not ambiguous."""

    @property
    def is_ambiguous(self) -> bool:
        """Whether another format has the same suffix, so that this one must be chosen by name for writing."""
        return self.name in get_args(AmbiguousFormatName)


PICTURE = "png"
"""The format name that means a picture."""


@functools.cache
def formats() -> Mapping[str, FlowFormat]:
    """All formats that store flow as numbers, by suffix."""
    names = [name for name in get_args(FlowFormatName) if name != PICTURE]
    found: list[FlowFormat] = [importlib.import_module(f".{name}", __name__).FORMAT for name in names]
    return {form.suffix: form for form in found}


def check_size(height: int, width: int, name: object) -> None:
    """Raise ``InputError`` if the size in the header of file ``name`` is not plausible."""
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise InputError(f"{name} is damaged: its header claims {width} x {height} pixels")


def check_length(height: int, width: int, expected: int, length: int, name: object) -> None:
    """Raise ``InputError`` if the length of file ``name`` is not ``expected``, both in bytes."""
    if length != expected:
        raise InputError(f"{name} is damaged: {width} x {height} pixels need {expected} bytes, but it has {length}")


def check_unpacked(bytes_unpacked: int, length: int, name: object) -> None:
    """Raise ``InputError`` if a compressed file of ``length`` bytes cannot unpack to ``bytes_unpacked`` bytes."""
    if bytes_unpacked > length * LARGEST_DEFLATE_RATIO:
        raise InputError(f"{name} is damaged: its {length} bytes cannot unpack to the {bytes_unpacked} that it claims")
