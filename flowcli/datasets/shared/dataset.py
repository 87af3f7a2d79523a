"""What flowcli knows of a data set, and of each pair of its frames. Plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...arrays import Flow, Mask
from ...choices import FlowFormatName, SplitName
from ...flows.formats import FlowOptions
from ...flows.io import read_flow
from ...frames.images import read_image

PERCEIVER_IO = (
    "Jaegle et al., Perceiver IO: A General Architecture for Structured Inputs & Outputs, ICLR 2022, table 4: average "
    "end-point error on the training frames; whether over pixels or over images is not said"
)
"""The source of the published figures of flowcli's default model."""

TruthReader = Callable[[Path, FlowOptions], Flow]
"""Reads a file of true flow: ``(H, W, 2)`` float32 in pixels, NaN where unknown; raises ``InputError``."""


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
    """Two frames of a data set, with their true flow if it is published."""

    name: str
    """A relative path without a suffix, unique in the data set: that of the kept flow."""

    frame1: Path
    frame2: Path
    subsets: tuple[Subset, ...] = ()
    """The subsets of pixels to evaluate; none where there is no true flow."""

    scene: str = ""
    """The name of its scene, which ``--scenes`` looks at."""

    labels: frozenset[str] = frozenset()
    """What it is of: labels of :attr:`Dataset.subsets`."""

    figures: str | None = None
    """The authors' figures for it: a name of :func:`flowcli.figures.figure_names`; ``None`` if they have none."""

    groups: tuple[str, ...] = ("",)
    """The rows of the authors' figures that it counts in; an empty name for those over everything."""

    maps: Mapping[str, Path] = field(default_factory=dict)
    """The files that the authors' figures need besides the true flow, by what they are."""

    read_truth: TruthReader = read_flow
    """Reads its true flow."""

    submitted: str | None = None
    """The file of its flow in a submission: a relative path with a suffix; ``None`` if there is none."""

    def files(self) -> list[Path]:
        """All files that belong to it."""
        parts = [path for subset in self.subsets for path in (subset.truth, subset.mask) if path is not None]
        return [self.frame1, self.frame2, *parts, *self.maps.values()]


@dataclass(frozen=True)
class Submission:
    """What the authors' server takes."""

    flow_format: FlowFormatName
    """The format of each flow."""

    next_step: str
    """One line: what to do with it; ``{target}`` is the ZIP file or the folder."""

    archive: str | None = None
    """The name of the ZIP file; ``None`` for a tree of files."""


@dataclass(frozen=True)
class Published:
    """What somebody has published of a model on a data set."""

    model: str
    """What the model is called."""

    source: str
    """Where the figures stand, and what is known of how they were computed."""

    figures: Mapping[tuple[str, str], float]
    """By row and key of the authors' figures, or by subset and key of the usual ones."""


@dataclass(frozen=True)
class Dataset:
    """A data set, in the layout in which its authors publish it."""

    name: str
    """What ``--dataset`` takes."""

    title: str
    """What its authors call it, and where they describe it."""

    url: str
    """Where to get it."""

    layout: tuple[str, ...]
    """The files that are expected below its folder, one pattern a line."""

    splits: tuple[SplitName, ...]
    """The splits that there are."""

    rules: str
    """A sentence or two: how its authors evaluate, and what flowcli does where they do not say."""

    find: Callable[[Path, SplitName | None], list[Sample]]
    """Finds the samples below a folder; ``None`` for all that have true flow. Raises ``InputError`` or ``OSError``."""

    subsets: tuple[tuple[str, ...], ...] = ()
    """The labels that ``--subset`` takes: of each tuple, a sample has one."""

    figures: tuple[str, ...] = ()
    """The names of its authors' figures."""

    pairs: Mapping[SplitName, int] = field(default_factory=dict)
    """How many pairs are published, by split, as far as that was found out."""

    submission: Submission | None = None
    """What the authors' server takes; ``None`` if there is no server."""

    published: tuple[Published, ...] = ()
    """Published figures over everything with true flow."""

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels that ``--subset`` takes."""
        return tuple(label for kind in self.subsets for label in kind)
