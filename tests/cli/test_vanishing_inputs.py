"""Inputs that are removed, cut short or replaced while a command reads them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from flowcli.frames.images import write_image
from flowcli.frames.video import VideoFile
from support.processes import DEADLINE, PROGRAM, started, wait_until
from support.videos import moving_frames, write_video

DIS = ("-m", "dis")
COUNT = 60


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "in.mp4", moving_frames(COUNT, 240, 320), options={"movflags": "faststart"})


def run(folder: Path, environment: dict[str, str], disturb: Callable[[], object], *arguments: str) -> tuple[int, str]:
    """Run a command, do something when its first flow is there, and see how it ends."""
    command = [PROGRAM, *arguments, *DIS]
    with started(command, cwd=folder, env=environment, stderr=subprocess.PIPE) as process:
        wait_until(process, lambda: any(folder.glob("flows/*.flo")))
        disturb()
        _, errors = process.communicate(timeout=DEADLINE)
    return process.returncode, errors.decode()


def flows(folder: Path) -> int:
    return len(list(folder.glob("flows/*.flo")))


def test_a_video_that_is_removed_is_read_to_its_end(video: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    command = ("video", "in.mp4", "--flow-dir", "flows", "--out", "out.mp4")
    assert run(tmp_path, environment, video.unlink, *command)[0] == 0
    assert flows(tmp_path) == COUNT - 1
    assert len(list(VideoFile(tmp_path / "out.mp4").frames())) == COUNT - 1


def test_a_video_that_is_replaced_is_read_to_its_end(video: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    other = write_video(tmp_path / "other.mp4", moving_frames(3, 64, 96))
    command = ("video", "in.mp4", "--flow-dir", "flows")
    assert run(tmp_path, environment, lambda: other.replace(video), *command)[0] == 0
    assert flows(tmp_path) == COUNT - 1


def test_a_video_that_is_cut_short_is_the_inputs_fault(tmp_path: Path, environment: dict[str, str]) -> None:
    noise = np.random.default_rng(0)
    frames = [noise.integers(0, 255, (240, 320, 3), dtype=np.uint8) for _ in range(COUNT)]  # many megabytes
    video = write_video(tmp_path / "in.mp4", frames, options={"movflags": "faststart"})
    command = ("video", "in.mp4", "--flow-dir", "flows", "--out", "out.mp4")
    size = video.stat().st_size
    code, errors = run(tmp_path, environment, lambda: os.truncate(video, size // 2), *command)
    assert code == 3
    assert errors.splitlines()[-1].startswith("flowcli: error: in.mp4 is damaged")
    assert 1 <= flows(tmp_path) < COUNT - 1
    assert len(list(VideoFile(tmp_path / "out.mp4").frames())) == flows(tmp_path)


def test_a_folder_that_is_removed(tmp_path: Path, environment: dict[str, str]) -> None:
    for index, image in enumerate(moving_frames(COUNT, 240, 320)):
        write_image(tmp_path / "in" / f"{index:03d}.png", image)
    command = ("video", "in", "--flow-dir", "flows", "--out", "out.mp4")
    code, errors = run(tmp_path, environment, lambda: (tmp_path / "in").rename(tmp_path / "gone"), *command)
    assert code == 3
    assert "no such file" in errors.splitlines()[-1]
    assert len(list(VideoFile(tmp_path / "out.mp4").frames())) == flows(tmp_path)


def test_a_manifest_that_is_removed_has_been_read(tmp_path: Path, environment: dict[str, str]) -> None:
    for index, image in enumerate(moving_frames(2, 240, 320)):
        write_image(tmp_path / f"{index}.png", image)
    manifest = tmp_path / "pairs.csv"
    manifest.write_text("".join(f"0.png,1.png,{index}\n" for index in range(COUNT)))
    assert run(tmp_path, environment, manifest.unlink, "batch", "pairs.csv", "--out-dir", "flows")[0] == 0
    assert flows(tmp_path) == COUNT
