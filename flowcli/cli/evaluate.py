"""``flowcli eval``: how far flow is from the truth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..errors import BatchError, InputError, UsageError
from .console import console
from .estimate import describe
from .options import ConsoleOptions, EstimatorOptions, ForceOption, JsonOption, takes_options

if TYPE_CHECKING:
    from ..estimator import FlowEstimator
    from ..flows.datasets import DatasetPair
    from ..run.evaluation import Comparison, Evaluation
    from ..run.manifest import FaultyItem

_HEADINGS = {
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


@takes_options
def evaluate(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PRED GT | ROOT", readable=False, help="Two flow files or folders; with --dataset, its root."
        ),
    ],
    estimator_options: EstimatorOptions,
    console_options: ConsoleOptions,  # noqa: ARG001  (has told the console already)
    dataset: Annotated[
        Literal["middlebury", "sintel", "kitti"] | None,
        typer.Option(help="Estimate and score this data set, which lies in ROOT as published."),
    ] = None,
    out_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            readable=False,
            help="With --dataset: where its flows are kept and gone on from.",
        ),
    ] = None,
    error_map: Annotated[
        Path | None,
        typer.Option(metavar="OUT.png", readable=False, help="Errors in KITTI's colours; for several, a folder."),
    ] = None,
    fail_above: Annotated[
        float | None, typer.Option(min=0, metavar="EPE", help="Exit with 6 if the end-point error is larger.")
    ] = None,
    json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Compare estimated flow with true flow: end-point and angular errors, outliers, by speed.

    Folders are matched by name. A data set is estimated with --model and scored in one go, and has to lie in ROOT as
    it is published: middlebury (SCENE/frame10.png, frame11.png, flow10.flo; or other-data and other-gt-flow), sintel
    (training/clean, final, flow, and, if there, occlusions and invalid), kitti (training/image_2, flow_occ, flow_noc).
    """
    from ..run.evaluation import Evaluation

    subject: dict[str, object]
    if dataset is None:
        if out_dir is not None:
            raise UsageError("--out-dir goes with --dataset")
        comparisons = _given(paths)
        subject = {"pred": paths[0], "gt": paths[1]}
        several = paths[0].is_dir()
        _check_error_maps(error_map, several, comparisons, force)
    else:
        pairs, comparisons, folder = _dataset(dataset, paths, out_dir)
        several = True
        _check_error_maps(error_map, several, comparisons, force)
        estimator = estimator_options.load()
        _estimate(estimator, pairs, folder, force)
        subject = {"dataset": dataset, "root": paths[0], "out_dir": folder, **describe(estimator)}

    evaluation = Evaluation()
    for comparison in comparisons:
        _score(evaluation, comparison, error_map, several=several, json=json)
    _print(evaluation, subject, several=several, json=json)
    missing = sum(evaluation.scores[name].missing for name in evaluation.main)
    if missing:
        console.note(f"{missing} pixels have a true flow but no estimate, and are left out")
    worst = evaluation.worst()
    if fail_above is not None and worst > fail_above:
        what = "nothing could be compared" if math.isinf(worst) else f"the end-point error is {worst:.4g} px"
        raise BatchError(f"{what}, not at most {fail_above:g} px")


def _given(paths: list[Path]) -> list[Comparison]:
    from ..run.evaluation import compare_files, compare_folders

    if len(paths) != 2:
        raise UsageError("give an estimated and a true flow, PRED GT; or --dataset NAME ROOT")
    if paths[0].is_dir() != paths[1].is_dir() and all(path.exists() for path in paths):
        raise InputError(f"{paths[0]} and {paths[1]}: one is a folder, the other is not")
    return compare_folders(*paths) if paths[0].is_dir() else compare_files(*paths)


def _dataset(
    dataset: Literal["middlebury", "sintel", "kitti"], paths: list[Path], out_dir: Path | None
) -> tuple[list[DatasetPair], list[Comparison], Path]:
    """What a data set consists of, and the folder for its estimates."""
    from ..flows.datasets import dataset_pairs
    from ..run.evaluation import compare_dataset
    from ..storage import check_writable

    if len(paths) != 1:
        raise UsageError("--dataset takes one path, the root of the data set")
    folder = out_dir or Path(f"eval-{dataset}")
    if folder.resolve() == paths[0].resolve():
        raise UsageError(f"{folder} is the data set itself; choose another --out-dir")
    check_writable(folder)
    pairs = dataset_pairs(dataset, paths[0])
    return pairs, compare_dataset(pairs, folder), folder


def _estimate(estimator: FlowEstimator, pairs: list[DatasetPair], folder: Path, force: bool) -> None:
    """Estimate a data set, or what is missing of it; ``force`` replaces flows that were made differently."""
    from ..run.batch import Batch
    from ..run.failures import FAILURES
    from ..run.manifest import Item

    items: list[Item | FaultyItem] = [
        Item(pair.frame1, pair.frame2, Path(f"{pair.name}.flo"), pair.name) for pair in pairs
    ]
    try:
        batch = Batch(estimator, folder)
    except UsageError:
        if not force:
            raise
        batch = Batch(estimator, folder, force=True)
    with console.progress("estimating", len(pairs), "pairs") as advance:
        summary = batch.run(items, on_outcome=lambda _: advance(1))
    if summary.failed:
        raise BatchError(f"{summary.failed} of {summary.items} pairs failed; {folder / FAILURES} lists them")
    console.note(
        f"flows in {folder}: {summary.done} estimated in {summary.seconds:.1f} s, {summary.skipped} were there"
    )


def _check_error_maps(target: Path | None, several: bool, comparisons: list[Comparison], force: bool) -> None:
    from ..storage import check_outputs, check_suffix

    if target is None:
        return
    if not several:
        check_suffix(target, [".png"])
    inputs = [path for comparison in comparisons for path in comparison.files()]
    check_outputs([_error_map(target, comparison, several) for comparison in comparisons], force=force, inputs=inputs)


def _error_map(target: Path, comparison: Comparison, several: bool) -> Path:
    return target / f"{comparison.name}.png" if several else target


def _score(
    evaluation: Evaluation, comparison: Comparison, error_map: Path | None, *, several: bool, json: bool
) -> None:
    from ..draw.style import error_map as draw_errors
    from ..frames.images import write_image

    flow, truth, scores = evaluation.add(comparison)
    if error_map is not None:
        write_image(_error_map(error_map, comparison, several), draw_errors(flow, truth))
    if json and several:
        console.result({"type": "pair", "name": comparison.name, "pred": comparison.estimate, **scores.report()})


def _print(evaluation: Evaluation, subject: dict[str, object], *, several: bool, json: bool) -> None:
    reports = {name: scores.report() for name, scores in evaluation.scores.items()}
    if json and several:
        console.result({"type": "summary", **subject, "subsets": reports})
    elif json:
        console.result({**subject, **reports["all"]})
    else:
        console.output(_table(reports))


def _table(reports: Mapping[str, Mapping[str, float | int | None]]) -> str:
    """Figures with a line for each subset."""

    def text(value: float | int | None) -> str:
        return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)

    rows = [["", *_HEADINGS.values()]]
    rows += [[name, *(text(report[key]) for key in _HEADINGS)] for name, report in reports.items()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip() + "\n")
    return "".join(lines)
