"""TIFF of every kind, against the arrays that were written by tifffile, and against Pillow."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from flowcli import read_flow, read_image
from flowcli.errors import InputError
from support.processes import finished, one_line

HEIGHT, WIDTH = 60, 80
RAMP = np.linspace(0, 255, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)
GREY = RAMP.astype(np.uint8)
RGB = np.stack([RAMP, RAMP[::-1], RAMP[:, ::-1]], axis=-1).astype(np.uint8)
ALPHA = np.full((HEIGHT, WIDTH), 255, np.uint8)
ALPHA[:, 20:60], ALPHA[:, 60:] = 100, 0
DEEP_GREY = (RAMP * 257).astype(np.uint16)
DEEP_RGB = RGB.astype(np.uint16) * 257 + 3

KINDS: dict[str, tuple[np.ndarray, dict[str, Any], np.ndarray]] = {
    "grey": (GREY, {"photometric": "minisblack"}, GREY),
    "white is zero": (GREY, {"photometric": "miniswhite"}, 255 - GREY),
    "RGB": (RGB, {"photometric": "rgb"}, RGB),
    "straight alpha": (np.dstack([RGB, ALPHA]), {"photometric": "rgb", "extrasamples": ["unassalpha"]}, RGB),
    "other extra": (np.dstack([RGB, ALPHA]), {"photometric": "rgb", "extrasamples": ["unspecified"]}, RGB),
    "grey with alpha": (
        np.dstack([GREY, ALPHA]),
        {"photometric": "minisblack", "extrasamples": ["unassalpha"]},
        GREY,
    ),
    "16-bit grey": (DEEP_GREY, {"photometric": "minisblack"}, DEEP_GREY >> 8),
    "16-bit RGB": (DEEP_RGB, {"photometric": "rgb"}, DEEP_RGB >> 8),
    "16-bit alpha": (
        np.dstack([DEEP_RGB, ALPHA.astype(np.uint16) * 257]),
        {"photometric": "rgb", "extrasamples": ["unassalpha"]},
        DEEP_RGB >> 8,
    ),
}

UNSCALED: dict[str, np.ndarray] = {
    "float": RAMP.astype(np.float32) / 100,
    "double": RAMP * 1e3,
    "half": (RAMP / 100).astype(np.float16),
    "signed 8": (RAMP - 128).astype(np.int8),
    "signed 16": (RAMP * 200 - 20_000).astype(np.int16),
    "signed 32": (RAMP * 1e6 - 1e8).astype(np.int32),
    "32": (RAMP * 1e7).astype(np.uint32),
    "float RGB": RGB.astype(np.float32) / 7,
}


def as_rgb(image: np.ndarray) -> np.ndarray:
    return np.dstack([image] * 3) if image.ndim == 2 else image


def write(path: Path, array: np.ndarray, planar: str = "contig", **options: Any) -> Path:
    if array.ndim == 3:
        options["planarconfig"] = planar
        array = np.moveaxis(array, -1, 0) if planar == "separate" else array
    tifffile.imwrite(path, array, **options)
    return path


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "packbits", "lzma", "zstd"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_and_layout(
    tmp_path: Path, kind: str, compression: str | None, tile: tuple[int, int] | None, planar: str
) -> None:
    array, options, expected = KINDS[kind]
    path = write(tmp_path / "a.tif", array, planar, compression=compression, tile=tile, **options)
    np.testing.assert_array_equal(read_image(path), as_rgb(expected))


@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("kind", UNSCALED)
def test_values_without_a_natural_scale_need_levels(tmp_path: Path, kind: str, tile: tuple[int, int] | None) -> None:
    array = UNSCALED[kind]
    path = write(tmp_path / "a.tif", array, tile=tile, photometric="rgb" if array.ndim == 3 else "minisblack")
    with pytest.raises(InputError, match=r"a\.tif: it holds .*give levels LOW:HIGH"):
        read_image(path)
    low, high = float(array.min()) + 1e-3, float(array.max()) / 2
    expected = np.clip((array.astype(float) - low) / (high - low) * 255, 0, 255)
    assert np.abs(read_image(path, levels=(low, high)) - as_rgb(expected)).max() <= 0.501


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("array", [RGB, DEEP_GREY], ids=["RGB", "16-bit grey"])
def test_orientation_equals_pillows(tmp_path: Path, orientation: int, array: np.ndarray) -> None:
    options: Any = {"photometric": "rgb" if array.ndim == 3 else "minisblack"}
    options["extratags"] = [(274, "H", 1, orientation, True)]
    shallow = array if array.dtype == np.uint8 else (array >> 8).astype(np.uint8)
    written = write(tmp_path / "8.tif", shallow, **options).read_bytes()
    with Image.open(io.BytesIO(written)) as image:  # not by name: Pillow 13 mixes up the sides of what it maps
        theirs = np.asarray(image)  # which Pillow has turned already
    np.testing.assert_array_equal(read_image(write(tmp_path / "a.tif", array, **options)), as_rgb(theirs))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr"])
@pytest.mark.parametrize("compression", [None, "tiff_lzw", "jpeg", "tiff_adobe_deflate", "group4"])
def test_what_pillow_writes_is_what_pillow_reads(tmp_path: Path, mode: str, compression: str | None) -> None:
    if (compression == "jpeg") > (mode in {"L", "RGB", "CMYK", "YCbCr"}) or (compression == "group4") > (mode == "1"):
        pytest.skip("no such files")
    picture = Image.fromarray(RGB)
    picture = picture.convert(mode) if mode != "P" else picture.quantize(32)
    picture.save(tmp_path / "a.tif", compression=compression)
    with Image.open(tmp_path / "a.tif") as image:
        theirs = np.asarray(image.convert("RGB")).astype(int)
    assert np.abs(read_image(tmp_path / "a.tif") - theirs).max() <= (2 if compression == "jpeg" else mode == "YCbCr")


def test_premultiplied_alpha_is_divided_out_as_pillow_does(tmp_path: Path) -> None:
    multiplied = (RGB.astype(int) * ALPHA[..., None] // 255).astype(np.uint8)
    array = np.dstack([multiplied, ALPHA])
    path = write(tmp_path / "a.tif", array, photometric="rgb", extrasamples=["assocalpha"])
    with Image.open(path) as image:
        theirs = np.asarray(image.convert("RGB"))
    np.testing.assert_array_equal(read_image(path), theirs)
    assert np.abs(read_image(path).astype(int) - RGB)[ALPHA > 0].max() <= 3


def test_lab_is_converted(tmp_path: Path) -> None:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    converted = ImageCms.profileToProfile(Image.fromarray(RGB), srgb, lab, outputMode="LAB")
    assert converted is not None
    converted.save(tmp_path / "a.tif")
    assert np.abs(read_image(tmp_path / "a.tif").astype(int) - RGB).mean() < 2


@pytest.mark.parametrize("bits", [2, 4, 6, 10, 12, 14])
def test_odd_depths_are_scaled_to_8_bits(tmp_path: Path, bits: int) -> None:
    values = (RAMP / 256 * (1 << bits)).astype(np.uint16 if bits > 8 else np.uint8)
    path = write(tmp_path / "a.tif", values, photometric="minisblack", bitspersample=bits)
    scaled = values // (1 << bits - 8) if bits > 8 else values.astype(int) * 255 // ((1 << bits) - 1)
    np.testing.assert_array_equal(read_image(path), as_rgb(scaled.astype(np.uint8)))


@pytest.mark.parametrize("options", [{"bigtiff": True}, {"byteorder": ">"}, {"predictor": True, "compression": "zlib"}])
def test_flavours(tmp_path: Path, options: dict[str, Any]) -> None:
    np.testing.assert_array_equal(
        read_image(write(tmp_path / "a.tif", DEEP_RGB, photometric="rgb", **options)), DEEP_RGB >> 8
    )


@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
@pytest.mark.parametrize("options", [{}, {"compression": "lzw"}, {"tile": (16, 16), "compression": "zlib"}])
def test_truncated_files(
    tmp_path: Path, share: float, options: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    whole = write(tmp_path / "a.tif", RGB, photometric="rgb", **options).read_bytes()
    (tmp_path / "a.tif").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InputError, match=r"a\.tif: it is truncated"):
        read_image(tmp_path / "a.tif")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("array", "options", "message"),
    [
        (np.zeros((4, 5), np.complex64), {}, "complex"),
        (np.zeros((4, 5, 5), np.uint8), {"photometric": "minisblack", "planarconfig": "contig"}, "5 samples"),
        (np.zeros((4, 5, 3), np.uint16), {"photometric": "cielab"}, "LAB colours of 16 bits"),
    ],
)
def test_what_is_refused(tmp_path: Path, array: np.ndarray, options: dict[str, Any], message: str) -> None:
    tifffile.imwrite(tmp_path / "a.tif", array, **options)
    with pytest.raises(InputError, match=rf"a\.tif: .*{message}"):
        read_image(tmp_path / "a.tif")


WITHOUT_IMAGECODECS = """
import io
import sys
sys.modules["imagecodecs"] = None
from flowcli.__main__ import main
main()
"""


@pytest.mark.parametrize(
    ("array", "compression", "is_read"),
    [
        (RGB, "lzw", True),
        (DEEP_GREY, "lzw", True),
        (DEEP_RGB, "zlib", True),
        (RGB, "zstd", False),
        (DEEP_GREY >> 4, None, True),
    ],
    ids=["LZW", "16-bit LZW", "deflate", "zstd", "12 bits"],
)
def test_without_imagecodecs(tmp_path: Path, array: np.ndarray, compression: str | None, is_read: bool) -> None:
    options: dict[str, Any] = {"photometric": "rgb" if array.ndim == 3 else "minisblack", "compression": compression}
    if compression is None:
        options["bitspersample"] = 12
    for name in ("a.tif", "b.tif"):
        write(tmp_path / name, array, extratags=[(274, "H", 1, 6, True)], **options)
    command = [
        sys.executable,
        "-c",
        WITHOUT_IMAGECODECS,
        "estimate",
        "a.tif",
        "b.tif",
        "-o",
        "f.flo",
        "-m",
        "dis",
        "-q",
    ]
    done = finished(command, cwd=tmp_path, capture_output=True)
    if is_read:
        assert (done.returncode, done.stderr) == (0, b"")
        assert read_flow(tmp_path / "f.flo").shape == (WIDTH, HEIGHT, 2)  # turned once
    else:
        assert done.returncode == 3
        assert "needs imagecodecs; pip install 'flowcli[tiff]'" in one_line(done)
