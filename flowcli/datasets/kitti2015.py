"""KITTI 2015: streets, with true flow that was measured, also of moving cars."""

from __future__ import annotations

from pathlib import Path

from ..choices import SplitName
from .shared.dataset import PERCEIVER_IO, Dataset, Published, Sample, Submission
from .shared.kitti import find_kitti


def find(root: Path, split: SplitName | None) -> list[Sample]:
    """Find the samples; see :attr:`flowcli.datasets.shared.dataset.Dataset.find`."""
    return find_kitti(root, split, ("image_2",), "kitti2015", "flow/")


DATASET = Dataset(
    "kitti2015",
    "KITTI 2015 (Menze and Geiger, Object Scene Flow for Autonomous Vehicles, CVPR 2015)",
    "https://www.cvlibs.net/datasets/kitti/eval_scene_flow.php?benchmark=flow",
    (
        "training/image_2/000000_10.png, 000000_11.png ...",
        "training/flow_occ/000000_10.png ..., training/flow_noc/000000_10.png ...",
        "training/obj_map/000000_10.png ..., for Fl-bg and Fl-fg",
        "test: testing/image_2/000000_10.png, 000000_11.png ...",
    ),
    ("train", "test"),
    "Fl: the share of pixels whose end-point error is above 3 px and above 5 % of the true length, over the pixels "
    "of all pairs together; for the background, the moving cars and both, over non-occluded and all pixels. Where "
    "there is no estimate it is interpolated as the development kit does.",
    find,
    figures=("kitti2015",),
    pairs={"train": 200, "test": 200},
    submission=Submission(
        "kitti",
        "upload {target} at https://www.cvlibs.net/datasets/kitti/user_submit.php (flow 2015)",
        archive="kitti2015-flow.zip",
    ),
    published=(Published("Perceiver IO", PERCEIVER_IO, {("all", "epe"): 4.98}),),
)
