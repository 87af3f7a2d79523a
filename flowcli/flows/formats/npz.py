"""NumPy's ``.npz``: a ZIP archive that contains the array ``flow`` as a ``.npy``, and sometimes a ``mask``."""

from __future__ import annotations

import contextlib
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ...arrays import Flow, Mask, check_same_size
from ...errors import InputError
from . import FlowFormat, check_unpacked, npy

_ARRAY, _MASK = "flow", "mask"
_COMPONENTS = ("u", "v")
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
    """Decode a flow of a ``.npz`` file; NaN where not finite. Raises ``InputError`` if it is damaged, or has none.

    It is the array ``flow``, or the arrays ``u`` and ``v``, as VIPER's true flow has them, or the file's only array.
    """
    with _opened(data, name) as archive:
        members = _members(archive)
        if _ARRAY not in members and members.keys() >= set(_COMPONENTS):
            contents = [_content(archive, members[each], len(data), name) for each in _COMPONENTS]
            planes = [npy.decode_plane(content, name) for content in contents]
            check_same_size(f"u of {name}", planes[0].shape, "v", planes[1].shape)
            return npy.as_flow(np.stack(planes, axis=-1))
        content = _content(archive, _flow_member(archive, name), len(data), name)
    return npy.decode(content, name)


def decode_mask(data: bytes, name: object) -> Mask | None:
    """Decode the array ``mask`` of a ``.npz`` file, ``(H, W)`` bool, true where the flow holds.

    Returns:
        The mask, or ``None`` if the file has none beside its flow.

    Raises:
        InputError: the file is damaged, or the array is no mask.
    """
    with _opened(data, name) as archive:
        members = _members(archive)
        if _MASK not in members or _ARRAY not in members:
            return None
        content = _content(archive, members[_MASK], len(data), name)
    return npy.decode_mask(content, name)


@contextlib.contextmanager
def _opened(data: bytes, name: object) -> Iterator[zipfile.ZipFile]:
    """The archive; damage that is found within the block is an ``InputError``."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if data[-_END_BYTES - len(archive.comment) :][:4] != _END_MAGIC:
                raise InputError(f"{name} is damaged: it has trailing data")
            yield archive
    except _DAMAGE as error:
        raise InputError(f"{name} is damaged, or not a .npz file: {error}") from error


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo, length: int, name: object) -> bytes:
    """The bytes of a member of an archive of ``length`` bytes."""
    if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise InputError(f"{name} is compressed by a method that NumPy does not use; save it with numpy.savez")
    check_unpacked(member.file_size, length, name)
    return archive.read(member)


def _flow_member(archive: zipfile.ZipFile, name: object) -> zipfile.ZipInfo:
    members = _members(archive)
    if _ARRAY in members:
        return members[_ARRAY]
    if len(members) != 1:
        raise InputError(f"{name} contains {len(members)} arrays, none of them called {_ARRAY}")
    return next(iter(members.values()))


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    return {info.filename.removesuffix(".npy"): info for info in archive.infolist()}


FORMAT = FlowFormat("npz", ".npz", encode, decode, None, encode_with=encode_with)
