"""The installed ``batch``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from flowcli import load_estimator, read_image
from flowcli.run.batch import estimate_batch
from flowcli.run.batch_outputs import BatchOutputs
from flowcli.run.folder_tasks import folder_tasks
from support.folders import files, write_two_scenes
from support.processes import DEADLINE, PROGRAM, finished, started

from ..conftest import Run

DIS = ("-m", "dis")


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    return write_two_scenes(tmp_path / "in")


def test_a_manifest(flowcli: Run, frames: Path, tmp_path: Path) -> None:
    (frames / "pairs.csv").write_text("frame1,frame2,out\ns1/8.png,s1/9.png,a/x.npy\ns2/8.png,s2/9.png,b\n")
    done = flowcli("batch", "in/pairs.csv", "--out-dir", "out", *DIS)
    assert done.returncode == 0, done.stderr
    assert done.stdout == b""
    assert b"2 pairs in out: 2 done, 0 skipped, 0 failed" in done.stderr
    assert b"pairs per second" in done.stderr
    assert sorted(files(tmp_path / "out")) == ["a/x.npy", "b.flo", "flowcli.json"]
    expected = load_estimator("dis").estimate(*(read_image(frames / "s1" / f"{n}.png") for n in (8, 9)))
    np.testing.assert_array_equal(np.load(tmp_path / "out/a/x.npy"), expected)
    assert b"0 done, 2 skipped" in flowcli("batch", "in/pairs.csv", "--out-dir", "out", *DIS).stderr


def test_stdin_and_json(environment: dict[str, str], frames: Path, tmp_path: Path) -> None:
    lines = [
        {"frame1": str(frames / f"s1/{n}.png"), "frame2": str(frames / "s1/11.png"), "out": f"{n}"} for n in (8, 7)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    command = [PROGRAM, "batch", "-", "--out-dir", "out", *DIS, "--json"]
    done = finished(command, input=text.encode(), capture_output=True, cwd=tmp_path, env=environment)
    assert done.returncode == 6
    good, bad, summary = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted([good["status"], bad["status"]]) == ["done", "failed"]
    assert (summary["done"], summary["skipped"], summary["failed"], summary["pairs"]) == (1, 0, 1, 2)
    assert summary["seconds"] > 0
    assert (good["outputs"], good["flow"]["known"]) == (["out/8.flo"], 1)
    assert (bad["outputs"], bad["flow"]) == ([], None)
    assert (summary["model"], summary["shard"]) == ("dis", "1/1")
    assert done.stderr.decode().splitlines()[-1] == ("flowcli: error: 1 of 2 pairs failed; see out/failures.jsonl")


@pytest.mark.usefixtures("frames")
def test_results_come_as_pairs_end(environment: dict[str, str], tmp_path: Path) -> None:
    """The next line of the manifest is written only when the result of the one before has been read."""
    command = [PROGRAM, "batch", "-", "--out-dir", "out", *DIS, "--json", "--quiet"]
    with started(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path, env=environment, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for index in (8, 9, 10):
            process.stdin.write(f"in/s1/{index}.png,in/s1/{index + 1}.png\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["status"] == "done"
        process.stdin.close()
        assert json.loads(process.stdout.readline())["type"] == "summary"
        assert process.wait(DEADLINE) == 0


def test_a_folder_in_shards(flowcli: Run, frames: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    estimate_batch(load_estimator("dis"), folder_tasks(frames, ".flo", whole), BatchOutputs(whole))
    for index in (1, 2, 3):
        done = flowcli("batch", "in", "--out-dir", "in/out", "--shard", f"{index}/3", *DIS)
        assert done.returncode == 0, done.stderr
        assert b"2 pairs in in/out: 2 done" in done.stderr
    assert files(tmp_path / "in/out") == files(tmp_path / "whole")


@pytest.mark.parametrize("shard", ["0/3", "4/3", "1", "a/b", "-1/3", "1/0"])
def test_impossible_shards(flowcli: Run, shard: str) -> None:
    done = flowcli("batch", ".", "--out-dir", "out", f"--shard={shard}", *DIS)
    assert done.returncode == 2
    assert b"--shard" in done.stderr


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        ("missing.csv", 3, "no such file"),
        ("empty.csv", 3, "contains no pairs"),
        ("bare", 3, "must contain at least two frames"),
        ("notes.txt", 3, "not a manifest"),
    ],
)
def test_bad_input(flowcli: Run, tmp_path: Path, source: str, code: int, words: str) -> None:
    (tmp_path / "empty.csv").touch()
    (tmp_path / "bare").mkdir()
    (tmp_path / "notes.txt").write_text("Dear diary\n")
    done = flowcli("batch", source, "--out-dir", "out", *DIS)
    assert done.returncode == code
    assert words in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1
    assert not (tmp_path / "out").exists()


def test_an_output_folder_that_is_a_file(flowcli: Run, frames: Path, tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    done = flowcli("batch", frames, "--out-dir", "out", *DIS)
    assert done.returncode == 5
    assert b"not a folder" in done.stderr


@pytest.mark.usefixtures("frames")
def test_plain_progress_lines(environment: dict[str, str], tmp_path: Path) -> None:
    code = (
        "import sys, flowcli.cli; sys.modules['flowcli.cli.console']._LINE_SECONDS = 0; "
        "sys.exit(flowcli.cli.run(sys.argv[1:]))"
    )
    done = finished(
        [sys.executable, "-c", code, "batch", "in", "--out-dir", "out", *DIS],
        capture_output=True,
        cwd=tmp_path,
        env=environment,
        text=True,
    )
    lines = done.stderr.splitlines()
    assert len(lines) == 7
    assert lines[2].startswith("flowcli: estimating: 3 of 6 pairs, ")
    assert " per second, 0:00:" in lines[2]
    assert lines[2].endswith(" left")
