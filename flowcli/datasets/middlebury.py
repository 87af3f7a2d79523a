"""Middlebury: eight scenes with true flow, and twelve for the server."""

from __future__ import annotations

from pathlib import Path

from ..choices import SplitName
from .shared.dataset import Dataset, Sample, Submission, Subset
from .shared.finding import MissingError, anywhere, first_of, folders

_REGIONS = ("disc", "untext")


def find(root: Path, split: SplitName | None) -> list[Sample]:
    """Find the samples; see :attr:`flowcli.datasets.shared.dataset.Dataset.find`."""
    return _test(root) if split == "test" else _train(root)


def _train(root: Path) -> list[Sample]:
    truths = anywhere(root, "**/flow10.flo")
    if not truths:
        raise MissingError(root / "other-gt-flow")
    samples = []
    for truth in truths:
        scene = truth.parent.name
        places = [truth.parent, *(root / data / scene for data in ("other-data", "other-color-allframes"))]
        place = next((place for place in places if (place / "frame10.png").is_file()), truth.parent)
        masks = {region: truth.with_name(f"{region}.png") for region in _REGIONS}
        samples.append(
            Sample(
                scene,
                place / "frame10.png",
                place / "frame11.png",
                (Subset("all", truth, is_main=True), Subset(scene, truth)),
                scene=scene,
                figures="middlebury",
                groups=("", scene),
                maps={region: mask for region, mask in masks.items() if mask.is_file()},
            )
        )
    return samples


def _test(root: Path) -> list[Sample]:
    base = first_of(root / "eval-data", root / "eval-color-allframes")
    return [
        Sample(
            f"{base.name}/{folder.name}/flow10",
            folder / "frame10.png",
            folder / "frame11.png",
            scene=folder.name,
            submitted=f"{folder.name}/flow10.flo",
        )
        for folder in folders(base)
    ]


DATASET = Dataset(
    "middlebury",
    "Middlebury (Baker et al., A Database and Evaluation Methodology for Optical Flow, IJCV 2011)",
    "https://vision.middlebury.edu/flow/data/",
    (
        "SCENE/flow10.flo, SCENE/frame10.png, SCENE/frame11.png",
        "or other-gt-flow/SCENE/flow10.flo, and the frames in other-data/SCENE or other-color-allframes/SCENE",
        "SCENE/disc.png, SCENE/untext.png beside flow10.flo, if you have masks: white where the region is",
        "test: eval-data/SCENE/frame10.png, frame11.png (or eval-color-allframes)",
    ),
    ("train", "test"),
    "Average and standard deviation of the end-point and the angular error, the share of pixels above thresholds (R) "
    "and percentiles (A), over all pixels with true flow, near motion discontinuities and where there is no texture. "
    "The authors publish no masks for the scenes with true flow.",
    find,
    figures=("middlebury",),
    pairs={"train": 8, "test": 12},
    submission=Submission(
        "flo", "upload {target} at https://vision.middlebury.edu/flow/submit/", archive="middlebury-flow.zip"
    ),
)
