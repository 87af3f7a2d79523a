"""All flow readers on damaged files: each returns a flow or raises InputError, without using much memory."""

from __future__ import annotations

import contextlib
import io
import struct
import tracemalloc
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowcli.errors import InputError
from flowcli.flows.formats import FlowFormat, formats, npz
from support.damage import SIZES, edits

FLOW = np.random.default_rng(0).normal(0, 5, (6, 9, 2)).astype(np.float32)
LARGEST = 64 << 20


def encode(form: FlowFormat) -> bytes:
    """A whole file."""
    return form.encode(FLOW[..., :1] if form.components else FLOW)


def read(form: FlowFormat, data: bytes) -> None:
    """A flow, or the error that becomes exit code 3."""
    tracemalloc.start()
    try:
        with contextlib.suppress(InputError):
            flow = form.decode(data, "file")
            assert flow.dtype == np.float32
            assert flow.ndim == 3
            assert flow.shape[2] == (1 if form.components else 2)
            assert min(flow.shape) > 0
        with contextlib.suppress(InputError):
            if form.size is not None:
                form.size(data[:4096], len(data), "file")
        assert tracemalloc.get_traced_memory()[1] < LARGEST
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("suffix", formats())
@given(st.data())
@settings(max_examples=150)
def test_nearly_right_files(suffix: str, data: st.DataObject) -> None:
    form = formats()[suffix]
    read(form, data.draw(edits(encode(form))))


@given(st.data())
@settings(max_examples=150)
def test_nearly_right_masks(data: st.DataObject) -> None:
    file = io.BytesIO()
    np.savez(file, flow=FLOW, mask=FLOW[..., 0] > 0)
    damaged = data.draw(edits(file.getvalue()))
    with contextlib.suppress(InputError):
        mask = npz.decode_mask(damaged, "file")
        assert mask is None or (mask.dtype == np.bool_ and mask.ndim == 2)


@pytest.mark.parametrize("suffix", formats())
@given(data=st.binary(max_size=300))
@settings(max_examples=100)
def test_noise(suffix: str, data: bytes) -> None:
    form = formats()[suffix]
    magic = encode(form)[:8]
    read(form, data)
    read(form, magic + data)


def png(width: int, height: int, data: bytes) -> bytes:
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)), (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part)) + kind + part + struct.pack(">I", zlib.crc32(kind + part)) for kind, part in chunks
    )


@given(width=SIZES, height=SIZES)
def test_headers_that_lie(width: int, height: int) -> None:
    text = f"PF\n{width} {height}\n-1\n".encode()
    dictionary = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({height}, {width}, 2), }}".ljust(117).encode()
    liars: dict[str, Callable[[], bytes]] = {
        ".flo": lambda: b"PIEH" + struct.pack("<II", width, height) + bytes(600),
        ".pfm": lambda: text + bytes(600),
        ".npy": lambda: b"\x93NUMPY\x01\x00v\x00" + dictionary + b"\n" + bytes(600),
        ".png": lambda: png(width, height, zlib.compress(bytes(600_000))),
    }
    if min(width, height) < 2**31:
        window = struct.pack("<iiii", 0, 0, min(width, 2**31) - 1, min(height, 2**31) - 1)
        whole = encode(formats()[".exr"])
        at = whole.index(b"displayWindow\0box2i\0") + 24
        liars[".exr"] = lambda: whole[:at] + window + whole[at + 16 :]
    for suffix, make in liars.items():
        read(formats()[suffix], make())
