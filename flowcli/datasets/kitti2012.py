"""KITTI 2012: streets, with true flow of what does not move."""

from __future__ import annotations

from pathlib import Path

from ..choices import SplitName
from .shared.dataset import Dataset, Sample, Submission
from .shared.kitti import find_kitti


def find(root: Path, split: SplitName | None) -> list[Sample]:
    """Find the samples; see :attr:`flowcli.datasets.shared.dataset.Dataset.find`."""
    return find_kitti(root, split, ("colored_0", "image_0"), "kitti2012", "")


DATASET = Dataset(
    "kitti2012",
    "KITTI 2012 (Geiger et al., Are we ready for Autonomous Driving?, CVPR 2012)",
    "https://www.cvlibs.net/datasets/kitti/eval_stereo_flow.php?benchmark=flow",
    (
        "training/colored_0/000000_10.png, 000000_11.png ... (or image_0, which is grey)",
        "training/flow_occ/000000_10.png ..., training/flow_noc/000000_10.png ...",
        "test: testing/colored_0/000000_10.png, 000000_11.png ... (or image_0)",
    ),
    ("train", "test"),
    "The share of pixels with an end-point error above 2 to 5 px (Out) and the mean error (Avg), over non-occluded "
    "(Noc) and all pixels: of each pair, and then the mean over the pairs. Where there is no estimate it is "
    "interpolated as the development kit does.",
    find,
    figures=("kitti2012",),
    pairs={"train": 194, "test": 195},
    submission=Submission(
        "kitti",
        "upload {target} at https://www.cvlibs.net/datasets/kitti/user_submit.php (flow 2012)",
        archive="kitti2012-flow.zip",
    ),
)
