"""Flow files: reading and writing, by suffix.

``.flo`` is Middlebury's format (Baker et al., "A Database and Evaluation Methodology for Optical Flow", IJCV 2011):
the four bytes ``PIEH``, width and height as little-endian int32, then u and v as little-endian float32, row by row.
Components above 1e9 in magnitude mark unknown flow; in memory unknown flow is NaN.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from .arrays import Flow
from .errors import InputError, OutputError
from .files import why, write_bytes

FLO_MAGIC = b"PIEH"  # 202021.25 as a little-endian float32
FLO_UNKNOWN = np.float32(1e10)  # what Middlebury's own files hold where flow is unknown
FLO_UNKNOWN_THRESHOLD = 1e9
_FLO_HEADER = struct.Struct("<4sii")
_MAX_SIDE = 1 << 17  # beyond any camera; a larger size in a header is damage

FLOW_SUFFIXES = (".flo",)
PICTURE_SUFFIXES = (".png",)


def check_suffix(path: Path) -> None:
    """Raise ``OutputError`` if flowcli has no format for the suffix of ``path``."""
    known = FLOW_SUFFIXES + PICTURE_SUFFIXES
    if path.suffix.lower() not in known:
        raise OutputError(
            f"cannot write {path}: unknown format {path.suffix or '(no suffix)'}; use {' or '.join(known)}"
        )


def encode_flo(flow: Flow) -> bytes:
    """The bytes of a ``.flo`` file holding ``flow``, an ``(H, W, 2)`` array in pixels; NaN becomes 1e10 (unknown)."""
    height, width, components = flow.shape
    if components != 2:
        raise ValueError(f"a flow has two components, not {components}")
    values = np.where(np.isnan(flow).any(axis=-1, keepdims=True), FLO_UNKNOWN, flow).astype("<f4")
    return _FLO_HEADER.pack(FLO_MAGIC, width, height) + values.tobytes()


def decode_flo(data: bytes, name: object) -> Flow:
    """The flow in the bytes of a ``.flo`` file; ``name`` is what an error calls it.

    Returns:
        ``(H, W, 2)`` float32 in pixels; NaN where the file says unknown.

    Raises:
        InputError: wrong magic, impossible size, too few or too many bytes.
    """
    if len(data) < _FLO_HEADER.size or data[:4] != FLO_MAGIC:
        raise InputError(f"{name} is not a .flo file: it does not start with {FLO_MAGIC.decode()}")
    _, width, height = _FLO_HEADER.unpack_from(data)
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE):
        raise InputError(f"{name} is damaged: its header says {width} x {height} pixels")
    expected = _FLO_HEADER.size + width * height * 8
    if len(data) != expected:
        raise InputError(f"{name} is damaged: {width} x {height} pixels need {expected} bytes, it has {len(data)}")
    flow = np.frombuffer(data, "<f4", offset=_FLO_HEADER.size).reshape(height, width, 2).astype(np.float32)
    with np.errstate(invalid="ignore"):
        unknown = ~(np.abs(flow) <= FLO_UNKNOWN_THRESHOLD).all(axis=-1)
    flow[unknown] = np.nan
    return flow


def read_flow(path: str | Path) -> Flow:
    """Read a flow file; its suffix says the format.

    Returns:
        ``(H, W, 2)`` float32 in pixels, u then v; NaN where unknown.

    Raises:
        InputError: the file is missing, unreadable, damaged, or of a format that flowcli does not read.
    """
    path = Path(path)
    if path.suffix.lower() not in FLOW_SUFFIXES:
        raise InputError(f"cannot read {path}: not a flow format that flowcli knows ({', '.join(FLOW_SUFFIXES)})")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {why(error)}") from error
    return decode_flo(data, path)


def write_flow(path: str | Path, flow: Flow, *, max_flow: float | None = None) -> None:
    """Write ``flow`` to ``path``, whole or not at all; the suffix says the format.

    Args:
        path: ``.flo`` for the numbers, ``.png`` for the colours of :func:`flowcli.colorize`.
        flow: ``(H, W, 2)`` float32 in pixels; NaN where unknown.
        max_flow: for ``.png``, the flow in pixels that gets full colour; ``None`` takes the largest in ``flow``.

    Raises:
        OutputError: the format is unknown or the file cannot be written.
    """
    path = Path(path)
    check_suffix(path)
    if path.suffix.lower() in PICTURE_SUFFIXES:
        from .color import colorize
        from .images import write_image

        write_image(path, colorize(flow, max_flow))
    else:
        write_bytes(path, encode_flo(flow))
