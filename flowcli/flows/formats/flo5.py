"""Spring's ``.flo5`` (Mehl et al., "Spring: A High-Resolution High-Detail Dataset and Benchmark", CVPR 2023).

An HDF5 file with the data set ``flow``, ``(H, W, 2)`` float32; NaN marks unknown flow. It needs h5py, an optional
dependency.
"""

from __future__ import annotations

import importlib
import io
import math
from types import ModuleType
from typing import Any

import numpy as np

from ...arrays import Flow
from ...errors import InputError, OutputError
from . import FlowFormat, check_size, check_unpacked
from .npy import as_flow

_DATA_SET = "flow"
# Raised by h5py on damaged files.
_DAMAGE = (OSError, LookupError, RuntimeError, ValueError, TypeError, AttributeError, ArithmeticError, MemoryError)
_SMALL_CHUNK = 1 << 20
_REMEDY = "the .flo5 format needs h5py; pip install 'flowcli[spring]'"


def _h5py() -> ModuleType | None:
    try:
        return importlib.import_module("h5py")
    except ModuleNotFoundError:
        return None


def _check_h5py() -> ModuleType:
    h5py = _h5py()
    if h5py is None:
        raise OutputError(_REMEDY)
    return h5py


def encode(flow: Flow) -> bytes:
    """Encode a flow as ``.flo5``, compressed like Spring's own files; raises ``OutputError`` without h5py."""
    h5py = _check_h5py()
    file = io.BytesIO()
    with h5py.File(file, "w") as archive:
        archive.create_dataset(
            _DATA_SET, data=np.ascontiguousarray(flow, "<f4"), compression="gzip", compression_opts=5
        )
    return file.getvalue()


def decode(data: bytes, name: object) -> Flow:
    """Decode a ``.flo5`` file; NaN where it is not finite. Raises ``InputError`` if damaged, or without h5py."""
    h5py = _h5py()
    if h5py is None:
        raise InputError(f"cannot read {name}: {_REMEDY}")
    try:
        with h5py.File(io.BytesIO(data), "r") as archive:
            values = archive[_DATA_SET]
            if not isinstance(values, h5py.Dataset) or values.dtype.kind != "f":
                raise InputError(f"{name} does not contain a data set of floats called {_DATA_SET}")
            shape = values.shape
            if len(shape) != 3 or shape[2] != 2:
                raise InputError(f"{name} contains an array of shape {shape}; flow must be (height, width, 2)")
            if not _is_plain(h5py, archive, values) or _end(data) != len(data):
                raise InputError(f"{name} is damaged, or uses HDF5 storage that flowcli does not read")
            check_size(shape[0], shape[1], name)
            check_unpacked(values.nbytes, len(data), name)
            return as_flow(values[()])
    except _DAMAGE as error:
        raise InputError(f"{name} is damaged, or not a .flo5 file") from error


def _is_plain(h5py: ModuleType, archive: Any, values: Any) -> bool:
    """Whether the data set is stored in this file, compressed at most once, and in chunks of a reasonable size."""
    properties = values.id.get_create_plist()
    filters = [properties.get_filter(index)[0] for index in range(properties.get_nfilters())]
    chunk_bytes = math.prod(values.chunks or (0,)) * values.dtype.itemsize
    return (
        isinstance(archive.get(_DATA_SET, getlink=True), h5py.HardLink)
        and not values.is_virtual
        and not values.external
        and set(filters) <= {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}
        and filters.count(h5py.h5z.FILTER_DEFLATE) <= 1
        and chunk_bytes <= 2 * values.nbytes + _SMALL_CHUNK
    )


def _end(data: bytes) -> int:
    """The end of the file according to its superblock, in bytes (HDF5 File Format Specification, section II.A)."""
    version, at = data[8], {0: 40, 1: 44}.get(data[8], 28)
    return int.from_bytes(data[at : at + 8], "little") if version < 4 else -1


FORMAT = FlowFormat("flo5", ".flo5", encode, decode, None, check_writing=_check_h5py)
