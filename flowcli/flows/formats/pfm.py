"""Portable float maps as FlyingThings3D has them (Mayer et al., CVPR 2016): u, v and 0 in three channels.

``PF``, width and height, and a scale whose sign tells the byte order (negative: little-endian), in ASCII; then float32,
row by row from the bottom up. NaN marks unknown flow.
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
    """The bytes of a little-endian ``.pfm`` file."""
    height, width, _ = flow.shape
    values = np.zeros((height, width, 3), "<f4")
    values[..., :2] = flow[::-1]
    return b"PF\n%d %d\n-1.0\n" % (width, height) + values.tobytes()


def decode(data: bytes, name: object) -> Flow:
    """The flow in a ``.pfm`` file; NaN where either component is not finite."""
    height, width, offset, order = _header(data, len(data), name)
    values = np.frombuffer(data, f"{order}f4", offset=offset).reshape(height, width, 3)
    flow = values[::-1, :, :2].astype(np.float32)
    flow[~known(flow)] = np.nan
    return flow


def size(head: bytes, length: int, name: object) -> tuple[int, int]:
    """Height and width of the flow in a ``.pfm`` file."""
    height, width, _, _ = _header(head, length, name)
    return height, width


def _header(head: bytes, length: int, name: object) -> tuple[int, int, int, str]:
    """Height, width, where the values begin, and their byte order as numpy writes it."""
    if head.startswith(b"Pf"):
        raise InputError(f"{name} holds one channel, a disparity perhaps; flow needs a .pfm of three (PF)")
    match = _HEADER.match(head)
    if match is None or float(match[3]) == 0:
        raise InputError(f"{name} is not a .pfm file, or its header is damaged")
    width, height = int(match[1]), int(match[2])
    check_size(height, width, name)
    check_length(height, width, match.end() + height * width * 12, length, name)
    return height, width, match.end(), "<" if match[3].startswith(b"-") else ">"


FORMAT = FlowFormat("pfm", ".pfm", encode, decode, size)
