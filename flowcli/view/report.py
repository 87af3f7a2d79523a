"""The page that reports on many pairs: a summary, histograms, and a table to sort and to filter in the browser."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import quote

from ..choices import Status
from .bins import Bins
from .page import page

_DIGITS = 6  # significant ones, of numbers on the page

Figures = Sequence[float | None]
"""A number for each column, or ``None``."""


@dataclass(frozen=True)
class Column:
    """A figure that every pair has."""

    key: str
    """Its name in JSON results, or another that is unique."""

    heading: str
    meaning: str
    """What it is, with its unit."""

    worse: Literal["high", "low"] | None = "high"
    """Which end is the bad one; ``None`` if neither is."""

    decimals: int = 3


@dataclass
class Row:
    """A pair, or another item of a run."""

    name: str
    figures: dict[str, Figures] = field(default_factory=dict)
    """The figures by the name of the subset of pixels, the most important subset first."""

    status: Status = "done"
    remarks: list[str] = field(default_factory=list)
    """What is to be said of it, such as why it failed; a line each."""

    is_marked: bool = False
    """Whether it is to be looked at."""

    pictures: tuple[bytes | None, ...] = ()
    """Small JPEGs, in the order of :attr:`Report.pictures`."""

    page: str | None = None
    """Its own page, relative to the report's folder, with ``/`` between folders."""

    before: Figures | None = None
    """The figures of the other evaluation over the first subset."""


@dataclass(frozen=True)
class Summary:
    """Further figures over all pairs."""

    title: str
    columns: Sequence[Column]
    figures: Mapping[str, Figures]
    """By what they are over."""


@dataclass(frozen=True)
class Report:
    """What the page says."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    first: str
    """The key of the column that the table is sorted by at first, the worst on top."""

    facts: Mapping[str, str] = field(default_factory=dict)
    """What is known of the run, by name: model, precision, folders."""

    notes: Sequence[str] = ()
    """How to read the page, one line each."""

    pictures: Sequence[str] = ()
    """What the pictures of a row show."""

    summary_columns: Sequence[Column] = ()
    """The figures over all pairs."""

    summary_of: str = "Subset"
    """What the rows of the summary are."""

    summary: Mapping[str, Figures] = field(default_factory=dict)
    """These figures, by subset or whatever else it is of."""

    summary_before: Mapping[str, Figures] = field(default_factory=dict)
    """The same of the other evaluation."""

    further: Sequence[Summary] = ()
    """What else is known over all pairs, such as authors' figures."""

    against: str | None = None
    """The name of the other evaluation."""

    bins: Sequence[Bins] = ()
    """The histograms."""


def report_page(report: Report) -> str:
    """Make the page; returns the text of the HTML file."""
    report, seen = _without_empty(report), _seen(report)
    subsets = list(dict.fromkeys(name for row in report.rows for name in row.figures))
    return page(
        report.title,
        "report",
        {
            "title": report.title,
            "facts": report.facts,
            "notes": report.notes,
            "columns": [vars(column) for column in report.columns],
            "summaryOf": report.summary_of,
            "summaryColumns": [vars(column) for column in report.summary_columns],
            "first": report.first,
            "pictures": [report.pictures[place] for place in seen],
            "subsets": subsets,
            "against": report.against,
            "summary": [
                {"name": name, "figures": _rounded(figures), "before": _rounded(report.summary_before.get(name))}
                for name, figures in report.summary.items()
            ],
            "further": [
                {
                    "title": each.title,
                    "columns": [vars(column) for column in each.columns],
                    "rows": [
                        {"name": name, "figures": _rounded(figures), "before": None}
                        for name, figures in each.figures.items()
                    ],
                }
                for each in report.further
            ],
            "histograms": [data for bins in report.bins if (data := bins.data()) is not None],
            "rows": [_row(row, subsets, seen) for row in report.rows],
        },
    )


def _without_empty(report: Report) -> Report:
    """The report without the columns at the end in which nothing has a number."""
    figures = [each for row in report.rows for each in (*row.figures.values(), row.before or ())]
    used = max((place + 1 for each in figures for place, value in enumerate(each) if value is not None), default=0)
    return replace(report, columns=report.columns[: max(used, 1)])


def _seen(report: Report) -> list[int]:
    """The places of the kinds of pictures that any row has."""
    rows = [row.pictures for row in report.rows if any(row.pictures)]
    return [place for place in range(len(report.pictures)) if any(pictures[place] for pictures in rows)]


def _row(row: Row, subsets: Sequence[str], seen: Sequence[int]) -> dict[str, Any]:
    """What the page has to know of a row."""
    return {
        "name": row.name,
        "figures": [[subsets.index(name), _rounded(figures)] for name, figures in row.figures.items()],
        "before": _rounded(row.before),
        "status": row.status,
        "remarks": row.remarks,
        "marked": row.is_marked,
        "pictures": [row.pictures[place] for place in seen] if row.pictures else [],
        "page": None if row.page is None else quote(row.page, errors="surrogateescape"),
    }


def _rounded(figures: Figures | None) -> list[float | int | None] | None:
    return None if figures is None else [_number(value) for value in figures]


def _number(value: float | None) -> float | int | None:
    """A number with as many digits as the page shows, which makes it smaller; JSON knows no NaN and no infinity."""
    if value is None or not math.isfinite(value):
        return None
    return value if isinstance(value, int) else float(f"{value:.{_DIGITS}g}")
