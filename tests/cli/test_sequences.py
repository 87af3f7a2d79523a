"""The installed commands on whole sequences: gaps, names, masks, padding; in folders of a batch, and after a kill."""

from __future__ import annotations

import random
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from flowcli import load_estimator, occluded, read_flow, read_image
from flowcli.frames.images import write_image
from flowcli.frames.video import VideoFile
from support.folders import files
from support.processes import PROGRAM, one_line, started
from support.videos import moving_frames, write_video

from ..conftest import Run

DIS = ("-m", "dis")


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Two folders of frames, of different sizes."""
    for name, size, count in (("a", (40, 60), 5), ("b", (33, 71), 4)):
        for index, frame in enumerate(moving_frames(count, *size)):
            write_image(tmp_path / "clips" / name / f"{index}.png", frame)
    return tmp_path / "clips"


def test_a_batch_pairs_every_folder_like_a_video(flowcli: Run, tmp_path: Path, clips: Path) -> None:
    options = ("--gap", "1,-2", "--mask", "--names", "{gap}/{frame}_{frame2}.npz", *DIS)
    done = flowcli("batch", "clips", "--out-dir", "out", *options)
    assert done.returncode == 0, done.stderr
    for name in ("a", "b"):
        alone = flowcli("video", f"clips/{name}", "--flow-dir", f"alone/{name}", *options)
        assert alone.returncode == 0, alone.stderr
        assert {path: data for path, data in files(tmp_path / "alone" / name).items() if path.endswith(".npz")} == {
            path: data for path, data in files(tmp_path / "out" / name).items() if path.endswith(".npz")
        }
    again = flowcli("batch", "clips", "--out-dir", "out", *options)
    assert b" 0 done, 12 skipped, 0 failed" in again.stderr
    frames = [read_image(clips / "b" / f"{index}.png") for index in (3, 1)]
    estimator = load_estimator("dis")
    flow, back = estimator.estimate(*frames), estimator.estimate(*frames[::-1])
    with np.load(tmp_path / "out/b/-2/3_1.npz") as archive:
        np.testing.assert_array_equal(archive["flow"], flow)
        np.testing.assert_array_equal(archive["mask"], ~occluded(flow, back))


@pytest.mark.usefixtures("clips")
def test_both_directions_in_a_batch(flowcli: Run, tmp_path: Path) -> None:
    command = ("batch", "clips", "--out-dir", "out", "--gap", "1,-1", "--mask", "--consistency", "--pad", "zero", *DIS)
    done = flowcli(*command)
    assert done.returncode == 0, done.stderr
    whole = files(tmp_path / "out")
    flows = [name for name in whole if name.endswith(".flo")]
    assert len(flows) == 2 * (5 + 4)
    assert {f"{name[:-4]}_mask.png" for name in flows} | {f"{name[:-4]}_error.npy" for name in flows} < whole.keys()
    for name in ("a/gap1/000001.flo", "b/gap-1/000002_mask.png", "b/gap1/000000_error.npy"):
        (tmp_path / "out" / name).unlink()
    again = flowcli(*command)
    assert again.returncode == 0, again.stderr
    assert b" 3 done, 15 skipped" in again.stderr
    assert files(tmp_path / "out") == whole


@pytest.mark.usefixtures("clips")
def test_a_damaged_frame_fails_its_pairs_only(flowcli: Run, tmp_path: Path) -> None:
    (tmp_path / "clips/a/2.png").write_bytes(b"no image")
    done = flowcli("batch", "clips", "--out-dir", "out", "--gap", "1,-1", "--mask", *DIS)
    assert done.returncode == 6
    assert b" 10 done, 0 skipped, 4 failed" in done.stderr or b"4 of 14 pairs failed" in done.stderr
    assert len([name for name in files(tmp_path / "out") if name.endswith(".flo")]) == 10


@pytest.mark.usefixtures("clips")
def test_a_folder_that_is_too_short_fails_alone(flowcli: Run, tmp_path: Path) -> None:
    done = flowcli("batch", "clips", "--out-dir", "out", "--reference", "4", *DIS)
    assert done.returncode == 6
    assert b"no frame 4, only 4" in done.stderr
    assert len([name for name in files(tmp_path / "out") if name.endswith(".flo")]) == 4
    same = flowcli("batch", "clips", "--out-dir", "names", "--names", "{gap}.flo", *DIS)
    assert same.returncode == 2
    assert "the same name, 1.flo" in one_line(same)
    assert not (tmp_path / "names").exists()


@pytest.mark.usefixtures("clips")
def test_only_steps_are_chained_and_warped(flowcli: Run, tmp_path: Path) -> None:
    others = {"--gap": "1,-1", "--pad": "zero", "--reference": "0", "--stride": "2"}
    for option, value in others.items():
        assert flowcli("video", "clips/a", "--flow-dir", "flows", option, value, *DIS).returncode == 0
        warped = flowcli("warp", "clips/a", "flows", "--out", "warped")
        assert warped.returncode == 2, warped.stderr
        assert not (tmp_path / "warped").exists()
        chained = flowcli("chain", "flows", "-o", "c.flo")
        assert (chained.returncode == 0) == (option == "--stride"), chained.stderr
        shutil.rmtree(tmp_path / "flows")
    assert flowcli("video", "clips/a", "--flow-dir", "flows", "--gap", "1,-1", *DIS).returncode == 0
    assert flowcli("chain", "flows/gap1", "-o", "d.flo").returncode == 0
    assert flowcli("chain", "flows/gap-1", "-o", "e.flo").returncode == 2
    checked = ("--mask", "--consistency", *DIS)
    assert flowcli("video", "clips/a", "--flow-dir", "checked", *checked).returncode == 0
    assert flowcli("chain", "checked", "-o", "f.flo").returncode == 0


@pytest.mark.usefixtures("clips")
def test_a_manifest_has_its_own_pairs(flowcli: Run, tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text("clips/a/0.png,clips/a/3.png,x.npz\n")
    refused = flowcli("batch", "pairs.csv", "--out-dir", "out", "--gap", "2", *DIS)
    assert refused.returncode == 2
    assert "are for videos and folders of frames" in one_line(refused)
    done = flowcli("batch", "pairs.csv", "--out-dir", "out", "--mask", *DIS)
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "out/x.npz") as archive:
        assert sorted(archive) == ["flow", "mask"]
    other = flowcli("batch", "pairs.csv", "--out-dir", "out", *DIS)
    assert other.returncode == 2
    assert "another" in one_line(other)
    assert "mask" in one_line(other)


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--gap", "1", "--reference", "0", "--to-reference", "1"), 2, "only one of"),
        (("--gap", "x"), 2, "--gap"),
        (("--gap", "1,-1", "--names", "{frame}.flo"), 2, "the same name, 1.flo"),
        (("--names", "../{frame}.flo"), 2, "--names"),
        (("--names", "{frame}.txt"), 5, "unknown format .txt"),
        (("--mask-names", "{flow}.jpg", "--mask"), 2, "--mask-names"),
        (("--mask-relative", "-1"), 2, "--mask-relative"),
        (("--gap", "all", "--pad", "zero"), 2, "--pad"),
        (("--gap", "40"), 3, "at least 41"),
        (("--reference", "40"), 3, "no frame 40"),
    ],
)
def test_what_is_wrong_is_said_before_any_work(
    flowcli: Run, tmp_path: Path, options: tuple[str, ...], code: int, words: str
) -> None:
    write_video(tmp_path / "in.mp4", moving_frames(4))
    done = flowcli("video", "in.mp4", "--flow-dir", "out", *options, *DIS)
    assert done.returncode == code
    assert words in one_line(done)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("gap", ["2", "-2"])
@pytest.mark.parametrize("pad", ["repeat", "zero", "backward"])
def test_a_padded_video_has_as_many_frames_as_the_input(flowcli: Run, tmp_path: Path, gap: str, pad: str) -> None:
    write_video(tmp_path / "in.mp4", moving_frames(6))
    done = flowcli("video", "in.mp4", "--out", "v.mp4", "--gap", gap, "--pad", pad, "--max-flow", "5", *DIS)
    assert done.returncode == 0, done.stderr
    times = [frame.time for frame in VideoFile(tmp_path / "v.mp4").frames()]
    assert times == pytest.approx([index / 12 for index in range(6)], abs=1e-3)


def test_hidden_pixels_are_hatched(flowcli: Run, tmp_path: Path) -> None:
    write_video(tmp_path / "in.mp4", moving_frames(4))
    for layout in ("flow", "occlusion"):
        done = flowcli("video", "in.mp4", "--out", f"{layout}.mkv", "--layout", layout, "--max-flow", "3", *DIS)
        assert done.returncode == 0, done.stderr
    flow, occlusion = (next(VideoFile(tmp_path / f"{name}.mkv").frames()).image for name in ("flow", "occlusion"))
    at_the_rim = np.abs(flow[:, -2:].astype(int) - occlusion[:, -2:]).mean()
    inside = np.abs(flow[20:40, 20:60].astype(int) - occlusion[20:40, 20:60]).mean()
    assert inside < 3 < at_the_rim  # what moves out of the frame is hidden


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_killed_at_any_moment_and_run_again(environment: dict[str, str], flowcli: Run, tmp_path: Path) -> None:
    write_video(tmp_path / "in.mkv", moving_frames(12), codec="ffv1")
    options = ("--gap", "1,-1,3", "--mask", "--names", "{gap}/{frame:03d}.flo", *DIS)
    undisturbed = flowcli("video", "in.mkv", "--flow-dir", "whole", *options)
    assert undisturbed.returncode == 0, undisturbed.stderr
    moments = random.Random(4)
    for _ in range(4):
        command = [PROGRAM, "video", "in.mkv", "--flow-dir", "out", *options]
        with started(command, cwd=tmp_path, env=environment):
            time.sleep(moments.uniform(0.5, 1.1))  # and the end of the block kills it
    done = flowcli("video", "in.mkv", "--flow-dir", "out", *options)
    assert done.returncode == 0, done.stderr
    whole, out = files(tmp_path / "whole"), files(tmp_path / "out")
    assert whole.keys() == out.keys()
    assert all(whole[name] == out[name] for name in whole if name != "flowcli.json")


def test_flow_of_a_gap_is_that_of_the_frames(flowcli: Run, tmp_path: Path) -> None:
    write_video(tmp_path / "in.mp4", moving_frames(5))
    assert flowcli("video", "in.mp4", "--flow-dir", "out", "--gap", "3", *DIS).returncode == 0
    assert np.median(read_flow(tmp_path / "out/000001.flo"), axis=(0, 1)) == pytest.approx([6, 3], abs=0.3)
