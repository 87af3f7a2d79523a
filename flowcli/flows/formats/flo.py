"""Middlebury's ``.flo`` (Baker et al., "A Database and Evaluation Methodology for Optical Flow", IJCV 2011).

The four bytes ``PIEH``, width and height as little-endian int32, then u and v as little-endian float32, row by row.
Components above 1e9 in magnitude mark unknown flow.
"""

from __future__ import annotations

import struct

import numpy as np

from ...arrays import Flow, Mask
from ...errors import InputError
from . import FlowFormat, check_length, check_size

MAGIC = b"PIEH"  # 202021.25 as a little-endian float32
UNKNOWN = np.float32(1e10)  # what Middlebury's own files hold where flow is unknown
UNKNOWN_THRESHOLD = 1e9
_HEADER = struct.Struct("<4sii")


def encode(flow: Flow) -> bytes:
    """The bytes of a ``.flo`` file; NaN becomes 1e10 (unknown)."""
    height, width, components = flow.shape
    if components != 2:
        raise ValueError(f"a flow has two components, not {components}")
    values = np.where(np.isnan(flow).any(axis=-1, keepdims=True), UNKNOWN, flow).astype("<f4")
    return _HEADER.pack(MAGIC, width, height) + values.tobytes()


def decode(data: bytes, name: object) -> Flow:
    """The flow in a ``.flo`` file; NaN where it says unknown."""
    height, width = size(data, len(data), name)
    flow = np.frombuffer(data, "<f4", offset=_HEADER.size).reshape(height, width, 2).astype(np.float32)
    flow[~in_range(flow)] = np.nan
    return flow


def in_range(flow: Flow) -> Mask:
    """Which vectors the format can hold."""
    with np.errstate(invalid="ignore"):
        return np.asarray((np.abs(flow) <= UNKNOWN_THRESHOLD).all(axis=-1))


def size(head: bytes, length: int, name: object) -> tuple[int, int]:
    """Height and width of the flow in a ``.flo`` file."""
    if len(head) < _HEADER.size or head[:4] != MAGIC:
        raise InputError(f"{name} is not a .flo file: it does not start with {MAGIC.decode()}")
    _, width, height = _HEADER.unpack_from(head)
    check_size(height, width, name)
    check_length(height, width, _HEADER.size + height * width * 8, length, name)
    return height, width


FORMAT = FlowFormat("flo", ".flo", encode, decode, size, holds=in_range, range="-1e9 to 1e9 px")
