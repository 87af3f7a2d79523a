"""``flowcli eval --dataset``: runs one or several models over a data set, and shows what was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import FlowcliError, OutputError, UsageError
from .console import console
from .dataset_options import DatasetOptions
from .variants import Variant, VariantOptions
from .workers import WorkerOptions

if TYPE_CHECKING:
    from ..frames.reading import Reading
    from ..results import ComparisonResult, DatasetSummary, PairResult
    from ..run.dataset_run import DatasetRun
    from ..run.engine import Engine
    from ..run.report_files import ReportRequest


@dataclass(frozen=True)
class DatasetCommand:
    """What was asked for."""

    models: VariantOptions
    options: DatasetOptions
    root: Path
    error_map: Path | None
    force: bool
    adopt: bool
    reading: Reading
    report: ReportRequest | None
    json: bool

    def run(self, workers: WorkerOptions) -> float | None:
        """Estimate and compare with each model, and show the results.

        Args:
            workers: what estimates.

        Returns:
            The largest end-point error in pixels; ``None`` if nothing could be compared.

        Raises:
            FlowcliError: as for :class:`flowcli.run.dataset_run.DatasetRun`. What is wrong with one of several models
                does not stop the others, unless it is an ``OutputError``; the first is raised at the end.
        """
        if self.json and self.options.table is not None:
            raise UsageError("`table` and `json` exclude each other; the last line of `json` is the table")
        variants = self.models.variants()
        # The outputs of all are checked before the first one begins.
        runs = [(variant, self._of(variant)) for variant in variants]
        summaries: dict[str, DatasetSummary | None] = {}
        problem: FlowcliError | None = None
        for variant, run in runs:
            try:
                with workers.engine(variant.options, self.reading.max_pixels) as engine:
                    summaries[variant.name] = self._one(variant, run, engine)
            except FlowcliError as error:
                if not self._are_several or isinstance(error, OutputError):
                    raise
                console.note(f"{variant.name}: {error.with_flags()}")
                summaries[variant.name], problem = None, problem or error
        if self._has_table:
            self._show_table(summaries)
        if problem is not None:
            raise problem
        worst = [None if summary is None else summary.worst_epe for summary in summaries.values()]
        return None if None in worst else max(error for error in worst if error is not None)

    @property
    def _are_several(self) -> bool:
        return self.models.are_several

    @property
    def _has_table(self) -> bool:
        return self._are_several or self.options.table is not None or self.options.published

    def _of(self, variant: Variant) -> DatasetRun:
        """The run of a model; several have folders of their own."""
        from ..run.dataset_run import DatasetRun

        def own(folder: Path | None) -> Path | None:
            return folder if folder is None or not self._are_several else folder / variant.folder

        options, report = self.options, self.report
        assert options.dataset is not None
        if report is not None and self._are_several:
            report = replace(report, path=report.path.with_name(f"{report.path.stem}-{variant.folder}.html"))
        out_dir = options.out_dir or Path(f"eval-{options.dataset}")
        return DatasetRun(
            options.dataset,
            self.root,
            out_dir / variant.folder if self._are_several else out_dir,
            choice=options.choice(),
            flow_format=options.flow_format,
            submission=own(options.submission),
            error_map=own(self.error_map),
            force=self.force,
            adopt=self.adopt,
            reading=self.reading,
            report=report,
        )

    def _one(self, variant: Variant, run: DatasetRun, engine: Engine) -> DatasetSummary:
        """Estimate with one model, compare and show the result."""
        from .render import show, show_notes

        name = variant.name if self._are_several else None
        with console.progress(f"estimating {name}" if name else "estimating", len(run.samples), "pairs") as advance:

            def on_pair(result: PairResult) -> None:
                advance(1)
                if result.status == "failed":
                    show(result, as_json=self.json)

            estimated = run.estimate(engine, on_pair=on_pair)
        summary = replace(run.compare(estimated, on_pair=self._shown_as_json(name)), variant=name)
        if summary.submission is not None and self.options.is_chosen:
            console.once(f"{summary.submission} has only what was chosen; the server takes the whole split")
        if self._has_table and not self.json:
            show_notes(summary)
        else:
            show(summary, as_json=self.json)
        return summary

    def _shown_as_json(self, variant: str | None) -> Callable[[ComparisonResult], None]:
        from .render import show

        if not self.json:
            return lambda _: None
        return lambda result: show(replace(result, variant=variant), as_json=True)

    def _show_table(self, summaries: dict[str, DatasetSummary | None]) -> None:
        from ..datasets import find_dataset
        from ..run.figure_table import figure_table
        from .model_tables import table_text
        from .render import show

        assert self.options.dataset is not None
        published = find_dataset(self.options.dataset).published if self.options.published else ()
        table = figure_table(self.options.dataset, summaries, published)
        if not table.columns:  # frames without true flow
            return
        if self.json:
            show(table, as_json=True)
        else:
            console.output(table_text(table, self.options.table or "text"))
        sources = [f"{row.name}: {row.source}" for row in table.rows if row.source is not None]
        if self.options.published and not sources:
            sources = [f"flowcli knows no published figures for {self.options.dataset} that this table has"]
        elif self.options.published and self.options.is_part:
            sources.append("published figures are over all pairs with true flow, not over the part that was chosen")
        for source in sources:
            console.note(source)
