"""The report of a run without a truth: collects what the page says of each pair while it is done."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..arrays import Flow, size_of
from ..errors import InputError
from ..flows.formats import FlowOptions
from ..flows.io import read_flow
from ..frames.reading import Reading
from ..pairs import FramePair
from ..places import is_remote
from ..results import RunSummary
from ..view.bins import Bins
from ..view.report import Report, Row
from ..view.viewer import About, Moment
from .glance import Glance, glance
from .motion_figures import ALL, columns, figures_of, is_harmed, over_pairs, place_of
from .outliers import LIMIT, Outliers
from .report_facts import facts_of
from .report_files import PairPage, ReportFiles, ReportRequest
from .report_rows import Rows
from .tasks import Outcome, Task, VideoOutcome

FramesOf = Callable[[Collection[int]], Iterator[tuple[int, FramePair | None]]]
"""Finds the frames of the pairs with some numbers again, as far as they are still there."""

_MOST_READ = 200  # flows of earlier runs that are read again
_PENALTY = 1000.0  # puts what is marked for another reason above outliers in motion
_PERCENT = 100.0


@dataclass
class _Counts:
    read: int = 0  # flows of earlier runs
    unread: int = 0  # those that were left
    videos: int = 0
    pictured: int = 0


class MotionReport:
    """The report of a run. Memory grows by the figures of each pair, not by flows or pictures.

    Args:
        request: what is asked for.
        title: the title of the page. A report of the same title that flowcli has made is replaced.
        folder: where the flows are; ``None`` if they are not kept.
        options: how flow files of formats with options are read.
        reading: how frames are read.
        inputs: the files that are read, as far as they are known.
        force: whether any existing file may be replaced.

    Raises:
        UsageError: the report exists and may not be replaced, or is an input.
        OutputError: the report cannot be written.
    """

    def __init__(
        self,
        request: ReportRequest,
        title: str,
        *,
        folder: Path | None,
        options: FlowOptions = FlowOptions(),
        reading: Reading = Reading(),
        inputs: Collection[Path] = (),
        force: bool = False,
    ) -> None:
        self._files = ReportFiles(request.path, title, force=force, inputs=inputs, is_rewritten=True)
        self._pairs = request.pairs
        self._folder = folder
        self._options = options
        self.reading = reading
        """How frames are read; to be set once levels have been chosen."""

        self._rows = Rows[Task](self._badness)
        self._outliers = Outliers()
        self._counts = _Counts()
        self._lengths = Bins("Mean length of the flow of pairs", "px", "pairs")
        self._photometric = Bins("Photometric error of pairs, warped", "grey levels", "pairs")

    def add(self, outcome: Outcome, name: str | None = None, frames: FramePair | None = None) -> None:
        """Add a pair.

        Args:
            outcome: its outcome, with a glance if its flow has been estimated.
            name: what it is called; by default as its output.
            frames: its frames, where it was skipped but they are at hand.
        """
        task = outcome.task
        row = Row(name or str(task.out or task.origin or f"pair {task.number}"), status=outcome.status)
        if outcome.error is not None:
            row.remarks.append(outcome.error.with_flags())
        seen = outcome.glance
        if seen is None and outcome.status == "skipped":
            seen = self._read_again(task, frames)
        if seen is not None:
            self._fill(row, seen, task)
        self._rows.add(row, None if outcome.status == "failed" else task)

    def add_video(self, outcome: VideoOutcome) -> None:
        """Add a video of a batch, as one row: its pairs are not told apart."""
        task = outcome.task
        row = Row(str(task.out or task.video or task.origin), status=outcome.status)
        if outcome.error is not None:
            row.remarks.append(outcome.error.with_flags())
        row.remarks.append(f"video, {outcome.pairs} pairs: {outcome.done} done")
        longest = outcome.largest_flow if outcome.done else None
        row.figures[ALL] = [longest if column.key == "length_max" else None for column in columns()]
        self._counts.videos += 1
        self._rows.add(row)

    def write(self, summary: RunSummary, frames_of: FramesOf | None = None) -> Path:
        """Write the pages; returns the path of the report.

        Args:
            summary: the summary of the run.
            frames_of: finds frames again; by default in the files that the tasks name.

        Raises:
            OutputError: a page cannot be written.
        """
        for row in self._rows:
            self._judge(row)
        left_out = self._rows.finish()
        facts = facts_of(summary)
        report = Report(
            title=self._files.title,
            columns=columns(),
            rows=list(self._rows),
            first=self._first(),
            facts=facts,
            notes=[*self._notes(summary), *left_out],
            pictures=("Frame", "Flow") if self._counts.pictured else (),
            summary_columns=columns()[1:-1],
            summary_of="Over pairs",
            summary=over_pairs(self._rows, columns()[1:-1]) if self._rows.are_all else {},
            bins=(self._lengths, self._photometric),
        )
        return self._files.write(report, self._pages(facts, frames_of))

    def _fill(self, row: Row, seen: Glance, task: Task) -> None:
        """What a glance says of a row."""
        said, errors = seen.statistics, seen.photometric
        if errors is not None:
            self._photometric.add(errors.warped)
        row.figures[ALL] = figures_of(seen, task)
        row.pictures = (seen.frame, seen.flow)
        self._counts.pictured += 1
        if said.length_mean is not None:
            self._lengths.add(said.length_mean)
            self._outliers.add(said.length_mean)

    def _judge(self, row: Row) -> None:
        """Fill in how unusual a row is, and mark it if it is to be looked at."""
        if ALL not in row.figures:
            return
        figures = list(row.figures[ALL])
        score = self._score(row)
        figures[place_of("unusual")] = None if score is None else abs(score)
        row.figures[ALL] = figures
        if score is not None and abs(score) > LIMIT:
            row.remarks.append(f"motion {'longer' if score > 0 else 'shorter'} than usual")
            row.is_marked = True
        if is_harmed(row):
            row.remarks.append("frame 2 fits worse after warping than before")
            row.is_marked = True

    def _score(self, row: Row) -> float | None:
        length = row.figures[ALL][place_of("length_mean")] if ALL in row.figures else None
        return None if length is None else self._outliers.score(length)

    def _badness(self, row: Row) -> float | None:
        """How much a row deserves to be looked at."""
        if ALL not in row.figures or row.figures[ALL][place_of("length_mean")] is None:
            return None
        score, ratio = self._score(row), row.figures[ALL][place_of("ratio")]
        # Where too few pairs tell what is usual, those come first whose frames fit worst.
        return (_PENALTY if is_harmed(row) else 0.0) + (abs(score) if score is not None else (ratio or 0.0) / _PERCENT)

    def _first(self) -> str:
        """The column that the table is sorted by at first."""
        for key in ("unusual", "ratio"):
            if any(ALL in row.figures and row.figures[ALL][place_of(key)] is not None for row in self._rows):
                return key
        return "length_mean"

    def _read_again(self, task: Task, frames: FramePair | None) -> Glance | None:
        """A glance at the flow of an earlier run, unless there are many of them."""
        if self._counts.read >= _MOST_READ or (flow := self._flow(task)) is None:
            self._counts.unread += 1
            return None
        self._counts.read += 1
        return glance(flow, frames or self._frames(task))

    def _flow(self, task: Task) -> Flow | None:
        """The flow that has been written for a pair; ``None`` if it cannot be read from here."""
        if self._folder is None or task.out is None or is_remote(self._folder):
            return None
        try:
            return read_flow(self._folder / task.out, self._options)
        except InputError:  # a picture of it, for example
            return None

    def _frames(self, task: Task) -> FramePair | None:
        """The frames in the files of a pair; ``None`` if they cannot be read."""
        files = [
            path for path in (task.frame1, task.frame2) if path is not None and (is_remote(path) or path.is_file())
        ]
        try:
            frames, self.reading = self.reading.read_all(files)
        except InputError:
            return None
        return (frames[0], frames[1]) if len(frames) == 2 else None

    def _pages(self, facts: Mapping[str, str], frames_of: FramesOf | None) -> Iterator[PairPage]:
        """The pages of the rows that deserve most to be looked at."""
        if not self._pairs or self._folder is None:
            return
        worst = {task.number: (row, task) for row, task in self._rows.worst_first()[: self._pairs]}
        found = ((number, self._frames(task)) for number, (_, task) in worst.items())
        for number, frames in found if frames_of is None else frames_of(worst):
            row, task = worst[number]
            if (flow := self._flow(task)) is None or task.out is None:
                continue
            fitting = frames if frames is not None and size_of(frames[0]) == size_of(flow) else (None, None)
            about = About(f"{row.name}: {self._files.title}", ("flow",), facts={**facts, "flow": str(task.out)})
            yield PairPage(row, str(task.out), about, Moment(row.name, (flow,), *fitting))

    def _notes(self, summary: RunSummary) -> list[str]:
        """How to read the page."""
        counts = self._counts
        notes = [
            "A click on a heading sorts by it, the worst first; another click turns that round. A pair's name, where "
            "it is a link, opens the pair in the viewer. Each flow's colours have a scale of their own.",
            f"A pair is marked, and says why, if its motion is unusual: {self._outliers.explanation}. It is marked as "
            "well if frame 2, warped back by the flow, fits frame 1 worse than frame 2 as it is.",
        ]
        if summary.problem is not None:
            notes.insert(0, f"The run is incomplete: {summary.problem.with_flags()}.")
        if counts.unread:
            notes.append(
                f"{counts.unread} pairs were done by an earlier run and have not been read again; they have no figures."
            )
        if counts.videos:
            notes.append(
                f"{counts.videos} videos have one row each; flowcli video with --report tells their pairs apart."
            )
        if self._pairs and self._folder is None:
            notes.append("No pair has a page of its own, since the flows are not kept; --flow-dir keeps them.")
        if len(self._rows) and not counts.pictured:
            notes.append("There are no pictures: none of these flows was at hand.")
        return notes
