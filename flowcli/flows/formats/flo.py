"""Middlebury's ``.flo`` (Baker et al., "A Database and Evaluation Methodology for Optical Flow", IJCV 2011).

The four bytes ``PIEH``, width and height as little-endian int32, then u and v as little-endian float32, row by row.
Components above 1e9 in magnitude mark unknown flow.
"""

from __future__ import annotations

import struct

import numpy as np

from ...arrays import Flow, Mask, both
from ...errors import InputError
from . import FlowFormat, check_length, check_size

MAGIC = b"PIEH"  # 202021.25 as a little-endian float32
UNKNOWN = np.float32(1e10)  # marks unknown flow in Middlebury's own files
UNKNOWN_THRESHOLD = 1e9
_HEADER = struct.Struct("<4sii")


def encode(flow: Flow) -> bytes:
    """Encode a flow as ``.flo``; NaN becomes 1e10 (unknown). Raises ``ValueError`` unless it has two components."""
    height, width, components = flow.shape
    if components != 2:
        raise ValueError(f"a flow must have two components, not {components}")
    values = flow
    if np.isnan(flow.sum()):  # which is much faster than to look at each, and also so of infinities of both signs
        values = np.where(np.isnan(flow).any(axis=-1, keepdims=True), UNKNOWN, flow)
    header = _HEADER.pack(MAGIC, width, height)
    return b"".join([header, np.ascontiguousarray(values, "<f4").data])


def decode(data: bytes, name: object) -> Flow:
    """Decode a ``.flo`` file; NaN where it marks flow as unknown. Raises ``InputError`` if it is damaged."""
    height, width = size(data, len(data), name)
    flow = np.frombuffer(data, "<f4", offset=_HEADER.size).reshape(height, width, 2).astype(np.float32)
    flow[~in_range(flow)] = np.nan
    return flow


def in_range(flow: Flow) -> Mask:
    """Which vectors the format can store: ``(H, W)`` bool."""
    with np.errstate(invalid="ignore"):
        return both(np.abs(flow) <= UNKNOWN_THRESHOLD)


def size(head: bytes, length: int, name: object) -> tuple[int, int]:
    """Height and width of the flow in a ``.flo`` file; raises ``InputError`` if it is damaged."""
    if len(head) < _HEADER.size or head[:4] != MAGIC:
        raise InputError(f"{name} is not a .flo file: it does not start with {MAGIC.decode()}")
    _, width, height = _HEADER.unpack_from(head)
    check_size(height, width, name)
    check_length(height, width, _HEADER.size + height * width * 8, length, name)
    return height, width


FORMAT = FlowFormat("flo", ".flo", encode, decode, size, holds=in_range, range="-1e9 to 1e9 px")
