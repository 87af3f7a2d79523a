"""Spring: scenes of an animated film in high resolution, forwards and backwards, left and right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..choices import SplitName
from .shared.dataset import Dataset, Sample, Submission, Subset
from .shared.finding import MissingError, consecutive, files, folders, need, number_of, numbered

_SIDES = ("left", "right")
_STEPS = {"FW": 1, "BW": -1}  # to the other frame of a pair


def find(root: Path, split: SplitName | None) -> list[Sample]:
    """Find the samples; see :attr:`flowcli.datasets.shared.dataset.Dataset.find`."""
    base = need(root / ("test" if split == "test" else "train"))
    scenes = folders(base)
    pairs = _test if split == "test" else _train
    samples = [sample for scene in scenes for sample in pairs(scene)]
    if not samples:
        kind = "frame_left" if split == "test" else "flow_FW_left"
        raise MissingError(scenes[0] / kind)
    return samples


def _train(scene: Path) -> Iterator[Sample]:
    for side in _SIDES:
        for direction in _STEPS:
            folder = scene / f"flow_{direction}_{side}"
            if folder.is_dir():
                for truth in files(folder, f"{folder.name}_[0-9]*.flo5"):
                    yield _pair(scene, side, direction, number_of(truth), truth)


def _test(scene: Path) -> Iterator[Sample]:
    for side in _SIDES:
        folder = scene / f"frame_{side}"
        if not folder.is_dir():
            continue
        pairs = list(consecutive(folder, f"frame_{side}_[0-9]*.png", first=1))
        for frame1, _ in pairs:
            yield _pair(scene, side, "FW", number_of(frame1), None)
        for _, frame2 in pairs:
            yield _pair(scene, side, "BW", number_of(frame2), None)


def _pair(scene: Path, side: str, direction: str, number: int, truth: Path | None) -> Sample:
    frame1 = scene / f"frame_{side}/frame_{side}_{number:04d}.png"
    name = f"{scene.name}/flow_{direction}_{side}/flow_{direction}_{side}_{number:04d}"
    return Sample(
        f"{scene.parent.name}/{name}",
        frame1,
        numbered(frame1, number + _STEPS[direction]),
        () if truth is None else (Subset("all", truth, is_main=True),),
        scene=scene.name,
        labels=frozenset({side, direction}),
        figures="spring",
        maps={} if truth is None else _maps(scene, side, direction, number),
        submitted=f"{name}.flo5" if truth is None else None,
    )


def _maps(scene: Path, side: str, direction: str, number: int) -> dict[str, Path]:
    """The maps of a pair, of which a folder is there."""
    kinds = {
        "detail": f"detailmap_flow_{direction}_{side}",
        "match": f"matchmap_flow_{direction}_{side}",
        "rigid": f"rigidmap_{direction}_{side}",
        "sky": f"skymap_{side}",
    }
    found = {}
    for kind, name in kinds.items():
        if (scene / "maps" / name).is_dir():
            found[kind] = scene / "maps" / name / f"{name}_{number:04d}.png"
    return found


DATASET = Dataset(
    "spring",
    "Spring (Mehl et al., Spring: A High-Resolution High-Detail Dataset and Benchmark, CVPR 2023)",
    "https://spring-benchmark.org",
    (
        "train/0001/frame_left/frame_left_0001.png ... (and frame_right)",
        "train/0001/flow_FW_left/flow_FW_left_0001.flo5 ... (and BW, right)",
        "train/0001/maps/detailmap_flow_FW_left/detailmap_flow_FW_left_0001.png ..., matchmap_flow_FW_left, "
        "rigidmap_FW_left, skymap_left, if they are there",
        "test: test/0003/frame_left/frame_left_0001.png ... (and frame_right)",
    ),
    ("train", "test"),
    "The true flow has twice the frames' size in both directions, in pixels of the frames: the error of a pixel is "
    "the smallest to its 2 x 2 true vectors, and a pixel is left out where one of the four is unknown. 1 px outliers, "
    "end-point error, Fl (5 % of the longest of the four) and WAUC, by detail, match, rigidity, sky and speed.",
    find,
    subsets=(_SIDES, tuple(_STEPS)),
    figures=("spring",),
    pairs={"train": 19852, "test": 3960},
    submission=Submission(
        "flo5",
        "run the authors' program: flow_subsampling {target}; then upload the flow_submission.hdf5 that it writes at "
        "https://spring-benchmark.org",
    ),
)
