"""Tables that compare models, as text, Markdown, LaTeX and CSV."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Callable

from ..choices import TableFormat
from ..results import FigureTable
from .console import printable
from .tables import aligned

_DIGITS = 3  # after the decimal point
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    ">": r"\textgreater{}",
    "<": r"\textless{}",
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
}

Bold = Callable[[str], str]
"""Makes a number stand out."""


def table_text(table: FigureTable, table_format: TableFormat) -> str:
    """A table on some lines, with the best value of each column in bold where the format has that.

    Args:
        table: the table.
        table_format: ``text``, ``markdown``, ``latex`` (for the package booktabs), or ``csv`` with all digits.
    """
    writers: dict[TableFormat, Callable[[FigureTable], str]] = {
        "text": _text,
        "markdown": _markdown,
        "latex": _latex,
        "csv": _csv,
    }
    return writers[table_format](table)


def _cells(table: FigureTable, bold: Bold) -> list[list[str]]:
    """The numbers of each row as text. What is printed like the best is as good."""
    best = [_number(table.best(number)) for number in range(len(table.columns))]
    return [
        [
            bold(text) if (text := _number(value)) == best[number] != "-" else text
            for number, value in enumerate(row.values)
        ]
        for row in table.rows
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.{_DIGITS}f}"


def _names(table: FigureTable) -> list[str]:
    """The names of columns on one line."""
    return [f"{column.row} {column.heading}".strip() for column in table.columns]


def _text(table: FigureTable) -> str:
    rows = [column.row for column in table.columns]
    above = [row if number == 0 or rows[number - 1] != row else "" for number, row in enumerate(rows)]
    head = [["", *above]] if any(rows) else []
    head.append(["", *(column.heading for column in table.columns)])
    cells = _cells(table, lambda text: f"*{text}")
    return aligned([*head, *([printable(row.name), *texts] for row, texts in zip(table.rows, cells, strict=True))])


def _markdown(table: FigureTable) -> str:
    def line(cells: list[str]) -> str:
        return f"| {' | '.join(cells)} |\n"

    def plain(text: str) -> str:
        return re.sub(r"([\\|*_<>`])", r"\\\1", text)

    rows = [[plain(printable(row.name))] for row in table.rows]
    for row, texts in zip(rows, _cells(table, lambda text: f"**{text}**"), strict=True):
        row += texts
    head = line(["", *map(plain, _names(table))]) + line(["---", *["---:"] * len(table.columns)])
    return head + "".join(map(line, rows))


def _latex(table: FigureTable) -> str:
    def line(cells: list[str]) -> str:
        return f"{' & '.join(cells)} \\\\\n"

    groups = [(row, len(list(columns))) for row, columns in itertools.groupby(table.columns, lambda each: each.row)]
    above, rules, first = [""], "", 2
    for row, count in groups:
        above.append(
            f"\\multicolumn{{{count}}}{{c}}{{{_escaped(row)}}}" if row else f"\\multicolumn{{{count}}}{{c}}{{}}"
        )
        rules += f"\\cmidrule(lr){{{first}-{first + count - 1}}}" if row else ""
        first += count
    lines = [f"\\begin{{tabular}}{{l{'r' * len(table.columns)}}}\n", "\\toprule\n"]
    if any(row for row, _ in groups):
        lines += [line(above), f"{rules}\n"]
    lines += [line(["", *(_escaped(column.heading) for column in table.columns)]), "\\midrule\n"]
    for row, texts in zip(table.rows, _cells(table, lambda text: f"\\textbf{{{text}}}"), strict=True):
        lines.append(line([_escaped(printable(row.name)), *texts]))
    return "".join([*lines, "\\bottomrule\n", "\\end{tabular}\n"])


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in text)


def _csv(table: FigureTable) -> str:
    """With all digits, and without a mark of what is best."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["model", *_names(table)])
    for row in table.rows:
        writer.writerow([row.name, *("" if value is None else repr(value) for value in row.values)])
    return text.getvalue()
