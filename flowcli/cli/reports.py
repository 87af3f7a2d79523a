"""Options of commands that report on many pairs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError
from ..places import file_only

if TYPE_CHECKING:
    from ..flows.formats import FlowOptions
    from ..run.report_files import ReportRequest
    from ..run.report_motion import MotionReport


@dataclass(frozen=True)
class ReportOptions:
    """The report."""

    report: Annotated[
        Path | None,
        typer.Option(
            metavar="REPORT.html",
            parser=file_only,
            help="Write a page about all pairs: figures, small pictures, histograms; the worst have pages of their own "
            "in REPORT_pairs.",
        ),
    ] = None
    report_pairs: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="With --report: how many pairs get a page of their own (20).")
    ] = None

    def request(self, against: Path | None = None) -> ReportRequest | None:
        """The report that is asked for, if one is.

        Args:
            against: another evaluation to compare with.

        Raises:
            UsageError: something of a report is given, but no report is asked for.
        """
        from ..run.report_files import PAIRS, ReportRequest

        if self.report is not None:
            return ReportRequest(self.report, PAIRS if self.report_pairs is None else self.report_pairs, against)
        given = {"report_pairs": self.report_pairs, "against": against}
        for name, value in given.items():
            if value is not None:
                raise UsageError(f"`{name}` is only for `report`; leave it out, or give `report` FILE.html")
        return None

    def of_run(
        self, title: str, *, folder: Path | None, options: FlowOptions, inputs: list[Path], force: bool
    ) -> MotionReport | None:
        """The report of a run without a truth, if one is asked for; see :class:`MotionReport`."""
        from ..run.report_motion import MotionReport

        request = self.request()
        if request is None:
            return None
        return MotionReport(request, title, folder=folder, options=options, inputs=inputs, force=force)
