"""Spring's ``.flo5`` (Mehl et al., "Spring: A High-Resolution High-Detail Dataset and Benchmark", CVPR 2023).

An HDF5 file with the data set ``flow``, ``(H, W, 2)`` float32; NaN marks unknown flow. Needs the optional h5py.
"""

from __future__ import annotations

import importlib
import io
from types import ModuleType

import numpy as np

from ..arrays import Flow
from ..errors import InputError, OutputError
from . import FlowFormat, check_size, check_unpacked
from .npy import as_flow

_DATA_SET = "flow"
# What h5py raises on damaged files, which it does not check.
_DAMAGE = (OSError, LookupError, RuntimeError, ValueError, TypeError, AttributeError, ArithmeticError, MemoryError)
_REMEDY = "the .flo5 format needs h5py; pip install 'flowcli[spring]'"


def _h5py() -> ModuleType | None:
    try:
        return importlib.import_module("h5py")
    except ModuleNotFoundError:
        return None


def encode(flow: Flow) -> bytes:
    """The bytes of a ``.flo5`` file, compressed as Spring's are; raises ``OutputError`` without h5py."""
    h5py = _h5py()
    if h5py is None:
        raise OutputError(_REMEDY)
    file = io.BytesIO()
    with h5py.File(file, "w") as archive:
        archive.create_dataset(
            _DATA_SET, data=np.ascontiguousarray(flow, "<f4"), compression="gzip", compression_opts=5
        )
    return file.getvalue()


def decode(data: bytes, name: object) -> Flow:
    """The flow in a ``.flo5`` file; NaN where it is not finite."""
    h5py = _h5py()
    if h5py is None:
        raise InputError(f"cannot read {name}: {_REMEDY}")
    try:
        with h5py.File(io.BytesIO(data), "r") as archive:
            values = archive[_DATA_SET]
            if not isinstance(values, h5py.Dataset) or values.dtype.kind != "f":
                raise InputError(f"{name} has no data set {_DATA_SET} of floats")
            shape = values.shape
            if len(shape) != 3 or shape[2] != 2:
                raise InputError(f"{name} holds an array of shape {shape}; flow is (height, width, 2)")
            check_size(shape[0], shape[1], name)
            check_unpacked(values.nbytes, len(data), name)
            return as_flow(values[()])
    except _DAMAGE as error:
        raise InputError(f"{name} is not a .flo5 file, or damaged") from error


FLO5 = FlowFormat("flo5", ".flo5", encode, decode, None)
