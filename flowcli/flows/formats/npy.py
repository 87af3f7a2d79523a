"""NumPy's ``.npy``: an ``(H, W, 2)`` float32 array; NaN marks unknown flow.

The header is parsed here because NumPy raises all kinds of errors and warnings for damaged headers.
"""

from __future__ import annotations

import ast
import io
import re
import struct
import threading

import numpy as np
import numpy.typing as npt

from ...arrays import Flow, Mask, known
from ...errors import InputError
from . import HEAD_BYTES, FlowFormat, check_length, check_size

_MAGIC = b"\x93NUMPY"
_parsing = threading.Lock()  # where two threads parse at once, Python 3.11 may raise SystemError


def encode(flow: Flow) -> bytes:
    """Encode a flow as ``.npy``."""
    file = io.BytesIO()
    np.lib.format.write_array(file, np.ascontiguousarray(flow, "<f4"), allow_pickle=False)
    return file.getvalue()


def decode(data: bytes, name: object) -> Flow:
    """Decode a ``.npy`` file of any float type; NaN where either component is not finite. Raises ``InputError``."""
    height, width, offset, dtype, is_fortran = _header(data, len(data), name)
    values = np.frombuffer(data, dtype, offset=offset)
    return as_flow(values.reshape(2, width, height).T if is_fortran else values.reshape(height, width, 2))


def decode_mask(data: bytes, name: object) -> Mask:
    """Decode a ``.npy`` file of an ``(H, W)`` mask: booleans, or bytes that are not 0; raises ``InputError``."""
    shape, kind, is_fortran, offset = _fields(data, name)
    if len(shape) != 2 or not re.fullmatch(r"\|[biu]1", kind):
        raise InputError(
            f"{name} contains a mask of shape {shape} and type {kind}; it must be (height, width) booleans"
        )
    height, width = shape
    check_size(height, width, name)
    check_length(height, width, offset + height * width, len(data), name)
    values = np.frombuffer(data, np.uint8, offset=offset).astype(np.bool_)
    return values.reshape(width, height).T if is_fortran else values.reshape(height, width)


def decode_plane(data: bytes, name: object) -> npt.NDArray[np.float32]:
    """Decode a ``.npy`` file of one float for each pixel, ``(H, W)``; raises ``InputError`` if it is damaged."""
    height, width, offset, dtype, is_fortran = _plane_header(data, len(data), name)
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.frombuffer(data, dtype, offset=offset).astype(np.float32)
    return values.reshape(width, height).T if is_fortran else values.reshape(height, width)


def plane_size(head: bytes, length: int, name: object) -> tuple[int, int]:
    """Height and width of a ``.npy`` file of one float for each pixel; raises ``InputError`` if it is damaged."""
    return _plane_header(head, length, name)[:2]


def _plane_header(head: bytes, length: int, name: object) -> tuple[int, int, int, np.dtype[np.floating], bool]:
    """As :func:`_header`, of one float for each pixel."""
    shape, kind, is_fortran, offset = _fields(head, name)
    if len(shape) != 2 or not re.fullmatch(r"[<>=]f[248]", kind):
        raise InputError(
            f"{name} contains an array of shape {shape} and type {kind}; it must be (height, width) floats"
        )
    check_size(shape[0], shape[1], name)
    dtype: np.dtype[np.floating] = np.dtype(kind)
    check_length(shape[0], shape[1], offset + shape[0] * shape[1] * dtype.itemsize, length, name)
    return shape[0], shape[1], offset, dtype, is_fortran


def size(head: bytes, length: int, name: object) -> tuple[int, int]:
    """Height and width of the flow in a ``.npy`` file; raises ``InputError`` if it is damaged."""
    return _header(head, length, name)[:2]


def _header(head: bytes, length: int, name: object) -> tuple[int, int, int, np.dtype[np.floating], bool]:
    """Height, width, offset of the values in bytes, their type, and whether they are in Fortran order."""
    shape, kind, is_fortran, offset = _fields(head, name)
    if len(shape) != 3 or shape[2] != 2 or not re.fullmatch(r"[<>=]f[248]", kind):
        raise InputError(
            f"{name} contains an array of shape {shape} and type {kind}; flow must be (height, width, 2) floats"
        )
    check_size(shape[0], shape[1], name)
    dtype: np.dtype[np.floating] = np.dtype(kind)
    check_length(shape[0], shape[1], offset + shape[0] * shape[1] * 2 * dtype.itemsize, length, name)
    return shape[0], shape[1], offset, dtype, is_fortran


def _fields(head: bytes, name: object) -> tuple[tuple[int, ...], str, bool, int]:
    """The shape, type, whether it is in Fortran order, and the offset of the values in bytes, as the header has them.

    A shape or a type that is not what NumPy writes is an empty one.
    """
    damaged = InputError(f"{name} is not a .npy file, or its header is damaged")
    if not head.startswith(_MAGIC) or len(head) < 12:
        raise damaged
    offset = 10 if head[6] == 1 else 12
    text_length = struct.unpack_from("<H" if head[6] == 1 else "<I", head, 8)[0]
    if head[6] not in {1, 2, 3} or text_length > HEAD_BYTES - offset:
        raise damaged
    offset += text_length
    try:
        with _parsing:
            fields = ast.literal_eval(head[offset - text_length : offset].decode("latin-1").strip())
        shape, kind, is_fortran = fields["shape"], fields["descr"], fields["fortran_order"]
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError) as error:
        raise damaged from error
    is_shape = isinstance(shape, tuple) and all(type(side) is int for side in shape)
    return shape if is_shape else (), kind if isinstance(kind, str) else "", bool(is_fortran), offset


def as_flow(values: npt.NDArray[np.floating]) -> Flow:
    """Convert an ``(H, W, 2)`` array of any float type to flow; NaN where either component is not finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        flow = np.ascontiguousarray(values.astype(np.float32))
    flow[~known(flow)] = np.nan
    return flow


FORMAT = FlowFormat("npy", ".npy", encode, decode, size)
