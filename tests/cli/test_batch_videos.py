"""``batch`` with videos as items."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from flowcli import read_flow
from flowcli.frames.images import write_image
from support.folders import files
from support.processes import PROGRAM, finished, started, wait_until
from support.videos import moving_frames, write_video

from ..conftest import Run

DIS = ("-m", "dis")
CLIPS = ("a.mp4", "b.mp4", "sub/c.mkv")


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Videos of 9, 7 and 5 frames, the last one in a subfolder."""
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    for index, name in enumerate(CLIPS):
        frames = moving_frames(9 - 2 * index)
        write_video(folder / name, frames, times=[Fraction(i, 12 + index) for i in range(len(frames))])
    return folder


def outputs(folder: Path) -> dict[str, bytes]:
    """What is in an output folder besides the list of videos, whose order is that in which they end."""
    return {name: content for name, content in files(folder).items() if name != ".flowcli-videos.jsonl"}


def lines(done: object, kind: str = "video") -> list[dict[str, object]]:
    every = [json.loads(line) for line in done.stdout.decode().splitlines()]  # type: ignore[attr-defined]
    return sorted((line for line in every if line["type"] == kind), key=lambda line: str(line.get("video")))


@pytest.mark.usefixtures("clips")
@pytest.mark.parametrize(
    ("options", "workers"),
    [
        ((), "1"),
        ((), "3"),
        (("--flow-format", "jpg"), "2"),
        (("--flow-format", "png"), "3"),
        (("--gap", "1,-1", "--mask", "--names", "{frame:03d}_{direction}.npz"), "1"),
        (("--gap", "-2", "--pad", "repeat"), "3"),
        (("--to-reference", "3"), "2"),
    ],
)
def test_each_video_gets_what_the_video_command_gives_it(
    flowcli: Run, tmp_path: Path, options: tuple[str, ...], workers: str
) -> None:
    done = flowcli("batch", "in", "--out-dir", "out", *options, "--workers", workers, *DIS)
    assert done.returncode == 0, done.stderr
    for clip in CLIPS:
        flow_dir = Path("alone") / Path(clip).with_suffix("")
        assert flowcli("video", Path("in") / clip, "--flow-dir", flow_dir, *options, *DIS).returncode == 0
    whole = outputs(tmp_path / "out")
    record = whole.pop("flowcli.json")
    assert whole == files(tmp_path / "alone")
    again = flowcli("batch", "in", "--out-dir", "out", *options, *DIS, "--json")
    assert {line["status"] for line in lines(again)} == {"skipped"}
    assert outputs(tmp_path / "out") == {**whole, "flowcli.json": record}


@pytest.mark.usefixtures("clips")
@pytest.mark.parametrize("suffix", ["mp4", "webm"])
def test_flow_videos(flowcli: Run, tmp_path: Path, suffix: str) -> None:
    done = flowcli("batch", "in", "--out-dir", "out", "--video-out", suffix, *DIS)
    assert done.returncode == 0, done.stderr
    for clip in CLIPS:
        out = (Path("alone") / clip).with_suffix(f".{suffix}")
        assert flowcli("video", Path("in") / clip, "--out", out, *DIS).returncode == 0
    whole = outputs(tmp_path / "out")
    del whole["flowcli.json"]
    assert whole == files(tmp_path / "alone")
    # Both, from what is there already: the videos stay, the flow is added.
    both = flowcli("batch", "in", "--out-dir", "out", "--video-out", suffix, "--flow-format", "flo", *DIS, "--json")
    assert [(line["status"], line["done"]) for line in lines(both)] == [("done", 8), ("done", 6), ("done", 4)]
    (tmp_path / "out" / f"a.{suffix}").unlink()
    again = flowcli("batch", "in", "--out-dir", "out", "--video-out", suffix, "--flow-format", "flo", *DIS, "--json")
    assert [line["status"] for line in lines(again)] == ["done", "skipped", "skipped"]
    assert {name: content for name, content in outputs(tmp_path / "out").items() if name in whole} == whole


def test_a_manifest_selects_frames(flowcli: Run, clips: Path, tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"video": "a.mp4", "out": "x/late", "start": 4},
        {"video": "a.mp4", "out": "early", "end": "0.25s", "stride": "2"},
        {"video": "b.mp4"},
    ]
    header = "video,out,start,end,stride"
    csv = "\n".join([header, *(",".join(str(row.get(name, "")) for name in header.split(",")) for row in rows)])
    (clips / "m.csv").write_text(csv)
    (clips / "m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = []
    for name in ("m.csv", "m.jsonl"):
        done = flowcli("batch", clips / name, "--out-dir", name[2:], *DIS, "--json")
        assert done.returncode == 0, done.stderr
        made.append(outputs(tmp_path / name[2:]))
        summary = lines(done, "summary")[0]
        assert (summary["videos"], summary["pairs"], summary["done"]) == (3, 11, 11)
    assert made[0] == made[1]
    names = sorted(name for name in made[0] if name.endswith(".flo"))
    assert names[6:] == [f"early/{0:06d}.flo", *(f"x/late/{n:06d}.flo" for n in range(4, 8))]


def test_a_bare_list_on_stdin(environment: dict[str, str], clips: Path, tmp_path: Path) -> None:
    (clips / "with, a comma.mp4").write_bytes((clips / "a.mp4").read_bytes())
    listed = "".join(f"{path}\n" for path in [clips, *sorted(clips.rglob("*")), clips / "none.mp4"])
    command = [PROGRAM, "batch", "-", "--out-dir", "out", *DIS, "--json"]
    done = finished(command, input=listed.encode(), capture_output=True, cwd=tmp_path, env=environment)
    assert done.returncode == 6
    assert [line["status"] for line in lines(done)] == ["done", "done", "failed", "done", "done"]
    assert {path.name for path in (tmp_path / "out").iterdir() if path.is_dir()} == {"a", "b", "c", "with, a comma"}


def test_names_that_would_be_the_same(flowcli: Run, clips: Path, tmp_path: Path) -> None:
    for name in ("a.mkv", "sub/a.mp4"):
        (clips / name).write_bytes((clips / "a.mp4").read_bytes())
    (clips / "b").mkdir()  # the frames of b.mp4, as people extract them
    for index, frame in enumerate(moving_frames(3)):
        write_image(clips / "b" / f"{index:06d}.png", frame)
    assert flowcli("batch", "in", "--out-dir", "out", *DIS).returncode == 0
    folders = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_dir()}
    assert folders == {"a.mkv", "a.mp4", "b", "b.mp4", "sub", "sub/a", "sub/c"}
    (clips / "m.txt").write_text("a.mp4\nsub/a.mp4\nb.mp4\n")
    assert flowcli("batch", "in/m.txt", "--out-dir", "listed", *DIS).returncode == 0
    folders = {path.name for path in (tmp_path / "listed").rglob("a*") if (path / "000000.flo").exists()}
    assert folders == {"a.mp4"}
    assert len(list((tmp_path / "listed").rglob("a.mp4"))) == 2


def test_a_video_damaged_half_way(flowcli: Run, clips: Path, tmp_path: Path) -> None:
    frames = moving_frames(40, 120, 160)
    write_video(clips / "cut.mkv", frames)
    whole = (clips / "cut.mkv").read_bytes()
    (clips / "cut.mkv").write_bytes(whole[: len(whole) * 3 // 4])
    (clips / "no.mp4").write_bytes(b"no video at all")
    for first in ("done", "skipped"):
        done = flowcli("batch", "in", "--out-dir", "out", "--video-out", "mp4", "--flow-format", "flo", *DIS, "--json")
        assert done.returncode == 6
        statuses = {Path(str(line["video"])).name: line["status"] for line in lines(done)}
        assert statuses == {"a.mp4": first, "b.mp4": first, "c.mkv": first, "cut.mkv": "failed", "no.mp4": "failed"}
        cut = lines(done)[2]
        assert 10 < int(str(cut["pairs"])) < 39
        assert "is damaged after" in str(cut["error"])
        assert len(list((tmp_path / "out" / "cut").glob("*.flo"))) == cut["pairs"]
        assert lines(done, "summary")[0]["failed"] == 2
        failures = [json.loads(line) for line in (tmp_path / "out" / "failures.jsonl").read_text().splitlines()]
        assert sorted((entry["out"], entry["exit_code"]) for entry in failures) == [("cut", 3), ("no", 3)]
    # The list of failures is a manifest.
    (clips / "cut.mkv").write_bytes(whole)
    write_video(clips / "no.mp4", frames[:2])
    done = flowcli(
        "batch", "out/failures.jsonl", "--out-dir", "out", "--video-out", "mp4", "--flow-format", "flo", *DIS
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "out" / "failures.jsonl").exists()
    with av.open(str(tmp_path / "out" / "cut.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == 39


def test_only_what_is_missing_is_made_again(flowcli: Run, clips: Path, tmp_path: Path) -> None:
    assert flowcli("batch", "in", "--out-dir", "out", *DIS).returncode == 0
    whole = outputs(tmp_path / "out")
    (tmp_path / "out/a/000003.flo").unlink()
    (tmp_path / "out/b/000001.flo").write_bytes(b"PIEH")
    done = flowcli("batch", "in", "--out-dir", "out", *DIS, "--json")
    assert [(line["status"], line["done"], line["skipped"]) for line in lines(done)] == [
        ("done", 1, 7),
        ("done", 1, 5),
        ("skipped", 0, 4),
    ]
    assert outputs(tmp_path / "out") == whole
    os.utime(clips / "a.mp4")  # a video that has changed
    done = flowcli("batch", "in", "--out-dir", "out", *DIS, "--json")
    assert [line["done"] for line in lines(done)] == [8, 0, 0]


@pytest.mark.usefixtures("clips")
def test_other_settings_and_unrecorded_outputs_are_refused(flowcli: Run, tmp_path: Path) -> None:
    given = ("--video-out", "mp4", "--flow-format", "flo")
    assert flowcli("batch", "in", "--out-dir", "out", *given, *DIS).returncode == 0
    whole = files(tmp_path / "out")
    for options in (("--overlap", "30"), ("--video-out", "mp4", "--max-flow", "3"), ("--gap", "2")):
        done = flowcli("batch", "in", "--out-dir", "out", *options, *DIS)
        assert done.returncode == 2, options
        assert b"made with another" in done.stderr
    assert files(tmp_path / "out") == whole
    for name in ("a/000000.flo", "a.mp4"):
        foreign = tmp_path / name.replace("/", "-") / name
        foreign.parent.mkdir(parents=True)
        foreign.write_bytes(whole[name])
        done = flowcli("batch", "in", "--out-dir", name.replace("/", "-"), *given, *DIS)
        assert done.returncode == 2
        assert b"--adopt" in done.stderr
        assert files(tmp_path / name.replace("/", "-")) == {name: whole[name]}


@pytest.mark.usefixtures("clips")
def test_flow_videos_of_several_gaps_are_refused(flowcli: Run, tmp_path: Path) -> None:
    done = flowcli("batch", "in", "--out-dir", "out", "--video-out", "mp4", "--gap", "1,2", *DIS)
    assert done.returncode == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_killed_and_resumed(environment: dict[str, str], tmp_path: Path) -> None:
    """Whatever moment a run is killed at, the next one completes it, with the same bytes."""
    folder = tmp_path / "in"
    folder.mkdir()
    for index in range(4):
        write_video(folder / f"{index}.mp4", moving_frames(30 + index, 120, 160))
    options = ["--video-out", "mp4", "--flow-format", "npy", *DIS]
    finished([PROGRAM, "batch", "in", "--out-dir", "whole", *options], check=True, cwd=tmp_path, env=environment)
    whole = outputs(tmp_path / "whole")
    for flows in (3, 40, 90):
        out = tmp_path / f"out{flows}"
        command = [PROGRAM, "batch", "in", "--out-dir", out.name, *options]
        with started(command, cwd=tmp_path, env=environment) as process:
            wait_until(process, lambda out=out, flows=flows: len(list(out.rglob("*.npy"))) >= flows)  # type: ignore[misc]
            process.kill()
            process.wait()
        assert len(list(out.rglob("*.npy"))) < 121
        done = finished([*command, "--json"], capture_output=True, cwd=tmp_path, env=environment)
        assert done.returncode == 0, done.stderr
        assert lines(done, "summary")[0]["pairs"] == 122
        assert outputs(out) == whole


@pytest.mark.usefixtures("clips")
def test_levels_are_those_of_each_video(flowcli: Run, tmp_path: Path) -> None:
    done = flowcli("batch", "in", "--out-dir", "out", "--levels", "auto", *DIS, "--json")
    assert done.returncode == 0, done.stderr
    assert all(line["levels"] for line in lines(done))
    assert np.isfinite(read_flow(tmp_path / "out/a/000000.flo")).all()


def test_flow_videos_beside_the_videos_are_refused(flowcli: Run, clips: Path) -> None:
    whole = files(clips)
    done = flowcli("batch", "in", "--out-dir", "in", "--video-out", "webm", *DIS)
    assert done.returncode == 2
    assert b"has the videos themselves" in done.stderr
    assert files(clips) == whole
