"""Flow file formats: one module each, with a common interface, found by suffix or by name.

The module of a format defines ``FORMAT``, and its name is listed in :data:`flowcli.choices.FlowFormatName`.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy.typing as npt

from ...arrays import Flow, Mask
from ...choices import AmbiguousFormatName, FlowFormatName, VerticalAxis
from ...errors import InputError, UsageError
from ...limits import LARGEST_DEFLATE_RATIO, MAX_SIDE

HEAD_BYTES = 4096
"""The number of bytes from a file's beginning that :attr:`FlowFormat.size` gets; fewer if the file is shorter."""


@dataclass(frozen=True)
class FlowOptions:
    """What a file does not say of itself: how formats with options are written and read. Plain data.

    Raises:
        UsageError: ``bound`` is not between 0.001 and 1000000.
    """

    bound: float = 20.0
    """``jpg``: the components of flow, in pixels, that become black and white are minus and plus this."""

    exr_v: VerticalAxis = "up"
    """``exr``: where v points where it is positive."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not 1e-3 <= self.bound <= 1e6:  # not a number neither
            raise UsageError(f"`bound` must be between 0.001 and 1000000 pixels, not {self.bound}")


@dataclass(frozen=True)
class FlowFormat:
    """A file format for flow."""

    name: str
    """The name of the format, and of its module."""

    suffix: str
    """The suffix of its files, such as ``.flo``."""

    encode: Callable[[Flow], bytes]
    """Encodes an ``(H, W, 2)`` float32 flow in pixels, NaN where unknown, as the bytes of a file; where there are
    :attr:`components`, one of them, ``(H, W, 1)``."""

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

    aliases: tuple[str, ...] = ()
    """Other suffixes of its files."""

    loss: Callable[[Flow], str | None] | None = None
    """One line that says what it cannot store of a flow, or ``None``; for formats that do not mark it as unknown."""

    is_rounded: bool = False
    """Whether a file gives back other numbers than the float32 that it was written from."""

    components: tuple[str, ...] = ()
    """What the files of a flow are called if each component is a file of its own; see
    :func:`flowcli.flows.io.files_of`."""

    encode_both: Callable[[Flow, Flow], bytes] | None = None
    """Encodes two flows of a pair as one file: from frame 1 to frame 2, and from frame 2 to frame 1."""

    encode_with: Callable[[Flow, Mapping[str, npt.NDArray[Any]]], bytes] | None = None
    """Encodes a flow with further arrays that belong to it, by name; ``None`` if its files cannot hold any."""

    options: tuple[str, ...] = ()
    """The fields of :class:`FlowOptions` that determine what its files contain."""

    configure: Callable[[FlowOptions], FlowFormat] | None = None
    """Returns the format with these options; ``None`` if it has none."""

    check_writing: Callable[[], object] | None = None
    """Raises ``OutputError`` if a package that writing needs is missing."""

    def configured(self, options: FlowOptions) -> FlowFormat:
        """The format with these options."""
        return self if self.configure is None else self.configure(options)

    @property
    def is_ambiguous(self) -> bool:
        """Whether a picture has the same suffix, so that this format must be chosen by name for writing."""
        return self.name in get_args(AmbiguousFormatName)


PICTURE = "png"
"""The format name that means a picture."""

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")
"""The suffixes with which flow is drawn, unless a format with that suffix is chosen by name."""


@functools.cache
def formats() -> Mapping[str, FlowFormat]:
    """All formats that store flow as numbers, by suffix."""
    names = [name for name in get_args(FlowFormatName) if name != PICTURE]
    found: list[FlowFormat] = [importlib.import_module(f".{name}", __name__).FORMAT for name in names]
    return {suffix: form for form in found for suffix in (form.suffix, *form.aliases)}


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
