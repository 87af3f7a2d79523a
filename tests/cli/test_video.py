"""The installed ``video``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from flowcli import read_flow
from flowcli.frames.images import write_image
from flowcli.frames.video import VideoFile
from support.processes import one_line
from support.videos import moving_frames, write_video

from ..conftest import Run

DIS = ("-m", "dis")


def test_a_video(flowcli: Run, tmp_path: Path) -> None:
    write_video(tmp_path / "in.mp4", moving_frames(4))
    done = flowcli("video", "in.mp4", "--out", "out/v.mp4", "--flow-dir", "flows", *DIS, "--json")
    assert done.returncode == 0, done.stderr
    *pairs, summary = [json.loads(line) for line in done.stdout.splitlines()]
    assert [pair["time"] for pair in pairs] == pytest.approx([0, 1 / 12, 2 / 12])
    assert [pair["outputs"] for pair in pairs] == [[f"flows/{index:06d}.flo"] for index in range(3)]
    assert (summary["pairs"], summary["width"], summary["height"]) == (3, 96, 64)
    assert len(list(VideoFile(tmp_path / "out/v.mp4").frames())) == 3


def test_a_folder_with_a_rate(flowcli: Run, tmp_path: Path) -> None:
    for index, image in enumerate(moving_frames(3)):
        write_image(tmp_path / "in" / f"{index}.png", image)
    done = flowcli("video", "in", "--out", "v.mp4", *DIS, "--fps", "30000/1001", "--max-flow", "5")
    assert done.returncode == 0, done.stderr
    times = [frame.time for frame in VideoFile(tmp_path / "v.mp4").frames()]
    assert float(times[1]) == pytest.approx(1001 / 30000, abs=1e-4)


def test_a_part_of_a_video(flowcli: Run, tmp_path: Path) -> None:
    write_video(tmp_path / "in.mp4", moving_frames(13))
    options = ("--start", "2", "--end", "0:01", "--stride", "3")
    done = flowcli("video", "in.mp4", "--flow-dir", "flows", "--out", "v.gif", *options, *DIS, "--json")
    assert done.returncode == 0, done.stderr
    *pairs, summary = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(pair["frame1"], pair["frame2"]) for pair in pairs] == [
        ("000002", "000005"),
        ("000005", "000008"),
        ("000008", "000011"),
    ]
    assert summary["pairs"] == 3
    assert np.median(read_flow(tmp_path / "flows/000002.flo"), axis=(0, 1)) == pytest.approx([6, 3], abs=0.1)
    other = flowcli("video", "in.mp4", "--flow-dir", "flows", "--stride", "2", *DIS)
    assert other.returncode == 2
    assert b"another stride" in other.stderr


def test_nothing_selected(flowcli: Run, tmp_path: Path) -> None:
    write_video(tmp_path / "in.mp4", moving_frames(3))
    done = flowcli("video", "in.mp4", "--out", "v.mp4", "--start", "40", *DIS)
    assert done.returncode == 3
    assert "no frame in the selection of --start, --end and --stride" in one_line(done)


def test_pictures_are_gone_on_from_in_their_scale(flowcli: Run, tmp_path: Path) -> None:
    write_video(tmp_path / "in.mp4", moving_frames(6))
    command = ("video", "in.mp4", "--flow-dir", "flows", "--flow-format", "png", *DIS)
    assert flowcli(*command).returncode == 0
    whole = {path.name: path.read_bytes() for path in (tmp_path / "flows").iterdir()}
    (tmp_path / "flows/000003.png").unlink()
    (tmp_path / "flows/000001.png").write_bytes(whole["000001.png"][:-5])
    done = flowcli(*command)
    assert b"2 done, 3 skipped" in done.stderr
    assert {path.name: path.read_bytes() for path in (tmp_path / "flows").iterdir()} == whole
    video = flowcli(*command, "--out", "v.mp4")  # which needs the flow itself
    assert video.returncode == 0
    assert b"5 done, 0 skipped" in video.stderr
    assert len(list(VideoFile(tmp_path / "v.mp4").frames())) == 5


def test_odd_sides_are_said_once(flowcli: Run, tmp_path: Path) -> None:
    for index, image in enumerate(moving_frames(3, 63, 95)):
        write_image(tmp_path / "in" / f"{index}.png", image)
    done = flowcli("video", "in", "--out", "v.mp4", *DIS)
    assert done.returncode == 0
    assert done.stderr.count(b"even sides") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--flow-dir"),
        (["--out", "v.mp4", "--max-flow", "0"], "--max-flow"),
        (["--out", "v.mp4", "--fps", "fast"], "--fps"),
        (["--out", "v.mp4", "--layout", "heap"], "--layout"),
        (["--out", "old.mp4"], "add --force"),
        (["--out", "v.mp4", "--start", "5", "--end", "5"], "--end must come after --start"),
        (["--out", "v.mp4", "--start", "1:30", "--end", "12.5s"], "--end must come after --start"),
        (["--out", "v.mp4", "--start", "12.5"], "--start"),
        (["--out", "v.mp4", "--start", "1:75"], "--start"),
        (["--out", "v.mp4", "--start=-3"], "--start"),
        (["--out", "v.mp4", "--stride", "0"], "--stride"),
        (["--out", "v.mp4", "--flow-format", "tiff"], "--flow-format"),
    ],
)
def test_wrong_usage(flowcli: Run, tmp_path: Path, arguments: list[str], words: str) -> None:
    (tmp_path / "old.mp4").write_bytes(b"old")
    done = flowcli("video", "in.mp4", *arguments, *DIS)
    assert done.returncode == 2
    assert words in one_line(done)
