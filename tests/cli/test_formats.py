"""Formats with options or packages of their own, through every command that reads or writes flow files."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import OpenEXR
import pytest

from flowcli import FlowOptions, read_flow, read_image, write_flow
from flowcli.frames.images import write_image
from support.processes import one_line
from support.videos import moving_frames

from ..conftest import Run

DIS = ("-m", "dis")


def test_exr_holds_both_directions_with_occlusion(flowcli: Run, frames: list[str], tmp_path: Path) -> None:
    done = flowcli("estimate", *frames, *DIS, "-o", "a.exr", "-o", "a.flo", "--occlusion", "m.png")
    assert done.returncode == 0, done.stderr
    assert flowcli("estimate", *frames, *DIS, "-o", "back.flo", "--backward").returncode == 0
    channels = OpenEXR.File(str(tmp_path / "a.exr"), separate_channels=True).channels()
    forward, backward = read_flow(tmp_path / "a.flo"), read_flow(tmp_path / "back.flo")
    for name, flow in (("forward", forward), ("backward", backward)):
        np.testing.assert_array_equal(channels[f"{name}.u"].pixels, flow[..., 0])
        np.testing.assert_array_equal(channels[f"{name}.v"].pixels, -flow[..., 1])
    assert flowcli("estimate", *frames, *DIS, "-o", "one.exr", "--exr-v", "down").returncode == 0
    channels = OpenEXR.File(str(tmp_path / "one.exr"), separate_channels=True).channels()
    assert channels.keys() == {"forward.u", "forward.v"}
    np.testing.assert_array_equal(channels["forward.v"].pixels, forward[..., 1])


def test_jpg_is_a_picture_unless_chosen(flowcli: Run, frames: list[str], tmp_path: Path) -> None:
    done = flowcli("estimate", *frames, *DIS, "-o", "a.jpg", "-o", "a.flo", "-o", "p.png", "--json")
    assert json.loads(done.stdout)["outputs"] == ["a.jpg", "a.flo", "p.png"]
    difference = read_image(tmp_path / "a.jpg").astype(int) - read_image(tmp_path / "p.png")
    assert np.abs(difference).mean() < 6
    done = flowcli("estimate", *frames, *DIS, "-o", "a.jpg", "--flow-format", "jpg", "--json")
    assert json.loads(done.stdout)["outputs"] == ["a_x.jpg", "a_y.jpg"]
    for component in (0, 1):
        levels = cv2.imread(str(tmp_path / f"a_{'xy'[component]}.jpg"), cv2.IMREAD_UNCHANGED)
        assert levels is not None
        expected = 255 * (read_flow(tmp_path / "a.flo")[..., component] + 20) / 40
        assert np.abs(levels - expected).mean() < 1.5
    done = flowcli("estimate", *frames, *DIS, "-o", "a.jpg", "--flow-format", "jpg")
    assert done.returncode == 2
    assert "output a_x.jpg exists" in one_line(done)


def test_the_bound_is_given_to_every_command(flowcli: Run, tmp_path: Path) -> None:
    flow = np.full((16, 24, 2), (3, -1.5), np.float32)
    write_flow(tmp_path / "a.flo", flow)
    bound = ("--bound", 4)
    done = flowcli("convert", "a.flo", "p.jpg", "--flow-format", "jpg", *bound, "--json")
    assert json.loads(done.stdout)["outputs"] == ["p_x.jpg", "p_y.jpg"]
    np.testing.assert_allclose(read_flow(tmp_path / "p.jpg", FlowOptions(bound=4)), flow, atol=0.02)
    assert flowcli("convert", "p_y.jpg", "back.npy", *bound).returncode == 0
    np.testing.assert_allclose(read_flow(tmp_path / "back.npy"), flow, atol=0.02)
    assert json.loads(flowcli("info", "p.jpg", *bound, "--json").stdout)["flow"]["u_mean"] == pytest.approx(3, abs=0.02)
    assert json.loads(flowcli("eval", "p.jpg", "a.flo", *bound, "--json").stdout)["epe"] < 0.03
    write_image(tmp_path / "2.png", moving_frames(1)[0][:16, :24])
    assert flowcli("warp", "2.png", "p.jpg", "-o", "w.png", *bound).returncode == 0
    done = flowcli("info", "p.jpg", "--bound", 0)
    assert done.returncode == 2
    assert "--bound must be between 0.001 and 1000000 pixels" in one_line(done)
    done = flowcli("convert", "p.jpg", "p.jpg", "--flow-format", "jpg", "--force")
    assert done.returncode == 2
    assert "is also an input" in one_line(done)


def test_folders_of_pairs_are_compared_by_name(flowcli: Run, tmp_path: Path) -> None:
    for number in range(3):
        flow = np.full((16, 24, 2), number, np.float32)
        write_flow(tmp_path / f"pred/{number}.jpg", flow, flow_format="jpg")
        write_flow(tmp_path / f"gt/{number}.tif", flow)
    write_image(tmp_path / "pred/picture.jpg", moving_frames(1)[0])
    write_image(tmp_path / "gt/picture.tif", moving_frames(1)[0])
    done = flowcli("eval", "pred", "gt", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["pairs"] == 3


def test_what_is_clipped_is_said_once(flowcli: Run, tmp_path: Path) -> None:
    for index, image in enumerate(moving_frames(4)):
        write_image(tmp_path / f"in/{index}.png", image)
    for command in (("video", "in", "--flow-dir", "v"), ("batch", "in", "--out-dir", "b")):
        done = flowcli(*command, *DIS, "--flow-format", "jpg", "--bound", 1.5)
        assert done.returncode == 0, done.stderr
        assert done.stderr.count(b"component beyond 1.5 px and are clipped; a larger bound") == 1
    assert (tmp_path / "v/flow_x_00001.jpg").is_file()
    assert (tmp_path / "b/0_y.jpg").is_file()


def test_missing_packages_are_named(flowcli: Run, frames: list[str], tmp_path: Path) -> None:
    write_flow(tmp_path / "a.exr", np.zeros((4, 5, 2), np.float32))
    (tmp_path / "none").mkdir()
    (tmp_path / "none/sitecustomize.py").write_text("import sys\nsys.modules['OpenEXR'] = None\n")
    for arguments, code in ((["estimate", *frames, *DIS, "-o", "b.exr"], 5), (["info", "a.exr"], 3)):
        done = flowcli(*arguments, PYTHONPATH=str(tmp_path / "none"))
        assert done.returncode == code
        assert "pip install 'flowcli[exr]'" in one_line(done)
    assert not (tmp_path / "b.exr").exists()


@pytest.mark.parametrize("name", ["a.exr", "a.tif", "a.tiff", "a_x.jpg"])
@pytest.mark.parametrize("content", [b"", b"x", b"\xff\xd8\xff\xd9", b"II*\0\x08\0\0\0", b"\x76\x2f\x31\x01\x02\0\0\0"])
def test_damage_is_one_line(flowcli: Run, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    done = flowcli("info", name)
    assert done.returncode == 3
    assert name in one_line(done)
