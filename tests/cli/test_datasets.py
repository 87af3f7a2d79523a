"""The installed ``datasets``, and what ``eval --dataset`` says of data sets, splits and submissions."""

from __future__ import annotations

import json
from pathlib import Path

from flowcli.datasets import dataset_names

from ..conftest import Run
from ..datasets.layouts import LAYOUTS

DIS = ("-m", "dis")


def test_the_list_and_one_of_it(flowcli: Run) -> None:
    done = flowcli("datasets", "--json")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["name"] for line in done.stdout.splitlines()] == dataset_names()
    text = flowcli("datasets", "kitti2012").stdout.decode()
    assert "training/flow_occ/000000_10.png" in text
    assert "194 train, 195 test" in text
    assert "submit:" in text
    unknown = flowcli("datasets", "nonsense")
    assert unknown.returncode == 2
    assert b"flyingchairs, flyingthings3d" in unknown.stderr


def test_a_submission(flowcli: Run, tmp_path: Path) -> None:
    LAYOUTS["kitti2015"](tmp_path / "root")
    command = ("eval", "--dataset", "kitti2015", "root", "--split", "test", "--submission", "sent", *DIS)
    done = flowcli(*command)
    assert done.returncode == 0, done.stderr
    assert done.stdout == b""
    said = done.stderr.decode()
    assert "2 pairs of kitti2015 were found; 200 are published" in said
    assert "wrote sent/kitti2015-flow.zip: 2 flows, checked" in said.replace("\\", "/")
    assert "next: upload sent" in said
    summary = json.loads(flowcli(*command, "--json").stdout)
    assert (summary["type"], summary["split"], summary["skipped"], summary["clipped"]) == ("summary", "test", 2, 0)


def test_parts_of_a_data_set(flowcli: Run, tmp_path: Path) -> None:
    LAYOUTS["sintel"](tmp_path / "root")
    command = ("eval", "--dataset", "sintel", "root", "--flow-format", "npy", *DIS, "--json")
    done = flowcli(*command, "--subset", "final", "--scenes", "b*", "--limit", "1")
    assert done.returncode == 0, done.stderr
    pair, summary = [json.loads(line) for line in done.stdout.splitlines()]
    assert pair["name"] == "final/bamboo_2/frame_0001"
    assert pair["flow_file"].endswith("frame_0001.npy")
    assert list(summary["subsets"]) == ["final", "final, valid", "final, visible", "final, occluded"]
    assert list(summary["benchmark"]["sintel"]) == ["final"]
    assert summary["published"] is None
    for wrong, words in (
        (("--split", "val"), "sintel has no split val"),
        (("--subset", "left"), "sintel has no subset left"),
        (("--submission", "sent"), "--submission is of the frames without true flow; give --split test"),
        (("--figures", "spring"), "--figures is for PRED and GT"),
    ):
        done = flowcli(*command, *wrong)
        assert done.returncode == 2
        assert words in done.stderr.decode()


def test_options_of_data_sets_need_one(flowcli: Run) -> None:
    for option in (("--split", "test"), ("--limit", "1"), ("--subset", "clean"), ("--submission", "x")):
        done = flowcli("eval", "a.flo", "b.flo", *option)
        assert done.returncode == 2
        assert f"{option[0]} is only for --dataset" in done.stderr.decode()
