"""Finds the samples of a data set, checks that their files are there, and selects some of them."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from pathlib import Path

from ...choices import SplitName
from ...errors import InputError, UsageError
from ...places import listed
from ...storage import why
from .dataset import Dataset, Sample
from .finding import MissingError


@dataclass(frozen=True)
class SampleChoice:
    """The samples to take. Plain data.

    Raises:
        UsageError: ``limit`` is less than 1.
    """

    split: SplitName | None = None
    """The split; ``None`` for all samples with true flow."""

    subsets: tuple[str, ...] = ()
    """Labels: of each kind of label that is named, a sample has one of those named. None for all samples."""

    scenes: str | None = None
    """A pattern such as ``alley_*`` that the name of the scene matches; ``None`` for all scenes."""

    limit: int | None = None
    """How many samples to take at most: the first ones."""

    def __post_init__(self) -> None:
        """Check the number."""
        if self.limit is not None and self.limit < 1:
            raise UsageError(f"`limit` must be at least 1, not {self.limit}")

    def check(self, dataset: Dataset) -> None:
        """Raise ``UsageError`` if the data set has no such split or subset."""
        if self.split is not None and self.split not in dataset.splits:
            raise UsageError(f"{dataset.name} has no split {self.split}; it has {', '.join(dataset.splits)}")
        unknown = [label for label in self.subsets if label not in dataset.labels]
        if unknown:
            known = f"it has {', '.join(dataset.labels)}" if dataset.labels else "it has none"
            raise UsageError(f"{dataset.name} has no subset {unknown[0]}; {known}")

    def of(self, dataset: Dataset, samples: list[Sample]) -> list[Sample]:
        """The samples to take of some."""
        kinds = [set(kind) & set(self.subsets) for kind in dataset.subsets]
        chosen = [
            sample
            for sample in samples
            if all(not kind or kind & sample.labels for kind in kinds)
            and (self.scenes is None or fnmatch.fnmatchcase(sample.scene, self.scenes))
        ]
        return chosen[: self.limit]


def find_samples(dataset: Dataset, root: Path, choice: SampleChoice = SampleChoice()) -> list[Sample]:
    """Find samples of a data set in its published folder layout.

    Args:
        dataset: the data set.
        root: its folder.
        choice: which samples to take.

    Returns:
        The samples in natural order; all their files exist.

    Raises:
        UsageError: the data set has no such split or subset.
        InputError: the data set is not there, a file is missing, a sample exists twice, or none is chosen.
    """
    choice.check(dataset)
    try:
        root = listed(root)
        found = dataset.find(root, choice.split)
    except MissingError as error:
        raise InputError(
            f"{root} does not look like {dataset.name}: {error.path} is missing; "
            f"flowcli datasets {dataset.name} shows the expected folders"
        ) from error
    except OSError as error:
        raise InputError(f"cannot read {root}: {why(error)}") from error
    samples = choice.of(dataset, found)
    if not samples:
        raise InputError(f"no pair of {dataset.name} in {root} is chosen by `subset` and `scenes`; choose others")
    missing = sorted({str(path) for sample in samples for path in sample.files() if not path.is_file()})
    if missing:
        raise InputError(f"{len(missing)} files of {dataset.name} are missing: {', '.join(missing)}")
    _check_unique(samples)
    return samples


def _check_unique(samples: list[Sample]) -> None:
    """Raise ``InputError`` if two samples would be kept under the same name."""
    seen: dict[str, Sample] = {}
    for sample in samples:
        other = seen.setdefault(sample.name, sample)
        if other is not sample:
            mine, theirs = (each.subsets[0].truth if each.subsets else each.frame1 for each in (sample, other))
            raise InputError(f"{sample.name} exists twice, as {theirs} and {mine}; remove one")
