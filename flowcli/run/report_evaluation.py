"""The report of an evaluation: collects what the page says while pairs are compared."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args, get_type_hints

from .. import results
from ..arrays import Flow, Frame, Mask, size_of
from ..draw.color import largest_flow
from ..errors import InputError
from ..figures import find_figures
from ..figures.shared.figure_set import Rows as FigureRows
from ..flows.formats import FlowOptions
from ..flows.io import read_flow
from ..flows.metrics import Scores, endpoint_error
from ..frames.reading import Reading
from ..results import HEADINGS, BenchmarkFigures
from ..view import thumbnails
from ..view.bins import Bins
from ..view.report import Column, Figures, Report, Row, Summary
from ..view.viewer import About, Moment
from .report_against import FiguresByName, OtherEvaluation, read_evaluation
from .report_files import PairPage, ReportFiles, ReportRequest
from .report_rows import Rows

_OF_ALL_ONLY = ("epe_image_mean", "images")  # say nothing more of a single pair
_DECIMALS = {"epe": 3, "epe_image_mean": 3, "s0_10": 3, "s10_40": 3, "s40": 3, "pixels": 0, "missing": 0, "images": 0}
_NEUTRAL = ("pixels", "images")
_FIRST = "epe"
_NOTES = (
    "A click on a heading sorts by it, the worst first; another click turns that round. A pair's name, where it is a "
    "link, opens the pair in the viewer.",
    "Errors are drawn in KITTI's colours: blue where the error is below 3 px or 5 % of the true length, red where it "
    "is above both; black where the flow or the truth is unknown. The scale of the flow's colours is the truth's.",
)


@dataclass(frozen=True)
class Compared:
    """A pair that has been compared."""

    name: str
    estimate: Path
    truth: Path
    frames: tuple[Path, Path] | None
    """The files of its frames, if they are known."""

    flow: Flow
    """The estimated flow, ``(H, W, 2)`` float32 in pixels."""

    true_flow: Flow
    """The true flow of the first subset."""

    chosen: Mask | None
    """The pixels of the first subset, ``(H, W)`` bool; ``None`` for all."""

    scores: Mapping[str, Scores]
    """The scores of each subset."""

    benchmark: Mapping[str, FigureRows]
    """The authors' figures of the pair, by their set."""

    read_again: Callable[[Flow], Flow]
    """Reads the true flow again, for the estimated flow; raises ``InputError``."""


@dataclass(frozen=True)
class _Sources:
    """The files that the page of a pair is made of."""

    estimate: Path
    truth: Path
    frames: tuple[Path, Path] | None
    read_truth: Callable[[Flow], Flow]


class EvaluationReport:
    """The report of an evaluation. Memory grows by the figures of each pair, not by flows or pictures.

    Args:
        request: what is asked for.
        title: the title of the page.
        inputs: the files that are compared.
        force: whether existing files may be replaced.
        options: how flow files of formats with options are read.
        reading: how frames are read.

    Raises:
        UsageError: the report exists and ``force`` is false, or is an input.
        OutputError: the report cannot be written.
        InputError: the other evaluation cannot be read.
    """

    def __init__(
        self,
        request: ReportRequest,
        title: str,
        *,
        inputs: Sequence[Path],
        force: bool,
        options: FlowOptions = FlowOptions(),
        reading: Reading = Reading(),
    ) -> None:
        others = [] if request.against is None else [request.against]
        self._files = ReportFiles(request.path, title, force=force, inputs=[*inputs, *others])
        self._other: OtherEvaluation | None = None if request.against is None else read_evaluation(request.against)
        self._pairs = request.pairs
        self._options = options
        self._reading = reading
        self._rows = Rows[_Sources](self._badness)
        self._lonely = {} if self._other is None else dict(self._other.pairs)  # those that only the other one has
        self._of_pixels = Bins("End-point error of pixels", "px", "pixels")
        self._of_pairs = Bins("Mean end-point error of pairs", "px", "pairs")

    def add(self, compared: Compared) -> None:
        """Add a pair that has been compared."""
        errors = endpoint_error(compared.flow, compared.true_flow)
        self._of_pixels.add(errors if compared.chosen is None else errors[compared.chosen])
        figures = {name: _values(vars(scores.figures()), _columns()) for name, scores in compared.scores.items()}
        name = compared.name
        row = Row(name, figures, remarks=self._alone(name), before=self._before(name))
        if (mean := _error(row)) is not None:
            self._of_pairs.add(mean)
        row.pictures = self._pictures(compared)
        self._rows.add(row, _Sources(compared.estimate, compared.truth, compared.frames, compared.read_again))

    def fail(self, name: str, reason: str) -> None:
        """Add a pair that could not be compared."""
        self._rows.add(Row(name, status="failed", remarks=[reason, *self._alone(name)], before=self._before(name)))

    def write(
        self,
        scores: Mapping[str, Scores],
        benchmark: BenchmarkFigures,
        facts: Mapping[str, str],
        notes: Sequence[str] = (),
    ) -> Path:
        """Write the pages; returns the path of the report.

        Args:
            scores: the scores of each subset over all pairs.
            benchmark: the authors' figures over all pairs.
            facts: what is known of the run, by name.
            notes: what else the page says, one line each.

        Raises:
            OutputError: a page cannot be written.
        """
        other = self._other
        if other is not None:
            for name in self._lonely:
                self._rows.add(Row(name, remarks=[f"only in {other.name}"], before=self._before(name)))
        left_out = self._rows.finish()
        subsets = {} if other is None else other.subsets
        of_all = _columns(of_all=True)
        report = Report(
            title=self._files.title,
            columns=_columns(),
            rows=list(self._rows),
            first=_FIRST,
            facts=facts,
            notes=[*_NOTES, *notes, *left_out, *self._notes_of_other()],
            pictures=("Frame", "Flow", "Error"),
            summary_columns=of_all,
            summary={name: _values(vars(each.figures()), of_all) for name, each in scores.items()},
            summary_before={name: _values(said, of_all) for name, said in subsets.items()},
            further=[_summary(name, rows) for name, rows in benchmark.items()],
            against=None if other is None else other.name,
            bins=(self._of_pixels, self._of_pairs),
        )
        return self._files.write(report, self._pages(facts))

    def _badness(self, row: Row) -> float | None:
        """How much a pair deserves to be looked at: its error, or how much it grew."""
        error = _error(row)
        if self._other is None or error is None or row.before is None or row.before[0] is None:
            return error if self._other is None else None
        return error - row.before[0]

    def _before(self, name: str) -> Figures | None:
        """What the other evaluation says of a pair."""
        if self._other is None or name not in self._other.pairs:
            return None
        return _values(self._other.pairs[name], _columns())

    def _alone(self, name: str) -> list[str]:
        """What is said of a pair if the other evaluation lacks it; otherwise that one is no longer alone with it."""
        is_there = self._lonely.pop(name, None) is not None
        return [] if is_there or self._other is None else [f"not in {self._other.name}"]

    def _notes_of_other(self) -> list[str]:
        if self._other is None:
            return []
        return [
            f"Changes are this evaluation's figures minus those of {self._other.name}, over each pair's first subset; "
            "what got worse most comes first. Below each change: before → now."
        ]

    def _pictures(self, compared: Compared) -> tuple[bytes | None, ...]:
        frame = None if compared.frames is None else self._frame(compared.frames[0])
        longest = largest_flow(compared.true_flow)
        return (
            None if frame is None else thumbnails.of_frame(frame),
            thumbnails.of_flow(compared.flow, longest or None),
            thumbnails.of_errors(compared.flow, compared.true_flow),
        )

    def _frame(self, path: Path) -> Frame | None:
        """A frame; ``None`` if it cannot be read, since its flow is there all the same."""
        try:
            values = self._reading.values(path)
            self._reading = self._reading.settled(lambda _: [values])
            return self._reading.frame(values, path)
        except InputError:
            return None

    def _pages(self, facts: Mapping[str, str]) -> Iterator[PairPage]:
        """The pages of the worst pairs."""
        for row, sources in self._rows.worst_first()[: self._pairs]:
            flow = read_flow(sources.estimate, self._options)
            truth = sources.read_truth(flow)
            frames = [self._frame(path) for path in sources.frames or ()]
            fitting = [None if frame is None or size_of(frame) != size_of(flow) else frame for frame in frames]
            frame1, frame2 = fitting or (None, None)
            about = About(
                f"{row.name}: {self._files.title}",
                ("flow",),
                facts={**facts, "flow": str(sources.estimate), "truth": str(sources.truth)},
            )
            yield PairPage(row, row.name, about, Moment(row.name, (flow,), frame1, frame2, truth))


def _error(row: Row) -> float | None:
    """The end-point error of a pair over its first subset, in pixels."""
    return next(iter(row.figures.values()))[0] if row.figures else None


@functools.cache
def _columns(*, of_all: bool = False) -> tuple[Column, ...]:
    """The figures of pairs, or those over all pairs; the first one is the end-point error."""
    hints = get_type_hints(results.Figures, include_extras=True)
    return tuple(
        Column(key, heading, get_args(hints[key])[1], None if key in _NEUTRAL else "high", _DECIMALS.get(key, 2))
        for key, heading in HEADINGS.items()
        if of_all or key not in _OF_ALL_ONLY
    )


def _values(figures: FiguresByName, columns: Sequence[Column]) -> Figures:
    return [figures.get(column.key) for column in columns]


def _summary(name: str, rows: Mapping[str, FiguresByName]) -> Summary:
    """A set of authors' figures over all pairs."""
    figures = find_figures(name)
    columns = [
        Column(key, heading, f"{figures.title}: {heading}", "low" if key in figures.larger_is_better else "high")
        for key, heading in figures.columns.items()
    ]
    return Summary(figures.title, columns, {row: _values(values, columns) for row, values in rows.items()})
