"""The commands in a process that lacks what only POSIX systems have."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from flowcli import load_estimator, read_flow, read_image
from flowcli.frames.images import write_image
from flowcli.frames.video import VideoFile
from flowcli.scene import Scene
from support.processes import DEADLINE, finished, started, wait_until
from support.videos import moving_frames

PROGRAM = """
import sys
import {preloaded}
sys.modules["fcntl"] = None  # importing it fails
import os, signal
for module, name in ((os, "statvfs"), (os, "pread"), (os, "set_blocking"), (signal, "SIGHUP")):
    if hasattr(module, name):
        delattr(module, name)
from flowcli.__main__ import main
main()
"""

DIS = ("-m", "dis")

Bare = Callable[..., "subprocess.CompletedProcess[bytes]"]


def command(*arguments: object, preloaded: str = "sys") -> list[str]:
    return [sys.executable, "-c", PROGRAM.format(preloaded=preloaded), *map(str, arguments)]


@pytest.fixture
def bare(environment: dict[str, str], tmp_path: Path) -> Bare:
    """Run a command; it must say nothing unexpected."""

    def run(*arguments: object, code: int = 0, preloaded: str = "sys") -> subprocess.CompletedProcess[bytes]:
        done = finished(command(*arguments, preloaded=preloaded), cwd=tmp_path, env=environment, capture_output=True)
        assert done.returncode == code, done.stderr.decode()
        assert all(line.startswith(b"flowcli: ") for line in done.stderr.splitlines()), done.stderr.decode()
        return done

    return run


@pytest.fixture
def frames(scene: Scene, tmp_path: Path) -> list[str]:
    write_image(tmp_path / "a.png", scene.frame1)
    write_image(tmp_path / "b.png", scene.frame2)
    return ["a.png", "b.png"]


@pytest.fixture
def sequence(tmp_path: Path) -> str:
    for index, image in enumerate(moving_frames(4)):
        write_image(tmp_path / "in" / f"{index}.png", image)
    return "in"


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_help_and_version(bare: Bare) -> None:
    assert b"Usage" in bare("--help").stdout
    assert bare("--version").stdout.startswith(b"flowcli ")


def test_estimate_convert_info_and_eval(bare: Bare, frames: list[str], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".flowcli-0123456789ab.tmp").write_bytes(b"left behind")
    bare("estimate", *frames, "-o", "out/flow.flo", "-o", "out/flow.png", *DIS)
    assert names(tmp_path / "out") == ["flow.flo", "flow.png"]
    expected = load_estimator("dis").estimate(*(read_image(tmp_path / name) for name in frames))
    np.testing.assert_array_equal(read_flow(tmp_path / "out/flow.flo"), expected)
    bare("convert", "out/flow.flo", "out/flow.npy")
    assert json.loads(bare("info", "out/flow.npy", "--json").stdout)["width"] == expected.shape[1]
    assert json.loads(bare("eval", "out/flow.npy", "out/flow.flo", "--json").stdout)["epe"] == 0
    bare("estimate", *frames, "-o", "out/flow.flo", *DIS, code=2)
    bare("estimate", *frames, "-o", "out/flow.flo", *DIS, "--force")


def test_a_folder_that_cannot_be_written_to(bare: Bare, frames: list[str], tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    if os.access(tmp_path / "locked", os.W_OK):
        pytest.skip("this user may write everywhere")
    assert b"no permission" in bare("estimate", *frames, "-o", "locked/x.flo", *DIS, code=5).stderr


def test_video(bare: Bare, sequence: str, tmp_path: Path) -> None:
    arguments = ("video", sequence, "--flow-dir", "flows", *DIS)
    bare(*arguments, "--out", "out.mp4")
    assert len(list(VideoFile(tmp_path / "out.mp4").frames())) == 3
    assert names(tmp_path / "flows") == ["0.flo", "1.flo", "2.flo", "flowcli.json"]
    assert b"0 done, 3 skipped" in bare(*arguments).stderr


def test_batch(bare: Bare, sequence: str, tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text(f"{sequence}/0.png,{sequence}/1.png,a\nmissing.png,{sequence}/1.png,b\n")
    arguments = ("batch", "pairs.csv", "--out-dir", "out", *DIS)
    assert b"1 done, 0 skipped, 1 failed" in bare(*arguments, code=6).stderr
    assert names(tmp_path / "out") == ["a.flo", "failures.jsonl", "flowcli.json"]
    assert b"0 done, 1 skipped, 1 failed" in bare(*arguments, code=6).stderr
    assert len((tmp_path / "out/failures.jsonl").read_text().splitlines()) == 1
    write_image(tmp_path / "missing.png", moving_frames(1)[0])
    assert b"1 done, 1 skipped, 0 failed" in bare(*arguments).stderr
    assert names(tmp_path / "out") == ["a.flo", "b.flo", "flowcli.json"]


def test_the_perceiver(bare: Bare, frames: list[str], checkpoint: Path) -> None:
    # On Linux, asyncio, which huggingface_hub imports, is another module without fcntl: not to be tried here.
    bare("estimate", *frames, "-o", "x.flo", "-m", checkpoint, "--overlap", 6, preloaded="asyncio")


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot send Ctrl-C to another one")
def test_an_interruption(environment: dict[str, str], tmp_path: Path) -> None:
    for index, image in enumerate(moving_frames(50, 200, 300)):
        write_image(tmp_path / "in" / f"{index}.png", image)
    arguments = command("video", "in", "--flow-dir", "flows", "--out", "out.mp4", *DIS)
    with started(arguments, cwd=tmp_path, env=environment, stderr=subprocess.PIPE) as process:
        wait_until(process, lambda: list(tmp_path.glob("flows/*.flo")))
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 130
    assert errors.decode().splitlines()[-1].startswith("flowcli: error: interrupted")
    assert not [name for name in names(tmp_path) if ".flowcli-" in name or "mp4" in name]
