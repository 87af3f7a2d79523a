"""MPI Sintel: the clean and the final rendering of scenes of an animated film."""

from __future__ import annotations

from pathlib import Path

from ..choices import SplitName
from .shared.dataset import PERCEIVER_IO, Dataset, Published, Sample, Submission, Subset
from .shared.finding import consecutive, files, first_of, folders, number_of, numbered

_RENDERINGS = ("clean", "final")


def find(root: Path, split: SplitName | None) -> list[Sample]:
    """Find the samples; see :attr:`flowcli.datasets.shared.dataset.Dataset.find`."""
    return _test(root) if split == "test" else _train(root)


def _train(root: Path) -> list[Sample]:
    base = root / "training" if (root / "training").is_dir() or not (root / "flow").is_dir() else root
    truths = files(base / "flow", "*/frame_[0-9]*.flo")
    first_of(*(base / rendering for rendering in _RENDERINGS))
    return [
        _pair(base, rendering, truth) for rendering in _RENDERINGS if (base / rendering).is_dir() for truth in truths
    ]


def _pair(base: Path, rendering: str, truth: Path) -> Sample:
    scene, stem = truth.parent.name, truth.stem
    frame1 = base / rendering / scene / f"{stem}.png"
    subsets = [Subset(rendering, truth, is_main=True)]
    maps = {kind: base / kind / scene / f"{stem}.png" for kind in ("invalid", "occlusions") if (base / kind).is_dir()}
    if "invalid" in maps:
        subsets.append(Subset(f"{rendering}, valid", truth, maps["invalid"], wants_white=False))
    if "occlusions" in maps:
        subsets.append(Subset(f"{rendering}, visible", truth, maps["occlusions"], wants_white=False))
        subsets.append(Subset(f"{rendering}, occluded", truth, maps["occlusions"]))
    return Sample(
        f"{rendering}/{scene}/{stem}",
        frame1,
        numbered(frame1, number_of(frame1) + 1),
        tuple(subsets),
        scene=scene,
        labels=frozenset({rendering}),
        figures="sintel",
        groups=(rendering,),
        maps=maps,
    )


def _test(root: Path) -> list[Sample]:
    first_of(*(root / "test" / rendering for rendering in _RENDERINGS))
    return [
        Sample(
            f"test/{rendering}/{folder.name}/{frame1.stem}",
            frame1,
            frame2,
            scene=folder.name,
            labels=frozenset({rendering}),
            submitted=f"{rendering}/{folder.name}/frame{number_of(frame1):04d}.flo",
        )
        for rendering in _RENDERINGS
        if (root / "test" / rendering).is_dir()
        for folder in folders(root / "test" / rendering)
        for frame1, frame2 in consecutive(folder, "frame_[0-9]*.png", first=1)
    ]


DATASET = Dataset(
    "sintel",
    "MPI Sintel (Butler et al., A Naturalistic Open Source Movie for Optical Flow Evaluation, ECCV 2012)",
    "http://sintel.is.tue.mpg.de",
    (
        "training/clean/SCENE/frame_0001.png ..., training/final/SCENE/frame_0001.png ...",
        "training/flow/SCENE/frame_0001.flo ...",
        "training/occlusions/SCENE/frame_0001.png, training/invalid/SCENE/frame_0001.png, if they are there",
        "test: test/clean/SCENE/frame_0001.png ..., test/final/SCENE/frame_0001.png ...",
    ),
    ("train", "test"),
    "End-point error over all pixels, over those that are visible in both frames (matched) or not (unmatched), by "
    "distance to the nearest occlusion boundary and by speed. Pixels that invalid/ marks are left out; the server's "
    "own program is not published, so that and the distance are flowcli's reading of the authors' words.",
    find,
    subsets=(_RENDERINGS,),
    figures=("sintel",),
    pairs={"train": 2 * 1041, "test": 2 * 552},
    submission=Submission(
        "flo",
        "run the bundler of the data set: bundler {target}/clean {target}/final out.lzma; then upload out.lzma at "
        "http://sintel.is.tue.mpg.de",
    ),
    published=(Published("Perceiver IO", PERCEIVER_IO, {("clean", "epe_all"): 1.81, ("final", "epe_all"): 2.42}),),
)
