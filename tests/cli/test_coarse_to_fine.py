"""The installed commands with ``--coarse-to-fine``: a small checkpoint on frames of several windows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from flowcli import load_estimator, read_flow, read_image

from ..conftest import Run

DIS = ("-m", "dis")
FOLLOW = "--coarse-to-fine"


@pytest.fixture
def small(checkpoint: Path) -> tuple[str, ...]:
    """The options for a checkpoint whose window is 24 x 40."""
    return ("-m", str(checkpoint), "--overlap", "6")


def test_estimate(flowcli: Run, frames: list[str], tmp_path: Path, checkpoint: Path, small: tuple[str, ...]) -> None:
    plain, following = (
        flowcli("estimate", *frames, "-o", f"{name}.flo", *small, "--json", *options)
        for name, options in (("plain", ()), ("following", (FOLLOW,)))
    )
    results = [json.loads(done.stdout) for done in (plain, following)]
    assert [result["coarse_to_fine"] for result in results] == [False, True]
    assert results[0]["windows"] < results[1]["windows"] <= 2 * results[0]["windows"] + 3
    estimator = load_estimator(str(checkpoint), overlap=6, coarse_to_fine=True)
    expected = estimator.estimate(*(read_image(tmp_path / name) for name in frames))
    np.testing.assert_allclose(read_flow(tmp_path / "following.flo"), expected, rtol=0, atol=1e-3)
    assert b"note" not in following.stderr


@pytest.mark.parametrize("command", ["estimate", "video", "batch"])
def test_a_note_where_it_changes_nothing(flowcli: Run, frames: list[str], tmp_path: Path, command: str) -> None:
    (tmp_path / "in").mkdir()
    for name in frames:
        shutil.copy(tmp_path / name, tmp_path / "in")
    arguments = {
        "estimate": ("estimate", *frames, "-o", "f.flo"),
        "video": ("video", "in", "--flow-dir", "out"),
        "batch": ("batch", "in", "--out-dir", "out"),
    }[command]
    done = flowcli(*arguments, *DIS, FOLLOW)
    assert done.returncode == 0, done.stderr
    assert b"--coarse-to-fine has changed nothing: dis takes whole frames" in done.stderr


def test_one_window(flowcli: Run, frames: list[str], small: tuple[str, ...]) -> None:
    done = flowcli("estimate", *frames, "-o", "f.flo", *small, FOLLOW, "--scale", 0.2)
    assert b"--coarse-to-fine has changed nothing: every frame fits into one window" in done.stderr


def test_the_published_windows_do_not_follow(flowcli: Run, frames: list[str], tmp_path: Path) -> None:
    done = flowcli("estimate", *frames, "-o", "f.flo", *DIS, FOLLOW, "--grid", "reference")
    assert done.returncode == 2
    assert b"--coarse-to-fine" in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert not (tmp_path / "f.flo").exists()


def test_a_batch_records_it(flowcli: Run, frames: list[str], tmp_path: Path, small: tuple[str, ...]) -> None:
    (tmp_path / "in").mkdir()
    for name in frames:
        shutil.copy(tmp_path / name, tmp_path / "in")
    done = flowcli("batch", "in", "--out-dir", "out", *small, FOLLOW, "--json")
    assert done.returncode == 0, done.stderr
    pair, summary = map(json.loads, done.stdout.splitlines())
    assert summary["coarse_to_fine"]
    height, width = read_image(tmp_path / frames[0]).shape[:2]
    assert summary["windows"] == pair["windows"] > len(load_estimator(small[1], overlap=6).grid_for((height, width)))
    assert b"coarse_to_fine" in (tmp_path / "out" / "flowcli.json").read_bytes()
    assert b"1 skipped" in flowcli("batch", "in", "--out-dir", "out", *small, FOLLOW).stderr
    other = flowcli("batch", "in", "--out-dir", "out", *small)
    assert other.returncode == 2
    assert b"coarse_to_fine" in other.stderr
