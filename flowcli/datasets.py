"""The layouts of benchmarks with true flow: which frames, which truth, and over which pixels each figure goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from .arrays import Mask
from .errors import InputError
from .files import why
from .images import read_image
from .sources import natural_key

DatasetName = Literal["middlebury", "sintel", "kitti"]


@dataclass(frozen=True)
class Subset:
    """Some pixels of a pair, and the true flow there."""

    name: str
    """Such as ``all`` or ``final, occluded``; figures of pairs with the same name are put together."""

    truth: Path
    mask: Path | None = None
    """A picture that is white where a pixel has some property."""

    wants_white: bool = True
    """Whether the pixels with that property are meant, or the others."""

    def chosen(self) -> Mask | None:
        """Which pixels, ``(H, W)``; ``None`` for all. Raises ``InputError``."""
        if self.mask is None:
            return None
        return np.asarray((read_image(self.mask)[..., 0] > 127) == self.wants_white)


@dataclass(frozen=True)
class DatasetPair:
    """Two frames with true flow."""

    name: str
    """Unique in the data set; a path without a suffix."""

    frame1: Path
    frame2: Path
    subsets: list[Subset] = field(default_factory=list)


def dataset_pairs(name: DatasetName, root: Path) -> list[DatasetPair]:
    """The pairs of a data set that lies in ``root`` as its authors publish it.

    - ``middlebury``: ``<scene>/frame10.png``, ``frame11.png`` and ``flow10.flo``, or the last of them in
      ``other-gt-flow`` and the frames in ``other-data`` or ``other-color-allframes``.
    - ``sintel``: ``training/clean`` and ``training/final`` with ``<scene>/frame_0001.png``, ``training/flow``, and
      ``training/occlusions`` and ``training/invalid`` if they are there.
    - ``kitti`` (2015, or 2012 with ``colored_0``): ``training/image_2/000000_10.png`` and ``_11.png``,
      ``training/flow_occ`` and ``training/flow_noc``.

    Raises:
        InputError: it is not there.
    """
    finders: dict[DatasetName, Callable[[Path], list[DatasetPair]]] = {
        "middlebury": _middlebury,
        "sintel": _sintel,
        "kitti": _kitti,
    }
    try:
        pairs = finders[name](root)
    except OSError as error:
        raise InputError(f"cannot read {root}: {why(error)}") from error
    if not pairs:
        raise InputError(f"{root} does not look like {name}: see flowcli eval --help for the folders it should have")
    return pairs


def _middlebury(root: Path) -> list[DatasetPair]:
    pairs = []
    for truth in sorted(root.glob("**/flow10.flo"), key=natural_key):
        scene = truth.parent.name
        places = [truth.parent, *(root / data / scene for data in ("other-data", "other-color-allframes"))]
        place = next((place for place in places if (place / "frame10.png").is_file()), None)
        if place is not None:
            subsets = [Subset("all", truth), Subset(scene, truth)]
            pairs.append(DatasetPair(scene, place / "frame10.png", place / "frame11.png", subsets))
    return pairs


def _sintel(root: Path) -> list[DatasetPair]:
    base = root / "training" if (root / "training").is_dir() else root
    pairs = []
    for rendering in ("clean", "final"):
        for truth in sorted((base / "flow").glob("*/frame_*.flo"), key=natural_key):
            scene, stem = truth.parent.name, truth.stem
            number = stem.removeprefix("frame_")
            folder = base / rendering / scene
            frame2 = folder / f"frame_{int(number) + 1:0{len(number)}d}.png" if number.isdecimal() else folder
            if not (folder / f"{stem}.png").is_file():
                continue
            subsets = [Subset(rendering, truth)]
            invalid = base / "invalid" / scene / f"{stem}.png"
            if invalid.is_file():
                subsets.append(Subset(f"{rendering}, valid", truth, invalid, wants_white=False))
            hidden = base / "occlusions" / scene / f"{stem}.png"
            if hidden.is_file():
                subsets.append(Subset(f"{rendering}, visible", truth, hidden, wants_white=False))
                subsets.append(Subset(f"{rendering}, occluded", truth, hidden))
            pairs.append(DatasetPair(f"{rendering}/{scene}/{stem}", folder / f"{stem}.png", frame2, subsets))
    return pairs


def _kitti(root: Path) -> list[DatasetPair]:
    base = root / "training" if (root / "training").is_dir() else root
    images = next((base / name for name in ("image_2", "colored_0") if (base / name).is_dir()), base / "image_2")
    pairs = []
    for truth in sorted((base / "flow_occ").glob("*_10.png"), key=natural_key):
        subsets = [Subset("all", truth)]
        visible = base / "flow_noc" / truth.name
        if visible.is_file():
            subsets.append(Subset("visible", visible))
        frame1 = images / truth.name
        pairs.append(DatasetPair(truth.stem, frame1, images / truth.name.replace("_10.png", "_11.png"), subsets))
    return pairs
