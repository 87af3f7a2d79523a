"""NumPy's ``.npz``: a ZIP archive with the array ``flow``, as in a ``.npy``."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import numpy as np

from ...arrays import Flow
from ...errors import InputError
from . import FlowFormat, check_unpacked, npy

_ARRAY = "flow"
_END_MAGIC, _END_BYTES = b"PK\x05\x06", 22  # the record that a ZIP archive ends with, but for its comment
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError)


def encode(flow: Flow) -> bytes:
    """The bytes of a ``.npz`` file."""
    file = io.BytesIO()
    np.savez(file, flow=np.ascontiguousarray(flow, "<f4"))
    return file.getvalue()


def decode(data: bytes, name: object) -> Flow:
    """The flow in the array ``flow`` of a ``.npz`` file, or in its only array; NaN where it is not finite."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            member = _member(archive, name)
            if data[-_END_BYTES - len(archive.comment) :][:4] != _END_MAGIC:
                raise InputError(f"{name} is damaged: it goes on after its end")
            if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise InputError(f"{name} is compressed in a way that NumPy does not use")
            check_unpacked(member.file_size, len(data), name)
            content = archive.read(member)
    except _DAMAGE as error:
        raise InputError(f"{name} is not a .npz file, or damaged: {error}") from error
    return npy.decode(content, name)


def _member(archive: zipfile.ZipFile, name: object) -> zipfile.ZipInfo:
    members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    if _ARRAY in members:
        return members[_ARRAY]
    if len(members) != 1:
        raise InputError(f"{name} holds {len(members)} arrays, none of them called {_ARRAY}")
    return next(iter(members.values()))


FORMAT = FlowFormat("npz", ".npz", encode, decode, None)
