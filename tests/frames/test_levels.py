"""Levels: the stated range of scientific frames, the same for all frames of a run."""

from __future__ import annotations

import json
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import tifffile
from av.video.frame import VideoFrame

from flowcli import read_flow, read_image
from flowcli.errors import InputError
from flowcli.frames.levels import Levels, choose_levels, to_frame
from flowcli.frames.opening import open_source
from flowcli.frames.reading import Reading
from support.processes import PROGRAM, finished, one_line
from support.videos import moving_frames

from ..conftest import Run

DIS = ("-m", "dis")


def faint_frames(count: int) -> list[np.ndarray]:
    """16-bit grey frames that use a small part of their range; the motion is (2, 1)."""
    return [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.uint16) * 3 + 1000 for frame in moving_frames(count)]


def folder_of(folder: Path, frames: list[np.ndarray], suffix: str = ".png") -> Path:
    folder.mkdir()
    for index, frame in enumerate(frames):
        assert cv2.imwrite(str(folder / f"{index:03d}{suffix}"), frame)
    return folder


def percentiles(frames: list[np.ndarray]) -> tuple[float, float]:
    low, high = np.percentile(np.stack(frames), (0.1, 99.9))
    return float(low), float(high)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.float16, np.float32, float])
def test_the_mapping(dtype: type) -> None:
    values: np.ndarray = (
        np.linspace(-100, 120, 600).reshape(20, 30).clip(0 if np.dtype(dtype).kind == "u" else -100).astype(dtype)
    )
    mapped = to_frame(values, (10, 90), "x")
    expected = np.clip((values.astype(float) - 10) / 80 * 255, 0, 255)
    assert np.abs(mapped - np.dstack([expected] * 3)).max() <= 0.51
    assert mapped.dtype == np.uint8


def test_what_is_not_finite() -> None:
    values = np.array([[np.nan, np.inf, -np.inf, 1.0]], np.float32)
    np.testing.assert_array_equal(to_frame(values, (0, 2), "x")[0, :, 0], [0, 255, 0, 128])
    assert choose_levels([values, np.full((1, 4), 1.0, np.float32)]) == Levels(1, 1)
    with pytest.raises(InputError, match="no frame has values"):
        choose_levels([values[:, :1]])


def test_levels_of_one_value_give_black_and_white() -> None:
    values = np.array([[4, 5, 6]], np.uint16)
    np.testing.assert_array_equal(to_frame(values, (5, 5), "x")[0, :, 0], [0, 0, 255])


@pytest.mark.parametrize("suffix", [".png", ".pgm", ".tif", ".jp2"])
def test_16_bit_images_keep_their_low_byte(tmp_path: Path, suffix: str) -> None:
    frame = faint_frames(1)[0]
    path = folder_of(tmp_path / "in", [frame], suffix) / f"000{suffix}"
    expected = np.clip((frame - 1000.0) / 765 * 255, 0, 255)
    assert np.abs(read_image(path, levels=(1000, 1765))[..., 1] - expected).max() <= (2 if suffix == ".jp2" else 0.51)
    assert len(np.unique(read_image(path))) < 5  # without levels hardly anything is left


@pytest.mark.parametrize("suffix", [".pfm", ".hdr"])
def test_float_images(tmp_path: Path, suffix: str) -> None:
    image = moving_frames(1)[0]
    assert cv2.imwrite(str(tmp_path / f"a{suffix}"), image[..., ::-1].astype(np.float32) / 255)
    assert np.abs(read_image(tmp_path / f"a{suffix}", levels=(0, 1)).astype(int) - image).max() <= 2
    if suffix == ".pfm":
        with pytest.raises(InputError, match=r"32-bit floats.*levels"):
            read_image(tmp_path / "a.pfm")


def test_pnm_of_another_range(tmp_path: Path) -> None:
    for magic, header in (
        ("P5", "{} {}\n{}\n"),
        ("P7", "WIDTH {}\nHEIGHT {}\nDEPTH 1\nMAXVAL {}\nTUPLTYPE GRAYSCALE\nENDHDR\n"),
    ):
        values = (np.arange(6) * 200).astype(">u2")  # the most significant byte comes first
        path = tmp_path / f"{magic}.pnm"
        path.write_bytes(f"{magic}\n{header.format(3, 2, 1023)}".encode() + values.tobytes())
        with pytest.raises(InputError, match=r"largest value is 1023; give levels 0:1023"):
            read_image(path)
        assert read_image(path, levels=(0, 1023))[..., 0].ravel().tolist() == [0, 50, 100, 150, 199, 249]


def gray16_video(path: Path, frames: list[np.ndarray]) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=10, width=frames[0].shape[1], height=frames[0].shape[0])
        stream.pix_fmt = "gray16le"
        for frame in frames:
            container.mux(stream.encode(VideoFrame.from_ndarray(frame, format="gray16le")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("count", [1, 2, 3, 5, 12, 60, 300])
def test_videos_are_looked_at_from_the_first_frame_to_the_last(tmp_path: Path, count: int) -> None:
    frames = [np.full((32, 48), 1000 + index, np.uint16) for index in range(count)]
    source = open_source(gray16_video(tmp_path / "in.mkv", frames), reading=Reading(levels="auto"))
    found = [int(values[0, 0]) - 1000 for values in source.sample_values(9)]
    assert len(found) == min(9, count)
    assert found[0] == 0
    assert found[-1] == count - 1
    assert max(np.diff(found), default=0) <= max(1, -(-count // 8) + 1)


@pytest.mark.parametrize("kind", ["folder", "stack", "video"])
def test_auto_looks_at_the_first_and_eight_more(tmp_path: Path, kind: str) -> None:
    frames = [frame + 100 * index for index, frame in enumerate(faint_frames(9))]
    if kind == "folder":
        path = folder_of(tmp_path / "in", frames)
    elif kind == "stack":
        path = tmp_path / "in.tif"
        tifffile.imwrite(path, np.stack(frames), photometric="minisblack")
    else:
        path = gray16_video(tmp_path / "in.mkv", frames)
    source = open_source(path, reading=Reading(levels="auto"))
    settled = source.reading.settled(source.sample_values)
    low, high = settled.fixed or (0.0, 0.0)
    assert (low, high) == pytest.approx(percentiles(frames))
    source.reading = settled
    shown = [frame.image for frame in source.frames()]
    np.testing.assert_array_equal(shown[3], to_frame(frames[3], (low, high), "x"))


def test_a_run_keeps_its_levels(flowcli: Run, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "in", faint_frames(5))
    command = ("video", "in", "--flow-dir", "flows", *DIS, "--levels", "auto", "--json")
    done = flowcli(*command)
    assert done.returncode == 0, done.stderr
    low, high = percentiles(faint_frames(5))
    levels = json.loads(done.stdout.splitlines()[-1])["levels"]
    assert levels == f"{low:.10g}:{high:.10g}"
    assert done.stderr.count(b"levels auto: ") == 1
    recorded = json.loads((tmp_path / "flows/flowcli.json").read_text())["outputs"]["flow"]
    assert recorded["settings"]["levels"] == "auto"
    assert recorded["noted"]["levels"] == [low, high]
    assert np.median(read_flow(tmp_path / "flows/001.flo"), axis=(0, 1)) == pytest.approx([2, 1], abs=0.05)

    whole = (tmp_path / "flows/001.flo").read_bytes()
    (tmp_path / "flows/001.flo").unlink()
    brighter = faint_frames(5)[4] * np.uint16(9)
    assert cv2.imwrite(str(folder / "004.png"), brighter)  # its levels would be others now
    again = flowcli(*command)
    assert json.loads(again.stdout.splitlines()[-1])["levels"] == levels
    assert (tmp_path / "flows/001.flo").read_bytes() == whole
    other = flowcli("video", "in", "--flow-dir", "flows", *DIS, "--levels", "0:3000")
    assert other.returncode == 2
    assert "another levels (auto there, 0:3000 now)" in one_line(other)


def test_estimate_and_batch_agree(flowcli: Run, tmp_path: Path) -> None:
    folder_of(tmp_path / "in", faint_frames(2))
    for name in ("000", "001"):
        (tmp_path / "in" / f"{name}.png").rename(tmp_path / f"{name}.png")
    one = flowcli("estimate", "000.png", "001.png", "-o", "a.flo", *DIS, "--levels", "auto", "--json")
    assert one.returncode == 0, one.stderr
    (tmp_path / "pairs.csv").write_text("000.png,001.png\n")
    many = flowcli("batch", "pairs.csv", "--out-dir", "out", *DIS, "--levels", "auto", "--json")
    assert many.returncode == 0, many.stderr
    assert json.loads(many.stdout.splitlines()[-1])["levels"] == json.loads(one.stdout)["levels"]
    assert (tmp_path / "out/000.flo").read_bytes() == (tmp_path / "a.flo").read_bytes()
    low, high = percentiles(faint_frames(2))
    fixed = flowcli("estimate", "000.png", "001.png", "-o", "b.flo", *DIS, "--levels", f"{low}:{high}")
    assert fixed.returncode == 0, fixed.stderr
    assert (tmp_path / "b.flo").read_bytes() == (tmp_path / "a.flo").read_bytes()


def test_shards_take_the_levels_of_all_frames(flowcli: Run, tmp_path: Path) -> None:
    frames = [frame + 500 * index for index, frame in enumerate(faint_frames(5))]
    folder_of(tmp_path / "in", frames)
    for part in ("1/2", "2/2", "7/9"):  # the last has no pairs at all
        command = ("batch", "in", "--out-dir", f"out{part[0]}", *DIS, "--levels", "auto", "--shard", part, "--json")
        done = flowcli(*command)
        assert done.returncode == 0, done.stderr
        low, high = percentiles(frames)
        assert json.loads(done.stdout.splitlines()[-1])["levels"] == f"{low:.10g}:{high:.10g}"


def test_pairs_from_a_pipe_take_the_levels_of_their_first_frame(environment: dict[str, str], tmp_path: Path) -> None:
    frames = faint_frames(3)
    folder_of(tmp_path / "in", [frames[0], frames[1], frames[2] + 5000])
    lines = "in/000.png,in/001.png\nin/001.png,in/002.png\n"
    command = [PROGRAM, "batch", "-", "--out-dir", "out", *DIS, "--levels", "auto", "--json"]
    done = finished(command, input=lines.encode(), capture_output=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    low, high = percentiles(frames[:1])
    assert json.loads(done.stdout.splitlines()[-1])["levels"] == f"{low:.10g}:{high:.10g}"


@pytest.mark.parametrize("value", ["5", "9:1", "1:1", "a:b", "nan:1", "0:inf", "1:2:3", ""])
def test_wrong_levels(flowcli: Run, tmp_path: Path, value: str) -> None:
    folder_of(tmp_path / "in", faint_frames(2))
    done = flowcli("video", "in", "--out", "v.mp4", *DIS, "--levels", value)
    assert done.returncode == 2
    assert "--levels" in one_line(done)


def test_values_without_a_scale_name_the_option(flowcli: Run, tmp_path: Path) -> None:
    for name in ("a", "b"):
        tifffile.imwrite(tmp_path / f"{name}.tif", np.zeros((20, 30), np.float32), photometric="minisblack")
    done = flowcli("estimate", "a.tif", "b.tif", "-o", "o.flo", *DIS)
    assert done.returncode == 3
    assert "a.tif: it holds 32-bit floats, which have no common scale; give --levels LOW:HIGH" in one_line(done)
