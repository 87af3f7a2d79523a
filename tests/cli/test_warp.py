"""The installed ``warp``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from flowcli import read_image, write_flow
from flowcli.frames.images import write_image
from flowcli.frames.video import VideoFile
from flowcli.scene import Scene, render_scene
from support.folders import files
from support.videos import moving_frames, write_video

from ..conftest import Run


def test_the_error_tells_a_good_flow_from_a_bad_one(flowcli: Run, scene: Scene, tmp_path: Path) -> None:
    write_image(tmp_path / "1.png", scene.frame1)
    write_image(tmp_path / "2.png", scene.frame2)
    write_flow(tmp_path / "good.flo", scene.flow)
    write_flow(tmp_path / "bad.flo", -scene.flow)
    reports = {}
    for name in ("good", "bad"):
        done = flowcli("warp", "2.png", f"{name}.flo", "-o", f"{name}.png", "--frame1", "1.png", "--json")
        assert done.returncode == 0, done.stderr
        reports[name] = json.loads(done.stdout)
    assert reports["good"]["photometric_error"] * 3 < reports["bad"]["photometric_error"]
    there = scene.visible & (read_image(tmp_path / "good.png").any(axis=-1))
    difference = np.abs(read_image(tmp_path / "good.png").astype(int) - scene.frame1)[there]
    assert difference.mean() < 6
    plain = flowcli("warp", "2.png", "good.flo", "-o", "x.png", "--frame1", "1.png")
    assert plain.stdout.startswith(b"photometric error: ")
    assert b"--frame1" in flowcli("warp", "2.png", "good.flo", "-o", "y.png").stderr


@pytest.mark.usefixtures("flows")
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["2.png", "gt.flo"], 2, "nothing to do"),
        (["2.png", "gt.flo", "-o", "x.xyz"], 5, ".xyz"),
        (["2.png", "gt.flo", "-o", "x.png"], 3, "2.png is 64 x 48"),
        (["2.png", "gt.flo", "-o", "2.png", "--force"], 2, "also an input"),
        (["2.png", "gone", "--out", "w.mp4"], 3, "cannot read gone: no such file"),
        (["2.png", "gt.flo", "-o", "x.png", "--errors", "e.csv"], 2, "gt.flo is not one"),
        (["2.png", "gt.flo", "-o", "x.png", "--stride", "2"], 2, "gt.flo is not one"),
        ([".", "gt.flo", "-o", "x.png"], 3, "give a frame, or a folder of flows"),
        ([".", ".", "--frame1", "2.png"], 2, "--frame1 is for a single flow"),
        (["gone.mp4", "."], 3, "gone.mp4"),
        (["2.png", ".", "--out", "x.bmp"], 5, "or a folder"),
    ],
)
def test_errors(flowcli: Run, tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    write_image(tmp_path / "2.png", render_scene(48, 64).frame1)
    done = flowcli("warp", *arguments)
    assert done.returncode == code
    assert words in done.stderr.decode()


SHOWN = 10
COUNT = SHOWN + 3  # frames
DIS = ("-m", "dis")


@pytest.fixture
def sequence(flowcli: Run, tmp_path: Path) -> None:
    """A video and its frames, and the flow of both; that of frame 5 of the video is wrong."""
    frames = moving_frames(COUNT)
    write_video(tmp_path / "in.mp4", frames)
    for index, frame in enumerate(frames):
        write_image(tmp_path / "frames" / f"{index}.png", frame)
    for source, flows in (("in.mp4", "flows"), ("frames", "flows-of-frames")):
        assert flowcli("video", source, "--flow-dir", flows, *DIS).returncode == 0
    write_flow(tmp_path / "flows" / "000005.flo", np.full((64, 96, 2), (-6, 3), np.float32))


@pytest.mark.usefixtures("sequence")
def test_a_sequence_lists_the_worst_first(flowcli: Run, tmp_path: Path) -> None:
    done = flowcli("warp", "in.mp4", "flows", "--out", "w.mp4", "--errors", "e.csv")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    assert lines[0].split() == ["frame", "frame2", "error", "unwarped", "compared"]
    assert lines[1].split()[:2] == ["000005", "000006"]
    assert len(lines) == 1 + SHOWN + 1
    assert lines[-1] == f"and {COUNT - 1 - SHOWN} pairs with smaller errors"
    notes = done.stderr.decode()
    assert "12 pairs: photometric error " in notes
    assert notes.endswith("wrote w.mp4\nflowcli: wrote e.csv\n")
    assert len(list(VideoFile(tmp_path / "w.mp4").frames())) == COUNT - 1
    assert (tmp_path / "e.csv").read_text().splitlines()[1].startswith("000005,000006,")
    again = flowcli("warp", "in.mp4", "flows", "--out", "w.mp4")
    assert again.returncode == 2
    assert b"--force" in again.stderr


@pytest.mark.usefixtures("sequence")
def test_a_sequence_as_json(flowcli: Run, tmp_path: Path) -> None:
    done = flowcli("warp", "frames", "flows-of-frames", "-o", "out", "--json", "--start", "2", "--end", "6")
    assert done.returncode == 0, done.stderr
    *pairs, summary = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(pair["pair"] for pair in pairs) == [0, 1, 2]
    errors = [pair["photometric_error"] for pair in pairs]
    assert errors == sorted(errors, reverse=True)
    assert {pair["outputs"][0] for pair in pairs} == {str(Path("out") / f"{index}.png") for index in (2, 3, 4)}
    assert summary["type"] == "summary"
    assert summary["pairs"] == summary["done"] == 3
    assert summary["photometric_error"] == pytest.approx(np.mean(errors))
    assert files(tmp_path / "out").keys() == {"2.png", "3.png", "4.png"}


@pytest.mark.usefixtures("sequence")
def test_a_missing_flow_is_named(flowcli: Run, tmp_path: Path) -> None:
    for flow in ("flows/000007.flo", "flows-of-frames/7.flo"):
        (tmp_path / flow).unlink()
    done = flowcli("warp", "in.mp4", "flows", "--out", "w.mp4", "--json")
    assert done.returncode == 3
    assert b"the flow of frame 000007 is missing in flows; the outputs contain the 7 pairs before" in done.stderr
    assert len(done.stdout.splitlines()) == 8
    assert len(list(VideoFile(tmp_path / "w.mp4").frames())) == 7
    done = flowcli("warp", "frames", "flows-of-frames", "--out", "n.mp4")
    assert done.returncode == 3
    assert b"the flow of frame 7 is missing in flows-of-frames" in done.stderr
    assert not (tmp_path / "n.mp4").exists()
