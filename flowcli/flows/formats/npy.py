"""NumPy's ``.npy``: an ``(H, W, 2)`` float32 array; NaN marks unknown flow.

The header is parsed here because NumPy raises all kinds of errors and warnings for damaged headers.
"""

from __future__ import annotations

import ast
import io
import re
import struct

import numpy as np
import numpy.typing as npt

from ...arrays import Flow, known
from ...errors import InputError
from . import HEAD_BYTES, FlowFormat, check_length, check_size

_MAGIC = b"\x93NUMPY"


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


def size(head: bytes, length: int, name: object) -> tuple[int, int]:
    """Height and width of the flow in a ``.npy`` file; raises ``InputError`` if it is damaged."""
    return _header(head, length, name)[:2]


def _header(head: bytes, length: int, name: object) -> tuple[int, int, int, np.dtype[np.floating], bool]:
    """Height, width, offset of the values in bytes, their type, and whether they are in Fortran order."""
    damaged = InputError(f"{name} is not a .npy file, or its header is damaged")
    if not head.startswith(_MAGIC) or len(head) < 12:
        raise damaged
    offset = 10 if head[6] == 1 else 12
    text_length = struct.unpack_from("<H" if head[6] == 1 else "<I", head, 8)[0]
    if head[6] not in {1, 2, 3} or text_length > HEAD_BYTES - offset:
        raise damaged
    offset += text_length
    try:
        fields = ast.literal_eval(head[offset - text_length : offset].decode("latin-1").strip())
        shape, kind, is_fortran = fields["shape"], fields["descr"], fields["fortran_order"]
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError) as error:
        raise damaged from error
    is_flow = isinstance(shape, tuple) and len(shape) == 3 and all(type(side) is int for side in shape)
    is_float = isinstance(kind, str) and re.fullmatch(r"[<>=]f[248]", kind)
    if not is_flow or shape[2] != 2 or not is_float:
        raise InputError(
            f"{name} contains an array of shape {shape} and type {kind}; flow must be (height, width, 2) floats"
        )
    check_size(shape[0], shape[1], name)
    dtype: np.dtype[np.floating] = np.dtype(kind)
    check_length(shape[0], shape[1], offset + shape[0] * shape[1] * 2 * dtype.itemsize, length, name)
    return shape[0], shape[1], offset, dtype, bool(is_fortran)


def as_flow(values: npt.NDArray[np.floating]) -> Flow:
    """Convert an ``(H, W, 2)`` array of any float type to flow; NaN where either component is not finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        flow = np.ascontiguousarray(values.astype(np.float32))
    flow[~known(flow)] = np.nan
    return flow


FORMAT = FlowFormat("npy", ".npy", encode, decode, size)
