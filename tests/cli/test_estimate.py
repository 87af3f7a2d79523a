"""The installed ``estimate``: its outputs, stdout, JSON, and what it draws on a terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from flowcli import colorize, load_estimator, read_flow, read_image
from flowcli.flows.formats.flo import decode as decode_flo
from flowcli.flows.occlusion import occluded
from flowcli.frames.images import write_image
from flowcli.scene import Scene
from support.processes import PROGRAM, finished

from ..conftest import Run

DIS = ("-m", "dis")


def _paths(folder: Path) -> list[Path]:
    return [folder / "a.png", folder / "b.png"]


def test_several_outputs_at_once(flowcli: Run, frames: list[str], tmp_path: Path) -> None:
    done = flowcli("estimate", *frames, "-o", "new/dir/f.flo", "-o", "f.png", *DIS, "--max-flow", 9)
    assert done.returncode == 0, done.stderr
    assert done.stdout == b""
    flow = read_flow(tmp_path / "new/dir/f.flo")
    np.testing.assert_array_equal(flow, load_estimator("dis").estimate(*map(read_image, _paths(tmp_path))))
    np.testing.assert_array_equal(read_image(tmp_path / "f.png"), colorize(flow, 9))


def test_stdout(flowcli: Run, frames: list[str], tmp_path: Path) -> None:
    done = flowcli("estimate", *frames, "-o", "-", "-o", "f.flo", *DIS)
    np.testing.assert_array_equal(decode_flo(done.stdout, "stdout"), read_flow(tmp_path / "f.flo"))


@pytest.mark.skipif(sys.platform == "win32", reason="needs bash")
def test_frames_through_pipes(frames: list[str], tmp_path: Path) -> None:
    shell = f"{PROGRAM} estimate <(cat {frames[0]}) <(cat {frames[1]}) -o p.flo -m dis"
    finished(["bash", "-c", shell], cwd=tmp_path, check=True)
    expected = load_estimator("dis").estimate(*map(read_image, _paths(tmp_path)))
    np.testing.assert_array_equal(read_flow(tmp_path / "p.flo"), expected)


def test_backward_is_forward_with_the_frames_swapped(flowcli: Run, frames: list[str], tmp_path: Path) -> None:
    assert flowcli("estimate", *frames, "-o", "1.flo", *DIS, "--backward").returncode == 0
    assert flowcli("estimate", *reversed(frames), "-o", "2.flo", *DIS).returncode == 0
    assert (tmp_path / "1.flo").read_bytes() == (tmp_path / "2.flo").read_bytes()


def test_scale(flowcli: Run, frames: list[str], tmp_path: Path) -> None:
    assert flowcli("estimate", *frames, "-o", "1.flo", *DIS, "--scale", "0.5").returncode == 0
    expected = load_estimator("dis", scale=0.5).estimate(*map(read_image, _paths(tmp_path)))
    np.testing.assert_array_equal(read_flow(tmp_path / "1.flo"), expected)


def test_json(flowcli: Run, frames: list[str], tmp_path: Path) -> None:
    done = flowcli("estimate", *frames, "-o", "f.flo", *DIS, "--json")
    report = json.loads(done.stdout)
    flow = read_flow(tmp_path / "f.flo")
    assert report["frame1"] == "a.png"
    assert report["outputs"] == ["f.flo"]
    assert (report["model"], report["revision"], report["device"]) == ("dis", None, "cpu")
    assert (report["width"], report["height"], report["windows"]) == (80, 64, 1)
    assert report["flow"]["u_mean"] == pytest.approx(float(flow[..., 0].mean()), abs=1e-5)
    assert done.stderr == b""


def test_force_replaces_and_the_environment_chooses_the_model(flowcli: Run, frames: list[str], tmp_path: Path) -> None:
    (tmp_path / "f.flo").write_bytes(b"old")
    done = flowcli("estimate", *frames, "-o", "f.flo", "--force", "--quiet", FLOWCLI_MODEL="dis")
    assert (done.returncode, done.stderr) == (0, b"")
    assert read_flow(tmp_path / "f.flo").shape == (64, 80, 2)


def test_a_closed_pipe(frames: list[str], tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command: list[str | Path] = [PROGRAM, "estimate", *frames, "-o", "-", *DIS]
    done = finished(command, cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert done.returncode == 5
    assert done.stderr.count(b"\n") == 1
    assert b"broken pipe" in done.stderr


def test_a_bar_is_drawn_on_a_terminal_only(frames: list[str], checkpoint: Path, tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("no pseudo-terminals")
    import pty

    command: list[str | Path] = [PROGRAM, "estimate", *frames, "-o", "f.flo", "-m", checkpoint, "--overlap", "6"]
    terminal, end = pty.openpty()
    finished(command, cwd=tmp_path, stderr=end, check=True)
    os.close(end)
    drawn = os.read(terminal, 100_000).decode()
    os.close(terminal)
    assert "estimating" in drawn
    assert "\x1b[" in drawn
    plain = finished([*command, "--force"], cwd=tmp_path, stderr=subprocess.PIPE, check=True)
    assert b"\x1b" not in plain.stderr
    assert plain.stderr.count(b"\n") == 1


def test_estimate_with_occlusions_and_pictures(flowcli: Run, scene: Scene, tmp_path: Path) -> None:
    write_image(tmp_path / "1.png", scene.frame1)
    write_image(tmp_path / "2.png", scene.frame2)
    options = ("--occlusion", "hidden.png", "--overlay", "--legend", "--json")
    done = flowcli("estimate", "1.png", "2.png", "-o", "f.flo", "-o", "f.png", *options, *DIS)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    mask = read_image(tmp_path / "hidden.png")
    assert set(np.unique(mask)) == {0, 255}
    assert report["occluded"] == pytest.approx((mask[..., 0] > 0).mean())
    assert report["windows"] == 2
    assert (mask[~scene.visible] > 0).mean() > 0.6
    assert flowcli("estimate", "1.png", "2.png", "-o", "g.flo", "--occlusion", "m.jpg", *DIS).returncode == 5


def test_both_directions_share_batches(flowcli: Run, scene: Scene, tmp_path: Path, checkpoint: Path) -> None:
    write_image(tmp_path / "1.png", scene.frame1)
    write_image(tmp_path / "2.png", scene.frame2)
    model = ("-m", checkpoint, "--overlap", 6, "--batch-size", 50)
    done = flowcli("estimate", "1.png", "2.png", "-o", "f.flo", "--occlusion", "m.png", *model, "--json")
    assert done.returncode == 0, done.stderr
    backward = flowcli("estimate", "1.png", "2.png", "-o", "b.flo", "--backward", *model)
    assert backward.returncode == 0
    flows = [read_flow(tmp_path / name) for name in ("f.flo", "b.flo")]
    agree = occluded(*flows) == (read_image(tmp_path / "m.png")[..., 0] > 0)
    assert agree.mean() > 0.999
