"""A warped sequence: where the motion is known, the error is nearly zero."""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import flowcli
from flowcli import read_image, write_flow
from flowcli.errors import InputError, OutputError, UsageError
from flowcli.frames.images import write_image
from flowcli.frames.opening import open_source
from flowcli.frames.selection import Selection
from flowcli.frames.video import VideoFile
from flowcli.run.warp import WarpOutputs, warp_sequence
from support.folders import files
from support.videos import moving_frames, write_video

COUNT, BROKEN = 7, 3
FRAMES = moving_frames(COUNT)
SIZE = FRAMES[0].shape[:2]
MOTION = np.full((*SIZE, 2), (2, 1), np.float32)


def write_flows(folder: Path, names: list[str], suffix: str = ".flo") -> Path:
    for name in names:
        write_flow(folder / f"{name}{suffix}", MOTION)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for index, image in enumerate(FRAMES, 8):
        write_image(tmp_path / "in" / f"f_{index}.png", image)
    return tmp_path / "in"


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    return write_flows(tmp_path / "flows", [f"f_{index}" for index in range(8, 8 + COUNT - 1)])


def test_known_motion_brings_every_frame_to_the_one_before(folder: Path, flows: Path, tmp_path: Path) -> None:
    summary = warp_sequence(folder, flows, WarpOutputs(tmp_path / "out"))
    assert (summary.pairs, summary.done, summary.problem) == (COUNT - 1, COUNT - 1, None)
    assert summary.photometric_error == 0
    assert summary.photometric_error_unwarped is not None
    assert summary.photometric_error_unwarped > 5
    assert files(tmp_path / "out").keys() == {f"f_{index}.png" for index in range(8, 8 + COUNT - 1)}
    for index in range(COUNT - 1):
        picture = read_image(tmp_path / "out" / f"f_{index + 8}.png")
        np.testing.assert_array_equal(picture[:-1, :-2], FRAMES[index][:-1, :-2])
        assert not picture[-1].any()
        assert not picture[:, -2:].any()
    for pair in summary.worst_first:
        assert pair.share == pytest.approx((SIZE[0] - 1) * (SIZE[1] - 2) / (SIZE[0] * SIZE[1]))


def test_the_broken_pair_is_the_first(folder: Path, flows: Path, tmp_path: Path) -> None:
    write_flow(flows / f"f_{8 + BROKEN}.flo", -MOTION)
    summary = warp_sequence(folder, flows, WarpOutputs(errors=tmp_path / "new" / "errors.csv"))
    assert summary.worst_first[0].pair == BROKEN
    with (tmp_path / "new" / "errors.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0].keys() == {
        "frame", "frame2", "photometric_error", "photometric_error_unwarped", "share", "flow_file",
    }  # fmt: skip
    assert len(rows) == COUNT - 1
    assert Path(rows[0]["frame"]) == folder / f"f_{8 + BROKEN}.png"
    assert Path(rows[0]["frame2"]) == folder / f"f_{9 + BROKEN}.png"
    assert Path(rows[0]["flow_file"]) == flows / f"f_{8 + BROKEN}.flo"
    errors = [float(row["photometric_error"]) for row in rows]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 2 * float(rows[1]["photometric_error"]) + 5


def test_a_pair_that_cannot_be_compared_is_the_worst(folder: Path, flows: Path, tmp_path: Path) -> None:
    write_flow(flows / "f_9.flo", -MOTION)
    write_flow(flows / "f_12.flo", MOTION + 1000)
    summary = warp_sequence(folder, flows, WarpOutputs(errors=tmp_path / "e.csv"))
    assert [pair.pair for pair in summary.worst_first[:2]] == [4, 1]
    assert summary.worst_first[0].photometric_error is None
    assert (tmp_path / "e.csv").read_text().splitlines()[1].split(",")[2:5] == ["", "", "0"]


def test_a_video_to_a_video(tmp_path: Path) -> None:
    times = [Fraction(n, 600) for n in (0, 25, 31, 200, 400, 600, 650)]
    source = write_video(tmp_path / "in.mp4", FRAMES, times=times)
    write_flows(tmp_path / "flows", [f"{index:06d}" for index in range(COUNT - 1)])
    seen: list[int | None] = []
    outputs = WarpOutputs(tmp_path / "out.mp4")
    summary = warp_sequence(source, tmp_path / "flows", outputs, on_pair=lambda pair: seen.append(pair.pair))
    assert seen == list(range(COUNT - 1))
    assert summary.photometric_error is not None
    assert summary.photometric_error < 3
    written = list(VideoFile(tmp_path / "out.mp4").frames())
    assert [frame.time for frame in written] == times[:-1]
    for frame, original in zip(written, FRAMES, strict=False):
        assert np.abs(frame.image[:-1, :-2].astype(int) - original[:-1, :-2]).mean() < 6
    # Another selection of the same flows.
    part = open_source(source, selection=Selection(2, 5))
    assert warp_sequence(part, tmp_path / "flows").worst_first[0].frame1 in {Path("000002"), Path("000003")}


def test_flows_of_other_names_are_taken_in_order(folder: Path, tmp_path: Path) -> None:
    flows = write_flows(tmp_path / "others", [f"{index}" for index in range(1, 11)], ".npy")
    with pytest.raises(InputError, match="has 10 flows for 6 pairs"):
        warp_sequence(folder, flows)
    for index in range(COUNT, 11):
        (flows / f"{index}.npy").unlink()
    write_flow(flows / f"{1 + BROKEN}.npy", -MOTION)
    summary = warp_sequence(str(folder), str(flows), WarpOutputs(tmp_path / "out"))
    assert summary.worst_first[0].pair == BROKEN
    assert files(tmp_path / "out").keys() == {f"{index}.png" for index in range(1, COUNT)}
    (flows / "6.npy").unlink()
    with pytest.raises(InputError, match="the flow of frames f_13 and f_14 is missing"):
        warp_sequence(folder, flows)


def test_flows_that_are_pairs_of_jpegs(folder: Path, tmp_path: Path) -> None:
    for number in range(1, COUNT):
        write_flow(tmp_path / "flows" / f"flow_{{xy}}_{number:05d}.jpg", MOTION, flow_format="jpg")
    summary = warp_sequence(folder, tmp_path / "flows", WarpOutputs(tmp_path / "out"))
    assert summary.pairs == COUNT - 1
    assert files(tmp_path / "out").keys() == {f"flow_{number:05d}.png" for number in range(1, COUNT)}


@pytest.mark.parametrize("missing", [8, 10, 13])
def test_a_missing_flow_of_a_folder_is_named_before_anything_is_written(
    folder: Path, flows: Path, tmp_path: Path, missing: int
) -> None:
    (flows / f"f_{missing}.flo").unlink()
    before = files(tmp_path)
    with pytest.raises(InputError, match=f"the flow of frame f_{missing} is missing in .*flows$"):
        warp_sequence(folder, flows, WarpOutputs(tmp_path / "out.mp4", tmp_path / "e.csv"))
    (flows / "f_11.flo").unlink()
    with pytest.raises(InputError, match=r"missing in .*flows; 1 more are missing"):
        warp_sequence(folder, flows)
    assert before.keys() - files(tmp_path).keys() == {"flows/f_11.flo"}


def test_outputs_before_a_damaged_flow_are_kept(folder: Path, flows: Path, tmp_path: Path) -> None:
    (flows / "f_11.flo").write_bytes(b"PIEH")
    for out in ("out", "out.mkv"):
        summary = warp_sequence(folder, flows, WarpOutputs(tmp_path / out, tmp_path / f"{out}.csv"))
        assert isinstance(summary.problem, InputError)
        assert "f_11.flo" in str(summary.error)
        assert "the outputs contain the 3 pairs before that" in str(summary.error)
        assert summary.pairs == 3
        assert len((tmp_path / f"{out}.csv").read_text().splitlines()) == 4
    assert files(tmp_path / "out").keys() == {"f_8.png", "f_9.png", "f_10.png"}
    assert len(list(VideoFile(tmp_path / "out.mkv").frames())) == 3


def test_a_missing_flow_of_a_video_ends_it(tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mp4", FRAMES)
    names = [f"{index:06d}" for index in range(COUNT - 1)]
    flows = write_flows(tmp_path / "flows", names)
    (flows / "000004.flo").unlink()
    summary = warp_sequence(source, flows, WarpOutputs(tmp_path / "out.mp4"))
    assert "the flow of frame 000004 is missing" in str(summary.error)
    assert len(list(VideoFile(tmp_path / "out.mp4").frames())) == 4
    for first in (1, 3):  # as of --start 3, which the numbers tell
        for name in names[:first]:
            (flows / f"{name}.flo").unlink(missing_ok=True)
        with pytest.raises(InputError, match="the flow of frame 000000 is missing"):
            warp_sequence(source, flows)


def test_a_damaged_frame(folder: Path, flows: Path, tmp_path: Path) -> None:
    (folder / "f_12.png").write_bytes((folder / "f_12.png").read_bytes()[:500])
    summary = warp_sequence(folder, flows, WarpOutputs(tmp_path / "out"))
    assert "f_12.png" in str(summary.error)
    assert summary.pairs == 3


def test_what_does_not_fit(folder: Path, flows: Path, tmp_path: Path) -> None:
    write_flow(flows / "f_8.flo", MOTION[:5])
    with pytest.raises(InputError, match=r"frame f_8 is 96 x 64 but .*f_8.flo is 96 x 5"):
        warp_sequence(folder, flows)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no flow files in"):
        warp_sequence(folder, tmp_path / "empty")
    write_image(tmp_path / "one" / "f_8.png", FRAMES[0])
    with pytest.raises(InputError, match="fewer than two frames"):
        warp_sequence(tmp_path / "one", flows)


def test_outputs_that_are_refused(folder: Path, flows: Path, tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("mine")
    write_image(tmp_path / "out" / "f_10.png", FRAMES[0])
    for outputs, kind, words in (
        (WarpOutputs(folder), UsageError, "contains the input's frames"),
        (WarpOutputs(folder, force=True), UsageError, "contains the input's frames"),
        (WarpOutputs(tmp_path / "out"), UsageError, "f_10.png exists"),
        (WarpOutputs(errors=tmp_path / "e.csv"), UsageError, "e.csv exists"),
        (WarpOutputs(errors=tmp_path / "e.txt"), OutputError, "unknown format .txt"),
        (WarpOutputs(tmp_path / "w.png"), OutputError, "a folder"),
        (WarpOutputs(tmp_path / "w.avi"), OutputError, "a folder"),
    ):
        with pytest.raises(kind, match=words):
            warp_sequence(folder, flows, outputs)
    kitti = tmp_path / "kitti"
    for index in range(8, 14):
        write_flow(kitti / f"f_{index}.png", MOTION, flow_format="kitti")
    with pytest.raises(UsageError, match="contains the flows"):
        warp_sequence(folder, kitti, WarpOutputs(kitti, force=True))
    assert (tmp_path / "e.csv").read_text() == "mine"
    done = warp_sequence(folder, flows, WarpOutputs(tmp_path / "out", tmp_path / "e.csv", force=True))
    assert done.problem is None


def test_it_is_part_of_the_python_api() -> None:
    assert flowcli.warp_sequence is warp_sequence
    assert flowcli.WarpOutputs is WarpOutputs
