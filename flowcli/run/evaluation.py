"""Comparing flow files with true flow: single files, two folders, or a whole data set."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ..arrays import Flow, check_same_size
from ..errors import InputError
from ..flows.datasets import DatasetPair, Subset
from ..flows.formats.kitti import looks_like_kitti
from ..flows.io import FORMATS, read_flow
from ..flows.metrics import Scores
from ..frames.sequence import natural_key
from ..storage import why


@dataclass(frozen=True)
class Comparison:
    """An estimated flow, and the truths that it is compared with."""

    name: str
    estimate: Path
    subsets: list[Subset]

    def files(self) -> list[Path]:
        """All that is read."""
        parts = (path for subset in self.subsets for path in (subset.truth, subset.mask))
        return [self.estimate, *(path for path in parts if path is not None)]


@dataclass
class Evaluation:
    """Figures by subset, over all comparisons."""

    scores: dict[str, Scores] = field(default_factory=dict)
    main: set[str] = field(default_factory=set)
    """The subsets of all pixels, and not of a part of them."""

    def add(self, comparison: Comparison) -> tuple[Flow, Flow, Scores]:
        """Compare a flow.

        Returns:
            The estimate, the truth of its first subset, and the figures of the two.

        Raises:
            InputError: a file cannot be read, or the two differ in size.
        """
        flow = read_flow(comparison.estimate)
        truths: dict[Path, Flow] = {}
        first: Scores | None = None
        for subset in comparison.subsets:
            if subset.truth not in truths:
                truths[subset.truth] = read_flow(subset.truth)
            truth, chosen = truths[subset.truth], subset.chosen()
            check_same_size(comparison.estimate, flow.shape, subset.truth, truth.shape)
            if chosen is not None:
                check_same_size(comparison.estimate, flow.shape, subset.mask, chosen.shape)
            alone = Scores()
            alone.add(flow, truth, chosen)
            self.scores.setdefault(subset.name, Scores()).merge(alone)
            if subset.is_main:
                self.main.add(subset.name)
            first = first or alone
        assert first is not None
        return flow, truths[comparison.subsets[0].truth], first

    def worst(self) -> float:
        """The largest mean end-point error of the main subsets; infinite where nothing could be compared."""
        means = [self.scores[name].report()["epe"] for name in self.main]
        return max(math.inf if mean is None else mean for mean in means)


def compare_files(estimate: Path, truth: Path) -> list[Comparison]:
    """The comparison of two files."""
    return [Comparison(truth.stem, estimate, [Subset("all", truth, is_main=True)])]


def compare_folders(estimates: Path, truths: Path) -> list[Comparison]:
    """The comparisons of the flows in two folders, and those below, which have the same names but for the suffix.

    Raises:
        InputError: a flow has no partner, or two flows have one name.
    """
    ours, theirs = _flows(estimates), _flows(truths)
    lonely = [f"{truths / name}" for name in theirs.keys() - ours.keys()]
    lonely += [f"{estimates / name}" for name in ours.keys() - theirs.keys()]
    if lonely:
        raise InputError(f"{len(lonely)} flows have no partner in the other folder: {', '.join(sorted(lonely))}")
    if not ours:
        raise InputError(f"no flow files in {estimates} and {truths}")
    names = sorted(ours, key=lambda name: natural_key(Path(name)))
    return [Comparison(name, ours[name], [Subset("all", theirs[name], is_main=True)]) for name in names]


def compare_dataset(pairs: Iterable[DatasetPair], estimates: Path) -> list[Comparison]:
    """The comparisons of a data set whose estimated flows are in a folder, as ``.flo`` by the pairs' names."""
    return [Comparison(pair.name, estimates / f"{pair.name}.flo", pair.subsets) for pair in pairs]


def _flows(folder: Path) -> dict[str, Path]:
    """The flow files in a folder and those below it, by their relative paths without suffixes."""
    found: dict[str, Path] = {}
    try:
        files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in FORMATS and path.is_file())
    except OSError as error:
        raise InputError(f"cannot read {folder}: {why(error)}") from error
    for path in files:
        if path.suffix.lower() == ".png" and not looks_like_kitti(path):
            continue  # a picture
        name = str(path.relative_to(folder).with_suffix(""))
        if name in found:
            raise InputError(f"{found[name]} and {path} have one name; which is meant?")
        found[name] = path
    return found
