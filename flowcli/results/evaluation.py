"""Results of comparing flow with true flow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from ..choices import SplitName, Status
from .base import Result
from .estimation import RunSummary


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The errors of estimated flow, over the pixels where both the estimate and the true flow are known.

    For the sources of the formulas see :class:`flowcli.flows.metrics.Scores`. A figure is null if no pixel counts.
    """

    epe: Annotated[float | None, "mean end-point error, in pixels"]
    epe_image_mean: Annotated[float | None, "mean of the images' own `epe`, in pixels"]
    outliers_1px: Annotated[float | None, "percentage of pixels with an end-point error above 1 px"]
    outliers_3px: Annotated[float | None, "percentage of pixels with an end-point error above 3 px"]
    outliers_5px: Annotated[float | None, "percentage of pixels with an end-point error above 5 px"]
    fl_all: Annotated[float | None, "percentage of pixels with an error above 3 px and above 5 % of the true length"]
    angular_error: Annotated[float | None, "mean angle between (u, v, 1) and the true (u, v, 1), in degrees"]
    s0_10: Annotated[float | None, "`epe` where the true flow is shorter than 10 px"]
    s10_40: Annotated[float | None, "`epe` where the true flow is 10 to 40 px long"]
    s40: Annotated[float | None, "`epe` where the true flow is 40 px long or longer"]
    pixels: Annotated[int, "number of pixels compared"]
    missing: Annotated[int, "number of pixels with true flow but no estimate"]
    images: Annotated[int, "number of images with true flow"]


BenchmarkFigures = Mapping[str, Mapping[str, Mapping[str, float | None]]]
"""Authors' figures: by the name of their set, then by row, then by the key of the column."""


HEADINGS = {
    "epe": "EPE",
    "epe_image_mean": "EPE/image",
    "outliers_1px": ">1px %",
    "outliers_3px": ">3px %",
    "outliers_5px": ">5px %",
    "fl_all": "Fl-all %",
    "angular_error": "angle deg",
    "s0_10": "s0-10",
    "s10_40": "s10-40",
    "s40": "s40+",
    "pixels": "pixels",
    "missing": "missing",
    "images": "images",
}
"""What tables call the figures."""


@dataclass(frozen=True, kw_only=True)
class ComparisonResult(Result, Figures):
    """One flow of `eval`, compared with the true flow; the only object if two files are given."""

    type: Annotated[str, "always pair"] = "pair"
    variant: Annotated[str | None, "model or variant that estimated it; null unless several are compared"] = None
    status: Annotated[Status, "always done: a pair that cannot be compared is an error"] = "done"
    error: Annotated[str | None, "always null"] = None
    name: Annotated[str, "common name of both flows"]
    flow_file: Annotated[Path, "estimated flow"]
    truth_file: Annotated[Path, "true flow"]
    outputs: Annotated[tuple[Path, ...], "error map and, of two files, the report, as far as requested"] = ()
    benchmark: Annotated[BenchmarkFigures, "authors' figures of the pair, by their set, row and column"] = field(
        default_factory=dict
    )


@dataclass(frozen=True, kw_only=True)
class SubsetFigures:
    """What an evaluation found."""

    subsets: Annotated[Mapping[str, Figures], "figures by the pixels or frames that they are over"]
    worst_epe: Annotated[float | None, "largest `epe` of the subsets of all pixels; null if one has none"]
    missing: Annotated[int, "pixels with a truth but no estimate"]
    benchmark: Annotated[BenchmarkFigures, "authors' figures, by their set, row and column"] = field(
        default_factory=dict
    )


@dataclass(frozen=True, kw_only=True)
class EvaluationSummary(SubsetFigures, Result):
    """The last line of `eval` for two folders."""

    type: Annotated[str, "always summary"] = "summary"
    input: Annotated[str, "estimated flow: a folder or a file"]
    truth: Annotated[str, "true flow: a folder or a file"]
    outputs: Annotated[tuple[Path, ...], "where the error maps are"]
    report: Annotated[Path | None, "page about all pairs; null without --report"] = None
    pairs: Annotated[int, "pairs of flows compared"]
    done: Annotated[int, "the same: a pair that cannot be compared is an error"]
    skipped: Annotated[int, "always 0"] = 0
    failed: Annotated[int, "always 0"] = 0


@dataclass(frozen=True, kw_only=True)
class DatasetSummary(SubsetFigures, RunSummary):
    """The last line of `eval --dataset`."""

    dataset: Annotated[str, "name of the data set"]
    variant: Annotated[str | None, "model or variant; null unless several are compared"] = None
    split: Annotated[SplitName | None, "split; null for everything with true flow"] = None
    published: Annotated[int | None, "pairs that its authors publish of that; null if unknown"] = None
    submission: Annotated[Path | None, "ZIP file or folder for the authors' server; null without --submission"] = None
    clipped: Annotated[int, "vectors of the submission that were out of the format's range and are clipped"] = 0
    next_step: Annotated[str | None, "what to do with the submission"] = None


@dataclass(frozen=True, kw_only=True)
class TableColumn:
    """A figure that models are compared by."""

    row: Annotated[str, "pixels or frames that it is over, as in `subsets` or `benchmark`; may be empty"]
    key: Annotated[str, "its key there"]
    heading: Annotated[str, "what tables call it"]
    larger_is_better: Annotated[bool, "whether larger values are better"] = False


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """The figures of a model."""

    name: Annotated[str, "model or variant"]
    values: Annotated[tuple[float | None, ...], "a value for each column; null where there is none"]
    source: Annotated[str | None, "where they are published; null for those that were computed"] = None


@dataclass(frozen=True, kw_only=True)
class FigureTable(Result):
    """The last line of `eval --dataset` for several models, or with --published."""

    type: Annotated[str, "always table"] = "table"
    dataset: Annotated[str, "name of the data set"]
    columns: Annotated[tuple[TableColumn, ...], "figures"]
    rows: Annotated[tuple[TableRow, ...], "models"]

    def best(self, number: int) -> float | None:
        """The best value of a column; ``None`` unless there are two to compare."""
        known = [row.values[number] for row in self.rows if row.values[number] is not None]
        if len(known) < 2:
            return None
        return (max if self.columns[number].larger_is_better else min)(value for value in known if value is not None)


@dataclass(frozen=True, kw_only=True)
class DatasetInfo(Result):
    """One data set of `datasets`."""

    type: Annotated[str, "always dataset"] = "dataset"
    name: Annotated[str, "what `eval --dataset` takes"]
    title: Annotated[str, "what its authors call it, and their paper"]
    url: Annotated[str, "where to get it"]
    layout: Annotated[tuple[str, ...], "files that are expected below its folder"]
    splits: Annotated[tuple[str, ...], "what --split takes"]
    labels: Annotated[tuple[str, ...], "what --subset takes"]
    pairs: Annotated[Mapping[str, int], "pairs that its authors publish, by split, as far as known"]
    figures: Annotated[tuple[str, ...], "sets of its authors' figures"]
    rules: Annotated[str, "how its authors evaluate"]
    submission: Annotated[str | None, "what to do with what --submission writes; null if there is no server"]
    _is_one_of_many: bool = field(default=False, repr=False)

    @property
    def is_one_of_many(self) -> bool:
        """Whether it is shown in a list; not part of the JSON."""
        return self._is_one_of_many
