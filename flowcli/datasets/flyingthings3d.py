"""FlyingThings3D: rendered things that fly about."""

from __future__ import annotations

from pathlib import Path

from ..choices import SplitName
from .shared.dataset import Dataset, Sample
from .shared.finding import need
from .shared.sceneflow import RULES, SUBSETS, URL, find_scene_flow

_FOLDERS: dict[SplitName | None, str] = {"train": "TRAIN", "test": "TEST", None: "T*"}


def find(root: Path, split: SplitName | None) -> list[Sample]:
    """Find the samples; see :attr:`flowcli.datasets.shared.dataset.Dataset.find`."""
    folder = _FOLDERS[split]
    if split is not None:
        need(root / "optical_flow" / folder)
    return list(find_scene_flow(root, f"{folder}/*/*"))


DATASET = Dataset(
    "flyingthings3d",
    "FlyingThings3D (Mayer et al., A Large Dataset to Train Convolutional Networks, CVPR 2016)",
    URL,
    (
        "frames_cleanpass/TRAIN/A/0000/left/0006.png ... (and frames_finalpass, TEST, right; or .webp)",
        "optical_flow/TRAIN/A/0000/into_future/left/OpticalFlowIntoFuture_0006_L.pfm ... (and into_past, right)",
    ),
    ("train", "test"),
    f"{RULES} The TEST part has true flow.",
    find,
    subsets=SUBSETS,
)
