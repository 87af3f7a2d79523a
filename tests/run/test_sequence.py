"""Flows of a whole sequence: every one equals that of its two frames alone, whatever the gap, order and source."""

from __future__ import annotations

import gc
import shutil
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import flowcli
from flowcli import FlowEstimator, load_estimator, occluded, read_flow
from flowcli.errors import FlowcliError, InputError, OutputError, UsageError
from flowcli.flows.occlusion import inconsistency
from flowcli.frames.images import write_image
from flowcli.frames.opening import open_source
from flowcli.frames.selection import Selection
from flowcli.results import VideoSummary
from flowcli.run import sequence
from flowcli.run.consistency import Consistency
from flowcli.run.pairing import Pairing
from flowcli.run.video import estimate_video
from flowcli.run.video_outputs import VideoOutputs
from support.folders import files
from support.videos import moving_frames, write_video

COUNT = 8
FRAMES = moving_frames(COUNT)


@pytest.fixture(scope="module")
def dis() -> FlowEstimator:
    return load_estimator("dis")


@pytest.fixture(params=["folder", "video"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "video":
        return write_video(tmp_path / "in.mkv", FRAMES, codec="ffv1")
    for index, frame in enumerate(FRAMES):
        write_image(tmp_path / "in" / f"img{index}.png", frame)
    return tmp_path / "in"


def run(estimator: FlowEstimator, source: Path, folder: Path, **options: Any) -> VideoSummary:
    selection = options.pop("selection", Selection())
    outputs = VideoOutputs(flow_dir=folder, **options)
    return estimate_video(estimator, open_source(source, selection=selection), outputs)


def shown(source: Path) -> list[np.ndarray]:
    return [frame.image for frame in open_source(source).frames()]


PAIRINGS = {
    "1": Pairing(),
    "1,-1": Pairing((1, -1)),
    "-1": Pairing((-1,)),
    "3,-2,1": Pairing((3, -2, 1)),
    "all": Pairing("all"),
    "reference": Pairing(reference=3),
    "to reference": Pairing(to_reference=3),
    "2 repeat": Pairing((2,), pad="repeat"),
    "-2,1 backward": Pairing((-2, 1), pad="backward"),
    "-3 repeat": Pairing((-3,), pad="repeat"),
    "1,-1 zero": Pairing((1, -1), pad="zero"),
}
NAMES = "{gap}/{frame:03d}_{frame2:03d}.npz"


@pytest.mark.parametrize("kind", PAIRINGS)
@pytest.mark.parametrize("masks", [False, True])
def test_every_flow_is_that_of_its_frames_alone(
    dis: FlowEstimator, source: Path, tmp_path: Path, kind: str, masks: bool
) -> None:
    pairing = PAIRINGS[kind]
    checked = Consistency(mask=masks, error=masks)
    summary = run(dis, source, tmp_path / "out", names=NAMES, pairing=pairing, consistency=checked)
    frames = shown(source)
    found = sorted((tmp_path / "out").rglob("*.npz"))
    assert summary.pairs == summary.done == len(found)
    if pairing.pad != "none" and pairing.gaps != "all":
        assert len(found) == COUNT * len(pairing.gaps)
    for path in found:
        gap = int(path.parent.name)
        frame, second = map(int, path.stem.split("_"))
        first = second - gap if pairing.pad == "repeat" else frame
        with np.load(path) as archive:
            flow = archive["flow"]
            if pairing.pad == "zero" and frame == second:
                assert not flow.any()
                continue
            np.testing.assert_array_equal(flow, dis.estimate(frames[first], frames[second]))
            if masks:
                back = dis.estimate(frames[second], frames[first])
                np.testing.assert_array_equal(archive["mask"], ~occluded(flow, back))
                np.testing.assert_array_equal(archive["error"], inconsistency(flow, back))
                assert archive["mask"].dtype == bool
            else:
                assert list(archive) == ["flow"]


def test_gaps_count_frames_that_are_taken(dis: FlowEstimator, source: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"selection": Selection(1, 8, 2), "pairing": Pairing((2,))}
    run(dis, source, tmp_path / "out", names="{frame}_{frame2}.flo", **options)
    assert sorted(path.stem for path in (tmp_path / "out").glob("*.flo")) == ["1_5", "3_7"]
    frames = shown(source)
    np.testing.assert_array_equal(read_flow(tmp_path / "out/1_5.flo"), dis.estimate(frames[1], frames[5]))


def test_default_names(dis: FlowEstimator, source: Path, tmp_path: Path) -> None:
    stems = [f"img{n}" if source.is_dir() else f"{n:06d}" for n in range(2, COUNT)]
    run(dis, source, tmp_path / "one", pairing=Pairing((-2,)))
    assert files(tmp_path / "one").keys() - {"flowcli.json"} == {f"{stem}.flo" for stem in stems}
    run(dis, source, tmp_path / "two", pairing=Pairing((1, -1)), flow_format="npy")
    there = {f"gap1/{n:06d}.npy" for n in range(COUNT - 1)} | {f"gap-1/{n:06d}.npy" for n in range(1, COUNT)}
    assert files(tmp_path / "two").keys() - {"flowcli.json"} == there


def test_masks_beside_other_formats(dis: FlowEstimator, source: Path, tmp_path: Path) -> None:
    checked = Consistency(mask=True, error=True, relative=0.0, absolute=0.02, mask_names="masks/{flow}.png")
    run(dis, source, tmp_path / "out", names="{frame}_{direction}.flo", pairing=Pairing((1, -1)), consistency=checked)
    frames = shown(source)
    there, back = dis.estimate(frames[2], frames[3]), dis.estimate(frames[3], frames[2])
    for flow, other, name in ((there, back, "2_fwd"), (back, there, "3_bwd")):
        hidden = occluded(flow, other, relative=0.0, absolute=0.02)
        mask = cv2.imread(str(tmp_path / f"out/masks/{name}.png"), cv2.IMREAD_UNCHANGED)
        assert mask is not None
        np.testing.assert_array_equal(mask[..., 0], hidden * 255)
        np.testing.assert_array_equal(np.load(tmp_path / f"out/{name}_error.npy"), inconsistency(flow, other))
    assert 0 < hidden.mean() < 1


@pytest.mark.parametrize("pairing", [Pairing((1, -1)), Pairing("all"), Pairing((2, -1), pad="backward")])
@pytest.mark.parametrize("names", ["{gap}/{frame}_{frame2}.npz", "{gap}/{frame}_{frame2}.flo"])
def test_resuming_makes_what_is_missing(
    dis: FlowEstimator, source: Path, tmp_path: Path, pairing: Pairing, names: str
) -> None:
    options: dict[str, Any] = {"names": names, "pairing": pairing, "consistency": Consistency(mask=True)}
    total = run(dis, source, tmp_path / "out", **options).done
    whole = files(tmp_path / "out")
    lost = [path for path in sorted((tmp_path / "out").rglob("*")) if path.is_file() and path.suffix != ".json"][1::3]
    for path in lost:
        path.unlink()
    again = run(dis, source, tmp_path / "out", **options)
    assert files(tmp_path / "out") == whole
    assert again.done + again.skipped == total
    assert 0 < again.done <= len(lost)
    assert run(dis, source, tmp_path / "out", **options).skipped == total


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pairing": Pairing((2,))}, "another gap"),
        ({"consistency": Consistency(mask=True, relative=0.1)}, "another relative"),
        ({"consistency": Consistency()}, "another .*mask"),
        ({"names": "{frame:04d}.npz"}, "another names"),
    ],
)
def test_other_settings_are_refused(
    dis: FlowEstimator, source: Path, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    options: dict[str, Any] = {"names": "{frame}.npz", "consistency": Consistency(mask=True)}
    run(dis, source, tmp_path / "out", **options)
    before = files(tmp_path / "out")
    with pytest.raises(UsageError, match=message):
        run(dis, source, tmp_path / "out", **{**options, **change})
    assert files(tmp_path / "out") == before


def test_each_with_each_reads_again_beyond_the_limit(
    dis: FlowEstimator, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"names": "{frame}_{frame2}.flo", "pairing": Pairing("all")}
    run(dis, source, tmp_path / "whole", **options)
    monkeypatch.setattr(sequence, "FRAME_BYTES", 3 * FRAMES[0].nbytes)
    summary = run(dis, source, tmp_path / "blocks", **options)
    assert summary.done == COUNT * (COUNT - 1)
    parts = [files(tmp_path / name) for name in ("whole", "blocks")]
    assert parts[0].keys() == parts[1].keys()
    assert all(parts[0][name] == parts[1][name] for name in parts[0] if name.endswith(".flo"))


def test_networks_agree_to_a_ten_thousandth(checkpoint: Path, source: Path, tmp_path: Path) -> None:
    estimator = load_estimator(str(checkpoint), batch_size=5, overlap=8)
    options: dict[str, Any] = {"pairing": Pairing((1, -2)), "consistency": Consistency(mask=True)}
    run(estimator, source, tmp_path / "out", names=NAMES, selection=Selection(0, 4), **options)
    frames = shown(source)
    alone = load_estimator(str(checkpoint), batch_size=1, overlap=8)
    for path in (tmp_path / "out").rglob("*.npz"):
        first, second = map(int, path.stem.split("_"))
        assert np.abs(read_flow(path) - alone.estimate(frames[first], frames[second])).max() < 1e-4
    assert len(list((tmp_path / "out").rglob("*.npz"))) == 3 + 2


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"pairing": Pairing((1, -1)), "video": Path("x.mp4")}, UsageError),
        ({"pairing": Pairing((COUNT,))}, InputError),
        ({"pairing": Pairing((COUNT,), pad="repeat")}, InputError),
        ({"pairing": Pairing((5,), pad="backward")}, InputError),
        ({"pairing": Pairing(reference=COUNT)}, InputError),
        ({"names": "{frame}.xyz"}, OutputError),
        ({"names": "{frame}"}, OutputError),
        ({"names": "{frame}.flo", "flow_format": "npz"}, UsageError),
        ({"names": "x.flo"}, UsageError),
        ({"names": "{frame}.flo", "pairing": Pairing((1, -1))}, UsageError),
    ],
)
def test_what_is_refused(
    dis: FlowEstimator, source: Path, tmp_path: Path, options: dict[str, Any], error: type[FlowcliError]
) -> None:
    with pytest.raises(error):
        run(dis, source, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists() or (source.is_file() and "backward" in str(options))


def test_a_run_that_does_not_fit_is_refused_before_it_begins(
    dis: FlowEstimator, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "flowcli")
    if source.is_file():  # a container that says how many frames it has
        source = write_video(tmp_path / "in.mp4", FRAMES)
    each = FRAMES[0].shape[0] * FRAMES[0].shape[1] * 8
    free = {"bytes": 6 * each}
    usage = type("Usage", (), {"free": property(lambda _: free["bytes"])})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage())
    with pytest.raises(OutputError, match=r"7 flows need .* MB, but only .* MB are free"):
        run(dis, source, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    free["bytes"] = 20 * each
    run(dis, source, tmp_path / "out")
    assert [record.getMessage().startswith("up to 7 flows") for record in caplog.records] == [True]
    free["bytes"] = 1
    run(dis, source, tmp_path / "out")  # what is there needs no room


def test_memory_does_not_grow_with_the_length(dis: FlowEstimator, tmp_path: Path) -> None:
    still = moving_frames(4)
    peaks = []
    for count in (40, 160):
        path = write_video(tmp_path / f"{count}.mkv", [still[index % 4] for index in range(count)], codec="ffv1")
        tracemalloc.start()
        run(dis, path, tmp_path / f"{count}", pairing=Pairing((3, -1)), consistency=Consistency(mask=True))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"names": "{frame}_{frame2}.flo", "pairing": Pairing((1, 2), pad="repeat")}, "the same name"),
        ({"flow_format": "npy", "consistency": Consistency(error=True, error_names="{flow}.npy")}, "the same name"),
        ({"flow_format": "kitti", "consistency": Consistency(mask=True, mask_names="{flow}.png")}, "the same name"),
        ({"names": "f{frame:.0e}.flo", "selection": Selection(1, 8)}, None),
        ({"names": "{direction}.flo", "pairing": Pairing(reference=4), "selection": Selection(3, 6)}, None),
    ],
)
def test_names_are_compared_as_they_will_be(
    dis: FlowEstimator, source: Path, tmp_path: Path, options: dict[str, Any], words: str | None
) -> None:
    if words is None:
        summary = run(dis, source, tmp_path / "out", **options)
        assert len(list((tmp_path / "out").glob("*.flo"))) == summary.done
    else:
        with pytest.raises(UsageError, match=words):
            run(dis, source, tmp_path / "out", **options)
        assert not (tmp_path / "out").exists()


def test_what_is_there_of_one_direction_is_not_estimated_again(
    dis: FlowEstimator, source: Path, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"pairing": Pairing((1, -1))}
    total = run(dis, source, tmp_path / "out", **options).windows
    for path in (tmp_path / "out/gap-1").iterdir():
        path.unlink()
    assert run(dis, source, tmp_path / "out", **options).windows == total // 2


@pytest.mark.parametrize("layout", ["flow", "occlusion"])
def test_padding_with_zero_is_zero_in_every_layout(
    dis: FlowEstimator, source: Path, tmp_path: Path, layout: Any
) -> None:
    options: dict[str, Any] = {"pairing": Pairing(pad="zero"), "layout": layout, "video": tmp_path / "v.mkv"}
    run(dis, source, tmp_path / "out", **options)
    last = f"img{COUNT - 1}" if source.is_dir() else f"{COUNT - 1:06d}"
    assert not read_flow(tmp_path / f"out/{last}.flo").any()


def test_padding_depends_on_where_the_sequence_ends(dis: FlowEstimator, source: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"pairing": Pairing(pad="repeat")}
    run(dis, source, tmp_path / "out", selection=Selection(0, 5), **options)
    with pytest.raises(UsageError, match=r"another .*end"):
        run(dis, source, tmp_path / "out", **options)


def test_the_colour_scale_is_that_of_the_longest_gap(dis: FlowEstimator, source: Path, tmp_path: Path) -> None:
    near = run(dis, source, tmp_path / "near", flow_format="png")
    far = run(dis, source, tmp_path / "far", flow_format="png", pairing=Pairing((3,)))
    assert near.max_flow is not None
    assert far.max_flow is not None
    assert 2 * near.max_flow < far.max_flow < 4 * near.max_flow


def test_the_iterator(dis: FlowEstimator, source: Path) -> None:
    frames = shown(source)
    found = list(flowcli.sequence(source, estimator=dis, gaps=[1, -1], masks=True))
    assert len(found) == 2 * (COUNT - 1)
    for item in found:
        frame, frame2, flow, mask = item
        there = dis.estimate(frames[item.frame.number], frames[item.frame2.number])
        back = dis.estimate(frames[item.frame2.number], frames[item.frame.number])
        np.testing.assert_array_equal(flow, there)
        np.testing.assert_array_equal(mask, ~occluded(there, back))
        assert (frame, frame2) == (item.frame, item.frame2)
        assert item.belongs_to == frame
    padded = list(flowcli.sequence(source, estimator=dis, gaps=[2], pad="repeat"))
    assert [item.belongs_to.number for item in padded] == list(range(COUNT))
    assert [item.frame.number for item in padded][-3:] == [COUNT - 3] * 3


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"gaps": [0]}, UsageError),
        ({"gaps": [1.5]}, UsageError),
        ({"gaps": [1], "reference": 2}, UsageError),
        ({"pad": "foo"}, UsageError),
        ({"masks": True, "mask_relative": -1}, UsageError),
        ({"gaps": [COUNT]}, InputError),
    ],
)
def test_wrong_arguments_of_the_iterator(
    dis: FlowEstimator, source: Path, options: dict[str, Any], error: type[FlowcliError]
) -> None:
    with pytest.raises(error):
        list(flowcli.sequence(source, estimator=dis, **options))


def test_stopping_half_way_leaves_no_thread(dis: FlowEstimator, source: Path) -> None:
    before = set(threading.enumerate())
    for item in flowcli.sequence(source, estimator=dis, gaps=[1, -1]):
        assert item.mask is None
        break
    gc.collect()
    assert set(threading.enumerate()) <= before
    flows = flowcli.sequence(source, estimator=dis)
    assert next(flows).frame.number == 0
    flows.close()  # type: ignore[attr-defined]
    assert set(threading.enumerate()) <= before
