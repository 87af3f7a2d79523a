"""Tables of figures, and what is said of a data set, as text."""

from __future__ import annotations

from collections.abc import Mapping

from ..results import HEADINGS, BenchmarkFigures, DatasetInfo, Figures
from .console import printable


def figures_table(subsets: Mapping[str, Figures]) -> str:
    """A table with one line per subset."""

    def text(value: float | int | None) -> str:
        return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)

    rows = [["", *HEADINGS.values()]]
    rows += [[printable(name), *(text(getattr(figures, key)) for key in HEADINGS)] for name, figures in subsets.items()]
    return aligned(rows)


def benchmark_tables(benchmark: BenchmarkFigures) -> str:
    """A table for each set of authors' figures, each after an empty line."""
    from ..figures import find_figures

    tables = []
    for name, rows in benchmark.items():
        figures = find_figures(name)
        lines = [["", *figures.columns.values()]]
        for row, values in rows.items():
            numbers = [values.get(key) for key in figures.columns]
            lines.append([printable(row), *("-" if number is None else f"{number:.3f}" for number in numbers)])
        tables.append(f"\n{figures.title}\n{aligned(lines)}")
    return "".join(tables)


def aligned(rows: list[list[str]]) -> str:
    """Rows of cells as text: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip() + "\n")
    return "".join(lines)


def dataset_text(result: DatasetInfo) -> str:
    """A data set as a line of a list, or by itself with all that is known of it."""
    if result.is_one_of_many:
        return f"{result.name:<16}{result.title}\n"
    facts = {
        "get it": [result.url],
        "folders": result.layout,
        "splits": [", ".join(result.splits)],
        "pairs": [", ".join(f"{count} {split}" for split, count in result.pairs.items())],
        "subsets": [", ".join(result.labels)],
        "figures": [", ".join(result.figures)],
        "rules": [result.rules],
        "submit": [result.submission or ""],
    }
    lines = [f"{result.name}: {result.title}"]
    for name, values in facts.items():
        heads = [f"{name}:", *[""] * (len(values) - 1)]
        lines += [f"  {head:<10}{value}" for head, value in zip(heads, values, strict=True) if value]
    return "\n".join(lines) + "\n"
