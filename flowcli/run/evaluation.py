"""Compares flow with the true flow: two files, or two folders."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..datasets.shared.dataset import Subset
from ..errors import InputError
from ..figures import check_figures
from ..flows.folder import flow_files
from ..flows.formats import FlowOptions
from ..flows.io import files_to_read
from ..places import file_only, listed, place
from ..results import EvaluationSummary
from .comparing import OnComparison, compare_all
from .comparison import Comparison, Evaluation, files_of
from .error_maps import ErrorMaps
from .report_evaluation import EvaluationReport
from .report_files import ReportRequest


def evaluate(
    estimates: Path | str,
    truths: Path | str,
    *,
    error_map: Path | str | None = None,
    force: bool = False,
    on_pair: OnComparison | None = None,
    options: FlowOptions = FlowOptions(),
    report: ReportRequest | None = None,
    figures: str | None = None,
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
        figures: the authors' figures to compute as well, such as ``spring``; ``None`` for none.

    Returns:
        The figures over all pixels, as the subset ``all``.

    Raises:
        InputError: a flow cannot be read, has no match, or differs in size from its match.
        UsageError: an error map or the report exists and ``force`` is false, or is an input; or no figures have
            that name.
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
    if figures is not None:
        comparisons = [replace(comparison, figures=check_figures(figures)) for comparison in comparisons]
    maps = ErrorMaps(error_map, comparisons, is_folder=is_folder, force=force) if error_map else None
    page = None
    if report is not None:
        title = f"Evaluation of {estimates} with {truths}"
        page = EvaluationReport(report, title, inputs=files_of(comparisons), force=force, options=options)
    evaluation = Evaluation(options=options)
    compare_all(evaluation, comparisons, maps, on_pair, page)
    outputs = () if error_map is None else (error_map,)
    count = len(comparisons)
    facts = {"estimated flow": str(estimates), "true flow": str(truths), "pairs": str(count)}
    return EvaluationSummary(
        input=str(estimates),
        truth=str(truths),
        outputs=outputs,
        report=None if page is None else page.write(evaluation.scores, evaluation.benchmark(), facts),
        pairs=count,
        done=count,
        **evaluation.fields(),
    )


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
