"""NumPy's ``.npy``: an ``(H, W, 2)`` array of float32; NaN marks unknown flow."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt

from ..arrays import Flow
from ..errors import InputError
from . import FlowFormat, check_length, check_size


def encode(flow: Flow) -> bytes:
    """The bytes of a ``.npy`` file."""
    file = io.BytesIO()
    np.lib.format.write_array(file, np.ascontiguousarray(flow, "<f4"), allow_pickle=False)
    return file.getvalue()


def decode(data: bytes, name: object) -> Flow:
    """The flow in a ``.npy`` file of any float type; NaN where either component is not finite."""
    size(data, len(data), name)
    return as_flow(np.lib.format.read_array(io.BytesIO(data), allow_pickle=False))


def size(head: bytes, length: int, name: object) -> tuple[int, int]:
    """Height and width of the flow in a ``.npy`` file."""
    file = io.BytesIO(head)
    try:
        version = np.lib.format.read_magic(file)
        read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, _, dtype = read_header[version](file)
    except (ValueError, KeyError) as error:
        raise InputError(f"{name} is not a .npy file, or its header is damaged") from error
    if len(shape) != 3 or shape[2] != 2 or dtype.kind != "f":
        raise InputError(f"{name} holds an array of shape {shape} and type {dtype}; flow is (height, width, 2) floats")
    check_size(shape[0], shape[1], name)
    check_length(shape[0], shape[1], file.tell() + shape[0] * shape[1] * 2 * dtype.itemsize, length, name)
    return shape[0], shape[1]


def as_flow(values: npt.NDArray[np.floating]) -> Flow:
    """An ``(H, W, 2)`` array of any float type as flow; NaN where either component is not finite."""
    with np.errstate(over="ignore"):
        flow = np.ascontiguousarray(values.astype(np.float32))
    flow[~np.isfinite(flow).all(axis=-1)] = np.nan
    return flow


NPY = FlowFormat("npy", ".npy", encode, decode, size)
