"""Portable float maps as in FlyingThings3D (Mayer et al., CVPR 2016): u, v and 0 in three channels.

A header in ASCII: ``PF``, width, height, and a scale whose sign is the byte order (negative: little-endian). Then
float32 values, row by row from the bottom up. NaN marks unknown flow.
"""

from __future__ import annotations

import re

import numpy as np

from ...arrays import Flow, known
from ...errors import InputError
from . import FlowFormat, check_length, check_size

_NUMBER = rb"[-+]?(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})(?:[eE][-+]?\d{1,3})?"
_HEADER = re.compile(rb"PF\s{1,9}(\d{1,9})\s{1,9}(\d{1,9})\s{1,9}(" + _NUMBER + rb")(?:\r\n|\s)")


def encode(flow: Flow) -> bytes:
    """Encode a flow as a little-endian ``.pfm``."""
    height, width, _ = flow.shape
    values = np.zeros((height, width, 3), "<f4")
    values[..., :2] = flow[::-1]
    return b"PF\n%d %d\n-1.0\n" % (width, height) + values.tobytes()


def decode(data: bytes, name: object) -> Flow:
    """Decode a ``.pfm`` file; NaN where either component is not finite. Raises ``InputError`` if it is damaged."""
    height, width, offset, order = _header(data, len(data), name)
    values = np.frombuffer(data, f"{order}f4", offset=offset).reshape(height, width, 3)
    flow = values[::-1, :, :2].astype(np.float32)
    flow[~known(flow)] = np.nan
    return flow


def size(head: bytes, length: int, name: object) -> tuple[int, int]:
    """Height and width of the flow in a ``.pfm`` file; raises ``InputError`` if it is damaged."""
    height, width, _, _ = _header(head, length, name)
    return height, width


def _header(head: bytes, length: int, name: object) -> tuple[int, int, int, str]:
    """Height, width, offset of the values in bytes, and their byte order in NumPy's notation."""
    if head.startswith(b"Pf"):
        raise InputError(f"{name} has one channel, perhaps a disparity; flow needs a .pfm with three channels (PF)")
    match = _HEADER.match(head)
    if match is None or float(match[3]) == 0:
        raise InputError(f"{name} is not a .pfm file, or its header is damaged")
    width, height = int(match[1]), int(match[2])
    check_size(height, width, name)
    check_length(height, width, match.end() + height * width * 12, length, name)
    return height, width, match.end(), "<" if match[3].startswith(b"-") else ">"


FORMAT = FlowFormat("pfm", ".pfm", encode, decode, size)
