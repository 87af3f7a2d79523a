"""TIFF files with two float samples; tifffile itself is the other implementation."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import tifffile

from flowcli import read_flow, write_flow
from flowcli.errors import InputError
from flowcli.flows.io import is_flow_file

FLOW = np.random.default_rng(0).normal(0, 9, (7, 5, 2)).astype(np.float32)


@pytest.mark.parametrize("name", ["a.tif", "a.tiff", "a.TIF"])
def test_what_is_written(tmp_path: Path, name: str) -> None:
    flow = FLOW.copy()
    flow[2, 3] = np.nan
    write_flow(tmp_path / name, flow)
    with tifffile.TiffFile(tmp_path / name) as file:
        (page,) = file.pages
        assert isinstance(page, tifffile.TiffPage)
        assert page.samplesperpixel == 2
        assert page.dtype == np.float32
        assert page.compression == tifffile.COMPRESSION.ADOBE_DEFLATE
        np.testing.assert_array_equal(page.asarray(), flow)
    np.testing.assert_array_equal(read_flow(tmp_path / name), flow)
    assert is_flow_file(tmp_path / name)


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "zstd"])
@pytest.mark.parametrize("options", [{}, {"tile": (16, 16)}, {"rowsperstrip": 2}, {"byteorder": ">"}])
def test_files_of_other_programs(
    tmp_path: Path, planar: str, compression: str | None, options: dict[str, object]
) -> None:
    values = FLOW if planar == "contig" else np.moveaxis(FLOW, -1, 0)
    common = {"photometric": "minisblack", "planarconfig": planar, "compression": compression, **options}
    for dtype in (np.float32, np.float64):
        tifffile.imwrite(tmp_path / "a.tif", np.ascontiguousarray(values, dtype), **common)  # type: ignore[arg-type]
        np.testing.assert_array_equal(read_flow(tmp_path / "a.tif"), FLOW)


def test_a_predictor(tmp_path: Path) -> None:
    layout = {"photometric": "minisblack", "planarconfig": "contig"}
    tifffile.imwrite(tmp_path / "a.tif", FLOW, compression="zlib", predictor=True, **layout)  # type: ignore[arg-type]
    np.testing.assert_array_equal(read_flow(tmp_path / "a.tif"), FLOW)


def test_without_imagecodecs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tifffile.imwrite(tmp_path / "a.tif", FLOW, compression="lzw", photometric="minisblack", planarconfig="contig")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"a\.tif.*pip install 'flowcli\[tiff\]'"):
        read_flow(tmp_path / "a.tif")
    write_flow(tmp_path / "b.tif", FLOW)
    np.testing.assert_array_equal(read_flow(tmp_path / "b.tif"), FLOW)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((4, 5), np.float32), "1 samples"),
        (np.zeros((4, 5, 3), np.uint8), "3 samples of type uint8"),
        (np.zeros((4, 5, 3), np.float32), "3 samples of type float32"),
        (np.zeros((2, 4, 5), np.float32), "2 images"),
    ],
)
def test_pictures_are_refused(tmp_path: Path, values: np.ndarray, message: str) -> None:
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb" if values.shape[-1] == 3 else "minisblack")
    with pytest.raises(InputError, match=rf"a\.tif.*{message}"):
        read_flow(tmp_path / "a.tif")
    assert not is_flow_file(tmp_path / "a.tif")


def test_damage_is_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_flow(tmp_path / "a.tif", FLOW)
    whole = (tmp_path / "a.tif").read_bytes()
    for content in (b"", b"II*\0", whole[:60], whole[:-1], b"MM" + whole[2:], whole[:-60] + bytes(60)):
        (tmp_path / "a.tif").write_bytes(content)
        with pytest.raises(InputError, match=r"a\.tif"):
            read_flow(tmp_path / "a.tif")
    assert capfd.readouterr() == ("", "")
