"""Driving: rendered streets."""

from __future__ import annotations

from pathlib import Path

from ..choices import SplitName
from .shared.dataset import Dataset, Sample
from .shared.sceneflow import RULES, SUBSETS, URL, find_scene_flow


def find(root: Path, split: SplitName | None) -> list[Sample]:  # noqa: ARG001  (there is one split)
    """Find the samples; see :attr:`flowcli.datasets.shared.dataset.Dataset.find`."""
    return list(find_scene_flow(root, "*/*/*"))


DATASET = Dataset(
    "driving",
    "Driving (Mayer et al., A Large Dataset to Train Convolutional Networks, CVPR 2016)",
    URL,
    (
        "frames_cleanpass/15mm_focallength/scene_forwards/fast/left/0001.png ... (and 35mm, backwards, slow, right)",
        "optical_flow/15mm_focallength/scene_forwards/fast/into_future/left/OpticalFlowIntoFuture_0001_L.pfm ...",
    ),
    ("train",),
    RULES,
    find,
    subsets=SUBSETS,
)
