"""Compares flow with the true flow: two files, two folders, or a whole data set."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..arrays import Flow, Mask, check_same_size, size_of
from ..choices import DatasetName
from ..draw.error_map import error_map as draw_errors
from ..errors import InputError, UsageError
from ..estimator import FlowEstimator
from ..flows.datasets import Subset, find_samples
from ..flows.folder import flow_files
from ..flows.formats import FlowOptions
from ..flows.io import files_to_read, read_flow
from ..flows.metrics import Scores
from ..frames.images import write_image
from ..frames.reading import Reading
from ..places import file_only, listed, place
from ..results import (
    BatchSummary,
    ComparisonResult,
    DatasetSummary,
    EvaluationSummary,
    PairResult,
    RunSummary,
)
from ..storage import check_outputs, check_suffix, check_writable
from .batch import estimate_batch
from .batch_outputs import BatchOutputs
from .engine import Engine
from .report_evaluation import Compared, EvaluationReport
from .report_facts import facts_of
from .report_files import ReportRequest
from .tasks import Task, made_from

OnComparison = Callable[[ComparisonResult], None]
"""Called with the result of each comparison."""


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

    def files(self) -> list[Path]:
        """All files that are read."""
        parts = (path for subset in self.subsets for path in (subset.truth, subset.mask))
        flows = [file for path in (self.estimate, *parts) if path is not None for file in files_to_read(path)]
        return [*flows, *(self.frames or ())]


@dataclass
class Evaluation:
    """Scores of each subset, accumulated over all comparisons."""

    scores: dict[str, Scores] = field(default_factory=dict)
    """The scores by the name of the subset."""

    main: set[str] = field(default_factory=set)
    """The names of the subsets that cover all pixels with true flow."""

    options: FlowOptions = FlowOptions()
    """How flow files of formats with options are read."""

    def add(self, comparison: Comparison) -> Compared:
        """Compare an estimated flow with the true flow, and add its scores; returns both flows and the pair's scores.

        Raises:
            InputError: a file cannot be read, or the flows differ in size.
        """
        flow = read_flow(comparison.estimate, self.options)
        truths: dict[Path, Flow] = {}
        own: dict[str, Scores] = {}
        first: Mask | None = None
        for subset in comparison.subsets:
            if subset.truth not in truths:
                truths[subset.truth] = read_flow(subset.truth, self.options)
            truth, chosen = truths[subset.truth], subset.chosen()
            _check_sizes(comparison.estimate, flow, subset.truth, truth)
            if chosen is not None:
                check_same_size(comparison.estimate, flow.shape, subset.mask, chosen.shape)
            alone = Scores()
            alone.add(flow, truth, chosen)
            self.scores.setdefault(subset.name, Scores()).merge(alone)
            if subset.is_main:
                self.main.add(subset.name)
            first = chosen if not own else first
            own.setdefault(subset.name, alone)
        name, estimate, frames = comparison.name, comparison.estimate, comparison.frames
        main = comparison.subsets[0].truth
        return Compared(name, estimate, main, frames, flow, truths[main], first, own)

    def fields(self) -> dict[str, Any]:
        """The fields of :class:`flowcli.results.SubsetFigures`."""
        return {
            "subsets": {name: scores.figures() for name, scores in self.scores.items()},
            "worst_epe": self._worst(),
            "missing": sum(self.scores[name].missing for name in self.main),
        }

    def _worst(self) -> float | None:
        """The largest mean end-point error of the main subsets, in pixels; ``None`` if one of them has no pixels."""
        means = [self.scores[name].figures().epe for name in self.main]
        return None if None in means else max(mean for mean in means if mean is not None)


def _check_sizes(estimate: Path, flow: Flow, true_file: Path, truth: Flow) -> None:
    """Raise ``InputError`` if a flow and its truth differ in size; says so where the truth is a multiple of it."""
    (height, width), (true_height, true_width) = size_of(flow), size_of(truth)
    factor = true_height // height
    if factor > 1 and (true_height, true_width) == (factor * height, factor * width):
        raise InputError(
            f"{true_file} is {true_width} x {true_height}, {factor} times the size of {estimate}, {width} x {height}; "
            "a truth of twice the size, as Spring has it, is compared by a rule of its own, not pixel by pixel"
        )
    check_same_size(estimate, flow.shape, true_file, truth.shape)


class ErrorMaps:
    """Writes pictures of the errors.

    Args:
        target: a folder, or a ``.png`` for a single comparison.
        comparisons: all comparisons that will be drawn.
        is_folder: whether ``target`` is a folder.
        force: whether to overwrite existing pictures.

    Raises:
        UsageError: a picture exists and ``force`` is false, or is an input.
        OutputError: a picture cannot be written.
    """

    def __init__(self, target: Path, comparisons: Sequence[Comparison], *, is_folder: bool, force: bool) -> None:
        self._target = target
        self._is_folder = is_folder
        if not is_folder:
            check_suffix(target, [".png"])
        targets = [self.path(comparison) for comparison in comparisons]
        check_outputs(targets, force=force, inputs=_files(comparisons))

    def path(self, comparison: Comparison) -> Path:
        """The path of a comparison's picture."""
        return self._target / f"{comparison.name}.png" if self._is_folder else self._target

    def draw(self, comparison: Comparison, flow: Flow, truth: Flow) -> Path:
        """Write the picture of a comparison; see :func:`flowcli.draw.error_map.error_map`.

        Args:
            comparison: what was compared.
            flow: the estimated flow, ``(H, W, 2)`` float32 in pixels.
            truth: the true flow, ``(H, W, 2)`` float32 in pixels.

        Returns:
            The path of the picture.

        Raises:
            OutputError: the picture cannot be written.
        """
        path = self.path(comparison)
        write_image(path, draw_errors(flow, truth))
        return path


def evaluate(
    estimates: Path | str,
    truths: Path | str,
    *,
    error_map: Path | str | None = None,
    force: bool = False,
    on_pair: OnComparison | None = None,
    options: FlowOptions = FlowOptions(),
    report: ReportRequest | None = None,
) -> EvaluationSummary:
    """Compare estimated flow with true flow.

    Args:
        estimates: a flow file, or a folder of flow files; its subfolders are included.
        truths: the same for the true flow. The files of two folders are matched by relative path without suffix.
        error_map: the picture of the errors: a ``.png`` for two files, a folder for two folders; ``None`` for none.
        force: whether to overwrite existing error maps.
        on_pair: called with each comparison.
        options: how flow files of formats with options are read.
        report: the page to write about all pairs; ``None`` for none.

    Returns:
        The figures over all pixels, as the subset ``all``.

    Raises:
        InputError: a flow cannot be read, has no match, or differs in size from its match.
        UsageError: an error map or the report exists and ``force`` is false, or is an input.
        OutputError: an error map or the report cannot be written.
    """
    estimates, truths = listed(place(estimates)), listed(place(truths))
    error_map = None if error_map is None else file_only(error_map)
    for path in (estimates, truths):
        if not any(file.exists() for file in files_to_read(path)):
            raise InputError(f"cannot read {path}: no such file or directory; check the path")
    is_folder = estimates.is_dir()
    if is_folder != truths.is_dir():
        raise InputError(f"cannot compare {estimates} with {truths}: one is a folder; give two files or two folders")
    comparisons = _in_folders(estimates, truths) if is_folder else _of_files(estimates, truths)
    maps = ErrorMaps(error_map, comparisons, is_folder=is_folder, force=force) if error_map else None
    page = None
    if report is not None:
        title = f"Evaluation of {estimates} with {truths}"
        page = EvaluationReport(report, title, inputs=_files(comparisons), force=force, options=options)
    evaluation = Evaluation(options=options)
    _compare(evaluation, comparisons, maps, on_pair, page)
    outputs = () if error_map is None else (error_map,)
    count = len(comparisons)
    facts = {"estimated flow": str(estimates), "true flow": str(truths), "pairs": str(count)}
    return EvaluationSummary(
        input=str(estimates),
        truth=str(truths),
        outputs=outputs,
        report=None if page is None else page.write(evaluation.scores, facts),
        pairs=count,
        done=count,
        **evaluation.fields(),
    )


class DatasetRun:
    """Estimates the flow of a data set and compares it with the true flow; skips finished outputs.

    Args:
        dataset: the data set.
        root: its folder, in the published layout; see :func:`flowcli.flows.datasets.find_samples`.
        out_dir: the output folder for the flow, as ``.flo``.
        error_map: a folder for pictures of the errors; ``None`` for none.
        force: whether to overwrite existing flow and error maps.
        adopt: whether to keep complete flows of the right size that no run has recorded.
        reading: how the frames are read.
        report: the page to write about all pairs; ``None`` for none.

    Raises:
        InputError: the data set is not there, or a file is missing.
        UsageError: ``out_dir`` is the data set itself, or an error map or the report exists and ``force`` is false.
        OutputError: an output cannot be written.
    """

    def __init__(
        self,
        dataset: DatasetName,
        root: Path | str,
        out_dir: Path | str,
        *,
        error_map: Path | None = None,
        force: bool = False,
        adopt: bool = False,
        reading: Reading = Reading(),
        report: ReportRequest | None = None,
    ) -> None:
        self._reading = reading
        self._dataset = dataset
        self._root, folder = place(root), listed(place(out_dir))
        if folder.resolve() == self._root.resolve():
            raise UsageError(f"{folder} is the data set itself; choose another `out_dir`")
        check_writable(folder)
        self._outputs = BatchOutputs(folder, force=force, adopt=adopt)
        self._error_map = error_map
        self.samples = find_samples(dataset, self._root)
        self._comparisons = [
            Comparison(sample.name, folder / f"{sample.name}.flo", sample.subsets, (sample.frame1, sample.frame2))
            for sample in self.samples
        ]
        self._maps = ErrorMaps(error_map, self._comparisons, is_folder=True, force=force) if error_map else None
        self._report = None
        if report is not None:
            title, inputs = f"Evaluation on {dataset}, {self._root}", _files(self._comparisons)
            self._report = EvaluationReport(report, title, inputs=inputs, force=force, reading=reading)

    def estimate(
        self, estimator: FlowEstimator | Engine, *, on_pair: Callable[[PairResult], None] | None = None
    ) -> BatchSummary:
        """Estimate the flow of all pairs that are not done.

        Args:
            estimator: computes the flow, or an engine that has estimators on many machines.
            on_pair: called in the writing thread after each pair.

        Returns:
            The summary of the run, for :meth:`compare`.

        Raises:
            UsageError: the folder contains flow made with other settings, or that no run has recorded.
            OutputError: an output cannot be written.
            DeviceError: the device's memory cannot hold even one window.
            BatchError: some pairs failed.
        """
        failures: dict[str, str] = {}

        def note(result: PairResult) -> None:
            if result.status == "failed":
                failures[self.samples[result.pair].name] = result.error or ""
            if on_pair is not None:
                on_pair(result)

        tasks = []
        for number, sample in enumerate(self.samples):
            frames = sample.frame1, sample.frame2
            tasks.append(Task(number, *frames, Path(f"{sample.name}.flo"), sample.name, made_from(*frames)))
        estimated = estimate_batch(
            estimator, tasks, self._outputs, reading=self._reading, name=str(self._root), on_pair=note
        )
        if estimated.problem is not None:
            self._report_failures(estimated, failures)
            raise estimated.problem
        return estimated

    def _report_failures(self, estimated: BatchSummary, failures: Mapping[str, str]) -> None:
        """Write the report of a run of which pairs failed, with the figures of the others."""
        if self._report is None:
            return
        evaluation = Evaluation()
        _compare(
            evaluation, [each for each in self._comparisons if each.name not in failures], None, None, self._report
        )
        for name, reason in failures.items():
            self._report.fail(name, reason)
        note = f"{len(failures)} pairs failed; the figures are over the others."
        self._report.write(evaluation.scores, facts_of(estimated), [note])

    def compare(self, estimated: BatchSummary, *, on_pair: OnComparison | None = None) -> DatasetSummary:
        """Compare all flow with the true flow.

        Args:
            estimated: from :meth:`estimate`.
            on_pair: called with each comparison.

        Returns:
            The figures of each subset.

        Raises:
            InputError: a flow is missing or damaged, or differs in size from the true flow.
            OutputError: an error map cannot be written.
        """
        evaluation = Evaluation()
        _compare(evaluation, self._comparisons, self._maps, on_pair, self._report)
        report = None if self._report is None else self._report.write(evaluation.scores, facts_of(estimated))
        outputs = tuple(path for path in (self._outputs.folder, self._error_map) if path is not None)
        inherited = {entry.name for entry in dataclasses.fields(RunSummary)} - {"outputs", "report"}
        run = {name: getattr(estimated, name) for name in inherited}
        return DatasetSummary(dataset=self._dataset, outputs=outputs, report=report, **run, **evaluation.fields())


def evaluate_dataset(
    estimator: FlowEstimator,
    dataset: DatasetName,
    root: Path | str,
    out_dir: Path | str,
    *,
    error_map: Path | str | None = None,
    force: bool = False,
    adopt: bool = False,
    report: ReportRequest | None = None,
) -> DatasetSummary:
    """Estimate the flow of a data set and compare it with the true flow.

    Args:
        estimator: computes the flow.
        dataset: the data set.
        root: its folder, in the published layout.
        out_dir: the output folder for the flow, as ``.flo``; valid flow of an earlier run is skipped.
        error_map: a folder for pictures of the errors.
        force: whether to overwrite existing flow and error maps.
        adopt: whether to keep complete flow of the right size that no run has recorded.
        report: the page to write about all pairs.

    Returns:
        The figures of each subset.

    Raises:
        InputError, UsageError, OutputError, DeviceError, BatchError: as for :class:`DatasetRun` and its methods.
    """
    maps = None if error_map is None else file_only(error_map)
    run = DatasetRun(dataset, root, out_dir, error_map=maps, force=force, adopt=adopt, report=report)
    return run.compare(run.estimate(estimator))


def _compare(
    evaluation: Evaluation,
    comparisons: Iterable[Comparison],
    maps: ErrorMaps | None,
    on_pair: OnComparison | None,
    report: EvaluationReport | None,
) -> None:
    for comparison in comparisons:
        compared = evaluation.add(comparison)
        outputs = () if maps is None else (maps.draw(comparison, compared.flow, compared.true_flow),)
        if report is not None:
            report.add(compared)
        if on_pair is not None:
            on_pair(
                ComparisonResult(
                    name=comparison.name,
                    flow_file=comparison.estimate,
                    truth_file=comparison.subsets[0].truth,
                    outputs=outputs,
                    **dataclasses.asdict(compared.scores[comparison.subsets[0].name].figures()),
                )
            )


def _files(comparisons: Iterable[Comparison]) -> list[Path]:
    """All files that are read."""
    return [path for comparison in comparisons for path in comparison.files()]


def _of_files(estimate: Path, truth: Path) -> list[Comparison]:
    return [Comparison(truth.stem, estimate, [Subset("all", truth, is_main=True)])]


def _in_folders(estimates: Path, truths: Path) -> list[Comparison]:
    """Match the flow files in two folders and their subfolders, by relative path without suffix."""
    ours, theirs = (flow_files(folder, with_subfolders=True) for folder in (estimates, truths))
    lonely = [f"{truths / name}" for name in theirs.keys() - ours.keys()]
    lonely += [f"{estimates / name}" for name in ours.keys() - theirs.keys()]
    if lonely:
        raise InputError(f"{len(lonely)} flow files have no match in the other folder: {', '.join(sorted(lonely))}")
    if not ours:
        raise InputError(f"no flow files in {estimates} and {truths}")
    return [Comparison(name, ours[name], [Subset("all", theirs[name], is_main=True)]) for name in ours]
