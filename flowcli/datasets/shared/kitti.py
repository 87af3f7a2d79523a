"""What the data sets of KITTI have in common: their folders, whose names alone differ."""

from __future__ import annotations

from pathlib import Path

from ...choices import SplitName
from ...frames.files import natural_key
from .dataset import Sample, Subset
from .finding import files, first_of, need

FIRST, SECOND = "_10.png", "_11.png"
"""How the names of the two frames of a pair end."""


def find_kitti(
    root: Path, split: SplitName | None, images: tuple[str, ...], figures: str, submitted: str
) -> list[Sample]:
    """Find the samples of KITTI 2012 or 2015.

    Args:
        root: the folder of the data set, or for training its ``training`` folder.
        split: the split; ``None`` for all with true flow.
        images: the names that the folder of frames may have.
        figures: the name of the authors' figures.
        submitted: what stands before the name of a file in a submission.

    Returns:
        The samples in natural order.

    Raises:
        InputError: a folder is missing or empty.
    """
    if split == "test":
        folder = first_of(*(root / "testing" / name for name in images))
        return [
            Sample(
                f"testing/{frame.stem}",
                frame,
                _second(frame),
                scene=frame.name.removesuffix(FIRST),
                submitted=f"{submitted}{frame.name}",
            )
            for frame in first_frames(folder)
        ]
    base = root / "training" if (root / "training").is_dir() or not (root / "flow_occ").is_dir() else root
    folder = first_of(*(base / name for name in images))
    return [_pair(base, folder, truth, figures) for truth in files(need(base / "flow_occ"), f"*{FIRST}")]


def first_frames(folder: Path) -> list[Path]:
    """The first frame of each pair of which there is a frame, in natural order; :class:`MissingError` if none is."""
    seconds = {frame.with_name(frame.name.removesuffix(SECOND) + FIRST) for frame in need(folder).glob(f"*{SECOND}")}
    found = seconds | set(folder.glob(f"*{FIRST}"))
    return sorted(found, key=natural_key) or files(folder, f"*{FIRST}")


def _pair(base: Path, folder: Path, truth: Path, figures: str) -> Sample:
    subsets = [Subset("all", truth, is_main=True)]
    maps = {}
    if (base / "flow_noc").is_dir():
        maps["noc"] = base / "flow_noc" / truth.name
        subsets.append(Subset("visible", maps["noc"]))
    if (base / "obj_map").is_dir():
        maps["objects"] = base / "obj_map" / truth.name
    frame = folder / truth.name
    scene = truth.name.removesuffix(FIRST)
    return Sample(truth.stem, frame, _second(frame), tuple(subsets), scene=scene, figures=figures, maps=maps)


def _second(frame: Path) -> Path:
    return frame.with_name(frame.name.removesuffix(FIRST) + SECOND)
