"""A video from frames to flow, with DIS and with a small checkpoint."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from flowcli import FlowOptions, colorize, load_estimator, read_flow, read_image, write_flow
from flowcli.draw.style import Style
from flowcli.errors import InputError, OutputError, UsageError
from flowcli.frames.images import write_image
from flowcli.frames.opening import open_source
from flowcli.frames.selection import Selection
from flowcli.frames.video import VideoFile
from flowcli.results import VideoSummary
from flowcli.run.colour_scale import choose_max_flow
from flowcli.run.video import estimate_video
from flowcli.run.video_outputs import VideoOutputs
from support.videos import moving_frames, write_video


def run(source: Path, model: str = "dis", **outputs: object) -> VideoSummary:
    style = Style(max_flow=outputs.pop("max_flow", None))  # type: ignore[arg-type]
    return estimate_video(load_estimator(model), open_source(source), VideoOutputs(style=style, **outputs))  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for index, image in enumerate(moving_frames(5)):
        write_image(tmp_path / "in" / f"f_{index + 8}.png", image)
    return tmp_path / "in"


def test_n_frames_give_n_minus_1_flows_at_the_first_frames_times(tmp_path: Path) -> None:
    times = [Fraction(n, 600) for n in (0, 25, 31, 200, 600, 650)]
    source = write_video(tmp_path / "in.mp4", moving_frames(6), times=times)
    summary = run(source, video=tmp_path / "out.mp4", max_flow=4.0)
    assert (summary.pairs, summary.windows) == (5, 5)
    with av.open(str(tmp_path / "out.mp4")) as container:
        stream = container.streams.video[0]
        decoded = list(container.decode(stream))
        assert stream.codec_context.name == "h264"
        assert stream.pix_fmt == "yuv420p"
        assert (stream.width, stream.height) == (96, 64)
        assert [(frame.pts or 0) * (frame.time_base or 0) for frame in decoded] == times[:-1]


def test_the_pictures_are_the_flows_in_order_and_in_one_scale(folder: Path, tmp_path: Path) -> None:
    run(folder, video=tmp_path / "out.mp4", flow_dir=tmp_path / "flows", max_flow=4.0)
    estimator = load_estimator("dis")
    frames = [read_image(folder / f"f_{index}.png") for index in range(8, 13)]
    for index, picture in enumerate(VideoFile(tmp_path / "out.mp4").frames()):
        flow = read_flow(tmp_path / "flows" / f"f_{index + 8}.flo")
        np.testing.assert_array_equal(flow, estimator.estimate(frames[index], frames[index + 1]))
        assert np.median(flow, axis=(0, 1)) == pytest.approx([2, 1], abs=0.05)
        assert np.abs(picture.image.astype(int) - colorize(flow, 4.0)).mean() < 3
    assert index == 3


def test_side_by_side_shows_the_first_frame_on_the_left(folder: Path, tmp_path: Path) -> None:
    run(folder, video=tmp_path / "out.mp4", flow_dir=tmp_path / "flows", max_flow=4.0, layout="side-by-side")
    for index, picture in enumerate(VideoFile(tmp_path / "out.mp4").frames()):
        assert picture.image.shape == (64, 192, 3)
        frame = read_image(folder / f"f_{index + 8}.png")
        assert np.abs(picture.image[:, :96].astype(int) - frame).mean() < 9
        assert (
            np.abs(picture.image[:, 96:].astype(int) - colorize(np.full((64, 96, 2), (2, 1), np.float32), 4.0)).mean()
            < 12
        )


def test_the_perceiver_shares_batches_across_pairs(folder: Path, tmp_path: Path, checkpoint: Path) -> None:
    estimator = load_estimator(str(checkpoint), batch_size=5, overlap=6)
    outputs = VideoOutputs(flow_dir=tmp_path / "flows")
    summary = estimate_video(estimator, open_source(folder), outputs)
    windows = len(estimator.grid_for((64, 96)))
    assert summary.windows == 4 * windows
    frames = [read_image(folder / f"f_{index}.png") for index in range(8, 13)]
    alone = load_estimator(str(checkpoint), batch_size=1, overlap=6)
    for index in range(4):
        flow = read_flow(tmp_path / "flows" / f"f_{index + 8}.flo")
        np.testing.assert_allclose(flow, alone.estimate(*frames[index : index + 2]), rtol=0, atol=1e-4)


def test_colour_pictures_of_every_flow(folder: Path, tmp_path: Path) -> None:
    run(folder, flow_dir=tmp_path / "flows", flow_format="png", max_flow=4.0)
    assert sorted(path.name for path in (tmp_path / "flows").glob("*.png")) == [
        "f_10.png",
        "f_11.png",
        "f_8.png",
        "f_9.png",
    ]


def test_a_second_run_goes_on_from_what_is_there(folder: Path, tmp_path: Path) -> None:
    flows = tmp_path / "flows"
    run(folder, flow_dir=flows)
    whole = {path.name: path.read_bytes() for path in flows.glob("*.flo")}
    mark = np.full((64, 96, 2), 7, np.float32)
    from flowcli import write_flow

    write_flow(flows / "f_8.flo", mark)  # without a note of its frames, as some ways to copy leave it
    (flows / "f_9.flo").unlink()
    (flows / "f_10.flo").write_bytes(whole["f_10.flo"][:-1])
    (flows / "f_11.flo").write_bytes(b"")
    summary = run(folder, flow_dir=flows, video=tmp_path / "out.mp4", max_flow=10.0)
    assert (summary.pairs, summary.skipped) == (4, 1)
    np.testing.assert_array_equal(read_flow(flows / "f_8.flo"), mark)
    for name in ("f_9.flo", "f_10.flo", "f_11.flo"):
        assert (flows / name).read_bytes() == whole[name]
    first = next(VideoFile(tmp_path / "out.mp4").frames()).image
    assert np.abs(first.astype(int) - colorize(mark, 10.0)).mean() < 3


@pytest.mark.parametrize("layout", ["flow", "occlusion"])
@pytest.mark.parametrize("flow_format", ["jpg", "kitti", "flo5", "tif"])
def test_a_video_with_flows_that_are_there_is_that_of_an_undisturbed_run(
    folder: Path, tmp_path: Path, flow_format: str, layout: str
) -> None:
    """Also where the files of the flows hold rounded numbers."""
    flows, outputs = tmp_path / "flows", {"flow_format": flow_format, "layout": layout}
    run(folder, flow_dir=flows, video=tmp_path / "whole.mp4", **outputs)
    written = {path: path.read_bytes() for path in flows.rglob("f*.*")}
    sorted(written)[0].unlink()
    last = sorted(written)[-1]
    changed = last.stat().st_mtime_ns
    run(folder, flow_dir=flows, video=tmp_path / "resumed.mp4", **outputs)
    assert (tmp_path / "resumed.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    assert {path: path.read_bytes() for path in written} == written
    assert last.stat().st_mtime_ns == changed, "what is there is not written again"


def test_damage_in_the_middle_keeps_what_came_before(folder: Path, tmp_path: Path) -> None:
    (folder / "f_11.png").write_bytes(b"broken")
    summary = run(folder, video=tmp_path / "out.mp4", flow_dir=tmp_path / "flows", max_flow=4.0)
    assert isinstance(summary.problem, InputError)
    assert "f_11.png" in str(summary.problem)
    assert summary.pairs == 2
    assert len(list(VideoFile(tmp_path / "out.mp4").frames())) == 2


def test_a_frame_of_another_size_is_named(folder: Path, tmp_path: Path) -> None:
    write_image(folder / "f_12.png", moving_frames(1, 60, 90)[0])
    summary = run(folder, flow_dir=tmp_path / "flows", video=tmp_path / "out.mp4", max_flow=4.0)
    assert "f_11 is 96 x 64 but frame f_12 is 90 x 60" in str(summary.problem)
    assert len(list(VideoFile(tmp_path / "out.mp4").frames())) == summary.pairs == 3


@pytest.mark.parametrize("kept", [0, 1])
def test_too_few_frames_leave_nothing(folder: Path, tmp_path: Path, kept: int) -> None:
    for path in sorted(folder.iterdir())[kept:]:
        path.unlink()
    with pytest.raises(InputError, match="no frames" if kept == 0 else "one frame"):
        run(folder, video=tmp_path / "out.mp4", max_flow=4.0)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_failing_output_stops_the_run_and_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    run(folder, flow_dir=tmp_path / "flows")
    (tmp_path / "flows" / "f_9.flo").unlink()
    (tmp_path / "flows" / "f_9.flo").mkdir()
    with pytest.raises(OutputError, match=r"f_9\.flo"):
        run(folder, video=tmp_path / "out.mp4", flow_dir=tmp_path / "flows", max_flow=4.0)
    assert not (tmp_path / "out.mp4").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["flows", "in"]


def test_the_automatic_scale_follows_the_motion(tmp_path: Path) -> None:
    source = open_source(write_video(tmp_path / "in.mp4", moving_frames(30, 160, 240)))
    assert choose_max_flow(load_estimator("dis"), source) == pytest.approx(1.25 * 5**0.5, abs=1.0)


def test_the_reported_scale_is_the_one_in_the_pictures(folder: Path, tmp_path: Path) -> None:
    summary = run(folder, video=tmp_path / "out.mp4", flow_dir=tmp_path / "flows")
    assert summary.max_flow is not None
    for index, picture in enumerate(VideoFile(tmp_path / "out.mp4").frames()):
        flow = read_flow(tmp_path / "flows" / f"f_{index + 8}.flo")
        assert np.abs(picture.image.astype(int) - colorize(flow, summary.max_flow)).mean() < 4


def test_flows_made_by_another_model_or_from_another_input_are_not_taken_over(
    folder: Path, tmp_path: Path, checkpoint: Path
) -> None:
    flows = tmp_path / "flows"
    run(folder, flow_dir=flows)
    with pytest.raises(UsageError, match="another model"):
        run(folder, str(checkpoint), flow_dir=flows)
    folder.rename(tmp_path / "other")
    with pytest.raises(UsageError, match="another input"):
        run(tmp_path / "other", flow_dir=flows)
    assert run(tmp_path / "other", flow_dir=flows, force=True).skipped == 0


def test_pictures_and_input_frames_are_not_overwritten(folder: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    for force in (False, True):
        with pytest.raises(UsageError, match="choose another flow_dir"):
            run(folder, flow_dir=folder, flow_format="png", max_flow=4.0, force=force)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    run(folder, flow_dir=tmp_path / "flows", flow_format="png", max_flow=4.0)
    with pytest.raises(UsageError, match="another max_flow"):
        run(folder, flow_dir=tmp_path / "flows", flow_format="png", max_flow=5.0)
    run(folder, flow_dir=tmp_path / "flows", flow_format="png", max_flow=5.0, force=True)


def test_a_truncated_video_keeps_what_came_before(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "in.mp4", moving_frames(20), options={"movflags": "faststart"})
    (tmp_path / "cut.mp4").write_bytes(whole.read_bytes()[: int(whole.stat().st_size * 0.8)])
    summary = run(tmp_path / "cut.mp4", video=tmp_path / "out.mp4", max_flow=4.0)
    assert "truncated" in str(summary.problem)
    assert 2 < summary.pairs < 19
    assert len(list(VideoFile(tmp_path / "out.mp4").frames())) == summary.pairs


def test_flows_of_an_interrupted_forced_run_are_not_mixed_with_older_ones(folder: Path, tmp_path: Path) -> None:
    flows = tmp_path / "flows"
    run(folder, flow_dir=flows)
    outputs = VideoOutputs(flow_dir=flows, force=True)
    done = 0

    def stop(*_: object) -> None:
        nonlocal done
        done += 1
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        estimate_video(load_estimator("dis", scale=0.5), open_source(folder), outputs, on_pair=stop)
    outputs = VideoOutputs(flow_dir=flows)
    assert estimate_video(load_estimator("dis", scale=0.5), open_source(folder), outputs).skipped == 2
    expected = load_estimator("dis", scale=0.5).estimate(
        read_image(folder / "f_11.png"), read_image(folder / "f_12.png")
    )
    np.testing.assert_array_equal(read_flow(flows / "f_11.flo"), expected)


def test_flows_of_frames_that_have_changed_since_are_estimated_again(folder: Path, tmp_path: Path) -> None:
    flows = tmp_path / "flows"
    run(folder, flow_dir=flows)
    write_image(folder / "f_12.png", moving_frames(1)[0])
    assert run(folder, flow_dir=flows).skipped == 3


@pytest.mark.parametrize("record", [None, "{"])
def test_flows_that_no_run_has_recorded_are_not_taken_over(folder: Path, tmp_path: Path, record: str | None) -> None:
    from flowcli import write_flow

    write_flow(tmp_path / "flows" / "f_8.flo", np.zeros((64, 96, 2), np.float32))
    if record is not None:
        (tmp_path / "flows" / "flowcli.json").write_text(record)
    with pytest.raises(UsageError, match="does not say how"):
        run(folder, flow_dir=tmp_path / "flows")


def test_pictures_of_a_forced_run_are_gone_on_with_in_its_scale(tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mp4", [moving_frames(1)[0]] * 3 + moving_frames(6))
    pictures = tmp_path / "pictures"
    first = estimate_video(
        load_estimator("dis"), open_source(source, selection=Selection(0, 3)), VideoOutputs(None, pictures, "png")
    )
    forced = VideoOutputs(None, pictures, "png", force=True)
    second = estimate_video(load_estimator("dis"), open_source(source, selection=Selection(0, 8)), forced)
    last = estimate_video(load_estimator("dis"), open_source(source), VideoOutputs(None, pictures, "png"))
    assert first.max_flow != second.max_flow
    assert last.max_flow == second.max_flow
    assert (last.done, last.skipped) == (1, 7)


def test_the_scale_of_a_video_is_its_own(folder: Path, tmp_path: Path) -> None:
    run(folder, video=tmp_path / "a.mp4", flow_dir=tmp_path / "flows", max_flow=77.0)
    kept = run(folder, video=tmp_path / "b.mp4", flow_dir=tmp_path / "flows")
    fresh = run(folder, video=tmp_path / "c.mp4")
    assert kept.max_flow == fresh.max_flow != 77.0
    assert (tmp_path / "b.mp4").read_bytes() == (tmp_path / "c.mp4").read_bytes()


def test_frames_of_the_same_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for index, image in enumerate(moving_frames(4)):
        write_image(tmp_path / "in" / str(index) / "f.png", image)
    pattern = tmp_path / "in" / "*" / "f.png"
    assert run(pattern, flow_dir=tmp_path / "flows").done == 3
    (tmp_path / "in" / "1").rename(tmp_path / "gone")
    again = run(pattern, flow_dir=tmp_path / "flows")
    expected = load_estimator("dis").estimate(moving_frames(4)[0], moving_frames(4)[2])
    assert again.skipped == 0
    np.testing.assert_array_equal(read_flow(tmp_path / "flows/000000.flo"), expected)


def test_pairs_of_jpegs_are_resumed_by_pair(folder: Path, tmp_path: Path) -> None:
    flows = tmp_path / "flows"

    def again() -> tuple[int, int]:
        summary = run(folder, flow_dir=flows, flow_format="jpg")
        return summary.done, summary.skipped

    names = [f"flow_{component}_{number:05d}.jpg" for component in "xy" for number in range(1, 5)]
    assert again() == (4, 0)
    assert sorted(path.name for path in flows.glob("*.jpg")) == names
    whole = {name: (flows / name).read_bytes() for name in names}
    assert again() == (0, 4)
    (flows / names[1]).unlink()
    (flows / names[6]).write_bytes(whole[names[6]][:-10])
    assert again() == (2, 2)
    write_flow(flows / "flow_{xy}_00004.jpg", np.zeros((5, 5, 2), np.float32), flow_format="jpg")
    assert again() == (1, 3)
    newest = max(path.stat().st_mtime_ns for path in folder.iterdir())
    os.utime(flows / names[4], ns=(newest - 10**9, newest - 10**9))  # older than its frames
    assert again() == (1, 3)
    assert {name: (flows / name).read_bytes() for name in names} == whole
    with pytest.raises(UsageError, match=r"pairs of \.jpg made with another bound \(20\.0 there, 9\.0 now\)"):
        run(folder, flow_dir=flows, flow_format="jpg", options=FlowOptions(bound=9.0))


def test_pairs_without_a_record_are_adopted_whole(folder: Path, tmp_path: Path) -> None:
    flows = tmp_path / "flows"
    run(folder, flow_dir=flows, flow_format="jpg")
    (flows / "flowcli.json").unlink()
    with pytest.raises(UsageError, match=r"flow_[xy]_0000\d\.jpg exists, but"):
        run(folder, flow_dir=flows, flow_format="jpg")
    (flows / "flow_y_00003.jpg").unlink()
    adopted = run(folder, flow_dir=flows, flow_format="jpg", adopt=True)
    assert (adopted.done, adopted.skipped) == (1, 3)
    assert run(folder, flow_dir=flows, flow_format="jpg").skipped == 4


@pytest.mark.parametrize("flow_format", ["flo5", "exr", "tif"])
def test_flows_of_an_earlier_run_become_a_video(folder: Path, tmp_path: Path, flow_format: str) -> None:
    options = FlowOptions(exr_v="down")
    common: dict[str, Any] = {
        "flow_dir": tmp_path / "flows",
        "flow_format": flow_format,
        "options": options,
        "max_flow": 4.0,
    }
    run(folder, **common)
    summary = run(folder, video=tmp_path / "out.mp4", **common)
    assert (summary.windows, summary.skipped) == (0, 4)
    pictures = [picture.image for picture in VideoFile(tmp_path / "out.mp4").frames()]
    expected = colorize(np.full((64, 96, 2), (2, 1), np.float32), 4.0)
    assert all(np.median(np.abs(picture.astype(int) - expected)) < 8 for picture in pictures)


def test_formats_with_options_share_a_folder_with_others(folder: Path, tmp_path: Path) -> None:
    for _ in range(2):
        for flow_format in ("flo", "jpg", "exr", "tif"):
            summary = run(folder, flow_dir=tmp_path / "flows", flow_format=flow_format)
    assert summary.skipped == 4


@pytest.mark.parametrize("flow_format", ["png", "tif", "exr", "jpg"])
def test_flows_that_might_replace_frames_go_elsewhere(folder: Path, flow_format: str) -> None:
    with pytest.raises(UsageError, match="contains the input's frames"):
        run(folder, flow_dir=folder, flow_format=flow_format)
