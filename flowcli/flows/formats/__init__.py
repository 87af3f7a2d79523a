"""Flow formats, one module each, behind one small interface; found by suffix or by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...arrays import Flow
from ...errors import InputError
from ...limits import LARGEST_DEFLATE_RATIO, MAX_SIDE

HEAD_BYTES = 4096
"""How much of a file's beginning :attr:`FlowFormat.size` is given (or all, if the file is shorter)."""


@dataclass(frozen=True)
class FlowFormat:
    """How flow is written in a file."""

    name: str
    """What ``--flow-format`` calls it."""

    suffix: str

    encode: Callable[[Flow], bytes]
    """The bytes of a file holding an ``(H, W, 2)`` float32 flow in pixels; NaN where unknown."""

    decode: Callable[[bytes, object], Flow]
    """The flow in the bytes of a whole file; raises ``InputError`` that calls the file by the second argument."""

    size: Callable[[bytes, int, object], tuple[int, int]] | None
    """Height and width, from the file's beginning and its length in bytes, which have to agree; raises ``InputError``
    that calls the file by the third argument. ``None`` if it takes the whole file to tell whether it is whole."""


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
