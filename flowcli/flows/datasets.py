"""Finds the frames, the true flow and the evaluated subsets of pixels of published benchmarks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..arrays import Mask
from ..choices import DatasetName
from ..errors import InputError
from ..frames.files import natural_key
from ..frames.images import read_image
from ..places import listed
from ..storage import why


@dataclass(frozen=True)
class Subset:
    """A subset of a pair's pixels, with their true flow."""

    name: str
    """Such as ``all`` or ``final, occluded``; the figures of all pairs' subsets of one name are combined."""

    truth: Path
    """The file of the true flow."""

    mask: Path | None = None
    """A black and white picture that selects the pixels; ``None`` selects all."""

    wants_white: bool = True
    """Whether the white pixels of the mask are selected, or the black ones."""

    is_main: bool = False
    """Whether the subset covers all pixels with true flow."""

    def chosen(self) -> Mask | None:
        """The selected pixels, ``(H, W)`` bool; ``None`` for all. Raises ``InputError`` if the mask is unreadable."""
        if self.mask is None:
            return None
        return np.asarray((read_image(self.mask)[..., 0] > 127) == self.wants_white)


@dataclass(frozen=True)
class Sample:
    """Two frames of a data set, with their true flow."""

    name: str
    """A relative path without a suffix, unique in the data set."""

    frame1: Path
    frame2: Path
    subsets: list[Subset] = field(default_factory=list)
    """The subsets of pixels to evaluate; at least one."""


def find_samples(name: DatasetName, root: Path) -> list[Sample]:
    """Find the samples of a data set in its published folder layout.

    - ``middlebury``: ``<scene>/frame10.png``, ``frame11.png`` and ``flow10.flo``; or the flow in ``other-gt-flow`` and
      the frames in ``other-data`` or ``other-color-allframes``.
    - ``sintel``: ``training/clean`` and ``training/final`` with ``<scene>/frame_0001.png``, ``training/flow``, and
      ``training/occlusions`` and ``training/invalid`` if they exist.
    - ``kitti`` (2015, or 2012 with ``colored_0``): ``training/image_2/000000_10.png`` and ``_11.png``,
      ``training/flow_occ``, and ``training/flow_noc`` if it exists.

    Args:
        name: the data set.
        root: its folder.

    Returns:
        The samples in natural order; all their files exist.

    Raises:
        InputError: the data set is not there, a file is missing, or a sample exists twice.
    """
    finders: dict[DatasetName, Callable[[Path], list[Sample]]] = {
        "middlebury": _middlebury,
        "sintel": _sintel,
        "kitti": _kitti,
    }
    try:
        root = listed(root)
        pairs = finders[name](root)
    except OSError as error:
        raise InputError(f"cannot read {root}: {why(error)}") from error
    if not pairs:
        raise InputError(f"{root} does not look like {name}; see flowcli eval --help for the expected folders")
    wanted = [path for pair in pairs for path in (pair.frame1, pair.frame2, *_files(pair.subsets))]
    missing = sorted({str(path) for path in wanted if not path.is_file()})
    if missing:
        raise InputError(f"{len(missing)} files of {name} are missing: {', '.join(missing)}")
    truths: dict[str, Sample] = {}
    for pair in pairs:
        other = truths.setdefault(pair.name, pair)
        if other is not pair:
            raise InputError(
                f"{pair.name} exists twice, as {other.subsets[0].truth} and {pair.subsets[0].truth}; remove one"
            )
    return pairs


def _files(subsets: list[Subset]) -> list[Path]:
    return [path for subset in subsets for path in (subset.truth, subset.mask) if path is not None]


def _middlebury(root: Path) -> list[Sample]:
    pairs = []
    for truth in sorted(root.glob("**/flow10.flo"), key=natural_key):
        scene = truth.parent.name
        places = [truth.parent, *(root / data / scene for data in ("other-data", "other-color-allframes"))]
        place = next((place for place in places if (place / "frame10.png").is_file()), truth.parent)
        subsets = [Subset("all", truth, is_main=True), Subset(scene, truth)]
        pairs.append(Sample(scene, place / "frame10.png", place / "frame11.png", subsets))
    return pairs


def _sintel(root: Path) -> list[Sample]:
    base = root / "training" if (root / "training").is_dir() else root
    truths = sorted((base / "flow").glob("*/frame_[0-9]*.flo"), key=natural_key)
    return [
        _sintel_pair(base, rendering, truth)
        for rendering in ("clean", "final")
        if (base / rendering).is_dir()
        for truth in truths
    ]


def _sintel_pair(base: Path, rendering: str, truth: Path) -> Sample:
    scene, stem = truth.parent.name, truth.stem
    number = stem.removeprefix("frame_")
    folder = base / rendering / scene
    subsets = [Subset(rendering, truth, is_main=True)]
    if (base / "invalid").is_dir():
        mask = base / "invalid" / scene / f"{stem}.png"
        subsets.append(Subset(f"{rendering}, valid", truth, mask, wants_white=False))
    if (base / "occlusions").is_dir():
        mask = base / "occlusions" / scene / f"{stem}.png"
        subsets.append(Subset(f"{rendering}, visible", truth, mask, wants_white=False))
        subsets.append(Subset(f"{rendering}, occluded", truth, mask))
    following = f"frame_{int(number) + 1:0{len(number)}d}.png" if number.isdecimal() else f"{stem}.png"
    return Sample(f"{rendering}/{scene}/{stem}", folder / f"{stem}.png", folder / following, subsets)


def _kitti(root: Path) -> list[Sample]:
    base = root / "training" if (root / "training").is_dir() else root
    images = next((base / name for name in ("image_2", "colored_0") if (base / name).is_dir()), base / "image_2")
    pairs = []
    for truth in sorted((base / "flow_occ").glob("*_10.png"), key=natural_key):
        subsets = [Subset("all", truth, is_main=True)]
        if (base / "flow_noc").is_dir():
            subsets.append(Subset("visible", base / "flow_noc" / truth.name))
        frame2 = images / truth.name.replace("_10.png", "_11.png")
        pairs.append(Sample(truth.stem, images / truth.name, frame2, subsets))
    return pairs
