"""Comparing flow files with true flow: single files, two folders, or a whole data set."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..arrays import Flow, check_same_size
from ..choices import DatasetName
from ..draw.error_map import error_map as draw_errors
from ..errors import InputError, UsageError
from ..estimator import FlowEstimator
from ..flows.datasets import Subset, find_samples
from ..flows.formats import formats
from ..flows.io import is_flow_file, read_flow
from ..flows.metrics import Scores
from ..frames.files import natural_key
from ..frames.images import write_image
from ..results import (
    BatchSummary,
    ComparisonResult,
    DatasetSummary,
    EvaluationSummary,
    PairResult,
    RunSummary,
)
from ..storage import check_outputs, check_suffix, check_writable, why
from .batch import BatchOutputs, estimate_batch
from .tasks import Task, made_from

OnComparison = Callable[[ComparisonResult], None]


@dataclass(frozen=True)
class Comparison:
    """An estimated flow, and the truths that it is compared with."""

    name: str
    estimate: Path
    subsets: Sequence[Subset]

    def files(self) -> list[Path]:
        """All that is read."""
        parts = (path for subset in self.subsets for path in (subset.truth, subset.mask))
        return [self.estimate, *(path for path in parts if path is not None)]


@dataclass
class Evaluation:
    """Scores by subset, over all comparisons."""

    scores: dict[str, Scores] = field(default_factory=dict)
    main: set[str] = field(default_factory=set)
    """The subsets of all pixels, and not of a part of them."""

    def add(self, comparison: Comparison) -> tuple[Flow, Flow, Scores]:
        """Compare a flow.

        Returns:
            The estimate, the truth of its first subset, and the scores of the two.

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

    def fields(self) -> dict[str, Any]:
        """The fields of :class:`flowcli.results.SubsetFigures`."""
        return {
            "subsets": {name: scores.figures() for name, scores in self.scores.items()},
            "worst_epe": self._worst(),
            "missing": sum(self.scores[name].missing for name in self.main),
        }

    def _worst(self) -> float | None:
        """The largest mean end-point error of the main subsets; ``None`` if nothing could be compared in one."""
        means = [self.scores[name].figures().epe for name in self.main]
        return None if None in means else max(mean for mean in means if mean is not None)


class ErrorMaps:
    """Pictures of the errors of several comparisons, or of one.

    Args:
        target: a folder, or, for one comparison, a ``.png``.
        comparisons: all that will be drawn.
        force: whether existing pictures are replaced.

    Raises:
        UsageError: a picture exists, or is an input.
        OutputError: a picture cannot be written.
    """

    def __init__(self, target: Path, comparisons: Sequence[Comparison], *, is_folder: bool, force: bool) -> None:
        self._target = target
        self._is_folder = is_folder
        if not is_folder:
            check_suffix(target, [".png"])
        inputs = [path for comparison in comparisons for path in comparison.files()]
        check_outputs([self.path(comparison) for comparison in comparisons], force=force, inputs=inputs)

    def path(self, comparison: Comparison) -> Path:
        """Where the picture of a comparison goes."""
        return self._target / f"{comparison.name}.png" if self._is_folder else self._target

    def draw(self, comparison: Comparison, flow: Flow, truth: Flow) -> Path:
        """Write the picture of a comparison and return where; raises ``OutputError``."""
        path = self.path(comparison)
        write_image(path, draw_errors(flow, truth))
        return path


def evaluate(
    estimates: Path | str,
    truths: Path | str,
    *,
    error_map: Path | None = None,
    force: bool = False,
    on_pair: OnComparison | None = None,
) -> EvaluationSummary:
    """Compare estimated with true flow.

    Args:
        estimates: a flow file, or a folder of them, with those below it.
        truths: likewise; the flows of two folders are matched by name, whatever their suffixes.
        error_map: where to draw the errors: a ``.png`` for two files, a folder for two folders.
        force: whether to overwrite error maps.
        on_pair: called with each comparison.

    Returns:
        The figures over all pixels, as the subset ``all``.

    Raises:
        InputError: a flow cannot be read, has no partner, or differs in size from it.
        UsageError: an error map exists.
        OutputError: an error map cannot be written.
    """
    estimates, truths = Path(estimates), Path(truths)
    is_folder = estimates.is_dir()
    if is_folder != truths.is_dir() and estimates.exists() and truths.exists():
        raise InputError(f"{estimates} and {truths}: one is a folder, the other is not")
    comparisons = _in_folders(estimates, truths) if is_folder else _of_files(estimates, truths)
    maps = ErrorMaps(error_map, comparisons, is_folder=is_folder, force=force) if error_map else None
    evaluation = Evaluation()
    _compare(evaluation, comparisons, maps, on_pair)
    outputs = () if error_map is None else (error_map,)
    return EvaluationSummary(input=str(estimates), truth=str(truths), outputs=outputs, **evaluation.fields())


class DatasetRun:
    """A data set that is estimated and then compared with its truth; flow that is there already is skipped.

    Args:
        dataset: which data set; see :func:`flowcli.flows.datasets.find_samples`.
        root: where it lies, as its authors publish it.
        out_dir: where the flow goes, as ``.flo``.
        error_map: a folder for pictures of the errors.
        force: whether to overwrite flow and error maps.
        adopt: whether to take whole flows of the right size that no run has recorded.

    Raises:
        InputError: a part of the data set is missing.
        UsageError: ``out_dir`` is the data set, or an error map exists.
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
    ) -> None:
        self._dataset = dataset
        self._root, folder = Path(root), Path(out_dir)
        if folder.resolve() == self._root.resolve():
            raise UsageError(f"{folder} is the data set itself; choose another `out_dir`")
        check_writable(folder)
        self._outputs = BatchOutputs(folder, force=force, adopt=adopt)
        self._error_map = error_map
        self.samples = find_samples(dataset, self._root)
        self._comparisons = [
            Comparison(sample.name, folder / f"{sample.name}.flo", sample.subsets) for sample in self.samples
        ]
        self._maps = ErrorMaps(error_map, self._comparisons, is_folder=True, force=force) if error_map else None

    def estimate(
        self, estimator: FlowEstimator, *, on_pair: Callable[[PairResult], None] | None = None
    ) -> BatchSummary:
        """Estimate what is missing.

        Args:
            estimator: makes the flow.
            on_pair: called when a pair's flow has been written.

        Returns:
            What :meth:`compare` is to report.

        Raises:
            UsageError: the folder holds flow that was made otherwise.
            OutputError: an output cannot be written.
            BatchError: some pairs failed.
        """
        tasks = []
        for number, sample in enumerate(self.samples):
            frames = sample.frame1, sample.frame2
            tasks.append(Task(number, *frames, Path(f"{sample.name}.flo"), sample.name, made_from(*frames)))
        estimated = estimate_batch(estimator, tasks, self._outputs, name=str(self._root), on_pair=on_pair)
        if estimated.problem is not None:
            raise estimated.problem
        return estimated

    def compare(self, estimated: BatchSummary, *, on_pair: OnComparison | None = None) -> DatasetSummary:
        """Compare all flow with the truth: the figures by subset; raises ``InputError`` or ``OutputError``.

        Args:
            estimated: from :meth:`estimate`.
            on_pair: called with each comparison.
        """
        evaluation = Evaluation()
        _compare(evaluation, self._comparisons, self._maps, on_pair)
        outputs = tuple(path for path in (self._outputs.folder, self._error_map) if path is not None)
        inherited = {entry.name for entry in dataclasses.fields(RunSummary)} - {"outputs"}
        run = {name: getattr(estimated, name) for name in inherited}
        return DatasetSummary(dataset=self._dataset, outputs=outputs, **run, **evaluation.fields())


def evaluate_dataset(
    estimator: FlowEstimator, dataset: DatasetName, root: Path | str, out_dir: Path | str
) -> DatasetSummary:
    """Estimate a data set's flow and compare it with the truth.

    Args:
        estimator: makes the flow.
        dataset: which data set.
        root: where it lies, as its authors publish it.
        out_dir: where the flow goes, as ``.flo``; whole flow of an earlier run is skipped.

    Returns:
        The figures by subset.

    Raises:
        InputError, UsageError, OutputError, BatchError: as :class:`DatasetRun`.
    """
    run = DatasetRun(dataset, root, out_dir)
    return run.compare(run.estimate(estimator))


def _compare(
    evaluation: Evaluation,
    comparisons: Iterable[Comparison],
    maps: ErrorMaps | None,
    on_pair: OnComparison | None,
) -> None:
    for comparison in comparisons:
        flow, truth, scores = evaluation.add(comparison)
        outputs = () if maps is None else (maps.draw(comparison, flow, truth),)
        if on_pair is not None:
            on_pair(
                ComparisonResult(
                    name=comparison.name,
                    flow_file=comparison.estimate,
                    truth_file=comparison.subsets[0].truth,
                    outputs=outputs,
                    **dataclasses.asdict(scores.figures()),
                )
            )


def _of_files(estimate: Path, truth: Path) -> list[Comparison]:
    return [Comparison(truth.stem, estimate, [Subset("all", truth, is_main=True)])]


def _in_folders(estimates: Path, truths: Path) -> list[Comparison]:
    """The comparisons of the flows in two folders, and those below, whose names are the same but for the suffix."""
    ours, theirs = _flows(estimates), _flows(truths)
    lonely = [f"{truths / name}" for name in theirs.keys() - ours.keys()]
    lonely += [f"{estimates / name}" for name in ours.keys() - theirs.keys()]
    if lonely:
        raise InputError(f"{len(lonely)} flows have no partner in the other folder: {', '.join(sorted(lonely))}")
    if not ours:
        raise InputError(f"no flow files in {estimates} and {truths}")
    names = sorted(ours, key=lambda name: natural_key(Path(name)))
    return [Comparison(name, ours[name], [Subset("all", theirs[name], is_main=True)]) for name in names]


def _flows(folder: Path) -> dict[str, Path]:
    """The flow files in a folder and those below it, by their relative paths without suffixes."""
    found: dict[str, Path] = {}
    try:
        files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in formats() and path.is_file())
    except OSError as error:
        raise InputError(f"cannot read {folder}: {why(error)}") from error
    for path in files:
        if not is_flow_file(path):
            continue  # a picture
        name = str(path.relative_to(folder).with_suffix(""))
        if name in found:
            raise InputError(f"{found[name]} and {path} have one name; which is meant?")
        found[name] = path
    return found
