"""What ``video``, ``batch`` and ``eval --dataset`` do with outputs that are there: the same, through each command."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from flowcli import write_flow
from flowcli.frames.images import write_image
from flowcli.storage import RECORD
from support.folders import files
from support.processes import finished, one_line
from support.videos import moving_frames

from ..conftest import Run

DIS = ("-m", "dis")
COMMANDS = {
    "video": ("video", "in", "--flow-dir", "out", *DIS),
    "batch": ("batch", "in", "--out-dir", "out", *DIS),
    "eval": ("eval", "--dataset", "middlebury", "set", "--out-dir", "out", *DIS),
}
OUTPUTS = {"video": ["0.flo", "1.flo"], "batch": ["0.flo", "1.flo"], "eval": ["A.flo", "B.flo"]}


@pytest.fixture
def inputs(tmp_path: Path) -> None:
    """Three frames in a folder, and a data set of two pairs."""
    frames = moving_frames(3)
    for index, image in enumerate(frames):
        write_image(tmp_path / "in" / f"{index}.png", image)
    for scene in ("A", "B"):
        for index in (0, 1):
            write_image(tmp_path / "set" / scene / f"frame1{index}.png", frames[index])
        write_flow(tmp_path / "set" / scene / "flow10.flo", np.full((64, 96, 2), (2, 1), np.float32))


@pytest.mark.usefixtures("inputs")
class TestOutputsThatNoRunHasRecorded:
    @pytest.fixture(params=COMMANDS)
    def command(self, request: pytest.FixtureRequest, flowcli: Run, tmp_path: Path) -> str:
        """The name of a command; its outputs are there, whole, but no record of them."""
        name = str(request.param)
        assert flowcli(*COMMANDS[name]).returncode == 0
        assert sorted(files(tmp_path / "out")) == [*OUTPUTS[name], RECORD]
        (tmp_path / "out" / RECORD).unlink()
        return name

    def test_they_are_neither_taken_nor_replaced(self, flowcli: Run, command: str, tmp_path: Path) -> None:
        before = files(tmp_path / "out")
        done = flowcli(*COMMANDS[command])
        assert done.returncode == 2
        line = one_line(done)
        assert "--adopt" in line
        assert "--force" in line
        assert files(tmp_path / "out") == before

    def test_adopt_takes_them(self, flowcli: Run, command: str, tmp_path: Path) -> None:
        mark = np.full((64, 96, 2), 7, np.float32)
        for name in OUTPUTS[command]:
            write_flow(tmp_path / "out" / name, mark)
        before = files(tmp_path / "out")
        done = flowcli(*COMMANDS[command], "--adopt")
        assert done.returncode == 0, done.stderr
        assert b" 0 done, 2 skipped" in done.stderr
        after = files(tmp_path / "out")
        assert {name: after[name] for name in before} == before
        assert sorted(after) == [*OUTPUTS[command], RECORD]
        assert b" 0 done, 2 skipped" in flowcli(*COMMANDS[command]).stderr, "and a later run needs to be told nothing"

    def test_force_replaces_them(self, flowcli: Run, command: str, tmp_path: Path) -> None:
        whole = files(tmp_path / "out")
        for name in OUTPUTS[command]:
            write_flow(tmp_path / "out" / name, np.full((64, 96, 2), 7, np.float32))
        done = flowcli(*COMMANDS[command], "--force")
        assert done.returncode == 0, done.stderr
        after = files(tmp_path / "out")
        assert {name: after[name] for name in whole} == whole


@pytest.mark.usefixtures("inputs")
@pytest.mark.parametrize("options", [("--flow-format", "kitti"), ("--wheel", "hsv"), ("--max-flow", "3")])
def test_a_picture_that_a_manifest_names_is_not_taken_for_another(
    flowcli: Run, tmp_path: Path, options: tuple[str, str]
) -> None:
    (tmp_path / "pairs.csv").write_text("in/0.png,in/1.png,x.png\n")
    command = ("batch", "pairs.csv", "--out-dir", "out", *DIS)
    assert flowcli(*command).returncode == 0
    before = files(tmp_path / "out")
    assert sorted(before) == [RECORD, "x.png"]
    for _ in range(2):
        refused = flowcli(*command, *options)
        assert refused.returncode == 2
        assert "out" in one_line(refused)
        assert files(tmp_path / "out") == before
    assert b" 0 done, 1 skipped" in flowcli(*command).stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.usefixtures("inputs")
def test_what_is_whole_is_recorded_at_the_moment_of_a_kill(
    flowcli: Run, tmp_path: Path, environment: dict[str, str], command: str
) -> None:
    """Killed as soon as the first output has its name, and so before anything that might follow."""
    code = (
        "import os, signal, flowcli.__main__, flowcli.storage as storage\n"
        "replace = storage._replace\n"
        "def replace_and_die(temporary, target):\n"
        "    replace(temporary, target)\n"
        "    if target.suffix == '.flo':\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "storage._replace = replace_and_die\n"
        "flowcli.__main__.main()\n"
    )
    killed = finished([sys.executable, "-c", code, *COMMANDS[command]], cwd=tmp_path, env=environment)
    assert killed.returncode == -9
    name = OUTPUTS[command][0]
    left = [path for path in sorted(files(tmp_path / "out")) if not path.startswith(".flowcli-")]  # of a write
    assert left == [name, RECORD]
    recorded = json.loads((tmp_path / "out" / RECORD).read_text())
    settings = recorded["outputs"]["flow"]["settings"]
    assert settings["model"] == "dis"
    before = (tmp_path / "out" / name).read_bytes()
    done = flowcli(*COMMANDS[command])
    assert done.returncode == 0, done.stderr
    assert b" 1 done, 1 skipped" in done.stderr
    assert (tmp_path / "out" / name).read_bytes() == before
    assert sorted(files(tmp_path / "out")) == [*OUTPUTS[command], RECORD]
