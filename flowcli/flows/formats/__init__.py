"""Flow formats, one module each, behind one small interface; found by suffix or by name.

The module of a format has a ``FORMAT``, and its name stands in :data:`flowcli.choices.FlowFormatName`.
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
"""How much of a file's beginning :attr:`FlowFormat.size` is given (or all, if the file is shorter)."""


@dataclass(frozen=True)
class FlowFormat:
    """How flow is written in a file."""

    name: str
    """What users call it, and what its module is called."""

    suffix: str

    encode: Callable[[Flow], bytes]
    """The bytes of a file holding an ``(H, W, 2)`` float32 flow in pixels; NaN where unknown."""

    decode: Callable[[bytes, object], Flow]
    """The flow in the bytes of a whole file; raises ``InputError`` that calls the file by the second argument."""

    size: Callable[[bytes, int, object], tuple[int, int]] | None
    """Height and width, from the file's beginning and its length in bytes, which have to agree; raises ``InputError``
    that calls the file by the third argument. ``None`` if it takes the whole file to tell whether it is whole."""

    holds: Callable[[Flow], Mask] | None = None
    """Which vectors of a flow it can hold, ``(H, W)`` bool; ``None`` if it holds every finite one."""

    range: str = ""
    """What it can hold, in words."""

    recognizes: Callable[[Path], bool] | None = None
    """Whether a file of this suffix is in this format, by its header; ``None`` if the suffix has no other meaning."""

    @property
    def is_ambiguous(self) -> bool:
        """Whether the suffix also means something else, so that the format has to be named for writing."""
        return self.name in get_args(AmbiguousFormatName)


PICTURE = "png"
"""The name that stands for a picture among those of the formats."""


@functools.cache
def formats() -> Mapping[str, FlowFormat]:
    """The formats that hold flow itself, by suffix."""
    names = [name for name in get_args(FlowFormatName) if name != PICTURE]
    found: list[FlowFormat] = [importlib.import_module(f".{name}", __name__).FORMAT for name in names]
    return {form.suffix: form for form in found}


def check_size(height: int, width: int, name: object) -> None:
    """Raise ``InputError`` if no flow is that large, which means that the header of ``name`` is damaged."""
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise InputError(f"{name} is damaged: its header says {width} x {height} pixels")


def check_length(height: int, width: int, expected: int, length: int, name: object) -> None:
    """Raise ``InputError`` if the file ``name`` does not have the ``expected`` length in bytes."""
    if length != expected:
        raise InputError(f"{name} is damaged: {width} x {height} pixels need {expected} bytes, it has {length}")


def check_unpacked(bytes_unpacked: int, length: int, name: object) -> None:
    """Raise ``InputError`` if no compressed file of ``length`` bytes can hold that many."""
    if bytes_unpacked > length * LARGEST_DEFLATE_RATIO:
        raise InputError(f"{name} is damaged: its {length} bytes cannot hold the {bytes_unpacked} that it claims")
