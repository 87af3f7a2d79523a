"""Every row of the table of exit codes, through the installed command; nothing is left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from flowcli import read_flow
from flowcli.frames.images import write_image
from flowcli.frames.video import VideoFile
from flowcli.scene import render_scene
from support.processes import PROGRAM, finished, one_line, started, wait_until
from support.videos import moving_frames, write_video

from ..conftest import Run

DIS = ("-m", "dis")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--bogus"], "--bogus"),
        (["-o", "x.flo", "--overlap", "much"], "--overlap"),
        (["-o", "x.flo", "--overlap", "-1"], "--overlap"),
        (["-o", "x.flo", "--batch-size", "0"], "--batch-size"),
        (["-o", "x.flo", "--scale", "0"], "--scale"),
        (["-o", "x.flo", "--max-flow", "-2"], "--max-flow"),
        (["-o", "x.flo", "--max-flow", "inf"], "--max-flow"),
        (["-o", "x.flo", "--max-flow", "1e-30"], "--max-flow"),
        (["-o", "x.flo", "--grid", "hexagonal"], "--grid"),
        (["-o", "x.flo", "--device", "cuda:7"], "--device cuda:7"),
        (["-o", "x.flo", "-o", "x.flo"], "twice"),
        (["-o", "a.png", "--force"], "also an input"),
        (["-o", "old.flo"], "old.flo exists; add --force"),
        (["-o", "-", "--json"], "--json"),
        ([], "--output"),
    ],
)
def test_2_wrong_usage(flowcli: Run, frames: list[str], tmp_path: Path, arguments: list[str], words: str) -> None:
    (tmp_path / "old.flo").write_bytes(b"old")
    done = flowcli("estimate", *frames, *DIS, *arguments)
    assert done.returncode == 2
    assert words in one_line(done)
    assert (tmp_path / "old.flo").read_bytes() == b"old"
    assert not (tmp_path / "x.flo").exists()


def test_2_reference_grid_where_it_cannot_work(flowcli: Run, checkpoint: Path, frames: list[str]) -> None:
    done = flowcli("estimate", *frames, "-o", "x.flo", "-m", checkpoint, "--overlap", 14, "--grid", "reference")
    assert done.returncode == 2
    assert "--grid even" in one_line(done)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.png", None, "no such file"),
        ("empty.png", b"", "empty"),
        ("text.png", b"hello", "not an image"),
        ("small.png", "small", "small.png is 40 x 30 but b.png is 80 x 64"),
        ("cut.png", "cut", "truncated"),
    ],
)
def test_3_bad_input(
    flowcli: Run, frames: list[str], tmp_path: Path, name: str, content: bytes | str | None, words: str
) -> None:
    if content == "small":
        write_image(tmp_path / name, render_scene(32, 40).frame1[:30])
    elif content == "cut":
        (tmp_path / name).write_bytes((tmp_path / "a.png").read_bytes()[:-30])
    elif isinstance(content, bytes):
        (tmp_path / name).write_bytes(content)
    done = flowcli("estimate", name, frames[1], "-o", "out/x.flo", *DIS)
    assert done.returncode == 3
    assert words in one_line(done)
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("frames")
def test_3_frames_that_are_too_large(flowcli: Run) -> None:
    arguments = ("estimate", "a.png", "b.png", "-o", "x.flo", *DIS)
    done = flowcli(*arguments, "--max-pixels", 5119)
    assert done.returncode == 3
    assert "80 x 64 is more than 5119 pixels" in one_line(done)
    assert flowcli(*arguments, FLOWCLI_MAX_PIXELS="5119").returncode == 3
    assert flowcli(*arguments, FLOWCLI_MAX_PIXELS="5120").returncode == 0


def test_3_large_frames_of_formats_that_only_opencv_knows(flowcli: Run, tmp_path: Path) -> None:
    import cv2

    for name in ("a.hdr", "b.hdr"):
        cv2.imwrite(str(tmp_path / name), np.ones((48, 64, 3), np.float32))
    done = flowcli("estimate", "a.hdr", "b.hdr", "-o", "x.flo", *DIS, "--max-pixels", 1000)
    assert done.returncode == 3
    assert "a.hdr: it has more pixels" in one_line(done)


def test_3_a_video_of_one_frame(flowcli: Run, tmp_path: Path) -> None:
    write_video(tmp_path / "one.mp4", moving_frames(1))
    done = flowcli("video", "one.mp4", "--out", "out.mp4", *DIS)
    assert done.returncode == 3
    assert "one frame" in one_line(done)
    assert [path.name for path in tmp_path.iterdir()] == ["one.mp4"]


def test_3_a_video_damaged_in_the_middle_keeps_what_came_before(flowcli: Run, tmp_path: Path) -> None:
    for index, image in enumerate(moving_frames(5)):
        write_image(tmp_path / "in" / f"{index}.png", image)
    (tmp_path / "in" / "3.png").write_bytes(b"broken")
    done = flowcli("video", "in", "--out", "out.mp4", *DIS)
    assert done.returncode == 3
    assert "3.png" in one_line(done)
    assert "2 pairs" in one_line(done)
    assert len(list(VideoFile(tmp_path / "out.mp4").frames())) == 2


def test_4_no_network_and_no_checkpoint(flowcli: Run, frames: list[str]) -> None:
    done = flowcli("estimate", *frames, "-o", "x.flo", timeout=30)  # no endless attempts
    assert done.returncode == 4
    for words in ("deepmind/optical-flow-perceiver", "flowcli model fetch", "--model FOLDER", "--model dis"):
        assert words in one_line(done)


def test_4_a_damaged_checkpoint(flowcli: Run, frames: list[str], checkpoint: Path, tmp_path: Path) -> None:
    shutil.copytree(checkpoint, tmp_path / "model")
    weights = tmp_path / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    done = flowcli("estimate", *frames, "-o", "x.flo", "-m", "./model")
    assert done.returncode == 4
    assert "model.safetensors" in one_line(done)


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("x.xyz", "unknown format .xyz"),
        ("x", "unknown format"),
        ("a.png/x.flo", "not a folder"),
        ("dir.flo", "folder"),
    ],
)
def test_5_outputs_that_cannot_be(flowcli: Run, frames: list[str], tmp_path: Path, output: str, words: str) -> None:
    (tmp_path / "dir.flo").mkdir()
    done = flowcli("estimate", *frames, "-o", output, *DIS)
    assert done.returncode == 5
    assert words in one_line(done)


@pytest.mark.skipif(not os.access("/proc/self", os.F_OK), reason="needs Linux's /proc")
def test_5_a_place_where_nobody_may_write(flowcli: Run, frames: list[str]) -> None:
    done = flowcli("estimate", *frames, "-o", "/proc/x.flo", *DIS)
    assert done.returncode == 5
    assert "/proc" in one_line(done)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_5_a_full_disk_behind_stdout(frames: list[str], tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = finished(
            [PROGRAM, "estimate", *frames, "-o", "-", *DIS], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 5
    assert b"no space left on device" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_5_videos_of_unknown_format(flowcli: Run, tmp_path: Path) -> None:
    write_video(tmp_path / "in.mp4", moving_frames(2))
    done = flowcli("video", "in.mp4", "--out", "out.xyz", *DIS)
    assert done.returncode == 5
    assert ".xyz" in one_line(done)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_130_interrupted(tmp_path: Path, name: str, code: int) -> None:
    for index, image in enumerate(moving_frames(60, 240, 320)):
        write_image(tmp_path / "in" / f"{index:02d}.png", image)
    command: list[str | Path] = [PROGRAM, "video", "in", "--out", "out.mp4", "--flow-dir", "flows", *DIS]
    with started(command, cwd=tmp_path, stderr=subprocess.PIPE) as process:
        wait_until(process, lambda: list(tmp_path.glob("flows/*.flo")))
        process.send_signal(signal.Signals[name])
        _, errors = process.communicate(timeout=30)
    assert process.returncode == code
    assert errors.count(b"\n") <= 1
    assert not (tmp_path / "out.mp4").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["flows", "in"]
    for path in (tmp_path / "flows").glob("*.flo"):
        assert read_flow(path).shape == (240, 320, 2)


def test_1_a_fault_in_flowcli_itself(frames: list[str], tmp_path: Path) -> None:
    code = (
        "import sys, flowcli.cli, flowcli.models.dis as dis; dis.DisFlow._flow = lambda *_: 1 / 0; "
        "sys.exit(flowcli.cli.run(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "estimate", *frames, "-o", "x.flo", *DIS]
    done = finished(command, cwd=tmp_path, capture_output=True)
    assert done.returncode == 1
    assert "ZeroDivisionError" in one_line(done)
    loud = finished([*command, "--verbose"], cwd=tmp_path, capture_output=True)
    assert b"Traceback" in loud.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs sh")
@pytest.mark.parametrize(
    ("shell", "code"),
    [
        ("{} 2>&-", 0),
        ("{} 2>/dev/full", 0),
        ("{} --json >&-", 5),
        ("{} -o - >/dev/full 2>/dev/null", 5),
    ],
)
def test_streams(frames: list[str], tmp_path: Path, shell: str, code: int) -> None:
    """A stream that is closed or full is an error of its own, or none at all."""
    command = shell.format(f"{PROGRAM} estimate {' '.join(frames)} -o x.flo -m dis")
    assert finished(["sh", "-c", command], cwd=tmp_path).returncode == code
    if code == 0:
        assert read_flow(tmp_path / "x.flo").shape == (64, 80, 2)
