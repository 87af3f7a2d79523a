"""Compares estimated flow with true flow, pair by pair, and adds up what is found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..arrays import Flow, Mask, check_same_size, size_of
from ..datasets.shared.dataset import Sample, Subset, TruthReader
from ..errors import InputError
from ..figures import find_figures
from ..figures.shared.figure_set import Judged, Rows
from ..figures.shared.larger_truth import closest
from ..figures.shared.tally import Tally
from ..flows.formats import FlowOptions
from ..flows.io import files_to_read, read_flow
from ..flows.metrics import Scores
from .report_evaluation import Compared

Benchmark = Mapping[str, Rows]
"""Authors' figures: by the name of their set, then by row and column."""


@dataclass(frozen=True)
class Comparison:
    """An estimated flow, and the true flow that it is compared with."""

    name: str
    """The common name of both flows."""

    estimate: Path
    """The file of the estimated flow."""

    subsets: Sequence[Subset]
    """The subsets of pixels, with their true flow; at least one."""

    frames: tuple[Path, Path] | None = None
    """The frames, if they are known."""

    figures: str | None = None
    """The set of authors' figures, if one is asked for."""

    groups: tuple[str, ...] = ("",)
    """The rows of the authors' figures that it counts in."""

    maps: Mapping[str, Path] = field(default_factory=dict)
    """Further files that the authors' figures need, by what they are."""

    read_truth: TruthReader = read_flow
    """Reads its true flow."""

    @classmethod
    def of_sample(cls, sample: Sample, estimate: Path) -> Comparison:
        """The comparison of the estimated flow of a data set's sample."""
        frames = sample.frame1, sample.frame2
        return cls(
            sample.name, estimate, sample.subsets, frames, sample.figures, sample.groups, sample.maps, sample.read_truth
        )

    def files(self) -> list[Path]:
        """All files that are read."""
        parts = [path for subset in self.subsets for path in (subset.truth, subset.mask)]
        flows = [file for path in (self.estimate, *parts) if path is not None for file in files_to_read(path)]
        return [*flows, *self.maps.values(), *(self.frames or ())]

    def fitted(self, path: Path, truth: Flow, flow: Flow) -> Flow:
        """A true flow at the size of the estimate; of several true vectors of a pixel the closest to the estimate.

        Args:
            path: the file of the true flow, for messages.
            truth: what it contains.
            flow: the estimated flow, ``(H, W, 2)`` float32 in pixels.

        Raises:
            InputError: it has another size.
        """
        if self.figures is not None and find_figures(self.figures).is_larger:
            return closest(truth, flow, (path, self.estimate))
        _check_sizes(self.estimate, flow, path, truth)
        return truth


@dataclass
class Evaluation:
    """Scores of each subset, accumulated over all comparisons."""

    scores: dict[str, Scores] = field(default_factory=dict)
    """The scores by the name of the subset."""

    main: set[str] = field(default_factory=set)
    """The names of the subsets that cover all pixels with true flow."""

    tallies: dict[str, dict[str, Tally]] = field(default_factory=dict)
    """The sums of authors' figures, by their set and by group."""

    options: FlowOptions = FlowOptions()
    """How flow files of formats with options are read."""

    def add(self, comparison: Comparison) -> Compared:
        """Compare an estimated flow with the true flow, and add its scores; returns both flows and the pair's scores.

        Raises:
            InputError: a file cannot be read, or the flows differ in size.
        """
        flow = read_flow(comparison.estimate, self.options)
        stored: dict[Path, Flow] = {}
        truths: dict[Path, Flow] = {}
        own: dict[str, Scores] = {}
        first: Mask | None = None
        for subset in comparison.subsets:
            if subset.truth not in truths:
                stored[subset.truth] = comparison.read_truth(subset.truth, self.options)
                truths[subset.truth] = comparison.fitted(subset.truth, stored[subset.truth], flow)
            truth, chosen = truths[subset.truth], subset.chosen()
            if chosen is not None:
                check_same_size(comparison.estimate, flow.shape, subset.mask, chosen.shape)
            alone = Scores()
            alone.add(flow, truth, chosen)
            self.scores.setdefault(subset.name, Scores()).merge(alone)
            if subset.is_main:
                self.main.add(subset.name)
            first = chosen if not own else first
            own.setdefault(subset.name, alone)
        main = comparison.subsets[0].truth
        benchmark = self._judge(comparison, flow, stored[main])
        return Compared(
            comparison.name,
            comparison.estimate,
            main,
            comparison.frames,
            flow,
            truths[main],
            first,
            own,
            benchmark,
            lambda again: comparison.fitted(main, comparison.read_truth(main, self.options), again),
        )

    def _judge(self, comparison: Comparison, flow: Flow, truth: Flow) -> Benchmark:
        """Add the pair to the authors' figures; returns those of the pair alone."""
        if comparison.figures is None:
            return {}
        figures = find_figures(comparison.figures)
        judged = Judged(
            comparison.estimate,
            flow,
            comparison.subsets[0].truth,
            truth,
            comparison.maps,
            lambda path: comparison.read_truth(path, self.options),
        )
        sums = figures.tally(judged)
        groups = self.tallies.setdefault(figures.name, {})
        for group in comparison.groups:
            groups.setdefault(group, Tally()).merge(sums)
        return {figures.name: _named("", figures.table(sums))}

    def fields(self) -> dict[str, Any]:
        """The fields of :class:`flowcli.results.SubsetFigures`."""
        return {
            "subsets": {name: scores.figures() for name, scores in self.scores.items()},
            "worst_epe": self._worst(),
            "missing": sum(self.scores[name].missing for name in self.main),
            "benchmark": self.benchmark(),
        }

    def benchmark(self) -> Benchmark:
        """The authors' figures so far."""
        found: dict[str, Rows] = {}
        for name, groups in self.tallies.items():
            table = find_figures(name).table
            rows = [_named(group, table(sums)) for group, sums in groups.items()]
            found[name] = {row: figures for part in rows for row, figures in part.items()}
        return found

    def _worst(self) -> float | None:
        """The largest mean end-point error of the main subsets, in pixels; ``None`` if one of them has no pixels."""
        means = [self.scores[name].figures().epe for name in self.main]
        return None if None in means or not means else max(mean for mean in means if mean is not None)


def _named(group: str, rows: Rows) -> Rows:
    """The rows of a group by their names among those of other groups."""
    return {", ".join(filter(None, (group, row))) or "all": figures for row, figures in rows.items()}


def _check_sizes(estimate: Path, flow: Flow, true_file: Path, truth: Flow) -> None:
    """Raise ``InputError`` if a flow and its truth differ in size; says so where the truth is a multiple of it."""
    (height, width), (true_height, true_width) = size_of(flow), size_of(truth)
    factor = true_height // height
    if factor > 1 and (true_height, true_width) == (factor * height, factor * width):
        raise InputError(
            f"{true_file} is {true_width} x {true_height}, {factor} times the size of {estimate}, {width} x {height}; "
            "for a truth of twice the size, as Spring has it, choose `figures` spring"
        )
    check_same_size(estimate, flow.shape, true_file, truth.shape)


def files_of(comparisons: Iterable[Comparison]) -> list[Path]:
    """All files that are read for some comparisons."""
    return [path for comparison in comparisons for path in comparison.files()]
