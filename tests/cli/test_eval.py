"""The installed ``eval``: files, folders, and data sets laid out as published."""

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
from flowcli.flows.metrics import Scores
from flowcli.frames.images import write_image
from flowcli.scene import Scene

from ..conftest import Run

DIS = ("-m", "dis")


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
            (["pred.npy", "gt.flo", "--ray", "local"], 2, "--ray is only for --dataset; leave it out"),
            (["pred.npy", "gt.flo", "--workers", "2", "--cpus-per-worker", "1"], 2, "only for --dataset; leave them"),
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
        general, _, authors = again.stdout.partition(b"\n\n")
        assert len(general.splitlines()) == 9
        assert authors.startswith(b"Sintel")

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
