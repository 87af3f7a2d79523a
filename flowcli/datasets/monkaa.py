"""Monkaa: scenes of an animated film."""

from __future__ import annotations

from pathlib import Path

from ..choices import SplitName
from .shared.dataset import Dataset, Sample
from .shared.sceneflow import RULES, SUBSETS, URL, find_scene_flow


def find(root: Path, split: SplitName | None) -> list[Sample]:  # noqa: ARG001  (there is one split)
    """Find the samples; see :attr:`flowcli.datasets.shared.dataset.Dataset.find`."""
    return list(find_scene_flow(root, "*"))


DATASET = Dataset(
    "monkaa",
    "Monkaa (Mayer et al., A Large Dataset to Train Convolutional Networks, CVPR 2016)",
    URL,
    (
        "frames_cleanpass/SCENE/left/0000.png ... (and frames_finalpass, right; or .webp)",
        "optical_flow/SCENE/into_future/left/OpticalFlowIntoFuture_0000_L.pfm ... (and into_past, right)",
    ),
    ("train",),
    RULES,
    find,
    subsets=SUBSETS,
)
