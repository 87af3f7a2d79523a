"""Processes that are killed or interrupted, or run out of disk space or input, and the files that they leave."""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from flowcli.frames.images import write_image
from flowcli.frames.video import VideoFile
from support.folders import files
from support.processes import DEADLINE, PROGRAM, finished, one_line, started, wait_until
from support.videos import moving_frames, write_video

from ..conftest import Run

if sys.platform == "win32":
    pytest.skip("signals, mounts and limits of POSIX", allow_module_level=True)

DIS = ("-m", "dis")


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    for index, image in enumerate(moving_frames(50, 200, 300)):
        write_image(tmp_path / "in" / f"{index}.png", image)
    return tmp_path / "in"


def start(
    folder: Path, environment: dict[str, str], *arguments: str
) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    return started([PROGRAM, *arguments], cwd=folder, env=environment, stderr=subprocess.PIPE)


def wait_for_outputs(process: subprocess.Popen[bytes], folder: Path, pattern: str, count: int = 1) -> None:
    wait_until(process, lambda: len(list(folder.glob(pattern))) >= count)


COMMANDS = {
    "batch": ("batch", "in", "--out-dir", "out", *DIS),
    "batch-png": ("batch", "in", "--out-dir", "out", "--flow-format", "png", *DIS),
    "video": ("video", "in", "--flow-dir", "out", "--out", "out/flow.mp4", *DIS),
    "video-npy": ("video", "in", "--flow-dir", "out", "--flow-format", "npy", *DIS),
    "video-png": ("video", "in", "--flow-dir", "out", "--flow-format", "png", *DIS),
}


@pytest.mark.usefixtures("frames")
@pytest.mark.parametrize("command", ["batch", "video", "video-npy"])
def test_killed_at_random_moments_and_resumed(tmp_path: Path, environment: dict[str, str], command: str) -> None:
    arguments = COMMANDS[command]
    began = time.monotonic()
    with start(tmp_path, environment, *arguments) as undisturbed:
        undisturbed.communicate(timeout=DEADLINE)
    assert undisturbed.returncode == 0
    seconds = time.monotonic() - began
    (tmp_path / "out").rename(tmp_path / "whole")
    whole = files(tmp_path / "whole")
    chance = random.Random(command)
    kills = 0
    while kills < 6:
        with start(tmp_path, environment, *arguments) as process, contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=chance.uniform(0.3, 0.9) * seconds)
            if command != "video":  # done before it was killed; the video is written anew and would have to be forced
                if kills:
                    break
                shutil.rmtree(tmp_path / "out")  # the machine has become faster meanwhile
                seconds /= 2
                continue
        kills += 1
        for name, content in files(tmp_path / "out").items() if (tmp_path / "out").exists() else ():
            assert ".tmp" in name or name.endswith(".lock") or whole[name] == content
        (tmp_path / "out" / "flow.mp4").unlink(missing_ok=True)
    with start(tmp_path, environment, *arguments) as last:
        last.communicate(timeout=DEADLINE)
    assert last.returncode == 0
    assert kills
    assert files(tmp_path / "out") == whole


@pytest.mark.usefixtures("frames")
@pytest.mark.parametrize("command", ["batch-png", "video", "video-png"])
def test_ctrl_c(tmp_path: Path, environment: dict[str, str], command: str) -> None:
    with start(tmp_path, environment, *COMMANDS[command]) as process:
        wait_for_outputs(process, tmp_path, "out/[0-9]*", 2)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)  # promised: two seconds, on a machine that is not busy
    assert process.returncode == 130, errors
    assert errors.decode().splitlines()[-1].startswith("flowcli: error: interrupted")
    left = files(tmp_path / "out")
    assert 2 <= len(left) < 50
    assert not [name for name in left if "tmp" in name or "mp4" in name]
    with start(tmp_path, environment, *COMMANDS[command]) as again:
        _, errors = again.communicate(timeout=DEADLINE)
    assert again.returncode == 0
    assert " skipped" in errors.decode()
    assert " 0 skipped" not in errors.decode()
    after = files(tmp_path / "out")
    assert {name: after[name] for name in left} == left


def test_ctrl_c_at_the_very_start(environment: dict[str, str], tmp_path: Path) -> None:
    """As soon as Python itself has started, which has a way of its own to fail."""
    code = "print('started', flush=True); from flowcli.__main__ import main; main()"
    for delay in (0.005, 0.02, 0.04, 0.06, 0.08, 0.1, 0.13, 0.16, 0.2):
        with started(
            [sys.executable, "-c", code, "model", "info", *DIS],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"started\n"
            time.sleep(delay)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=30)
        assert process.returncode in {130, 0, -signal.SIGINT}, errors
        assert process.returncode != 130 or errors.count(b"\n") == 1


def test_ctrl_c_that_python_wraps_while_it_makes_a_class() -> None:
    code = (
        "import sys, flowcli.cli, flowcli.models.dis as dis\n"
        "class Wraps:\n"
        "    def __set_name__(self, owner, name): raise KeyboardInterrupt\n"
        "dis.DisFlow.__init__ = lambda self: type('Made', (), {'x': Wraps()})\n"
        "sys.exit(flowcli.cli.run(['batch', '.', '--out-dir', 'out', '-m', 'dis']))"
    )
    frames = moving_frames(2)
    with TemporaryDirectory() as folder:
        for index, image in enumerate(frames):
            write_image(Path(folder) / f"{index}.png", image)
        done = finished([sys.executable, "-c", code], cwd=folder, capture_output=True)
    assert done.returncode == 130
    assert done.stderr.count(b"\n") == 1


class TestStuck:
    """Ctrl-C ends the program within two seconds (here: thirty, for a busy machine), whatever it is waiting for."""

    def interrupted(self, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130

    @pytest.mark.usefixtures("frames")
    def test_a_manifest_that_does_not_come(self, tmp_path: Path, environment: dict[str, str]) -> None:
        command = [PROGRAM, "batch", "-", "--out-dir", "out", *DIS]
        with started(command, stdin=subprocess.PIPE, cwd=tmp_path, env=environment) as process:
            assert process.stdin is not None
            process.stdin.write(b"in/0.png,in/1.png\n")
            process.stdin.flush()
            wait_for_outputs(process, tmp_path, "out/**/*.flo")  # now it waits for the next line
            self.interrupted(process)

    @pytest.mark.usefixtures("frames")
    def test_a_reader_that_does_not_read(self, tmp_path: Path, environment: dict[str, str]) -> None:
        lines = "".join(f"in/{index % 49}.png,in/{index % 49 + 1}.png,{index}\n" for index in range(400))
        (tmp_path / "pairs.csv").write_text(lines)
        command = [PROGRAM, "batch", "pairs.csv", "--out-dir", "out", "--json", *DIS]
        with started(command, stdout=subprocess.PIPE, cwd=tmp_path, env=environment) as process:
            wait_for_outputs(process, tmp_path, "out/*.flo")
            count = -1
            while count != (count := len(list(tmp_path.glob("out/*.flo")))):
                time.sleep(0.5)
            self.interrupted(process)

    def test_a_frame_that_never_comes(self, tmp_path: Path) -> None:
        for index, image in enumerate(moving_frames(3)):
            write_image(tmp_path / "in" / f"{index}.png", image)
        os.mkfifo(tmp_path / "in" / "3.png")  # nobody will ever write to it
        command: list[str | Path] = [PROGRAM, "video", "in", "--flow-dir", "flows", *DIS]
        with started(command, cwd=tmp_path, stderr=subprocess.PIPE) as process:
            wait_until(process, lambda: len(list(tmp_path.glob("flows/*.flo"))) >= 2)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
        assert process.returncode == 130

    def test_opencv_in_the_middle_of_a_large_frame(self, tmp_path: Path, environment: dict[str, str]) -> None:
        for index, image in enumerate(moving_frames(2, 500, 800)):
            write_image(tmp_path / f"{index}.bmp", np.tile(image, (7, 7, 1)))
        code = (
            "import sys, flowcli.__main__, flowcli.models.dis as dis\n"
            "estimate = dis.DisFlow._flow\n"
            "def watched(*arguments):\n"
            "    print('begins', flush=True)\n"
            "    flow = estimate(*arguments)\n"
            "    print('ends', flush=True)\n"
            "    return flow\n"
            "dis.DisFlow._flow = watched\n"
            "flowcli.__main__.main()\n"
        )
        command = [sys.executable, "-c", code, "estimate", "0.bmp", "1.bmp", "-o", "x.flo", *DIS]
        with started(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"begins\n"
            self.interrupted(process)
            assert process.stdout.read() == b"", "OpenCV was through with it before the program ended"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["0.bmp", "1.bmp"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if finished(command, capture_output=True).returncode:
        pytest.skip("cannot mount a small file system here")
    yield place
    finished(["umount", "-l", place], check=True)


@pytest.mark.usefixtures("frames")
class TestDiskFull:
    def test_batch(self, flowcli: Run, small_disk: Path, tmp_path: Path) -> None:
        compressed = ("--flow-format", "tif")  # of which nobody knows beforehand how large they are
        done = flowcli("batch", "in", "--out-dir", "disk/out", *compressed, *DIS)
        assert done.returncode == 5
        assert b"no space left on device" in done.stderr.splitlines()[-1]
        self.check(small_disk / "out", tmp_path, flowcli, *compressed)

    def test_video(self, flowcli: Run, small_disk: Path, tmp_path: Path) -> None:
        compressed = ("--flow-format", "tif")
        done = flowcli("video", "in", "--flow-dir", "disk/out", *compressed, *DIS)
        assert done.returncode == 5
        assert b"no space left on device" in done.stderr.splitlines()[-1]
        self.check(small_disk / "out", tmp_path, flowcli, *compressed)

    @pytest.mark.parametrize("command", [("video", "in", "--flow-dir"), ("batch", "in", "--out-dir")])
    def test_what_is_known_not_to_fit(self, flowcli: Run, small_disk: Path, command: tuple[str, ...]) -> None:
        done = flowcli(*command, "disk/out", *DIS)
        assert done.returncode == 5
        assert re.search(r"disk/out: 49 flows need 2\d\.\d+ MB, but only 1\.\d+ MB are free", one_line(done))
        assert files(small_disk) == {}

    def check(self, out: Path, tmp_path: Path, flowcli: Run, *options: str) -> None:
        """Everything finished is kept, and nothing else."""
        kept = files(out)
        assert len(kept) >= 2
        flowcli("batch", "in", "--out-dir", "whole", *options, *DIS)
        whole = files(tmp_path / "whole")
        for name, content in kept.items():
            if name != "flowcli.json":
                # Frames are named by their files in a batch, and in a folder of flows as well.
                assert whole[name] == content

    def test_the_video_itself(self, flowcli: Run, small_disk: Path) -> None:
        finished(["mount", "-o", "remount,size=16k", small_disk], check=True)
        done = flowcli("video", "in", "--out", "disk/flow.mp4", "--layout", "side-by-side", *DIS)
        assert done.returncode == 5
        assert b"no space left on device" in done.stderr.splitlines()[-1]
        assert files(small_disk) == {}


@pytest.mark.usefixtures("frames")
@pytest.mark.parametrize(
    "arguments",
    [
        ("batch", "in", "--out-dir", "disk/out"),
        ("video", "in", "--flow-dir", "disk/out"),
        ("video", "in", "--out", "disk/out.mp4"),
        ("estimate", "in/0.png", "in/1.png", "-o", "disk/out.flo"),
    ],
)
def test_a_folder_that_is_read_only(flowcli: Run, small_disk: Path, arguments: tuple[str, ...]) -> None:
    finished(["mount", "-o", "remount,ro", small_disk], check=True)
    done = flowcli(*arguments, *DIS)
    assert done.returncode == 5
    assert done.stderr.count(b"\n") == 1
    assert b"the file system is read-only" in done.stderr


def test_a_frame_that_is_deleted_while_the_batch_runs(
    frames: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    with start(tmp_path, environment, "batch", "in", "--out-dir", "out", *DIS) as process:
        wait_for_outputs(process, tmp_path, "out/*.flo")
        (frames / "45.png").unlink()
        _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 6
    assert b"45.png: no such file" in errors
    assert b"47 done, 0 skipped, 2 failed" in errors
    assert len(list(tmp_path.glob("out/*.flo"))) == 47


def test_a_frame_that_is_deleted_while_the_video_is_made(
    frames: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    with start(tmp_path, environment, "video", "in", "--out", "out.mp4", "--flow-dir", "out", *DIS) as process:
        wait_for_outputs(process, tmp_path, "out/*.flo")
        (frames / "45.png").unlink()
        _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 3
    assert b"45.png: no such file" in errors
    assert len(list(tmp_path.glob("out/*.flo"))) == 44
    assert len(list(VideoFile(tmp_path / "out.mp4").frames())) == 44


def peak_memory(folder: Path, environment: dict[str, str], *arguments: str) -> int:
    """Kilobytes that the command needs at most."""
    with started([PROGRAM, *arguments], cwd=folder, env=environment, stderr=subprocess.DEVNULL) as process:
        ended, deadline = 0, time.monotonic() + DEADLINE
        while not ended:
            assert time.monotonic() < deadline
            time.sleep(0.02)
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss


class TestMemory:
    """It does not grow with the length."""

    @pytest.mark.parametrize("outputs", [("--out", "out.mp4"), ("--flow-dir", "out"), ("--out", "out.webm")])
    def test_video(self, tmp_path: Path, environment: dict[str, str], outputs: tuple[str, ...]) -> None:
        texture = moving_frames(40, 96, 128)
        peaks = []
        for count in (40, 400):
            write_video(tmp_path / f"{count}.mp4", [texture[index % 40] for index in range(count)])
            arguments = ("video", f"{count}.mp4", *outputs, "--max-flow", "9", "--force", *DIS)
            peaks.append(peak_memory(tmp_path, environment, *arguments))
        assert peaks[1] < peaks[0] * 1.1

    def test_batch(self, tmp_path: Path, environment: dict[str, str]) -> None:
        for index, image in enumerate(moving_frames(2, 96, 128)):
            write_image(tmp_path / f"{index}.png", image)
        peaks = []
        for count in (40, 400):
            (tmp_path / "pairs.csv").write_text("".join(f"0.png,1.png,{index}\n" for index in range(count)))
            peaks.append(peak_memory(tmp_path, environment, "batch", "pairs.csv", "--out-dir", f"o{count}", *DIS))
        assert peaks[1] < peaks[0] * 1.1
