"""``eval``, ``convert``, ``info`` and ``warp``: the installed commands, and data sets in their published layout."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from flowcli import load_estimator, read_flow, read_image, write_flow
from flowcli.arrays import Flow
from flowcli.draw.error_map import error_map
from flowcli.draw.outputs import write_mask
from flowcli.errors import InputError
from flowcli.flows.datasets import find_samples
from flowcli.flows.metrics import Scores
from flowcli.frames.images import write_image
from flowcli.scene import Scene, render_scene

from ..conftest import Run

DIS = ("-m", "dis")


@pytest.fixture
def flows(tmp_path: Path) -> tuple[Flow, Flow]:
    """An estimate and the truth, as files and in memory."""
    truth = np.zeros((4, 5, 2), np.float32)
    truth[..., 0] = 10
    truth[3] = np.nan
    flow = truth + np.float32(0.5)
    flow[0, 0] = 14, 3
    flow[3] = 0
    write_flow(tmp_path / "gt.flo", truth)
    write_flow(tmp_path / "pred.npy", flow)
    return flow, truth


def sintel(root: Path, scene: Scene) -> None:
    for index, frame in ((1, scene.frame1), (2, scene.frame2)):
        for rendering in ("clean", "final"):
            write_image(root / f"training/{rendering}/alley_1/frame_{index:04d}.png", frame)
    write_flow(root / "training/flow/alley_1/frame_0001.flo", scene.flow)
    write_mask(root / "training/occlusions/alley_1/frame_0001.png", ~scene.visible)
    invalid = np.zeros_like(scene.visible)
    invalid[:10] = True
    write_mask(root / "training/invalid/alley_1/frame_0001.png", invalid)


def kitti(root: Path, scene: Scene) -> None:
    write_image(root / "training/image_2/000000_10.png", scene.frame1)
    write_image(root / "training/image_2/000000_11.png", scene.frame2)
    write_image(root / "training/image_2/000001_10.png", scene.frame1[:100])
    write_image(root / "training/image_2/000001_11.png", scene.frame2[:100])
    for number, rows in (("000000", 120), ("000001", 100)):
        write_flow(root / f"training/flow_occ/{number}_10.png", scene.flow[:rows], flow_format="kitti")
        visible = np.where(scene.visible[..., None], scene.flow, np.nan)[:rows].astype(np.float32)
        write_flow(root / f"training/flow_noc/{number}_10.png", visible, flow_format="kitti")


class TestEval:
    @pytest.mark.usefixtures("flows")
    def test_a_table_and_json(self, flowcli: Run) -> None:
        done = flowcli("eval", "pred.npy", "gt.flo")
        assert done.returncode == 0, done.stderr
        header, line = done.stdout.decode().splitlines()
        assert header.split()[:3] == ["EPE", "EPE/image", ">1px"]
        assert line.split()[:3] == ["all", "0.993", "0.993"]  # (5 + 14 * sqrt(0.5)) / 15
        report = json.loads(flowcli("eval", "pred.npy", "gt.flo", "--json").stdout)
        assert report["epe"] == pytest.approx((5 + 14 * 0.5**0.5) / 15, rel=1e-5)
        assert report["fl_all"] == pytest.approx(100 / 15)
        assert (report["pixels"], report["missing"], report["images"]) == (15, 0, 1)
        assert (report["flow_file"], report["truth_file"]) == ("pred.npy", "gt.flo")

    @pytest.mark.usefixtures("flows")
    def test_fail_above(self, flowcli: Run) -> None:
        assert flowcli("eval", "pred.npy", "gt.flo", "--fail-above", "1").returncode == 0
        done = flowcli("eval", "pred.npy", "gt.flo", "--fail-above", "0.99")
        assert done.returncode == 6
        assert b"0.993" in done.stderr
        assert done.stdout != b""

    def test_an_estimate_with_nothing_in_it_fails(self, flowcli: Run, flows: tuple[Flow, Flow], tmp_path: Path) -> None:
        write_flow(tmp_path / "nothing.flo", np.full_like(flows[0], np.nan))
        done = flowcli("eval", "nothing.flo", "gt.flo", "--fail-above", "9")
        assert done.returncode == 6
        assert b"nothing could be compared" in done.stderr
        assert b"15 pixels have true flow but no estimate" in done.stderr

    def test_error_maps_never_replace_flows(self, flowcli: Run, flows: tuple[Flow, Flow], tmp_path: Path) -> None:
        write_flow(tmp_path / "p/1.flo", flows[0])
        write_flow(tmp_path / "g/1.png", flows[1], flow_format="kitti")
        before = (tmp_path / "g/1.png").read_bytes()
        done = flowcli("eval", "p", "g", "--error-map", "g", "--force")
        assert done.returncode == 2
        assert b"also an input" in done.stderr
        assert (tmp_path / "g/1.png").read_bytes() == before

    def test_an_error_map(self, flowcli: Run, flows: tuple[Flow, Flow], tmp_path: Path) -> None:
        done = flowcli("eval", "pred.npy", "gt.flo", "--error-map", "e.png")
        assert done.returncode == 0
        picture = read_image(tmp_path / "e.png")
        np.testing.assert_array_equal(picture, error_map(*flows))
        assert picture[0, 0].tolist() == [254, 224, 144]  # 5 px are 1.7 times too much
        assert picture[1, 1].tolist() == [116, 173, 209]  # 0.71 px: 0.24
        assert not picture[3].any()
        assert flowcli("eval", "pred.npy", "gt.flo", "--error-map", "e.png").returncode == 2

    def test_folders_are_matched_by_name(self, flowcli: Run, flows: tuple[Flow, Flow], tmp_path: Path) -> None:
        flow, truth = flows
        for index in (1, 2, 10):
            write_flow(tmp_path / f"p/s/{index}.npy", flow + np.float32(index))
            write_flow(tmp_path / f"p/s/{index}-picture.png", flow)
            write_flow(tmp_path / f"g/s/{index}.png", truth, flow_format="kitti")
        done = flowcli("eval", "p", "g", "--json", "--error-map", "maps")
        assert done.returncode == 0, done.stderr
        *pairs, summary = [json.loads(line) for line in done.stdout.splitlines()]
        assert [pair["name"] for pair in pairs] == ["s/1", "s/2", "s/10"]
        expected = Scores()
        for index in (1, 2, 10):
            expected.add(flow + np.float32(index), truth)
        assert summary["subsets"]["all"] == pytest.approx(asdict(expected.figures()))
        assert sorted(path.name for path in (tmp_path / "maps/s").iterdir()) == ["1.png", "10.png", "2.png"]
        (tmp_path / "p/s/2.npy").unlink()
        write_flow(tmp_path / "p/extra.flo", flow)
        done = flowcli("eval", "p", "g")
        assert done.returncode == 3
        assert b"2 flow files have no match in the other folder: g/s/2, p/extra" in done.stderr

    @pytest.mark.usefixtures("flows")
    @pytest.mark.parametrize(
        ("arguments", "code", "words"),
        [
            (["pred.npy"], 2, "PRED GT"),
            (["pred.npy", "gt.flo", "gt.flo"], 2, "PRED GT"),
            (["pred.npy", "missing.flo"], 3, "no such file"),
            (["pred.npy", "."], 3, "one is a folder"),
            (["small.flo", "gt.flo"], 3, "small.flo is 3 x 2 but gt.flo is 5 x 4"),
            (["pred.npy", "double.flo"], 3, "double.flo is 10 x 8, 2 times the size of pred.npy, 5 x 4"),
            (["pred.npy", "gt.flo", "--out-dir", "x"], 2, "--dataset"),
            (["pred.npy", "gt.flo", "--error-map", "x.jpg"], 5, "x.jpg"),
            (["--dataset", "sintel", "gone"], 3, "gone does not look like sintel"),
            (["--dataset", "kitti", ".", "."], 2, "one path"),
        ],
    )
    def test_errors(self, flowcli: Run, tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
        write_flow(tmp_path / "small.flo", np.zeros((2, 3, 2), np.float32))
        write_flow(tmp_path / "double.flo", np.zeros((8, 10, 2), np.float32))
        done = flowcli("eval", *arguments, *DIS)
        assert done.returncode == code
        assert words in done.stderr.decode()
        assert done.stderr.count(b"\n") == 1


class TestDatasets:
    def test_sintel(self, flowcli: Run, scene: Scene, tmp_path: Path) -> None:
        sintel(tmp_path / "sintel", scene)
        done = flowcli("eval", "--dataset", "sintel", "sintel", *DIS, "--json")
        assert done.returncode == 0, done.stderr
        summary = json.loads(done.stdout.splitlines()[-1])
        flow = load_estimator("dis").estimate(scene.frame1, scene.frame2)
        np.testing.assert_array_equal(read_flow(tmp_path / "eval-sintel/clean/alley_1/frame_0001.flo"), flow)
        valid = np.ones_like(scene.visible)
        valid[:10] = False
        masks = {"": None, ", valid": valid, ", visible": scene.visible, ", occluded": ~scene.visible}
        assert list(summary["subsets"]) == [f"{r}{mask}" for r in ("clean", "final") for mask in masks]
        for name, mask in masks.items():
            expected = Scores()
            expected.add(flow, scene.flow, mask)
            assert summary["subsets"][f"clean{name}"] == pytest.approx(asdict(expected.figures()))
        (tmp_path / "eval-sintel/final/alley_1/frame_0001.flo").unlink()
        again = flowcli("eval", "--dataset", "sintel", "sintel", *DIS)
        assert b"2 pairs in eval-sintel: 1 done, 1 skipped" in again.stderr
        assert len(again.stdout.splitlines()) == 9

    def test_kitti(self, flowcli: Run, scene: Scene, tmp_path: Path) -> None:
        kitti(tmp_path / "kitti", scene)
        done = flowcli("eval", "--dataset", "kitti", "kitti", "--out-dir", "out", *DIS, "--json")
        assert done.returncode == 0, done.stderr
        first, second, summary = [json.loads(line) for line in done.stdout.splitlines()]
        subsets = summary["subsets"]
        assert subsets["all"]["pixels"] == 220 * 160
        assert subsets["visible"]["pixels"] < subsets["all"]["pixels"]
        assert subsets["visible"]["epe"] < subsets["all"]["epe"]
        assert subsets["all"]["epe_image_mean"] == pytest.approx((first["epe"] + second["epe"]) / 2)

    def test_middlebury_on_real_frames(self, flowcli: Run, data: Path) -> None:
        done = flowcli("eval", "--dataset", "middlebury", data / "middlebury", *DIS, "--json")
        assert done.returncode == 0, done.stderr
        subsets = json.loads(done.stdout.splitlines()[-1])["subsets"]
        assert list(subsets) == ["all", "Grove2", "RubberWhale", "Venus"]
        assert subsets["RubberWhale"]["epe"] < 0.13
        assert subsets["all"]["images"] == 3

    def test_the_layout_in_which_middlebury_is_published(self, tmp_path: Path, scene: Scene) -> None:
        for index, frame in ((10, scene.frame1), (11, scene.frame2)):
            write_image(tmp_path / f"other-data/Venus/frame{index}.png", frame)
        write_flow(tmp_path / "other-gt-flow/Venus/flow10.flo", scene.flow)
        (pair,) = find_samples("middlebury", tmp_path)
        assert pair.frame2 == tmp_path / "other-data/Venus/frame11.png"

    @pytest.mark.parametrize(
        ("name", "part"),
        [
            ("kitti", "training/image_2/000001_11.png"),
            ("kitti", "training/flow_noc/000001_10.png"),
            ("sintel", "training/final/alley_1/frame_0001.png"),
            ("sintel", "training/clean/alley_1/frame_0002.png"),
            ("sintel", "training/occlusions/alley_1/frame_0001.png"),
            ("sintel", "training/invalid/alley_1/frame_0001.png"),
        ],
    )
    def test_a_part_that_is_missing_is_named(
        self, flowcli: Run, scene: Scene, tmp_path: Path, name: str, part: str
    ) -> None:
        {"kitti": kitti, "sintel": sintel}[name](tmp_path / "root", scene)
        (tmp_path / "root" / part).unlink()
        done = flowcli("eval", "--dataset", name, "root", *DIS)
        assert done.returncode == 3
        assert f"1 files of {name} are missing: root/{part}" in done.stderr.decode()
        assert not (tmp_path / f"eval-{name}").exists()

    def test_a_frame_that_cannot_be_read(self, flowcli: Run, scene: Scene, tmp_path: Path) -> None:
        kitti(tmp_path / "kitti", scene)
        (tmp_path / "kitti/training/image_2/000001_11.png").write_bytes(b"broken")
        done = flowcli("eval", "--dataset", "kitti", "kitti", *DIS)
        assert done.returncode == 6
        assert b"eval-kitti/failures.jsonl" in done.stderr

    def test_error_maps_of_kept_flows(self, flowcli: Run, scene: Scene, tmp_path: Path) -> None:
        kitti(tmp_path / "kitti", scene)
        command = ("eval", "--dataset", "kitti", "kitti", "--error-map", "maps", *DIS)
        assert flowcli(*command).returncode == 0
        refused = flowcli(*command)
        assert refused.returncode == 2
        assert refused.stdout == b""
        done = flowcli(*command, "--force")
        assert b"2 done, 0 skipped" in done.stderr
        other = flowcli(*command[:4], "--scale", "0.5", *DIS)
        assert other.returncode == 2
        assert b"another scale" in other.stderr
        assert b"2 done, 0 skipped" in flowcli(*command[:4], "--scale", "0.5", "--force", *DIS).stderr

    def test_a_scene_that_is_there_twice(self, tmp_path: Path, scene: Scene) -> None:
        for folder in ("a/Venus", "b/Venus"):
            for index, frame in ((10, scene.frame1), (11, scene.frame2)):
                write_image(tmp_path / folder / f"frame{index}.png", frame)
            write_flow(tmp_path / folder / "flow10.flo", scene.flow)
        with pytest.raises(InputError, match="Venus exists twice"):
            find_samples("middlebury", tmp_path)

    @pytest.mark.parametrize("name", ["middlebury", "sintel", "kitti"])
    def test_what_is_no_data_set(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(InputError, match="does not look like"):
            find_samples(name, tmp_path)  # type: ignore[arg-type]


class TestConvert:
    @pytest.mark.parametrize("target", ["a.flo", "a.pfm", "a.npy", "a.npz", "a.flo5", "k.png"])
    def test_to_every_format_and_back(
        self, flowcli: Run, flows: tuple[Flow, Flow], tmp_path: Path, target: str
    ) -> None:
        kitti_format = ("--flow-format", "kitti") if target.startswith("k") else ()
        done = flowcli("convert", "gt.flo", f"new/{target}", *kitti_format)
        assert done.returncode == 0, done.stderr
        assert done.stderr.decode() == f"flowcli: wrote new/{target}\n"
        np.testing.assert_array_equal(read_flow(tmp_path / "new" / target), flows[1])
        assert flowcli("convert", f"new/{target}", "back.flo").returncode == 0
        assert (tmp_path / "back.flo").read_bytes() == (tmp_path / "gt.flo").read_bytes()

    @pytest.mark.usefixtures("flows")
    def test_what_is_lost_is_said_once(self, flowcli: Run, tmp_path: Path) -> None:
        done = flowcli("convert", "gt.flo", "a.png")
        assert done.returncode == 0
        assert done.stderr.count(b"unknown flow") == 1
        write_flow(tmp_path / "far.flo", np.full((4, 5, 2), 700, np.float32))
        done = flowcli("convert", "far.flo", "k.png", "--flow-format", "kitti")
        assert done.stderr.count(b"vectors outside -512 to 511.98 px are marked unknown") == 1

    def test_pictures(self, flowcli: Run, scene: Scene, tmp_path: Path) -> None:
        write_flow(tmp_path / "f.flo", scene.flow)
        write_image(tmp_path / "1.png", scene.frame1)
        pictures = []
        for index, options in enumerate(
            [[], ["--wheel", "hsv"], ["--legend"], ["--overlay"], ["--arrows", "12"], ["--overlay", "--arrows", "9"]]
        ):
            frame = ["--frame", "1.png"] if {"--overlay", "--arrows"} & set(options) else []
            done = flowcli("convert", "f.flo", f"{index}p.png", *options, *frame, "--max-flow", "9")
            assert done.returncode == 0, done.stderr
            pictures.append(read_image(tmp_path / f"{index}p.png"))
            assert pictures[-1].shape == (120, 160, 3)
        for index, picture in enumerate(pictures):
            assert all((picture != other).any() for other in pictures[:index])
        np.testing.assert_array_equal(pictures[0][:50], pictures[2][:50])  # the legend is in a corner

    @pytest.mark.usefixtures("flows")
    @pytest.mark.parametrize(
        ("arguments", "code", "words"),
        [
            (["gt.flo", "x.png", "--overlay"], 2, "--frame"),
            (["gt.flo", "x.png", "--arrows", "8"], 2, "--frame"),
            (["gt.flo", "x.xyz"], 5, ".xyz"),
            (["gt.flo", "x.flo", "--flow-format", "kitti"], 2, "needs the suffix .png"),
            (["gt.flo", "pred.npy"], 2, "--force"),
            (["gt.flo", "gt.flo", "--force"], 2, "also an input"),
            (["missing.flo", "x.flo"], 3, "no such file"),
            (["gt.flo", "x.png", "--overlay", "--frame", "big.png"], 3, "big.png is 64 x 48 but gt.flo is 5 x 4"),
        ],
    )
    def test_errors(self, flowcli: Run, tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
        write_image(tmp_path / "big.png", render_scene(48, 64).frame1)
        done = flowcli("convert", *arguments)
        assert done.returncode == code
        assert words in done.stderr.decode()
        assert done.stderr.count(b"\n") == 1


@pytest.mark.usefixtures("flows")
def test_info(flowcli: Run) -> None:
    done = flowcli("info", "gt.flo", "pred.npy")
    assert done.returncode == 0
    assert done.stdout.decode().splitlines()[:2] == [
        "gt.flo: 5 x 4, 25.00% unknown",
        "  u:       10.000 to 10.000 px, mean 10.000 px",
    ]
    first, second = [json.loads(line) for line in flowcli("info", "gt.flo", "pred.npy", "--json").stdout.splitlines()]
    assert (first["width"], first["height"], first["flow"]["known"], first["flow"]["length_max"]) == (5, 4, 0.75, 10)
    assert second["flow"]["known"] == 1
    partly = flowcli("info", "missing.flo", "gt.flo")
    assert partly.returncode == 3
    assert b"missing.flo" in partly.stderr
    assert partly.stdout.startswith(b"gt.flo: 5 x 4")


class TestWarp:
    def test_the_error_tells_a_good_flow_from_a_bad_one(self, flowcli: Run, scene: Scene, tmp_path: Path) -> None:
        write_image(tmp_path / "1.png", scene.frame1)
        write_image(tmp_path / "2.png", scene.frame2)
        write_flow(tmp_path / "good.flo", scene.flow)
        write_flow(tmp_path / "bad.flo", -scene.flow)
        reports = {}
        for name in ("good", "bad"):
            done = flowcli("warp", "2.png", f"{name}.flo", "-o", f"{name}.png", "--frame1", "1.png", "--json")
            assert done.returncode == 0, done.stderr
            reports[name] = json.loads(done.stdout)
        assert reports["good"]["photometric_error"] * 3 < reports["bad"]["photometric_error"]
        there = scene.visible & (read_image(tmp_path / "good.png").any(axis=-1))
        difference = np.abs(read_image(tmp_path / "good.png").astype(int) - scene.frame1)[there]
        assert difference.mean() < 6
        plain = flowcli("warp", "2.png", "good.flo", "-o", "x.png", "--frame1", "1.png")
        assert plain.stdout.startswith(b"photometric error: ")
        assert b"--frame1" in flowcli("warp", "2.png", "good.flo", "-o", "y.png").stderr

    @pytest.mark.usefixtures("flows")
    @pytest.mark.parametrize(
        ("arguments", "code", "words"),
        [
            (["2.png", "gt.flo"], 2, "nothing to do"),
            (["2.png", "gt.flo", "-o", "x.xyz"], 5, ".xyz"),
            (["2.png", "gt.flo", "-o", "x.png"], 3, "2.png is 64 x 48"),
            (["2.png", "gt.flo", "-o", "2.png", "--force"], 2, "also an input"),
        ],
    )
    def test_errors(self, flowcli: Run, tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
        write_image(tmp_path / "2.png", render_scene(48, 64).frame1)
        done = flowcli("warp", *arguments)
        assert done.returncode == code
        assert words in done.stderr.decode()


def test_estimate_with_occlusions_and_pictures(flowcli: Run, scene: Scene, tmp_path: Path) -> None:
    write_image(tmp_path / "1.png", scene.frame1)
    write_image(tmp_path / "2.png", scene.frame2)
    options = ("--occlusion", "hidden.png", "--overlay", "--legend", "--json")
    done = flowcli("estimate", "1.png", "2.png", "-o", "f.flo", "-o", "f.png", *options, *DIS)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    mask = read_image(tmp_path / "hidden.png")
    assert set(np.unique(mask)) == {0, 255}
    assert report["occluded"] == pytest.approx((mask[..., 0] > 0).mean())
    assert report["windows"] == 2
    assert (mask[~scene.visible] > 0).mean() > 0.6
    assert flowcli("estimate", "1.png", "2.png", "-o", "g.flo", "--occlusion", "m.jpg", *DIS).returncode == 5


def test_both_directions_share_batches(flowcli: Run, scene: Scene, tmp_path: Path, checkpoint: Path) -> None:
    write_image(tmp_path / "1.png", scene.frame1)
    write_image(tmp_path / "2.png", scene.frame2)
    model = ("-m", checkpoint, "--overlap", 6, "--batch-size", 50)
    done = flowcli("estimate", "1.png", "2.png", "-o", "f.flo", "--occlusion", "m.png", *model, "--json")
    assert done.returncode == 0, done.stderr
    backward = flowcli("estimate", "1.png", "2.png", "-o", "b.flo", "--backward", *model)
    assert backward.returncode == 0
    from flowcli.flows.occlusion import occluded

    flows = [read_flow(tmp_path / name) for name in ("f.flo", "b.flo")]
    agree = occluded(*flows) == (read_image(tmp_path / "m.png")[..., 0] > 0)
    assert agree.mean() > 0.999
