"""The installed ``view``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest

from flowcli import read_image, write_flow
from flowcli.flows.formats import formats
from flowcli.frames.images import write_image
from flowcli.scene import Scene
from support.folders import files
from support.pages import page_data
from support.processes import DEADLINE, finished
from support.videos import moving_frames, write_video

from ..conftest import ROOT, Run

DIS = ("-m", "dis")


@pytest.fixture
def pair(scene: Scene, tmp_path: Path) -> Scene:
    """Two frames, ``1.png`` and ``2.png``, and their true flow, ``gt.flo``."""
    write_image(tmp_path / "1.png", scene.frame1)
    write_image(tmp_path / "2.png", scene.frame2)
    write_flow(tmp_path / "gt.flo", scene.flow)
    return scene


@pytest.fixture
def sequence(tmp_path: Path) -> list[Path]:
    """Six frames in ``frames/`` and as ``in.mp4``, and the flow of each pair in ``flows/``."""
    frames = moving_frames(6)
    for number, frame in enumerate(frames):
        write_image(tmp_path / "frames" / f"{number:06d}.png", frame)
    write_video(tmp_path / "in.mp4", frames)
    (tmp_path / "flows").mkdir()
    paths = [tmp_path / "flows" / f"{number:06d}.flo" for number in range(5)]
    for path in paths:
        write_flow(path, np.tile(np.array([2, 1], np.float32), (64, 96, 1)))
    return paths


@pytest.mark.usefixtures("pair")
def test_two_frames_are_estimated_in_both_directions(flowcli: Run, tmp_path: Path) -> None:
    done = flowcli("view", "1.png", "2.png", *DIS, "--gt", "gt.flo", "-o", "page.html", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["outputs"] == ["page.html"]
    assert (result["flows"], result["pairs"], result["shown"]) == (["dis"], 1, 1)
    data = page_data(tmp_path / "page.html")
    assert (data["height"], data["width"], data["rate"]) == (120, 160, None)
    (moment,) = data["moments"]
    assert all(moment[name] is not None for name in ("frame1", "frame2", "truth"))
    assert moment["hidden"] != [None]
    assert data["facts"] == {
        "frames": "1.png, 2.png",
        "truth": "gt.flo",
        **{"model": "dis", "precision": "fp32", "device": "cpu", "scale": "1.0", "overlap": "20", "grid": "even"},
    }
    once = flowcli("view", "1.png", "2.png", *DIS, "--no-occlusion", "-o", "once.html")
    assert once.returncode == 0, once.stderr
    assert page_data(tmp_path / "once.html")["moments"][0]["hidden"] == [None]


@pytest.mark.usefixtures("pair")
def test_several_flows_are_compared(flowcli: Run, tmp_path: Path) -> None:
    write_flow(tmp_path / "sub" / "gt.flo", np.zeros((120, 160, 2), np.float32))
    write_flow(tmp_path / "back.flo", np.zeros((120, 160, 2), np.float32))
    done = flowcli("view", "gt.flo", "sub/gt.flo", "--gt", "gt.flo", "--frame1", "1.png", "-o", "page.html")
    assert done.returncode == 0, done.stderr
    data = page_data(tmp_path / "page.html")
    assert data["flows"] == ["gt.flo", "sub/gt.flo"]
    assert len(data["moments"][0]["flows"]) == 2
    assert data["moments"][0]["frame2"] is None
    single = flowcli("view", "gt.flo", "--back", "back.flo", "-o", "back.html")
    assert single.returncode == 0, single.stderr
    assert page_data(tmp_path / "back.html")["moments"][0]["hidden"] != [None]


@pytest.mark.parametrize("suffix", formats())
def test_what_reads_as_flow_is_flow(flowcli: Run, pair: Scene, tmp_path: Path, suffix: str) -> None:
    form = formats()[suffix]
    name = "kitti" if suffix == ".png" else "jpg" if form.components else None
    write_flow(tmp_path / f"flow{suffix}", pair.flow, flow_format=name)  # type: ignore[arg-type]
    done = flowcli("view", f"flow{suffix}", "--frame1", "1.png", "-o", "page.html")
    assert done.returncode == 0, done.stderr
    assert page_data(tmp_path / "page.html")["flows"] == [f"flow{suffix}"]


@pytest.mark.usefixtures("sequence")
@pytest.mark.parametrize("given", [["in.mp4"], ["frames"], ["frames/%06d.png", "--fps", "12"]])
def test_a_video_becomes_a_timeline(flowcli: Run, tmp_path: Path, given: list[str]) -> None:
    done = flowcli("view", *given, *DIS, "--stride", "2", "-o", "page.html", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["pairs"] == 2
    data = page_data(tmp_path / "page.html")
    assert data["rate"] == (12.5 if given == ["frames"] else 6)
    assert [moment["name"] for moment in data["moments"]] == ["000000", "000002"]
    assert [moment["time"] * data["rate"] for moment in data["moments"]] == pytest.approx([0, 1])
    assert data["moments"][0]["frame2"] == data["moments"][1]["frame1"]  # which is on the page once


@pytest.mark.usefixtures("sequence")
def test_a_folder_of_flow_becomes_a_timeline(flowcli: Run, tmp_path: Path) -> None:
    alone = flowcli("view", "flows", "-o", "alone.html", "--fps", "10")
    assert alone.returncode == 0, alone.stderr
    data = page_data(tmp_path / "alone.html")
    assert len(data["moments"]) == 5
    assert [moment["time"] for moment in data["moments"]] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    given = ("--frame1", "in.mp4", "--gt", "flows")
    framed = flowcli("view", "flows", *given, "--end", "4", "-o", "framed.html")
    assert framed.returncode == 0, framed.stderr
    moments = page_data(tmp_path / "framed.html")["moments"]
    assert len(moments) == 3
    assert all(moment["frame1"] and moment["frame2"] and moment["truth"] for moment in moments)


def test_a_sequence_that_is_damaged_is_shown_up_to_there(flowcli: Run, sequence: list[Path], tmp_path: Path) -> None:
    sequence[3].write_bytes(sequence[3].read_bytes()[:-100])
    done = flowcli("view", "flows", "-o", "page.html", "--json")
    assert done.returncode == 3
    assert b"000003.flo" in done.stderr
    assert json.loads(done.stdout)["pairs"] == 3
    data = page_data(tmp_path / "page.html")
    assert len(data["moments"]) == 3
    assert "000003.flo" in data["notes"][0]


@pytest.mark.usefixtures("pair")
def test_a_still_picture(flowcli: Run, tmp_path: Path) -> None:
    given = ("view", "gt.flo", "--frame1", "1.png", "--frame2", "2.png", "--gt", "gt.flo")
    done = flowcli(*given, "--save", "panel.png", "--width", "900")
    assert done.returncode == 0, done.stderr
    height, width, _ = read_image(tmp_path / "panel.png").shape
    assert 880 < width <= 900
    assert height > 400  # two rows of three
    assert set(files(tmp_path)) == {"1.png", "2.png", "gt.flo", "panel.png"}
    pytest.importorskip("matplotlib")
    done = flowcli(*given, "--save", "panel.pdf")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "panel.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.usefixtures("pair")
def test_without_an_output_a_page_is_opened_in_the_browser(flowcli: Run, tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    program = tmp_path / "browse"
    program.write_text('#!/bin/sh\necho "$1" > opened\n')
    program.chmod(0o755)
    done = flowcli("view", "gt.flo", BROWSER=f"{program} %s", TMPDIR=str(tmp_path / "tmp"))
    assert done.returncode == 0, done.stderr
    (page,) = (tmp_path / "tmp").glob("*.html")
    assert (tmp_path / "opened").read_text().strip() == page.as_uri()
    nothing = dict.fromkeys(("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"), "")
    if sys.platform == "linux":
        alone = flowcli("view", "gt.flo", **nothing, TMPDIR=str(tmp_path / "tmp"))
        assert b"there is no browser here" in alone.stderr


@pytest.mark.usefixtures("pair")
def test_a_temporary_page_that_cannot_be_made_is_removed(flowcli: Run, tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "damaged.flo").write_bytes((tmp_path / "gt.flo").read_bytes()[:999])
    for given in (("damaged.flo",), ("gone.flo",), ("gt.flo", "1.png")):
        assert flowcli("view", *given, TMPDIR=str(tmp_path / "tmp")).returncode != 0
    assert not list((tmp_path / "tmp").iterdir())


@pytest.mark.usefixtures("pair", "sequence")
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["gone.flo"], 3, "gone.flo"),
        (["gone"], 3, "gone"),
        (["1.png"], 2, "1.png is a single frame"),
        (["1.png", "gt.flo"], 2, "with --frame1 and --frame2"),
        (["1.png", "2.png", "1.png"], 2, "neither a pair nor a sequence"),
        (["in.mp4", "gt.flo"], 2, "in.mp4 (a sequence)"),
        (["in.mp4", "in.mp4"], 2, "do not belong together"),
        (["gt.flo", "flows/000000.flo"], 3, "000000.flo is 96 x 64"),
        (["gt.flo", "--frame1", "frames/000000.png"], 3, "000000.png is 96 x 64"),
        (["gt.flo", "--frame1", "frames"], 2, "--frame1 frames is a folder"),
        (["gone.png", "2.png"], 3, "gone.png"),
        (["gt.flo", "--gt", "flows"], 2, "--gt flows does not fit"),
        (["flows", "--gt", "gt.flo"], 2, "--gt gt.flo does not fit"),
        (["flows", "--frame2", "in.mp4"], 2, "--frame2"),
        (["flows", "--start", "2"], 2, "--frame1"),
        (["gt.flo", "--occlusion"], 2, "--occlusion"),
        (["gt.flo", "--stride", "2"], 2, "for sequences"),
        (["gt.flo", "flows/000000.flo", "--back", "gt.flo"], 2, "--back"),
        (["1.png", "2.png", "--frame1", "1.png"], 2, "--frame1"),
        (["gt.flo", "-o", "page.txt"], 5, ".txt"),
        (["gt.flo", "-o", "taken.html"], 2, "--force"),
        (["gt.flo", "--save", "panel.gif"], 5, ".gif"),
        (["gt.flo", "--frame1", "1.png", "--save", "1.png", "--force"], 2, "input"),
    ],
)
def test_errors(flowcli: Run, tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    (tmp_path / "taken.html").write_text("mine")
    before = files(tmp_path)
    output = [] if {"-o", "--save"} & set(arguments) else ["-o", "page.html"]
    done = flowcli("view", *arguments, *output, *DIS)
    assert done.returncode == code, done.stderr
    assert words in done.stderr.decode()
    assert files(tmp_path) == before
    assert (tmp_path / "taken.html").read_text() == "mine"


def test_names_are_escaped(flowcli: Run, tmp_path: Path) -> None:
    name = "<img src=x onerror=alert(1)> &amp; '\" .flo"
    write_flow(tmp_path / name, np.zeros((4, 6, 2), np.float32))
    done = flowcli("view", name, "-o", "page.html")
    assert done.returncode == 0, done.stderr
    assert "<img" not in (tmp_path / "page.html").read_text()
    assert page_data(tmp_path / "page.html")["flows"] == [name]


def test_the_wheel_has_what_pages_need(tmp_path: Path, environment: dict[str, str]) -> None:
    """Installed from a wheel into an environment of its own, where only what it depends on is borrowed."""
    environment.pop("PYTHONPATH", None)
    copy = tmp_path / "source"
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False, timeout=DEADLINE)
    if tracked.returncode:
        pytest.skip("not a git checkout, so it is not known what belongs to the sources")
    for name in filter(None, tracked.stdout.decode().split("\0")):
        if name.startswith("flowcli/") or "/" not in name:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    built = finished(
        [*pip, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", "wheels", copy],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        timeout=DEADLINE,
    )
    assert built.returncode == 0, built.stderr
    venv.create(tmp_path / "venv", with_pip=False)
    scripts = "Scripts" if sys.platform == "win32" else "bin"
    python = next((tmp_path / "venv" / scripts).glob("python*"))
    (wheel,) = (tmp_path / "wheels").iterdir()
    packages = next((tmp_path / "venv").rglob("site-packages"))
    installed = finished(
        [*pip, "install", "--no-deps", "--target", packages, wheel],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        timeout=DEADLINE,
    )
    assert installed.returncode == 0, installed.stderr
    (packages / "borrowed.pth").write_text(str(Path(np.__file__).parent.parent))
    write_flow(tmp_path / "a.flo", np.zeros((4, 6, 2), np.float32))
    code = "import flowcli, sys; sys.stdout.write(flowcli.__file__)"
    where = finished([python, "-c", code], cwd=tmp_path, env=environment, capture_output=True, timeout=DEADLINE)
    assert Path(os.fsdecode(where.stdout)).is_relative_to(packages)
    command: list[str | Path] = [python, "-m", "flowcli", "view", "a.flo", "-o", "a.html"]
    done = finished(command, cwd=tmp_path, env=environment, capture_output=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stderr
    assert page_data(tmp_path / "a.html")["flows"] == ["a.flo"]
