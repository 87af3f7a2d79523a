"""Puts the figures of several models on a data set side by side."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ..datasets.shared.dataset import Published
from ..figures import find_figures
from ..figures.shared.figure_set import FigureSet
from ..results import HEADINGS, DatasetSummary, FigureTable, TableColumn, TableRow

_USUAL = ("epe", "outliers_1px", "outliers_3px", "fl_all")


def figure_table(
    dataset: str, summaries: Mapping[str, DatasetSummary | None], published: Sequence[Published] = ()
) -> FigureTable:
    """The authors' figures of each model; the usual ones where they have none, or no end-point error.

    Args:
        dataset: the name of the data set.
        summaries: what was found, by the names of models, at least one; ``None`` for a model that failed.
        published: published figures to put beside them, as far as there are columns for them.

    Returns:
        The table; a value is ``None`` where there is none.
    """
    found = [summary for summary in summaries.values() if summary is not None]
    columns = _columns(found)
    rows = [
        TableRow(name=name, values=tuple(_value(summary, column) for column in columns))
        for name, summary in summaries.items()
    ]
    for each in published:
        values = tuple(each.figures.get((column.row, column.key)) for column in columns)
        if any(value is not None for value in values):
            rows.append(TableRow(name=f"{each.model} (published)", values=values, source=each.source))
    return FigureTable(dataset=dataset, columns=tuple(columns), rows=tuple(rows))


def _columns(summaries: Sequence[DatasetSummary]) -> list[TableColumn]:
    columns: dict[tuple[str, str], TableColumn] = {}
    for summary in summaries:
        sets = {name: find_figures(name) for name in summary.benchmark}
        made = _usual(list(summary.subsets), sets.values())
        made += [column for name, figures in sets.items() for column in _of_set(figures, list(summary.benchmark[name]))]
        for column in made:
            columns.setdefault((column.row, column.key), column)
    return list(columns.values())


def _usual(subsets: Sequence[str], sets: Collection[FigureSet]) -> list[TableColumn]:
    """The usual figures of each subset without authors' figures; else what those lack, over all pixels."""
    if not sets:
        return [TableColumn(row=subset, key=key, heading=HEADINGS[key]) for subset in subsets for key in _USUAL]
    if any(figures.has_endpoint_error for figures in sets):
        return []
    return [TableColumn(row=subset, key="epe", heading=HEADINGS["epe"]) for subset in subsets[:1]]


def _of_set(figures: FigureSet, rows: Sequence[str]) -> list[TableColumn]:
    cells: list[tuple[str, str]] = []
    every: tuple[tuple[str | None, str], ...] = tuple((None, key) for key in figures.columns)
    compared = figures.compared or every
    for row in rows:
        cells += [(row, key) for of, key in compared if of is None]
    cells += [(of, key) for of, key in compared if of in rows and of is not None]
    return [
        TableColumn(row=row, key=key, heading=figures.columns[key], larger_is_better=key in figures.larger_is_better)
        for row, key in cells
    ]


def _value(summary: DatasetSummary | None, column: TableColumn) -> float | None:
    if summary is None:
        return None
    for rows in summary.benchmark.values():
        if column.key in rows.get(column.row, {}):
            return rows[column.row][column.key]
    figures = summary.subsets.get(column.row)
    value = None if figures is None else getattr(figures, column.key, None)
    return None if value is None else float(value)
