"""``flowcli eval``: compares flow with the true flow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import BatchError, UsageError
from ..figures import figure_names
from ..places import file_only, place
from . import parsers
from .dataset_command import DatasetCommand
from .dataset_options import DatasetOptions
from .options import (
    AdoptOption,
    ConsoleOptions,
    FlowFileOptions,
    ForceOption,
    FrameOptions,
    JsonOption,
    takes_options,
)
from .reports import ReportOptions
from .variants import VariantOptions
from .workers import WorkerOptions

if TYPE_CHECKING:
    from ..results import ComparisonResult
    from ..run.report_files import ReportRequest


@takes_options
def evaluate(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PRED GT | ROOT",
            parser=place,
            help="Two flow files or two folders; with --dataset, the root of the data set.",
        ),
    ],
    variant_options: VariantOptions,
    frame_options: FrameOptions,
    file_options: FlowFileOptions,
    report_options: ReportOptions,
    worker_options: WorkerOptions,
    dataset_options: DatasetOptions,
    console_options: ConsoleOptions,  # noqa: ARG001  (only its side effect is needed)
    figures: Annotated[
        str | None,
        typer.Option(
            parser=parsers.figures,
            metavar="NAME",
            autocompletion=figure_names,
            help=f"Also compute these authors' figures of PRED and GT: {', '.join(figure_names())}.",
        ),
    ] = None,
    error_map: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.png", parser=file_only, help="Draw the errors in KITTI's colours; a folder for several flows."
        ),
    ] = None,
    fail_above: Annotated[
        float | None, typer.Option(min=0, metavar="EPE", help="Exit with code 6 if the end-point error is larger.")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="OTHER.json",
            parser=place,
            help="With --report: what another eval --json printed; the page shows what got better and what worse.",
        ),
    ] = None,
    json: JsonOption = False,
    force: ForceOption = False,
    adopt: AdoptOption = False,
) -> None:
    """Compare estimated flow with true flow: end-point error (also by speed), angular error and outliers.

    The files of two folders are matched by name. A data set is estimated with --model and evaluated in one go, by the
    figures of its authors as well. ROOT must have its published layout, which flowcli datasets NAME shows.
    """
    report = report_options.request(against)
    if dataset_options.dataset is None:
        worker_options.check_unused("dataset")
        dataset_options.check_unused()
        variant_options.single()
        worst = _given(paths, file_options, error_map, force, json, report, figures)
    else:
        if len(paths) != 1:
            raise UsageError("--dataset takes one path, the root of the data set")
        if figures is not None:
            raise UsageError("--figures is for PRED and GT; a data set has its authors' figures: leave it out")
        command = DatasetCommand(
            variant_options, dataset_options, paths[0], error_map, force, adopt, frame_options.reading(), report, json
        )
        worst = command.run(worker_options)
    if fail_above is not None and (worst is None or worst > fail_above):
        what = "nothing could be compared" if worst is None else f"the end-point error is {worst:.4g} px"
        raise BatchError(f"{what}; --fail-above allows at most {fail_above:g} px")


def _given(
    paths: list[Path],
    options: FlowFileOptions,
    error_map: Path | None,
    force: bool,
    json: bool,
    report: ReportRequest | None,
    figures: str | None,
) -> float | None:
    """Compare two files or two folders and show the result; returns the largest end-point error."""
    from ..results import ComparisonResult
    from ..run.evaluation import evaluate as evaluate_files
    from .render import show

    if len(paths) != 2:
        raise UsageError("give an estimated and a true flow, PRED GT; or --dataset NAME ROOT")
    several, found = paths[0].is_dir(), list[ComparisonResult]()
    summary = evaluate_files(
        paths[0],
        paths[1],
        error_map=error_map,
        force=force,
        on_pair=_shown_as_json(json) if several else found.append,
        options=options.options(),
        report=report,
        figures=figures,
    )
    if several or not json:
        show(summary, as_json=json)
    else:  # the comparison of two files says all
        outputs = (*found[0].outputs, *filter(None, [summary.report]))
        show(replace(found[0], outputs=outputs), as_json=True)
    return summary.worst_epe


def _shown_as_json(json: bool) -> Callable[[ComparisonResult], None]:
    from .render import show

    return (lambda result: show(result, as_json=True)) if json else (lambda _: None)
