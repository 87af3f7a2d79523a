"""``batch`` and ``eval`` on real Ray clusters: the same outputs, lines and exit codes as on one machine."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from flowcli import read_flow, write_flow
from flowcli.frames.images import write_image
from flowcli.scene import render_scene
from support.folders import files
from support.processes import DEADLINE, PROGRAM, finished, started, until, wait_until
from support.ray_cluster import MISSING, RayCluster, kill, without_cluster
from support.videos import moving_frames, write_video

pytestmark = [
    pytest.mark.skipif(MISSING is not None, reason=str(MISSING)),
    pytest.mark.skipif(sys.platform != "linux", reason="a machine has several loopback addresses only on Linux"),
    pytest.mark.slow,
]

DIS = ("-m", "dis")
PAIRS = 120


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frames of many pairs, short videos, one that is long, one that is damaged."""
    folder = tmp_path_factory.mktemp("inputs")
    for index, frame in enumerate(moving_frames(PAIRS + 1, 48, 64)):
        write_image(folder / "frames" / f"{index}.png", frame)
    clips = folder / "clips"
    clips.mkdir()
    there = moving_frames(50, 64, 96)
    back_and_forth = (there + there[::-1]) * 3  # long enough to be cut
    write_video(clips / "long.mp4", back_and_forth)
    write_video(clips / "short.mkv", there[:9])
    whole = write_video(clips / "cut.mkv", back_and_forth).read_bytes()
    (clips / "cut.mkv").write_bytes(whole[: len(whole) * 9 // 10])
    return folder


@pytest.fixture(scope="module")
def alone(inputs: Path) -> Path:
    """What one machine makes of the inputs."""
    for arguments in (FRAMES, CLIPS):
        finished([PROGRAM, "batch", *arguments, "-q"], cwd=inputs, capture_output=True)
    return inputs


FRAMES = ("frames", "--out-dir", "alone-frames", *DIS)
CLIPS = ("clips", "--out-dir", "alone-clips", "--video-out", "mp4", "--flow-format", "npy", *DIS)


def on(cluster: RayCluster, arguments: tuple[str, ...], out: Path) -> list[str]:
    given = [str(out) if argument.startswith("alone-") else argument for argument in arguments]
    return [PROGRAM, "batch", *given, "--ray", cluster.address]


def run(cluster: RayCluster, arguments: tuple[str, ...], out: Path, cwd: Path, *more: str) -> Any:
    command = [*on(cluster, arguments, out), *more]
    return finished(command, cwd=cwd, env=cluster.environment, capture_output=True)


def lines(done: Any, kind: str) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, done.stdout.splitlines()) if line["type"] == kind]


def same_bytes(ours: Path, theirs: Path) -> None:
    """The same outputs; failures are listed by the same names, in the order of the items."""
    assert files(ours) == files(theirs)


def test_pairs(cluster: RayCluster, alone: Path, tmp_path: Path) -> None:
    done = run(cluster, FRAMES, tmp_path / "out", alone, "--json", "--quiet")
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    assert sorted(line["pair"] for line in lines(done, "pair")) == list(range(PAIRS))
    summary = lines(done, "summary")[0]
    assert (summary["done"], summary["model"], summary["device"]) == (PAIRS, "dis", "cpu")
    same_bytes(tmp_path / "out", alone / "alone-frames")
    other = run(cluster, FRAMES, tmp_path / "out", alone, "--scale", "0.5")
    assert other.returncode == 2
    assert b"made with another scale" in other.stderr


def test_videos_in_parts(cluster: RayCluster, alone: Path, tmp_path: Path) -> None:
    done = run(cluster, CLIPS, tmp_path / "out", alone, "--json")
    assert done.returncode == 6
    statuses = {Path(line["video"]).name: line["status"] for line in lines(done, "video")}
    assert statuses == {"long.mp4": "done", "short.mkv": "done", "cut.mkv": "failed"}
    assert len(lines(done, "video")) == 3
    pairs = {Path(line["video"]).name: line["pairs"] for line in lines(done, "video")}
    good = len(list((alone / "alone-clips" / "cut").glob("*.npy")))
    assert pairs == {"long.mp4": 299, "short.mkv": 8, "cut.mkv": good}
    same_bytes(tmp_path / "out", alone / "alone-clips")


def test_the_driver_and_workers_are_killed(cluster: RayCluster, alone: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [*on(cluster, CLIPS, out), "--json"]
    for is_last in (False, True):
        already = len(list(out.rglob("*.npy")))
        with (
            (tmp_path / "lines.jsonl").open("wb") as said,
            started(command, cwd=alone, env=cluster.environment, stdout=said, stderr=subprocess.DEVNULL) as driver,
        ):
            wait_until(driver, lambda already=already: len(list(out.rglob("*.npy"))) > already + 20)  # type: ignore[misc]
            kill(cluster.workers()[0])
            if not is_last:
                driver.kill()
            driver.wait(DEADLINE)
        until(lambda: not cluster.workers())
    assert driver.returncode == 6
    assert (tmp_path / "lines.jsonl").read_text().count('"type": "video"') == 3
    same_bytes(out, alone / "alone-clips")


HALF_WRITTEN = ("--out-dir", "out", "--video-out", "mp4", "--flow-format", "npy", *DIS)


def end_in_midst(folder: Path, environment: dict[str, str], number: int, *options: str) -> list[psutil.Process]:
    """End a batch of a long video with a signal; returns the processes that it had started."""
    there = moving_frames(50, 120, 160)
    write_video(folder / "in.mp4", (there + there[::-1]) * 2)  # too short to be cut into parts
    (folder / "list.txt").write_text("in.mp4\n")
    out = folder / "out"
    command = [PROGRAM, "batch", "list.txt", *HALF_WRITTEN, *options]
    with started(command, cwd=folder, env=environment) as driver:
        wait_until(driver, lambda: list(out.glob(".flowcli-*.tmp")) and list(out.glob("*/*.npy")))
        theirs = psutil.Process(driver.pid).children(recursive=True)
        driver.send_signal(number)
        driver.wait(30)
    assert driver.returncode == 128 + number
    assert not [path for path in out.rglob(".flowcli-*") if ".tmp" in path.name]
    return theirs


def test_a_local_cluster_and_half_written_files_go_with_ctrl_c(tmp_path: Path) -> None:
    environment = {**without_cluster(), "HOME": str(tmp_path)}  # Ray puts the token that it makes there
    theirs = end_in_midst(tmp_path, environment, signal.SIGINT, "--ray", "local", "--workers", "1")
    _, left = psutil.wait_procs(theirs, timeout=15)
    assert not [each for each in left if each.status() != psutil.STATUS_ZOMBIE]


def test_half_written_files_go_with_workers_that_are_told_to_end(cluster: RayCluster, tmp_path: Path) -> None:
    end_in_midst(tmp_path, cluster.environment, signal.SIGTERM, "--ray", cluster.address)
    until(lambda: not cluster.workers(), 15)


def test_ctrl_c_while_a_local_cluster_starts(tmp_path: Path) -> None:
    """Some of Ray's processes, left alone, would notice only after a minute."""
    environment = without_cluster()
    environment["HOME"] = str(tmp_path)
    write_video(tmp_path / "in.mp4", moving_frames(4))
    (tmp_path / "list.txt").write_text("in.mp4\n")
    command = [PROGRAM, "batch", "list.txt", "--out-dir", "out", *DIS, "--ray", "local"]
    seen: dict[psutil.Process, str] = {}

    def is_starting() -> bool:
        for each in psutil.Process(driver.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                seen[each] = "".join(each.cmdline()[:1])  # none, once it has ended
        return any(title.startswith("ray::") and "Agent" in title for title in seen.values())

    with started(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE) as driver:
        wait_until(driver, is_starting)
        driver.send_signal(signal.SIGINT)
        _, errors = driver.communicate(timeout=30)
    assert driver.returncode == 130
    assert errors.splitlines()[-1].startswith(b"flowcli: error: interrupted")
    _, left = psutil.wait_procs(list(seen), timeout=15)
    assert not [each for each in left if each.status() != psutil.STATUS_ZOMBIE]


def test_an_item_that_ends_its_worker(cluster: RayCluster, tmp_path: Path) -> None:
    for index, frame in enumerate(moving_frames(12, 48, 64)):
        frame[0, 0] = (1, 2, 3) if index == 5 else (0, 0, 0)
        write_image(tmp_path / "frames" / f"{index:02d}.png", frame)
    done = run(cluster, FRAMES, tmp_path / "out", tmp_path, "--json")
    assert done.returncode == 6
    failed = [line for line in lines(done, "pair") if line["status"] == "failed"]
    assert [Path(line["frame1"]).name for line in failed] == ["05.png"]
    assert "process crashed or was killed" in failed[0]["error"]
    assert "give fewer --workers or smaller frames" in failed[0]["error"]
    assert len(lines(done, "pair")) == 11
    assert len(list((tmp_path / "out").glob("*.flo"))) == 10
    assert [json.loads(line)["exit_code"] for line in (tmp_path / "out/failures.jsonl").read_text().splitlines()] == [7]


def test_a_data_set(cluster: RayCluster, tmp_path: Path) -> None:
    for index in range(3):
        scene = render_scene(64, 96, seed=index)
        place = tmp_path / "set" / f"S{index}"
        write_image(place / "frame10.png", scene.frame1)
        write_image(place / "frame11.png", scene.frame2)
        write_flow(place / "flow10.flo", scene.flow)
    figures = []
    for options, out in (((), "one"), (("--ray", cluster.address), "many")):
        command = [PROGRAM, "eval", "--dataset", "middlebury", "set", "--out-dir", out, *DIS, "--json", *options]
        done = finished(command, cwd=tmp_path, env=cluster.environment, capture_output=True)
        assert done.returncode == 0, done.stderr
        figures.append(lines(done, "summary")[0]["subsets"])
    assert figures[0] == figures[1]
    same_bytes(tmp_path / "one", tmp_path / "many")
    assert read_flow(tmp_path / "many/S0.flo").shape == (64, 96, 2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--ray", "somewhere"), b"give local, auto or HOST:PORT"),
        (("--ray", "127.0.0.2:9"), b"no Ray cluster answers"),
        (("--cpus-per-worker", "2"), b"only for --ray"),
        (("--ray", "local", "--workers", "0"), b"positive whole number"),
    ],
)
def test_wrong_usage(inputs: Path, tmp_path: Path, options: tuple[str, ...], words: bytes) -> None:
    environment = without_cluster()
    command = [PROGRAM, "batch", "frames", "--out-dir", str(tmp_path / "out"), *DIS, *options]
    done = finished(command, cwd=inputs, env=environment, capture_output=True)
    assert done.returncode == 2
    assert words in done.stderr
    assert not (tmp_path / "out").exists()
