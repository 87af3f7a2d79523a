from __future__ import annotations

import os
import struct
import sys
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from flowcli import read_image
from flowcli.arrays import Frame
from flowcli.errors import InputError
from flowcli.frames.images import image_size, write_image
from flowcli.frames.opencv import encode_image
from flowcli.frames.png import whole_png_size

RGB = np.random.default_rng(0).integers(0, 256, (9, 13, 3), dtype=np.uint8)


def enlarged(cells: int, size: tuple[int, int]) -> Frame:
    return np.asarray(cv2.resize(RGB[:cells, :cells], size, interpolation=cv2.INTER_CUBIC), np.uint8)


def png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """A PNG file of these chunks (kind, content)."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def save(path: Path, image: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), image)
    return path


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".bmp", ".ppm"])
def test_lossless_formats_give_the_pixels_in_rgb(tmp_path: Path, suffix: str) -> None:
    np.testing.assert_array_equal(read_image(save(tmp_path / f"a{suffix}", RGB[..., ::-1])), RGB)


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".avif"])
def test_lossy_formats_give_about_the_pixels(tmp_path: Path, suffix: str) -> None:
    smooth = enlarged(3, (64, 48))
    read = read_image(save(tmp_path / f"a{suffix}", smooth[..., ::-1]))
    assert np.abs(read.astype(int) - smooth).mean() < 12


def test_grey_becomes_three_equal_channels(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read_image(save(tmp_path / "a.png", RGB[..., 0])), np.dstack([RGB[..., 0]] * 3))


def test_alpha_is_dropped(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read_image(save(tmp_path / "a.png", np.dstack([RGB[..., ::-1], RGB[..., 0]]))), RGB)


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_16_bits_are_scaled_to_8(tmp_path: Path, suffix: str) -> None:
    deep = np.clip(RGB.astype(int) * 257 + np.random.default_rng(1).integers(-128, 129, RGB.shape), 0, 65535)
    read = read_image(save(tmp_path / f"a{suffix}", deep.astype(np.uint16)[..., ::-1]))
    assert np.abs(read.astype(int) - RGB).max() <= 1  # some formats' readers cut off, others round


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    smooth = enlarged(3, (64, 48))
    jpeg = encode_image(smooth, ".jpg")
    # One TIFF entry: tag 0x112 (orientation), type SHORT, count 1, value 6: turn clockwise by a quarter.
    exif = b"Exif\0\0II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x112, 3, 1, 6, 0, 0)
    (tmp_path / "a.jpg").write_bytes(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:])
    turned = read_image(tmp_path / "a.jpg")
    assert turned.shape == (64, 48, 3)
    assert np.abs(turned.astype(int) - np.rot90(smooth, -1)).mean() < 12


def test_names_with_spaces_and_letters_of_any_script(tmp_path: Path) -> None:
    path = tmp_path / "Bild ä 動画 1.png"
    write_image(path, RGB)
    np.testing.assert_array_equal(read_image(path), RGB)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff", ".bmp", ".ppm", ".avif"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_truncated_files_are_refused_without_chatter(
    tmp_path: Path, suffix: str, share: float, capfd: pytest.CaptureFixture[str]
) -> None:
    big = enlarged(9, (200, 150))
    whole = encode_image(big, suffix)
    (tmp_path / f"a{suffix}").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InputError, match=r"cannot read .*a\."):
        read_image(tmp_path / f"a{suffix}")
    assert capfd.readouterr().err == ""


def test_damage_in_the_middle_of_a_png_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = bytearray(encode_image(RGB))
    data[60] ^= 0xFF
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        read_image(tmp_path / "a.png")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".avif"])
def test_orientation_equals_pillows(tmp_path: Path, suffix: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x112] = orientation
    Image.fromarray(enlarged(5, (64, 48))).save(tmp_path / f"a{suffix}", exif=exif, quality=95)
    with Image.open(tmp_path / f"a{suffix}") as image:
        theirs = np.asarray(ImageOps.exif_transpose(image).convert("RGB")).astype(int)
    assert np.abs(read_image(tmp_path / f"a{suffix}") - theirs).max() <= 4


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("suffix", [".png", ".webp", ".avif", ".tif"])
def test_colours_under_alpha_equal_pillows(tmp_path: Path, suffix: str, mode: str) -> None:
    alpha = np.full((48, 64), 255, np.uint8)
    alpha[:, 20:50], alpha[:, 50:] = 90, 0
    kinds: dict[str, dict[str, Any]] = {".webp": {"lossless": True, "exact": True}, ".avif": {"quality": 100}}
    picture = Image.fromarray(np.dstack([enlarged(5, (64, 48)), alpha])).convert(mode)
    picture.save(tmp_path / f"a{suffix}", **kinds.get(suffix, {}))
    with Image.open(tmp_path / f"a{suffix}") as image:
        theirs = np.asarray(image.convert("RGB")).astype(int)
    assert np.abs(read_image(tmp_path / f"a{suffix}") - theirs).max() <= 1


@pytest.mark.parametrize(("kind", "depth"), [("RGB_ALPHA", 4), ("RGB", 3), ("GRAYSCALE_ALPHA", 2), ("GRAYSCALE", 1)])
def test_pam(tmp_path: Path, kind: str, depth: int) -> None:
    image = np.dstack([RGB, RGB[..., 0]])[..., :depth] if depth > 2 else RGB[..., :depth]
    header = f"P7\nWIDTH 13\nHEIGHT 9\nDEPTH {depth}\nMAXVAL 255\nTUPLTYPE {kind}\nENDHDR\n"
    (tmp_path / "a.pam").write_bytes(header.encode() + image.tobytes())
    expected = RGB if depth > 2 else np.dstack([RGB[..., 0]] * 3)
    np.testing.assert_array_equal(read_image(tmp_path / "a.pam"), expected)


def test_bits_in_pam(tmp_path: Path) -> None:
    bits = np.random.default_rng(3).integers(0, 2, (9, 13, 1), dtype=np.uint8)
    header = b"P7\nWIDTH 13\nHEIGHT 9\nDEPTH 1\nMAXVAL 1\nTUPLTYPE BLACKANDWHITE\nENDHDR\n"
    (tmp_path / "a.pam").write_bytes(header + bits.tobytes())
    np.testing.assert_array_equal(read_image(tmp_path / "a.pam"), np.dstack([bits * 255] * 3))
    (tmp_path / "a.pam").write_bytes(header + bits.tobytes()[:-1])
    with pytest.raises(InputError, match="truncated"):
        read_image(tmp_path / "a.pam")


def test_a_remark_of_libjpegs_is_not_passed_on(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Phones write 0 for the end of the spectrum in the header of a sequential scan."""
    image = enlarged(5, (64, 48))
    data = bytearray(encode_image(image, ".jpg"))
    scan = data.index(b"\xff\xda")
    assert data[scan + 12] == 63
    data[scan + 12] = 0
    (tmp_path / "a.jpg").write_bytes(data)
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - image).mean() < 12
    assert capfd.readouterr().err == ""


def test_a_png_of_impossible_size_is_refused(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b"")]
    (tmp_path / "bomb.png").write_bytes(png(chunks))
    with pytest.raises(InputError, match="bomb"):
        read_image(tmp_path / "bomb.png")


@pytest.mark.parametrize("depth", [10, 12])
def test_deep_avif_is_scaled_to_8_bits(tmp_path: Path, depth: int) -> None:
    smooth = enlarged(3, (64, 48))
    deep = smooth[..., ::-1].astype(np.uint16) << (depth - 8)
    assert cv2.imwrite(str(tmp_path / "a.avif"), deep, [cv2.IMWRITE_AVIF_DEPTH, depth, cv2.IMWRITE_AVIF_QUALITY, 100])
    assert np.abs(read_image(tmp_path / "a.avif").astype(int) - smooth).mean() < 1


def test_pnm_of_another_range_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pgm").write_bytes(b"P5\n# a comment\n2 1\n1023\n" + bytes(4))
    with pytest.raises(InputError, match="largest value is 1023"):
        read_image(tmp_path / "a.pgm")


def test_a_jpeg_damaged_in_the_middle_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = bytearray(encode_image(enlarged(9, (200, 150)), ".jpg"))
    data[len(data) // 2 : len(data) // 2 + 40] = b"\xff\xd3" * 20
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(InputError, match=r"damaged|not an image"):
        read_image(tmp_path / "a.jpg")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [("empty.png", b"", "empty"), ("text.png", b"hello", "not an image"), ("a.flo", b"PIEH", "not an image")],
)
def test_what_is_no_image(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_image(tmp_path / name)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_image(tmp_path / "missing.png")
    with pytest.raises(InputError, match="is a directory"):
        read_image(tmp_path)


def test_a_jpeg_with_stray_bytes_between_its_headers_is_read(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    image = enlarged(3, (64, 48))
    jpeg = encode_image(image, ".jpg")
    at = jpeg.index(b"\xff\xdb")
    (tmp_path / "a.jpg").write_bytes(jpeg[:at] + b"\0\0\0" + jpeg[at:])
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - image).mean() < 12
    assert capfd.readouterr().err == ""


def test_reading_in_threads_leaves_stderr_as_it_was(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", RGB)
    before = os.fstat(2)
    with ThreadPoolExecutor(4) as pool:
        for image in pool.map(read_image, [tmp_path / "a.png"] * 100):
            np.testing.assert_array_equal(image, RGB)
    after = os.fstat(2)
    assert (before.st_dev, before.st_ino) == (after.st_dev, after.st_ino)


def test_a_header_of_many_blanks_takes_no_time(tmp_path: Path) -> None:
    (tmp_path / "a.ppm").write_bytes(b"P5" + b" " * 5000 + b"x")
    with pytest.raises(InputError):
        read_image(tmp_path / "a.ppm")


def test_cmyk_jpegs_and_palettes_equal_pillows_conversion(tmp_path: Path) -> None:
    smooth = Image.fromarray(enlarged(3, (64, 48)))
    smooth.convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    with Image.open(tmp_path / "cmyk.jpg") as cmyk:
        assert cmyk.mode == "CMYK"
        theirs = np.asarray(cmyk.convert("RGB")).astype(int)
    assert np.abs(read_image(tmp_path / "cmyk.jpg") - theirs).max() <= 2
    for suffix in ("png", "bmp", "tiff"):
        smooth.quantize(16).save(tmp_path / f"palette.{suffix}")
        expected = np.asarray(smooth.quantize(16).convert("RGB"))
        np.testing.assert_array_equal(read_image(tmp_path / f"palette.{suffix}"), expected)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff", ".bmp", ".ppm", ".avif"])
def test_the_limit_on_pixels(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_image(path, enlarged(3, (64, 48)))
    assert read_image(path, max_pixels=64 * 48).shape == (48, 64, 3)
    with pytest.raises(InputError, match=r"64 x 48 is more than 3071 pixels.*max_pixels"):
        read_image(path, max_pixels=64 * 48 - 1)
    assert image_size(path) == (48, 64)


def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    side = 20_000
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    packer = zlib.compressobj(9)
    pixels = b"".join(packer.compress(bytes(1 + side * 3)) for _ in range(side)) + packer.flush()
    (tmp_path / "bomb.png").write_bytes(png([(b"IHDR", header), (b"IDAT", pixels), (b"IEND", b"")]))
    tracemalloc.start()
    with pytest.raises(InputError, match=r"bomb\.png: 20000 x 20000 is more than 134217728 pixels"):
        read_image(tmp_path / "bomb.png")
    assert tracemalloc.get_traced_memory()[1] < 10 * len(pixels)
    tracemalloc.stop()


def test_pipes_and_links(tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("no named pipes in folders")
    write_image(tmp_path / "a.png", RGB)
    (tmp_path / "link.png").symlink_to("a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "link.png"), RGB)
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor(1) as pool:
        pool.submit((tmp_path / "pipe").write_bytes, (tmp_path / "a.png").read_bytes())
        np.testing.assert_array_equal(read_image(tmp_path / "pipe"), RGB)
    assert image_size(tmp_path / "pipe") is None
    (tmp_path / "dangling.png").symlink_to("nowhere")
    with pytest.raises(InputError, match="no such file"):
        read_image(tmp_path / "dangling.png")
    with pytest.raises(InputError, match="neither a file nor a pipe"):
        read_image("/dev/zero")


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"II*\0\x08\0\0\0", b"P6\n"])
def test_the_size_of_what_is_no_image(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    assert image_size(tmp_path / "a.png") is None
    with pytest.raises(InputError):
        whole_png_size(tmp_path / "a.png")
