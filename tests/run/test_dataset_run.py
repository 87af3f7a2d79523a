"""Data sets, estimated and judged: every layout from its folder to its figures, and what servers take."""

from __future__ import annotations

import re
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from flowcli import FlowEstimator, evaluate, evaluate_dataset, load_estimator, read_flow, write_flow
from flowcli.arrays import Flow
from flowcli.datasets.shared.search import SampleChoice
from flowcli.errors import BatchError, InputError, UsageError
from flowcli.figures import find_figures
from flowcli.figures.shared.figure_set import Judged
from flowcli.flows.formats import flo5, kitti
from flowcli.results import DatasetSummary
from flowcli.storage import write_bytes

from ..datasets.layouts import HEIGHT, LAYOUTS, WIDTH, truth

TEST = SampleChoice("test")


@pytest.fixture(scope="module")
def dis() -> FlowEstimator:
    return load_estimator("dis")


def submitted(dis: FlowEstimator, folder: Path, name: str, **options: object) -> DatasetSummary:
    """The summary of a run over the test frames, with the submission in ``sent``."""
    return evaluate_dataset(
        dis,
        name,
        folder / "root",
        folder / "out",
        choice=TEST,
        submission=folder / "sent",
        **options,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_data_set_is_evaluated(dis: FlowEstimator, tmp_path: Path, name: str) -> None:
    LAYOUTS[name](tmp_path / "root")
    summary = evaluate_dataset(dis, name, tmp_path / "root", tmp_path / "out", choice=SampleChoice(limit=2))
    assert summary.done == 2
    assert summary.worst_epe is not None
    figures = find_figures(name) if name in ("spring", "sintel", "viper", "middlebury") else None
    if figures is not None:
        assert list(summary.benchmark) == [name]
        assert all(list(row) == list(figures.columns) for row in summary.benchmark[name].values())


def test_springs_general_figures_are_over_the_closest_true_vectors(dis: FlowEstimator, tmp_path: Path) -> None:
    LAYOUTS["spring"](tmp_path / "root")
    choice = SampleChoice(subsets=("left", "FW"), scenes="0003")
    summary = evaluate_dataset(
        dis, "spring", tmp_path / "root", tmp_path / "out", choice=choice, error_map=tmp_path / "maps"
    )
    total = summary.benchmark["spring"]["total"]
    assert summary.subsets["all"].epe == pytest.approx(total["epe"])
    assert summary.subsets["all"].outliers_1px == pytest.approx(total["outliers_1px"])
    assert len(list(tmp_path.glob("maps/train/0003/flow_FW_left/*.png"))) == 2
    assert len(summary.benchmark["spring"]) == 12


def test_rows_of_groups(dis: FlowEstimator, tmp_path: Path) -> None:
    for name in ("sintel", "middlebury"):
        LAYOUTS[name](tmp_path / name)
    run = evaluate_dataset(dis, "sintel", tmp_path / "sintel", tmp_path / "s")
    assert list(run.benchmark["sintel"]) == ["clean", "final"]
    run = evaluate_dataset(dis, "middlebury", tmp_path / "middlebury", tmp_path / "m")
    assert list(run.benchmark["middlebury"]) == ["all", "disc", "Army, all", "Venus, all", "Venus, disc"]
    assert run.benchmark["middlebury"]["disc"] == run.benchmark["middlebury"]["Venus, disc"]


def test_figures_of_given_files(tmp_path: Path) -> None:
    flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    write_flow(tmp_path / "e/a.flo", flow)
    write_flow(tmp_path / "t/a.flo5", truth(2))
    with pytest.raises(InputError, match="choose figures spring"):
        evaluate(tmp_path / "e", tmp_path / "t")
    summary = evaluate(tmp_path / "e", tmp_path / "t", figures="spring")
    spring = find_figures("spring")
    judged = Judged(tmp_path / "e/a.flo", flow, tmp_path / "t/a.flo5", truth(2))
    assert summary.benchmark == {"spring": spring.table(spring.tally(judged))}
    with pytest.raises(UsageError, match="choose one of"):
        evaluate(tmp_path / "e", tmp_path / "t", figures="nonsense")


def test_the_format_of_the_kept_flow(dis: FlowEstimator, tmp_path: Path) -> None:
    LAYOUTS["kitti2015"](tmp_path / "root")
    evaluate_dataset(dis, "kitti2015", tmp_path / "root", tmp_path / "out", flow_format="kitti")
    assert sorted(path.name for path in (tmp_path / "out").glob("*.png")) == ["000000_10.png", "000001_10.png"]
    again = evaluate_dataset(dis, "kitti2015", tmp_path / "root", tmp_path / "out", flow_format="kitti")
    assert (again.done, again.skipped) == (0, 2)
    with pytest.raises(UsageError, match="writes pictures"):
        evaluate_dataset(dis, "kitti2015", tmp_path / "root", tmp_path / "out", flow_format="png")


@pytest.mark.parametrize("name", ["middlebury", "tartanair"])
def test_kept_flow_below_the_data_set_is_not_its_truth(dis: FlowEstimator, tmp_path: Path, name: str) -> None:
    LAYOUTS[name](tmp_path / "root")
    for flow_format in ("flo", "npy"):
        out = tmp_path / "root" / f"out-{flow_format}"
        summary = evaluate_dataset(dis, name, tmp_path / "root", out, flow_format=flow_format)
        again = evaluate_dataset(dis, name, tmp_path / "root", out, flow_format=flow_format)
        assert (again.skipped, again.done) == (summary.done, 0)


class TestSubmissions:
    @pytest.mark.parametrize(
        ("name", "archive", "prefix"),
        [
            ("kitti2015", "kitti2015-flow.zip", "flow/"),
            ("kitti2012", "kitti2012-flow.zip", ""),
            ("hd1k", "hd1k-flow.zip", "flow/"),
        ],
    )
    def test_zip_files_of_kitti_pngs(
        self,
        dis: FlowEstimator,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        name: str,
        archive: str,
        prefix: str,
    ) -> None:
        monkeypatch.setattr(np, "float", float, raising=False)  # flowpy is older than NumPy 2
        monkeypatch.setattr(np, "NaN", np.nan, raising=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from flowpy.flow_io import flow_read_png
        LAYOUTS[name](tmp_path / "root")
        summary = submitted(dis, tmp_path, name)
        assert summary.submission == tmp_path / "sent" / archive
        assert str(summary.submission) in (summary.next_step or "")
        assert [path.name for path in (tmp_path / "sent").iterdir()] == [archive]
        with zipfile.ZipFile(tmp_path / "sent" / archive) as file:
            assert file.testzip() is None
            assert file.namelist() == [f"{prefix}{scene}_10.png" for scene in ("000000", "000001")]
            file.extractall(tmp_path / "unpacked")
        for index, path in enumerate(sorted((tmp_path / "unpacked").rglob("*.png"))):
            kept = read_flow(next((tmp_path / "out").rglob(f"00000{index}_10.flo")))
            with path.open("rb") as stream:
                np.testing.assert_allclose(flow_read_png(stream), kept, atol=1 / 64)

    def test_the_trees_of_sintel_and_spring(self, dis: FlowEstimator, tmp_path: Path) -> None:
        LAYOUTS["sintel"](tmp_path / "root")
        submitted(dis, tmp_path, "sintel")
        tree = sorted(path.relative_to(tmp_path / "sent").as_posix() for path in (tmp_path / "sent").rglob("*.flo"))
        assert tree == [
            f"{rendering}/{scene}/frame000{number}.flo"
            for rendering in ("clean", "final")
            for scene in ("alley_1", "bamboo_2")
            for number in (1, 2)
        ]
        kept = (tmp_path / "out/test/clean/alley_1/frame_0001.flo").read_bytes()
        assert (tmp_path / "sent/clean/alley_1/frame0001.flo").read_bytes() == kept

    def test_spring(self, dis: FlowEstimator, tmp_path: Path) -> None:
        LAYOUTS["spring"](tmp_path / "root")
        submitted(dis, tmp_path, "spring")
        tree = {path.relative_to(tmp_path / "sent").as_posix() for path in (tmp_path / "sent").rglob("*.flo5")}
        assert tree == {
            f"{scene}/flow_{name}/flow_{name}_{number:04d}.flo5"
            for scene in ("0001", "0003")
            for side in ("left", "right")
            for name, numbers in ((f"FW_{side}", (1, 2)), (f"BW_{side}", (2, 3)))
            for number in numbers
        }
        name = "0003/flow_BW_right/flow_BW_right_0002"
        kept = read_flow(tmp_path / f"out/test/{name}.flo")
        sent = flo5.decode((tmp_path / f"sent/{name}.flo5").read_bytes(), name)
        np.testing.assert_array_equal(sent, kept)

    def test_viper_and_middlebury(self, dis: FlowEstimator, tmp_path: Path) -> None:
        LAYOUTS["viper"](tmp_path / "viper/root")
        submitted(dis, tmp_path / "viper", "viper")
        assert sorted(path.name for path in (tmp_path / "viper/sent").iterdir()) == ["001_00001.flo", "002_00002.flo"]
        LAYOUTS["middlebury"](tmp_path / "middlebury/root")
        summary = submitted(dis, tmp_path / "middlebury", "middlebury")
        assert summary.submission is not None
        with zipfile.ZipFile(summary.submission) as file:
            assert file.namelist() == ["Army/flow10.flo", "Venus/flow10.flo"]
        assert summary.benchmark == {}
        assert summary.worst_epe is None

    def test_it_is_resumed_and_follows_its_flow(self, dis: FlowEstimator, tmp_path: Path) -> None:
        LAYOUTS["sintel"](tmp_path / "root")
        submitted(dis, tmp_path, "sintel")
        sent = tmp_path / "sent/final/alley_1/frame0002.flo"
        stamp, other = sent.stat().st_mtime_ns, tmp_path / "sent/clean/alley_1/frame0001.flo"
        other.unlink()
        summary = submitted(dis, tmp_path, "sintel")
        assert (summary.done, summary.skipped) == (0, 8)
        assert sent.stat().st_mtime_ns == stamp
        assert other.is_file()
        (tmp_path / "out/test/final/alley_1/frame_0002.flo").unlink()
        assert submitted(dis, tmp_path, "sintel").done == 1
        assert sent.stat().st_mtime_ns > stamp

    @pytest.mark.parametrize("name", ["sintel", "kitti2015"])
    def test_what_is_not_from_its_flow_is_never_replaced_unasked(
        self, dis: FlowEstimator, tmp_path: Path, name: str
    ) -> None:
        LAYOUTS[name](tmp_path / "root")
        file = "clean/alley_1/frame0001.flo" if name == "sintel" else "kitti2015-flow.zip"
        sent = tmp_path / "sent" / file
        sent.parent.mkdir(parents=True)
        sent.write_bytes(b"mine")
        with pytest.raises(UsageError, match=f"{sent.name} exists and was not made from this run's flow"):
            submitted(dis, tmp_path, name)
        assert sent.read_bytes() == b"mine"
        assert not (tmp_path / "out").exists()
        submitted(dis, tmp_path, name, force=True)
        whole = sent.read_bytes()
        sent.write_bytes(whole[:-5])  # changed by somebody else since
        with pytest.raises(UsageError, match="was not made from this run's flow"):
            submitted(dis, tmp_path, name)
        submitted(dis, tmp_path, name, force=True)
        assert sent.read_bytes() == whole
        with pytest.raises(UsageError, match="was not made from this run's flow"):  # but from that of another
            evaluate_dataset(
                load_estimator("dis", scale=0.5),
                name,
                tmp_path / "root",
                tmp_path / "half",
                choice=TEST,
                submission=tmp_path / "sent",
            )

    def test_a_zip_file_grows_but_does_not_shrink_unasked(self, dis: FlowEstimator, tmp_path: Path) -> None:
        LAYOUTS["kitti2015"](tmp_path / "root")
        both = tmp_path / "root", tmp_path / "out"
        one = SampleChoice("test", limit=1)
        sent = tmp_path / "sent"
        evaluate_dataset(dis, "kitti2015", *both, choice=one, submission=sent)
        submitted(dis, tmp_path, "kitti2015")
        stamp = (sent / "kitti2015-flow.zip").stat().st_mtime_ns
        submitted(dis, tmp_path, "kitti2015")
        assert (sent / "kitti2015-flow.zip").stat().st_mtime_ns == stamp
        with pytest.raises(UsageError, match="has 1 more flows than were chosen now"):
            evaluate_dataset(dis, "kitti2015", *both, choice=one, submission=sent)

    def test_an_interrupted_one_goes_on(
        self, dis: FlowEstimator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        LAYOUTS["sintel"](tmp_path / "root")
        written = list[Path]()

        def interrupted(path: Path, data: bytes) -> None:
            if len(written) == 3:
                raise KeyboardInterrupt
            written.append(path)
            write_bytes(path, data)

        monkeypatch.setattr("flowcli.run.submission.write_bytes", interrupted)
        with pytest.raises(KeyboardInterrupt):
            submitted(dis, tmp_path, "sintel")
        monkeypatch.undo()
        submitted(dis, tmp_path, "sintel")
        assert len(list((tmp_path / "sent").rglob("*.flo"))) == 8

    def test_vectors_beyond_kittis_range_are_clipped_and_counted(self, dis: FlowEstimator, tmp_path: Path) -> None:
        LAYOUTS["kitti2015"](tmp_path / "root")
        submitted(dis, tmp_path, "kitti2015")
        kept = tmp_path / "out/testing/000000_10.flo"
        flow = read_flow(kept)
        flow[0, 0], flow[0, 1], flow[0, 2] = (600, -700), (511.984375, -512), (np.nan, np.nan)
        write_flow(kept, flow)
        assert submitted(dis, tmp_path, "kitti2015", adopt=True).clipped == 1
        assert submitted(dis, tmp_path, "kitti2015", adopt=True).clipped == 1  # also of a ZIP file that is kept
        with zipfile.ZipFile(tmp_path / "sent/kitti2015-flow.zip") as file:
            sent = kitti.decode(file.read("flow/000000_10.png"), "sent")
        assert sent[0, 0].tolist() == [511.984375, -512]
        assert sent[0, 1].tolist() == [511.984375, -512]
        assert np.isnan(sent[0, 2]).all()

    def test_unknown_flow_is_refused_where_the_server_refuses_it(self, dis: FlowEstimator, tmp_path: Path) -> None:
        LAYOUTS["spring"](tmp_path / "root")
        submitted(dis, tmp_path, "spring")
        kept = tmp_path / "out/test/0001/flow_FW_left/flow_FW_left_0001.flo"
        flow: Flow = read_flow(kept)
        flow[3, 4] = np.nan
        write_flow(kept, flow)
        with pytest.raises(BatchError, match=r"flow_FW_left_0001\.flo is unknown in 1 pixels"):
            submitted(dis, tmp_path, "spring", adopt=True)

    def test_a_missing_frame_stops_it_with_its_name(self, dis: FlowEstimator, tmp_path: Path) -> None:
        LAYOUTS["kitti2015"](tmp_path / "root")
        for gone in ("000001_11.png", "000000_10.png"):
            frame = tmp_path / "root/testing/image_2" / gone
            whole = frame.read_bytes()
            frame.unlink()
            with pytest.raises(InputError, match=re.escape(f"testing/image_2/{gone}")):
                submitted(dis, tmp_path, "kitti2015")
            frame.write_bytes(whole)
        LAYOUTS["sintel"](tmp_path / "sintel/root")
        next((tmp_path / "sintel").rglob("test/final/alley_1/frame_0001.png")).unlink()
        with pytest.raises(InputError, match=r"final/alley_1/frame_0001\.png"):
            submitted(dis, tmp_path / "sintel", "sintel")
        assert not (tmp_path / "sent").exists()

    def test_what_cannot_be_submitted(self, dis: FlowEstimator, tmp_path: Path) -> None:
        LAYOUTS["sintel"](tmp_path / "root")
        LAYOUTS["flyingthings3d"](tmp_path / "root")
        with pytest.raises(UsageError, match="give split test"):
            evaluate_dataset(dis, "sintel", tmp_path / "root", tmp_path / "out", submission=tmp_path / "sent")
        with pytest.raises(UsageError, match="knows no server for flyingthings3d"):
            submitted(dis, tmp_path, "flyingthings3d")
