"""What ``--json`` prints, of every command: lines of JSON, each of a result class, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flowcli import results, write_flow
from flowcli.frames.images import write_image
from flowcli.scene import render_scene
from support.videos import write_video

from ..conftest import Run

DIS = ("-m", "dis")
COMMANDS: dict[str, tuple[tuple[str, ...], list[type[results.Result]]]] = {
    "estimate": (
        ("estimate", "in/1.png", "in/2.png", "-o", "new.flo", "--occlusion", "m.png", *DIS),
        [results.EstimateResult],
    ),
    "video": (
        ("video", "in.mp4", "--out", "out.mp4", "--flow-dir", "flows", *DIS),
        [results.PairResult, results.VideoSummary],
    ),
    "batch": (("batch", "in", "--out-dir", "out", *DIS), [results.PairResult, results.BatchSummary]),
    "batch of videos": (
        ("batch", "videos.txt", "--out-dir", "clips", "--video-out", "mp4", *DIS),
        [results.VideoResult, results.BatchSummary],
    ),
    "eval of files": (("eval", "a.flo", "b.flo", "--error-map", "e.png"), [results.ComparisonResult]),
    "eval of folders": (("eval", "p", "g"), [results.ComparisonResult, results.EvaluationSummary]),
    "eval of a data set": (
        ("eval", "--dataset", "middlebury", "set", "--out-dir", "out", *DIS),
        [results.ComparisonResult, results.DatasetSummary],
    ),
    "eval with published figures": (
        ("eval", "--dataset", "middlebury", "set", "--out-dir", "out", "--published", *DIS),
        [results.ComparisonResult, results.DatasetSummary, results.FigureTable],
    ),
    "datasets of one": (("datasets", "spring"), [results.DatasetInfo]),
    "convert": (("convert", "a.flo", "new.png", "--flow-format", "kitti"), [results.Conversion]),
    "info": (("info", "a.flo", "b.flo"), [results.FlowInfo, results.FlowInfo]),
    "chain": (("chain", "a.flo", "b.flo", "-o", "c.flo"), [results.ChainResult]),
    "warp": (("warp", "in/2.png", "a.flo", "-o", "w.png", "--frame1", "in/1.png"), [results.WarpResult]),
    "warp of a sequence": (("warp", "in", "p"), [results.WarpResult, results.WarpSummary]),
    "view": (("view", "a.flo", "-o", "v.html"), [results.ViewResult]),
    "demo": (("demo", "demo", *DIS), [results.DemoResult]),
    "model info": (("model", "info", *DIS), [results.ModelInfo]),
}


@pytest.fixture
def inputs(tmp_path: Path) -> None:
    """One of everything that a command reads."""
    scene = render_scene(64, 96)
    write_video(tmp_path / "in.mp4", [scene.frame1, scene.frame2])
    (tmp_path / "videos.txt").write_text("in.mp4\n")
    for place, first in (("in", 1), ("set/A/frame", 10)):
        for number, frame in enumerate((scene.frame1, scene.frame2), first):
            path = f"{place}/{number}.png" if place == "in" else f"{place}{number}.png"
            write_image(tmp_path / path, frame)
    for name in ("a", "p/x", "g/x", "set/A/flow10"):
        write_flow(tmp_path / f"{name}.flo", scene.flow)
    write_flow(tmp_path / "b.flo", np.full_like(scene.flow, 1))


def names(kind: type[Any]) -> set[str]:
    return {entry.name for entry in fields(kind) if not entry.name.startswith("_")}


def check(line: Mapping[str, Any], kind: type[results.Result]) -> None:
    """The keys are those of the class, here and below."""
    assert set(line) == names(kind)
    assert line["schema"] == results.SCHEMA
    assert line["type"] == next(entry.default for entry in fields(kind) if entry.name == "type")
    if isinstance(line.get("flow"), dict):
        assert set(line["flow"]) == names(results.FlowStatistics)
    for figures in line.get("subsets", {}).values():
        assert set(figures) == names(results.Figures)
    for entry in line.get("checks", []):
        assert set(entry) == names(results.PrecisionCheck)


@pytest.mark.usefixtures("inputs")
@pytest.mark.parametrize("command", COMMANDS)
def test_lines_are_of_result_classes(flowcli: Run, command: str) -> None:
    arguments, kinds = COMMANDS[command]
    done = flowcli(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert len(lines) == len(kinds)
    for line, kind in zip(lines, kinds, strict=True):
        check(line, kind)


@pytest.mark.usefixtures("inputs")
def test_pairs_that_failed_and_pairs_that_are_skipped(flowcli: Run, tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text("in/1.png,in/2.png,a\nin/1.png,gone.png,b\n")
    for first in ("done", "skipped"):
        done = flowcli("batch", "pairs.csv", "--out-dir", "out", *DIS, "--json")
        assert done.returncode == 6
        *pairs, summary = [json.loads(line) for line in done.stdout.decode().splitlines()]
        for pair in pairs:
            check(pair, results.PairResult)
        check(summary, results.BatchSummary)
        assert {pair["status"] for pair in pairs} == {first, "failed"}


def test_model_info_of_a_checkpoint(flowcli: Run, checkpoint: Path) -> None:
    done = flowcli("model", "info", "-m", checkpoint, "--json")
    assert done.returncode == 0, done.stderr
    check(json.loads(done.stdout), results.ModelInfo)


def test_model_check(flowcli: Run, good_checkpoint: Path) -> None:
    done = flowcli("model", "check", "-m", good_checkpoint, "--json")
    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout)
    check(line, results.ModelCheck)
    assert set(line["stock"]) == names(results.StockCheck)
    assert set(line["scene"]) == names(results.SceneCheck)


def test_every_class_of_lines_is_seen_here() -> None:
    seen = {kind for _, kinds in COMMANDS.values() for kind in kinds} | {results.ModelCheck}
    every = {kind for kind in vars(results).values() if isinstance(kind, type) and issubclass(kind, results.Result)}
    assert every - seen == {results.Result, results.RunSummary}  # what others derive from
