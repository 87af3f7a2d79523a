"""The layouts of all data sets: which pairs are found in them, under which names, and what is read of their truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from flowcli.datasets import dataset_names, find_dataset
from flowcli.datasets.shared.dataset import Sample
from flowcli.datasets.shared.search import SampleChoice, find_samples
from flowcli.errors import InputError, UsageError
from flowcli.figures import figure_names
from flowcli.flows.formats import FlowOptions
from flowcli.places import place

from .layouts import HEIGHT, LAYOUTS, WIDTH, truth


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All data sets, each in a folder of its name."""
    base = tmp_path_factory.mktemp("datasets")
    for name, layout in LAYOUTS.items():
        layout(base / name)
    return base


def find(roots: Path, name: str, choice: SampleChoice = SampleChoice()) -> list[Sample]:
    return find_samples(find_dataset(name), roots / name, choice)


def test_every_data_set_has_a_layout_here() -> None:
    assert sorted(LAYOUTS) == dataset_names()


COUNTS = {
    "middlebury": 2,
    "sintel": 8,
    "kitti": 2,
    "kitti2015": 2,
    "kitti2012": 2,
    "spring": 16,
    "hd1k": 4,
    "flyingchairs": 3,
    "flyingthings3d": 16,
    "monkaa": 16,
    "driving": 16,
    "viper": 8,
    "tartanair": 4,
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_data_set_in_object_storage(roots: Path, name: str) -> None:
    pytest.importorskip("upath")
    storage, base = pytest.importorskip("fsspec").filesystem("memory"), f"/layouts/{name}"
    for file in filter(Path.is_file, (roots / name).rglob("*")):
        storage.pipe_file(f"{base}/{file.relative_to(roots / name).as_posix()}", file.read_bytes())
    for split in find_dataset(name).splits:
        stored = find_samples(find_dataset(name), place(f"memory:/{base}"), SampleChoice(split))
        assert [sample.name for sample in stored] == [sample.name for sample in find(roots, name, SampleChoice(split))]
        for subset in stored[-1].subsets:
            assert np.isfinite(stored[-1].read_truth(subset.truth, FlowOptions())).any()
    storage.rm(base, recursive=True)


@pytest.mark.parametrize("name", LAYOUTS)
def test_pairs_and_their_truth(roots: Path, name: str) -> None:
    dataset = find_dataset(name)
    samples = find(roots, name)
    assert len(samples) == COUNTS[name]
    assert dataset.name == name
    scale = 2 if name == "spring" else 1
    for sample in samples:
        assert sample.labels <= set(dataset.labels)
        assert sample.figures in {None, *dataset.figures} <= {None, *figure_names()}
        assert sample.frame1 != sample.frame2
        flow = sample.read_truth(sample.subsets[0].truth, FlowOptions())
        assert flow.shape == (scale * HEIGHT, scale * WIDTH, 2)
        assert flow.dtype == np.float32
        assert np.isnan(flow[:2, :3]).all()
        assert np.isfinite(flow[2:]).all()


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("sintel", "clean/alley_1/frame_0001", "final/bamboo_2/frame_0002"),
        ("kitti2015", "000000_10", "000001_10"),
        ("spring", "train/0001/flow_FW_left/flow_FW_left_0001", "train/0003/flow_BW_right/flow_BW_right_0003"),
        ("hd1k", "hd1k_flow_gt/flow_occ/000000_0005", "hd1k_flow_gt/flow_occ/000001_0006"),
        ("flyingchairs", "data/00001_flow", "data/00003_flow"),
        (
            "flyingthings3d",
            "clean/optical_flow/TEST/B/0001/into_future/left/OpticalFlowIntoFuture_0006_L",
            "final/optical_flow/TRAIN/A/0000/into_past/right/OpticalFlowIntoPast_0007_R",
        ),
        ("viper", "train/flow/001/001_00001", "val/flow/002/002_00002"),
        (
            "tartanair",
            "abandonedfactory/Easy/P001/flow/000000_000001_flow",
            "ocean/Data_hard/P002/flow_lcam_front/000001_000002_flow",
        ),
    ],
)
def test_flow_is_kept_under_the_name_of_its_truth(roots: Path, name: str, first: str, last: str) -> None:
    names = [sample.name for sample in find(roots, name)]
    assert (names[0], names[-1]) == (first, last)


def test_backward_flow_leads_to_the_frame_before(roots: Path) -> None:
    backward = find(roots, "spring", SampleChoice(subsets=("BW", "right")))
    assert [(s.frame1.stem[-1], s.frame2.stem[-1]) for s in backward] == [("2", "1"), ("3", "2")] * 2
    assert set(backward[0].maps) == {"detail", "match", "rigid", "sky"}
    past = find(roots, "monkaa", SampleChoice(subsets=("into_past", "clean", "left")))
    assert [(s.frame1.name, s.frame2.name) for s in past] == [("0001.png", "0000.png")] * 2


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("sintel", ["test/clean/alley_1/frame_0001", "test/clean/alley_1/frame_0002"]),
        ("kitti2015", ["testing/000000_10", "testing/000001_10"]),
        ("spring", ["test/0001/flow_FW_left/flow_FW_left_0001", "test/0001/flow_FW_left/flow_FW_left_0002"]),
        ("hd1k", ["hd1k_challenge/000000_10", "hd1k_challenge/000001_10"]),
        ("viper", ["test/flow/001/001_00001", "test/flow/002/002_00002"]),
        ("middlebury", ["eval-data/Army/flow10", "eval-data/Venus/flow10"]),
    ],
)
def test_frames_without_truth(roots: Path, name: str, names: list[str]) -> None:
    samples = find(roots, name, SampleChoice("test", limit=2))
    assert [sample.name for sample in samples] == names
    assert not any(sample.subsets for sample in samples)


def test_the_validation_list_of_flyingchairs(roots: Path, tmp_path: Path) -> None:
    assert [sample.scene for sample in find(roots, "flyingchairs", SampleChoice("val"))] == ["00002"]
    assert [sample.scene for sample in find(roots, "flyingchairs", SampleChoice("train"))] == ["00001", "00003"]
    LAYOUTS["flyingchairs"](tmp_path / "release")
    (tmp_path / "release/FlyingChairs_train_val.txt").rename(tmp_path / "FlyingChairs_train_val.txt")
    dataset = find_dataset("flyingchairs")
    assert len(find_samples(dataset, tmp_path / "release", SampleChoice("val"))) == 1
    (tmp_path / "FlyingChairs_train_val.txt").write_text("1\n2\n")
    with pytest.raises(InputError, match=r"has 2 lines, none for .*00003_flow\.flo"):
        find_samples(dataset, tmp_path / "release", SampleChoice("val"))
    (tmp_path / "FlyingChairs_train_val.txt").unlink()
    with pytest.raises(InputError, match=r"release/FlyingChairs_train_val\.txt is missing"):
        find_samples(dataset, tmp_path / "release", SampleChoice("val"))


def test_the_list_of_pairs_that_vipers_server_evaluates(tmp_path: Path) -> None:
    LAYOUTS["viper"](tmp_path)
    (tmp_path / "flow_frames.txt").write_text("002_00001.jpg, 002_00002.jpg, 002_00001.flo\n")
    (sample,) = find_samples(find_dataset("viper"), tmp_path, SampleChoice("test"))
    assert (sample.frame2.name, sample.submitted) == ("002_00002.jpg", "002_00001.flo")
    (tmp_path / "flow_frames.txt").unlink()
    with pytest.raises(InputError, match=r"flow_frames.txt is missing: the authors' list"):
        find_samples(find_dataset("viper"), tmp_path, SampleChoice("test"))


def test_vipers_list_may_name_the_second_frames(tmp_path: Path) -> None:
    LAYOUTS["viper"](tmp_path)
    (tmp_path / "flow_frames.txt").write_text("001_00001.jpg 001_00003.jpg 001_00001.flo\n")
    (sample,) = find_samples(find_dataset("viper"), tmp_path, SampleChoice("test"))
    assert (sample.frame1.name, sample.frame2.name) == ("001_00001.jpg", "001_00003.jpg")
    assert sample.submitted == "001_00001.flo"


def test_choices(roots: Path) -> None:
    assert {s.scene for s in find(roots, "sintel", SampleChoice(scenes="al*"))} == {"alley_1"}
    assert len(find(roots, "spring", SampleChoice(subsets=("left",)))) == 8
    assert len(find(roots, "spring", SampleChoice(subsets=("left", "right", "FW")))) == 8
    assert len(find(roots, "spring", SampleChoice(subsets=("left",), limit=3))) == 3
    assert {s.scene for s in find(roots, "flyingthings3d", SampleChoice("test"))} == {"TEST/B/0001"}
    assert {s.name.split("/")[0] for s in find(roots, "viper", SampleChoice("val"))} == {"val"}
    with pytest.raises(InputError, match="no pair of sintel"):
        find(roots, "sintel", SampleChoice(scenes="b*l"))
    with pytest.raises(UsageError, match="sintel has no subset left; it has clean, final"):
        find(roots, "sintel", SampleChoice(subsets=("left",)))
    with pytest.raises(UsageError, match="sintel has no split val; it has train, test"):
        find(roots, "sintel", SampleChoice("val"))
    with pytest.raises(UsageError, match="limit must be at least 1"):
        SampleChoice(limit=0)


@pytest.mark.parametrize(
    ("name", "split", "part"),
    [
        ("sintel", "test", "test/clean/alley_1/frame_0002.png"),
        ("spring", "test", "test/0003/frame_right/frame_right_0002.png"),
        ("spring", None, "train/0001/maps/skymap_left/skymap_left_0002.png"),
        ("kitti2015", "test", "testing/image_2/000001_11.png"),
        ("kitti2012", None, "training/flow_noc/000001_10.png"),
        ("hd1k", None, "hd1k_input/image_2/000000_0006.png"),
        ("flyingchairs", None, "data/00002_img2.ppm"),
        ("driving", None, "frames_finalpass/15mm_focallength/scene_forwards/fast/left/0001.png"),
        ("viper", "train", "train/img/001/001_00002.jpg"),
        ("tartanair", None, "abandonedfactory/Easy/P001/flow/000000_000001_mask.npy"),
    ],
)
def test_a_part_that_is_missing_is_named(tmp_path: Path, name: str, split: str | None, part: str) -> None:
    LAYOUTS[name](tmp_path)
    (tmp_path / part).unlink()
    with pytest.raises(InputError, match=f"files of {name} are missing: .*{part}"):
        find_samples(find_dataset(name), tmp_path, SampleChoice(split))  # type: ignore[arg-type]


def test_a_truth_of_tartanair_that_is_damaged(tmp_path: Path) -> None:
    LAYOUTS["tartanair"](tmp_path)
    samples = find_samples(find_dataset("tartanair"), tmp_path)
    np.save(tmp_path / "abandonedfactory/Easy/P001/flow/000000_000001_mask.npy", np.zeros((3, 4), np.uint8))
    with pytest.raises(InputError, match="they must have the same size"):
        samples[0].read_truth(samples[0].subsets[0].truth, FlowOptions())
    (tmp_path / "ocean/Data_hard/P002/flow_lcam_front/000000_000001_flow.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"000000_000001_flow\.png"):
        samples[2].read_truth(samples[2].subsets[0].truth, FlowOptions())


def test_a_truth_of_viper_without_its_arrays(tmp_path: Path) -> None:
    LAYOUTS["viper"](tmp_path)
    sample = find_samples(find_dataset("viper"), tmp_path)[0]
    file = sample.subsets[0].truth
    np.savez(file, u=truth()[..., 0])
    with pytest.raises(InputError, match="contains an array of shape"):
        sample.read_truth(file, FlowOptions())
    np.savez(file, u=truth()[..., 0], v=truth()[1:, :, 1])
    with pytest.raises(InputError, match="they must have the same size"):
        sample.read_truth(file, FlowOptions())
