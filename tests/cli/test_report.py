"""The installed commands with ``--report``: what the pages say, what they replace, and what they refuse."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flowcli import write_flow
from flowcli.frames.images import write_image
from flowcli.scene import render_scene
from support.videos import moving_frames, write_video

from ..conftest import Run

DIS = ("-m", "dis")
_SCENES = ("Grove", "Venus")


def said(path: Path) -> dict[str, Any]:
    """The data of a page."""
    text = path.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="page-data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(html.unescape(found[1]))
    return data


def row(data: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in data["rows"] if each["name"] == name)
    return found


def figure(data: dict[str, Any], name: str, key: str) -> float:
    place = [column["key"] for column in data["columns"]].index(key)
    return float(row(data, name)["figures"][0][1][place])


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Two folders of flow: ``p/s/1`` is wrong by 1 px, and so on."""
    truth = render_scene(40, 56).flow
    for number in (1, 2, 3):
        write_flow(tmp_path / f"g/s/{number}.flo", truth)
        write_flow(tmp_path / f"p/s/{number}.flo", truth + np.array([number, 0], np.float32))
    return tmp_path


@pytest.fixture
def middlebury(tmp_path: Path) -> Path:
    for index, scene in enumerate(_SCENES):
        rendered = render_scene(64, 80 + 8 * index)
        write_image(tmp_path / f"data/{scene}/frame10.png", rendered.frame1)
        write_image(tmp_path / f"data/{scene}/frame11.png", rendered.frame2)
        write_flow(tmp_path / f"data/{scene}/flow10.flo", rendered.flow)
    return tmp_path


@pytest.fixture
def sequence(tmp_path: Path) -> Path:
    """Frames that move steadily, and a manifest with a pair that is farther apart and one that is not there."""
    for index, frame in enumerate(moving_frames(10, 64, 96)):
        write_image(tmp_path / f"f/{index}.png", frame)
    lines = [f"f/{index}.png,f/{index + 1}.png,{index}.flo" for index in range(9)]
    lines += ["f/0.png,f/9.png,far.flo", "f/0.png,gone.png,gone.flo"]
    (tmp_path / "pairs.csv").write_text("\n".join(["frame1,frame2,out", *lines]) + "\n")
    return tmp_path


class TestEval:
    def test_two_folders(self, flowcli: Run, folders: Path) -> None:
        done = flowcli("eval", "p", "g", "--report", "r.html", "--report-pairs", "2", "--json")
        assert done.returncode == 0, done.stderr
        summary = json.loads(done.stdout.splitlines()[-1])
        assert (summary["report"], summary["outputs"]) == ("r.html", [])
        data = said(folders / "r.html")
        assert [figure(data, f"s/{number}", "epe") for number in (1, 2, 3)] == pytest.approx([1, 2, 3], rel=1e-3)
        assert [row(data, f"s/{number}")["page"] for number in (1, 2, 3)] == [
            None,
            "r_pairs/s/2.html",
            "r_pairs/s/3.html",
        ]
        assert sorted(path.name for path in (folders / "r_pairs/s").iterdir()) == ["2.html", "3.html"]
        assert said(folders / "r_pairs/s/3.html")["moments"][0]["truth"] is not None
        assert data["pictures"] == ["Flow", "Error"]  # the frames are not known
        assert sum(data["histograms"][0]["counts"]) == summary["subsets"]["all"]["pixels"]

    def test_what_exists_is_not_replaced(self, flowcli: Run, folders: Path) -> None:
        command = ("eval", "p", "g", "--report", "r.html", "--report-pairs", "1")
        assert flowcli(*command).returncode == 0
        before = (folders / "r.html").read_bytes()
        refused = flowcli(*command, "--json")
        assert (refused.returncode, refused.stdout) == (2, b"")
        assert b"r.html exists" in refused.stderr
        write_flow(folders / "p/s/1.flo", np.zeros((40, 56, 2), np.float32) + 99)
        assert flowcli(*command, "--force").returncode == 0
        assert (folders / "r.html").read_bytes() != before
        assert [path.name for path in (folders / "r_pairs/s").iterdir()] == ["1.html"]  # the other one leads nowhere

    def test_two_files(self, flowcli: Run, folders: Path) -> None:
        done = flowcli("eval", "p/s/1.flo", "g/s/1.flo", "--report", "r.html", "--report-pairs", "0", "--json")
        assert json.loads(done.stdout)["outputs"] == ["r.html"]
        assert not (folders / "r_pairs").exists()

    def test_against_another_evaluation(self, flowcli: Run, folders: Path) -> None:
        before = flowcli("eval", "p", "g", "--json").stdout.decode()
        (folders / "old.json").write_text(before, encoding="utf-16")  # as PowerShell does
        truth = render_scene(40, 56).flow
        write_flow(folders / "p/s/1.flo", truth + np.array([4, 0], np.float32))
        for side in ("p", "g"):
            (folders / f"{side}/s/3.flo").rename(folders / f"{side}/s/4.flo")
        done = flowcli("eval", "p", "g", "--report", "r.html", "--against", "old.json", "--report-pairs", "1")
        assert done.returncode == 0, done.stderr
        data = said(folders / "r.html")
        assert data["against"] == "old.json"
        assert row(data, "s/1")["before"][0] == pytest.approx(1, rel=1e-3)
        assert row(data, "s/1")["page"] is not None  # what got worse most
        assert row(data, "s/4")["remarks"] == ["not in old.json"]
        assert row(data, "s/3")["remarks"] == ["only in old.json"]
        assert data["summary"][0]["before"][0] == pytest.approx(2, rel=1e-3)

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (None, "no such file"),
            (b"\xff\xfe\x00\xd8", "not text"),
            (b"epe,1\n", "line 1 is not JSON"),
            (b"[1]\n", "line 1 is not a JSON object"),
            (b'{"type": "pair", "pair": 0}\n', "no pair with an end-point error"),
            (b"", "no pair with an end-point error"),
        ],
    )
    def test_what_is_no_evaluation(self, flowcli: Run, folders: Path, content: bytes | None, words: str) -> None:
        if content is not None:
            (folders / "old.json").write_bytes(content)
        done = flowcli("eval", "p", "g", "--report", "r.html", "--against", "old.json", "--json")
        assert (done.returncode, done.stdout) == (3, b"")
        assert words in done.stderr.decode()
        assert done.stderr.count(b"\n") == 1
        assert not (folders / "r.html").exists()

    @pytest.mark.parametrize(
        ("arguments", "code", "words"),
        [
            (["--report", "r.png"], 5, "unknown format .png"),
            (["--report-pairs", "3"], 2, "--report-pairs is only for --report"),
            (["--against", "p"], 2, "--against is only for --report"),
            (["--report", "p"], 5, "unknown format"),
        ],
    )
    @pytest.mark.usefixtures("folders")
    def test_errors(self, flowcli: Run, arguments: list[str], code: int, words: str) -> None:
        done = flowcli("eval", "p", "g", *arguments)
        assert done.returncode == code
        assert words in done.stderr.decode()
        assert done.stderr.count(b"\n") == 1

    def test_a_data_set(self, flowcli: Run, middlebury: Path) -> None:
        done = flowcli("eval", "--dataset", "middlebury", "data", *DIS, "--report", "r.html", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout.splitlines()[-1])["report"] == "r.html"
        data = said(middlebury / "r.html")
        assert data["subsets"] == ["all", *_SCENES]
        assert all(number is not None for each in data["rows"] for number in each["pictures"])
        assert data["facts"]["model"] == "dis"
        pair = said(middlebury / "r_pairs/Venus.html")
        assert pair["moments"][0]["frame2"] is not None

    def test_a_data_set_with_a_failure(self, flowcli: Run, middlebury: Path) -> None:
        (middlebury / "data/Venus/frame11.png").write_bytes(b"broken")
        done = flowcli("eval", "--dataset", "middlebury", "data", *DIS, "--report", "r.html")
        assert done.returncode == 6
        data = said(middlebury / "r.html")
        assert row(data, "Venus")["status"] == "failed"
        assert "frame11.png" in row(data, "Venus")["remarks"][0]
        assert figure(data, "Grove", "epe") < 2


def test_batch(flowcli: Run, sequence: Path) -> None:
    command = ("batch", "pairs.csv", "--out-dir", "out", *DIS, "--report", "r.html", "--report-pairs", "2")
    done = flowcli(*command, "--json")
    assert done.returncode == 6
    assert json.loads(done.stdout.splitlines()[-1])["report"] == "r.html"
    data = said(sequence / "r.html")
    assert row(data, "gone.flo")["status"] == "failed"
    assert "gone.png" in row(data, "gone.flo")["remarks"][0]
    far = row(data, "far.flo")
    assert far["marked"]
    assert far["page"] == "r_pairs/far.flo.html"
    assert figure(data, "3.flo", "warped") < figure(data, "3.flo", "unwarped")
    assert len(list((sequence / "r_pairs").iterdir())) == 2
    resumed = flowcli(*command, "--json")
    assert resumed.returncode == 6, resumed.stderr
    again = said(sequence / "r.html")
    assert row(again, "3.flo")["status"] == "skipped"
    assert row(again, "3.flo")["figures"] == row(data, "3.flo")["figures"]
    (sequence / "other.html").write_text("<title>Batch pairs.csv in out</title>")
    refused = flowcli(*command[:6], "--report", "other.html")
    assert refused.returncode == 2
    assert b"other.html exists" in refused.stderr
    assert flowcli("batch", "f", "--out-dir", "others", *DIS, "--report", "r.html").returncode == 2
    assert not (sequence / "others").exists()


def test_a_video(flowcli: Run, tmp_path: Path) -> None:
    write_video(tmp_path / "in.mp4", moving_frames(5, 64, 96))
    command = ("video", "in.mp4", *DIS, "--report", "r.html")
    done = flowcli(*command, "--flow-dir", "flows", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["report"] == "r.html"
    data = said(tmp_path / "r.html")
    assert [each["name"] for each in data["rows"]] == [f"{n:06d} → {n + 1:06d}" for n in range(4)]
    assert all(number is not None for each in data["rows"] for number in each["pictures"])
    pair = said(tmp_path / "r_pairs/000002.flo.html")
    assert pair["moments"][0]["frame1"] is not None
    assert flowcli(*command, "--flow-dir", "flows").returncode == 0
    assert {each["status"] for each in said(tmp_path / "r.html")["rows"]} == {"skipped"}
    shown = flowcli(*command[:4], "--out", "out.mp4", "--report", "shown.html")
    assert shown.returncode == 0, shown.stderr
    assert not (tmp_path / "shown_pairs").exists()
    assert any("--flow-dir" in note for note in said(tmp_path / "shown.html")["notes"])


def test_videos_of_a_batch_have_a_row_each(flowcli: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_video(tmp_path / "in/one.mp4", moving_frames(3, 64, 96))
    done = flowcli("batch", "in", "--out-dir", "out", *DIS, "--report", "r.html")
    assert done.returncode == 0, done.stderr
    data = said(tmp_path / "r.html")
    assert [each["remarks"] for each in data["rows"]] == [["video, 2 pairs: 2 done"]]
    assert figure(data, "one", "length_max") > 0
