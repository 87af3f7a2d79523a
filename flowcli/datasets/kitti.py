"""KITTI, whichever of both it is: 2015 by its ``image_2``, else 2012."""

from __future__ import annotations

from pathlib import Path

from ..choices import SplitName
from . import kitti2012, kitti2015
from .shared.dataset import Dataset, Sample
from .shared.finding import MissingError


def find(root: Path, split: SplitName | None) -> list[Sample]:
    """Find the samples; see :attr:`flowcli.datasets.shared.dataset.Dataset.find`."""
    try:
        return kitti2015.find(root, split)
    except MissingError as missing:
        try:
            return kitti2012.find(root, split)
        except MissingError:
            raise missing from None


DATASET = Dataset(
    "kitti",
    "KITTI 2015, or KITTI 2012: whichever is in the folder",
    kitti2015.DATASET.url,
    (*kitti2015.DATASET.layout, "or the folders of kitti2012"),
    ("train", "test"),
    "Those of kitti2015, or of kitti2012 where there is no image_2. To submit, choose kitti2015 or kitti2012.",
    find,
    figures=("kitti2012", "kitti2015"),
    published=kitti2015.DATASET.published,
)
