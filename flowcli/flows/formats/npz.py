"""NumPy's ``.npz``: a ZIP archive that contains the array ``flow`` as a ``.npy``."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ...arrays import Flow
from ...errors import InputError
from . import FlowFormat, check_unpacked, npy

_ARRAY = "flow"
_END_MAGIC, _END_BYTES = b"PK\x05\x06", 22  # the last record of a ZIP archive; only a comment may follow
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError)


def encode(flow: Flow) -> bytes:
    """Encode a flow as ``.npz``."""
    return encode_with(flow, {})


def encode_with(flow: Flow, arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Encode a flow, and other arrays by name, as ``.npz``."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **{_ARRAY: np.ascontiguousarray(flow, "<f4"), **arrays})
    return file.getvalue()


def decode(data: bytes, name: object) -> Flow:
    """Decode the array ``flow`` of a ``.npz`` file, or its only array; NaN where not finite. Raises ``InputError``."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            member = _member(archive, name)
            if data[-_END_BYTES - len(archive.comment) :][:4] != _END_MAGIC:
                raise InputError(f"{name} is damaged: it has trailing data")
            if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise InputError(f"{name} is compressed by a method that NumPy does not use; save it with numpy.savez")
            check_unpacked(member.file_size, len(data), name)
            content = archive.read(member)
    except _DAMAGE as error:
        raise InputError(f"{name} is damaged, or not a .npz file: {error}") from error
    return npy.decode(content, name)


def _member(archive: zipfile.ZipFile, name: object) -> zipfile.ZipInfo:
    members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    if _ARRAY in members:
        return members[_ARRAY]
    if len(members) != 1:
        raise InputError(f"{name} contains {len(members)} arrays, none of them called {_ARRAY}")
    return next(iter(members.values()))


FORMAT = FlowFormat("npz", ".npz", encode, decode, None, encode_with=encode_with)
