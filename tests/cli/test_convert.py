"""The installed ``convert``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from flowcli import read_flow, read_image, write_flow
from flowcli.arrays import Flow
from flowcli.frames.images import write_image
from flowcli.scene import Scene, render_scene

from ..conftest import Run


@pytest.mark.parametrize("target", ["a.flo", "a.pfm", "a.npy", "a.npz", "a.flo5", "k.png"])
def test_to_every_format_and_back(flowcli: Run, flows: tuple[Flow, Flow], tmp_path: Path, target: str) -> None:
    kitti_format = ("--flow-format", "kitti") if target.startswith("k") else ()
    done = flowcli("convert", "gt.flo", f"new/{target}", *kitti_format)
    assert done.returncode == 0, done.stderr
    assert done.stderr.decode() == f"flowcli: wrote new/{target}\n"
    np.testing.assert_array_equal(read_flow(tmp_path / "new" / target), flows[1])
    assert flowcli("convert", f"new/{target}", "back.flo").returncode == 0
    assert (tmp_path / "back.flo").read_bytes() == (tmp_path / "gt.flo").read_bytes()


@pytest.mark.usefixtures("flows")
def test_what_is_lost_is_said_once(flowcli: Run, tmp_path: Path) -> None:
    done = flowcli("convert", "gt.flo", "a.png")
    assert done.returncode == 0
    assert done.stderr.count(b"unknown flow") == 1
    write_flow(tmp_path / "far.flo", np.full((4, 5, 2), 700, np.float32))
    done = flowcli("convert", "far.flo", "k.png", "--flow-format", "kitti")
    assert done.stderr.count(b"vectors outside -512 to 511.98 px are marked unknown") == 1


def test_pictures(flowcli: Run, scene: Scene, tmp_path: Path) -> None:
    write_flow(tmp_path / "f.flo", scene.flow)
    write_image(tmp_path / "1.png", scene.frame1)
    pictures = []
    for index, options in enumerate(
        [[], ["--wheel", "hsv"], ["--legend"], ["--overlay"], ["--arrows", "12"], ["--overlay", "--arrows", "9"]]
    ):
        frame = ["--frame", "1.png"] if {"--overlay", "--arrows"} & set(options) else []
        done = flowcli("convert", "f.flo", f"{index}p.png", *options, *frame, "--max-flow", "9")
        assert done.returncode == 0, done.stderr
        pictures.append(read_image(tmp_path / f"{index}p.png"))
        assert pictures[-1].shape == (120, 160, 3)
    for index, picture in enumerate(pictures):
        assert all((picture != other).any() for other in pictures[:index])
    np.testing.assert_array_equal(pictures[0][:50], pictures[2][:50])  # the legend is in a corner


@pytest.mark.usefixtures("flows")
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["gt.flo", "x.png", "--overlay"], 2, "--frame"),
        (["gt.flo", "x.png", "--arrows", "8"], 2, "--frame"),
        (["gt.flo", "x.xyz"], 5, ".xyz"),
        (["gt.flo", "x.flo", "--flow-format", "kitti"], 2, "needs the suffix .png"),
        (["gt.flo", "pred.npy"], 2, "--force"),
        (["gt.flo", "gt.flo", "--force"], 2, "also an input"),
        (["missing.flo", "x.flo"], 3, "no such file"),
        (["gt.flo", "x.png", "--overlay", "--frame", "big.png"], 3, "big.png is 64 x 48 but gt.flo is 5 x 4"),
    ],
)
def test_errors(flowcli: Run, tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    write_image(tmp_path / "big.png", render_scene(48, 64).frame1)
    done = flowcli("convert", *arguments)
    assert done.returncode == code
    assert words in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1
