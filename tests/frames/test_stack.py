"""Files of several images as videos: TIFF stacks and animations, against tifffile, Pillow and PyAV."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from flowcli import read_flow, read_image
from flowcli.arrays import Frame
from flowcli.errors import InputError
from flowcli.frames.opening import open_source
from flowcli.frames.reading import Reading
from flowcli.frames.selection import Selection
from flowcli.frames.source import DamagedError
from support.processes import one_line
from support.videos import moving_frames

from ..conftest import Run

FRAMES = moving_frames(7)
GREY = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in FRAMES])
DURATIONS = [40, 40, 120, 40, 80, 40, 40]

STACKS: dict[str, tuple[np.ndarray, dict[str, Any]]] = {
    "8-bit grey": (GREY, {"photometric": "minisblack"}),
    "16-bit grey": (GREY.astype(np.uint16) << 8, {"photometric": "minisblack"}),
    "RGB": (np.stack(FRAMES), {"photometric": "rgb"}),
    "16-bit RGB": (np.stack(FRAMES).astype(np.uint16) << 8, {"photometric": "rgb"}),
    "planes": (np.stack(FRAMES).transpose(0, 3, 1, 2), {"photometric": "rgb", "planarconfig": "separate"}),
    "LZW": (np.stack(FRAMES), {"photometric": "rgb", "compression": "lzw"}),
    "ImageJ": (GREY, {"imagej": True}),
    "OME": (GREY, {"ome": True, "photometric": "minisblack"}),
    "BigTIFF": (GREY, {"bigtiff": True, "photometric": "minisblack"}),
}


def animation(path: Path, frames: list[Frame], **options: Any) -> Path:
    pictures = [Image.fromarray(frame) for frame in frames]
    options.setdefault("duration", DURATIONS[: len(frames)])
    pictures[0].save(path, save_all=True, append_images=pictures[1:], **options)
    return path


def shown(path: Path, **options: Any) -> list[Frame]:
    return [frame.image for frame in open_source(path, **options).frames()]


@pytest.mark.parametrize("kind", STACKS)
def test_tiff_stacks(tmp_path: Path, kind: str) -> None:
    array, options = STACKS[kind]
    tifffile.imwrite(tmp_path / "a.tif", array, **options)
    source = open_source(tmp_path / "a.tif", Fraction(10))
    frames = list(source.frames())
    assert (source.count, len(frames)) == (7, 7)
    assert [frame.time for frame in frames] == [Fraction(index, 10) for index in range(7)]
    assert [frame.name for frame in frames][:2] == ["000000", "000001"]
    is_colour = "RGB" in kind or kind in {"planes", "LZW"}
    expected = FRAMES if is_colour else [np.dstack([grey] * 3) for grey in GREY]
    np.testing.assert_array_equal([frame.image for frame in frames], expected)
    assert len(list(source.sample_pairs(3))) == 3


def test_imagejs_stacks_of_one_directory(tmp_path: Path) -> None:
    """ImageJ writes large stacks with a directory for the first image only."""
    tifffile.imwrite(tmp_path / "a.tif", GREY[0], description="ImageJ=1.53\nimages=7\nslices=7\n", metadata=None)
    data = (tmp_path / "a.tif").read_bytes()
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        assert file.is_imagej
        start = file.pages[0].dataoffsets[0]
    (tmp_path / "a.tif").write_bytes(data[:start] + GREY.tobytes())
    np.testing.assert_array_equal(shown(tmp_path / "a.tif"), [np.dstack([grey] * 3) for grey in GREY])
    (tmp_path / "a.tif").write_bytes(data[:start] + GREY.tobytes()[:-1])
    with pytest.raises(DamagedError):
        shown(tmp_path / "a.tif")


def test_thumbnails_are_no_frames(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for grey in GREY[:3]:
            writer.write(grey, contiguous=False, photometric="minisblack")
            writer.write(grey[::4, ::4], subfiletype=1, photometric="minisblack")
    assert [frame.shape for frame in shown(tmp_path / "a.tif")] == [(64, 96, 3)] * 3


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}])
def test_a_cut_off_stack_keeps_what_is_there(tmp_path: Path, options: dict[str, Any]) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for grey in GREY:
            writer.write(grey, contiguous=False, photometric="minisblack", **options)
    data = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(data[: len(data) * 2 // 3])
    frames = open_source(tmp_path / "a.tif").frames()
    for grey in GREY[:4]:
        np.testing.assert_array_equal(next(frames).image[..., 0], grey)
    with pytest.raises(DamagedError, match=r"truncated|damaged"):
        list(frames)
    (tmp_path / "a.tif").write_bytes(data + b"appended")
    assert len(shown(tmp_path / "a.tif")) == 7


def test_no_file_but_the_stack_is_opened(tmp_path: Path) -> None:
    """OME-TIFF may say that its images are in other files."""
    tifffile.imwrite(tmp_path / "a.ome.tif", GREY, photometric="minisblack", ome=True)
    text = (tmp_path / "a.ome.tif").read_bytes()
    assert b'FileName="a.ome.tif"' in text or b"<TiffData" in text
    (tmp_path / "b.ome.tif").write_bytes(text.replace(b"a.ome.tif", b"other.tif"))
    assert len(shown(tmp_path / "b.ome.tif")) == 7


@pytest.mark.parametrize("options", [{"lossless": True}, {"lossless": True, "minimize_size": True}])
def test_animated_webp(tmp_path: Path, options: dict[str, Any]) -> None:
    path = animation(tmp_path / "a.webp", FRAMES, **options)
    frames = list(open_source(path).frames())
    starts = [Fraction(sum(DURATIONS[:index]), 1000) for index in range(7)]
    assert [frame.time for frame in frames] == starts
    np.testing.assert_array_equal([frame.image for frame in frames], FRAMES)
    some = Selection(Fraction(1, 10), Fraction(3, 10), 2)
    np.testing.assert_array_equal(shown(path, selection=some), [FRAMES[3]])  # at 0.2 s; the next would be at 0.32 s


def test_webp_with_alpha_and_parts(tmp_path: Path) -> None:
    """Frames that change only a part of the picture, over what was there before."""
    pictures = [np.dstack([frame, np.full(frame.shape[:2], 255, np.uint8)]) for frame in FRAMES[:1] * 3]
    pictures[1][10:20, 10:20, :3] = 7
    pictures[2][30:40, 40:60, :3] = 200
    path = animation(tmp_path / "a.webp", pictures, lossless=True)
    np.testing.assert_array_equal(shown(path), [picture[..., :3] for picture in pictures])


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_cut_off_webp_keeps_what_is_there(tmp_path: Path, share: float) -> None:
    data = animation(tmp_path / "a.webp", FRAMES, lossless=True).read_bytes()
    (tmp_path / "a.webp").write_bytes(data[: int(len(data) * share)])
    frames = open_source(tmp_path / "a.webp").frames()
    np.testing.assert_array_equal(next(frames).image, FRAMES[0])
    with pytest.raises(DamagedError, match=r"a\.webp is damaged after \d frames: the file is truncated"):
        list(frames)
    (tmp_path / "a.webp").write_bytes(data + b"appended")
    assert len(shown(tmp_path / "a.webp")) == 7


@pytest.mark.parametrize("suffix", [".png", ".webp"])
@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_animations_are_turned_upright(tmp_path: Path, suffix: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x112] = orientation
    options: dict[str, Any] = {"lossless": True} if suffix == ".webp" else {}
    path = animation(tmp_path / f"a{suffix}", FRAMES, exif=exif.tobytes(), **options)
    expected = [np.rot90(frame, {1: 0, 3: 2, 6: -1}[orientation]) for frame in FRAMES]
    np.testing.assert_array_equal(shown(path), expected)
    np.testing.assert_array_equal(read_image(path), expected[0])


def test_animated_webp_without_durations_goes_on(tmp_path: Path) -> None:
    path = animation(tmp_path / "a.webp", FRAMES, lossless=True, duration=0)
    assert [frame.time for frame in open_source(path).frames()] == [Fraction(index, 10) for index in range(7)]


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.97])
def test_a_cut_off_animated_png_is_told(tmp_path: Path, share: float) -> None:
    data = animation(tmp_path / "a.png", FRAMES).read_bytes()
    assert len(shown(tmp_path / "a.png")) == 7
    (tmp_path / "a.png").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(InputError, match=r"a\.png"):
        shown(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes(data + b"appended")
    assert len(shown(tmp_path / "a.png")) == 7


def test_channels_are_said_to_be_frames(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "flowcli")
    tifffile.imwrite(tmp_path / "a.tif", np.stack([GREY, GREY], axis=1), imagej=True, metadata={"axes": "TCYX"})
    assert len(shown(tmp_path / "a.tif")) == 14
    assert "has 2 channels" in caplog.text


@pytest.mark.parametrize("suffix", [".webp", ".png", ".gif", ".avif", ".tif"])
def test_an_animation_alone_is_a_video_and_among_frames_one_frame(flowcli: Run, tmp_path: Path, suffix: str) -> None:
    kinds: dict[str, dict[str, Any]] = {".webp": {"lossless": True}, ".avif": {"quality": 100}}
    options = kinds.get(suffix, {})
    (tmp_path / "in").mkdir()
    for index in range(3):
        animation(tmp_path / "in" / f"{index}{suffix}", FRAMES[index : index + 4], **options)
    alone = flowcli("video", f"in/0{suffix}", "--flow-dir", "alone", "-m", "dis")
    assert alone.returncode == 0, alone.stderr
    assert sorted(path.name for path in (tmp_path / "alone").glob("*.flo")) == [f"{n:06d}.flo" for n in range(3)]
    among = flowcli("video", "in", "--flow-dir", "among", "-m", "dis")
    assert among.returncode == 0, among.stderr
    assert sorted(path.name for path in (tmp_path / "among").glob("*.flo")) == ["0.flo", "1.flo"]
    assert among.stderr.count(b"holds several images") == 1
    for name in ("alone/000001.flo", "among/1.flo"):
        assert np.median(read_flow(tmp_path / name), axis=(0, 1)) == pytest.approx([2, 1], abs=0.3)


@pytest.mark.parametrize("suffix", [".webp", ".tif", ".png", ".gif", ".avif"])
def test_a_still_is_no_video(flowcli: Run, tmp_path: Path, suffix: str) -> None:
    Image.fromarray(FRAMES[0]).save(tmp_path / f"a{suffix}")
    done = flowcli("video", f"a{suffix}", "--out", "v.mp4", "-m", "dis")
    assert done.returncode == 3
    assert "one frame" in one_line(done)
    assert not (tmp_path / "v.mp4").exists()


def test_stills_are_not_said_to_be_several(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for suffix in (".webp", ".tif", ".png", ".gif", ".avif", ".jpg"):
        Image.fromarray(FRAMES[0]).save(tmp_path / f"a{suffix}")
        read_image(tmp_path / f"a{suffix}")
    assert not caplog.records


@pytest.mark.parametrize("name", ["a.tif", "a.webp"])
def test_damage_at_once(tmp_path: Path, name: str) -> None:
    content = {"a.tif": b"II*\0\x08\0\0\0", "a.webp": b"RIFF\x10\0\0\0WEBPVP8X"}[name]
    (tmp_path / name).write_bytes(content + bytes(40))
    with pytest.raises(InputError, match=name):
        shown(tmp_path / name)


def test_large_images_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", GREY, photometric="minisblack")
    animation(tmp_path / "a.webp", FRAMES)
    for name in ("a.tif", "a.webp"):
        with pytest.raises(InputError, match="more than 6143 pixels"):
            shown(tmp_path / name, reading=Reading(96 * 64 - 1))
