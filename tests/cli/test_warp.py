"""The installed ``warp``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from flowcli import read_image, write_flow
from flowcli.frames.images import write_image
from flowcli.scene import Scene, render_scene

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
    ],
)
def test_errors(flowcli: Run, tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    write_image(tmp_path / "2.png", render_scene(48, 64).frame1)
    done = flowcli("warp", *arguments)
    assert done.returncode == code
    assert words in done.stderr.decode()
