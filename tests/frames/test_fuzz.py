"""Readers of frames on damaged files: each returns a frame or raises InputError, without using much memory."""

from __future__ import annotations

import contextlib
import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from flowcli import read_image
from flowcli.errors import InputError
from flowcli.frames.opening import open_source
from support.damage import edits
from support.videos import moving_frames

FRAMES = moving_frames(3, 12, 17)
LARGEST = 64 << 20


def tiff(**options: object) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, np.stack(FRAMES), photometric="rgb", **options)  # type: ignore[arg-type]
    return file.getvalue()


def pillows(form: str, *, several: bool = False) -> bytes:
    file = io.BytesIO()
    first, *others = [Image.fromarray(frame) for frame in FRAMES]
    first.save(file, form, **({"save_all": True, "append_images": others} if several else {}))
    return file.getvalue()


WHOLE: dict[str, Callable[[], bytes]] = {
    "plain.tif": tiff,
    "tiles.tif": lambda: tiff(tile=(16, 16), compression="zlib"),
    "lzw.tif": lambda: tiff(compression="lzw"),
    "planes.tif": lambda: tiff(compression="packbits", planarconfig="contig"),
    "still.avif": lambda: pillows("AVIF"),
    "several.webp": lambda: pillows("WEBP", several=True),
    "several.gif": lambda: pillows("GIF", several=True),
    "a.pam": lambda: b"P7\nWIDTH 17\nHEIGHT 12\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n" + FRAMES[0].tobytes(),
    "a.pfm": lambda: b"PF\n17 12\n-1\n" + FRAMES[0].astype("<f4").tobytes(),
}


@pytest.mark.parametrize("name", WHOLE)
@given(data=st.data())
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nearly_right_files(tmp_path: Path, name: str, data: st.DataObject) -> None:
    path = tmp_path / name
    path.write_bytes(data.draw(edits(WHOLE[name]())))
    tracemalloc.start()
    try:
        with contextlib.suppress(InputError):
            frame = read_image(path, levels=data.draw(st.sampled_from([None, (0.0, 200.0)])))
            assert frame.dtype == np.uint8
            assert frame.ndim == 3
        if path.suffix in {".tif", ".webp"}:
            with contextlib.suppress(InputError):
                for shown in open_source(path).frames():
                    assert shown.image.ndim == 3
        assert tracemalloc.get_traced_memory()[1] < LARGEST
    finally:
        tracemalloc.stop()
