"""Estimates the flow of a data set, compares it with the true flow, and writes what the authors' server takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

from ..choices import FlowFormatName
from ..datasets import find_dataset
from ..datasets.shared.dataset import Dataset
from ..datasets.shared.search import SampleChoice, find_samples
from ..errors import UsageError
from ..estimator import FlowEstimator
from ..flows.io import suffix_of
from ..frames.reading import Reading
from ..places import file_only, listed, place
from ..results import BatchSummary, DatasetSummary, PairResult, RunSummary
from ..storage import check_writable
from .batch import estimate_batch
from .batch_outputs import BatchOutputs
from .comparing import OnComparison, compare_all
from .comparison import Comparison, Evaluation, files_of
from .engine import Engine
from .error_maps import ErrorMaps
from .report_evaluation import EvaluationReport
from .report_facts import facts_of
from .report_files import ReportRequest
from .submission import SubmissionWriter
from .tasks import Task, made_from

_PICTURES = ("png", "jpg")  # formats that do not give back the flow that they were made from


class DatasetRun:
    """Estimates the flow of a data set and compares it with the true flow; skips finished outputs.

    Args:
        dataset: the name of the data set.
        root: its folder, in the published layout; see :func:`flowcli.datasets.shared.search.find_samples`.
        out_dir: the output folder for the flow.
        choice: which samples to take.
        flow_format: the format of the flow; ``None`` for ``flo``.
        submission: the folder for what the authors' server takes; ``None`` for nothing.
        error_map: a folder for pictures of the errors; ``None`` for none.
        force: whether to overwrite existing flow, error maps and submissions.
        adopt: whether to keep complete flows of the right size that no run has recorded.
        reading: how the frames are read.
        report: the page to write about all pairs; ``None`` for none.

    Raises:
        InputError: the data set is not there, or a file is missing.
        UsageError: there is no such data set, split, subset or submission, ``out_dir`` is the data set itself, or an
            output exists and ``force`` is false.
        OutputError: an output cannot be written.
    """

    def __init__(
        self,
        dataset: str,
        root: Path | str,
        out_dir: Path | str,
        *,
        choice: SampleChoice = SampleChoice(),
        flow_format: FlowFormatName | None = None,
        submission: Path | None = None,
        error_map: Path | None = None,
        force: bool = False,
        adopt: bool = False,
        reading: Reading = Reading(),
        report: ReportRequest | None = None,
    ) -> None:
        self._reading = reading
        self._dataset = find_dataset(dataset)
        self._choice = choice
        self._root, folder = place(root), listed(place(out_dir))
        if folder.resolve() == self._root.resolve():
            raise UsageError(f"{folder} is the data set itself; choose another `out_dir`")
        if flow_format in _PICTURES:
            raise UsageError(f"`flow_format` {flow_format} writes pictures, which cannot be compared; choose another")
        if submission is not None and choice.split != "test":
            raise UsageError("`submission` is of the frames without true flow; give `split` test as well")
        check_writable(folder)
        self._outputs = BatchOutputs(folder, flow_format, force=force, adopt=adopt)
        self._error_map = error_map
        self.samples = find_samples(self._dataset, self._root, choice)
        self._names = [Path(f"{sample.name}{suffix_of(flow_format or 'flo')}") for sample in self.samples]
        flows = [folder / name for name in self._names]
        self._submission = None
        if submission is not None:
            self._submission = SubmissionWriter(self._dataset, self.samples, flows, folder, submission, force=force)
        self._comparisons = [
            Comparison.of_sample(sample, flow)
            for sample, flow in zip(self.samples, flows, strict=True)
            if sample.subsets
        ]
        self._maps = ErrorMaps(error_map, self._comparisons, is_folder=True, force=force) if error_map else None
        self._report = None
        if report is not None:
            title, inputs = f"Evaluation on {dataset}, {self._root}", files_of(self._comparisons)
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
        for number, (sample, name) in enumerate(zip(self.samples, self._names, strict=True)):
            frames = sample.frame1, sample.frame2
            tasks.append(Task(number, *frames, name, sample.name, made_from(*frames)))
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
        done = [each for each in self._comparisons if each.name not in failures]
        compare_all(evaluation, done, None, None, self._report)
        for name, reason in failures.items():
            self._report.fail(name, reason)
        note = f"{len(failures)} pairs failed; the figures are over the others."
        self._report.write(evaluation.scores, evaluation.benchmark(), facts_of(estimated), [note])

    def compare(self, estimated: BatchSummary, *, on_pair: OnComparison | None = None) -> DatasetSummary:
        """Compare all flow with the true flow, and write the submission if one is asked for.

        Args:
            estimated: from :meth:`estimate`.
            on_pair: called with each comparison.

        Returns:
            The figures of each subset.

        Raises:
            InputError: a flow is missing or damaged, or differs in size from the true flow.
            OutputError: an error map or the submission cannot be written.
            BatchError: the submission is not what the server takes.
        """
        evaluation = Evaluation()
        compare_all(evaluation, self._comparisons, self._maps, on_pair, self._report)
        report = None
        if self._report is not None:
            report = self._report.write(evaluation.scores, evaluation.benchmark(), facts_of(estimated))
        submitted = {} if self._submission is None else self._submission.write()
        outputs = tuple(path for path in (self._outputs.folder, self._error_map) if path is not None)
        inherited = {entry.name for entry in dataclasses.fields(RunSummary)} - {"outputs", "report"}
        run = {name: getattr(estimated, name) for name in inherited}
        return DatasetSummary(
            dataset=self._dataset.name,
            split=self._choice.split,
            published=_published(self._dataset, self._choice),
            outputs=outputs,
            report=report,
            **run,
            **evaluation.fields(),
            **submitted,
        )


def _published(dataset: Dataset, choice: SampleChoice) -> int | None:
    """How many pairs are published of what was chosen; ``None`` if that is not known."""
    if choice.subsets or choice.scenes is not None or choice.limit is not None:
        return None
    has_truth = [split for split in dataset.splits if split != "test" or dataset.submission is None]
    splits = has_truth if choice.split is None else [choice.split]
    counts = [dataset.pairs.get(split) for split in splits]
    return None if None in counts else sum(count for count in counts if count is not None)


def evaluate_dataset(
    estimator: FlowEstimator,
    dataset: str,
    root: Path | str,
    out_dir: Path | str,
    *,
    choice: SampleChoice = SampleChoice(),
    flow_format: FlowFormatName | None = None,
    submission: Path | str | None = None,
    error_map: Path | str | None = None,
    force: bool = False,
    adopt: bool = False,
    report: ReportRequest | None = None,
) -> DatasetSummary:
    """Estimate the flow of a data set and compare it with the true flow.

    Args:
        estimator: computes the flow.
        dataset: the name of the data set.
        root: its folder, in the published layout.
        out_dir: the output folder for the flow; valid flow of an earlier run is skipped.
        choice: which samples to take.
        flow_format: the format of the flow; ``None`` for ``flo``.
        submission: the folder for what the authors' server takes.
        error_map: a folder for pictures of the errors.
        force: whether to overwrite existing flow, error maps and submissions.
        adopt: whether to keep complete flow of the right size that no run has recorded.
        report: the page to write about all pairs.

    Returns:
        The figures of each subset.

    Raises:
        InputError, UsageError, OutputError, DeviceError, BatchError: as for :class:`DatasetRun` and its methods.
    """
    run = DatasetRun(
        dataset,
        root,
        out_dir,
        choice=choice,
        flow_format=flow_format,
        submission=None if submission is None else file_only(submission),
        error_map=None if error_map is None else file_only(error_map),
        force=force,
        adopt=adopt,
        report=report,
    )
    return run.compare(run.estimate(estimator))
