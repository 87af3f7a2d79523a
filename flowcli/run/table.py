"""Parses CSV as spreadsheets and editors save it, line by line."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Collection, Iterable, Iterator

from ..errors import InputError

_DELIMITERS = (",", ";", "\t")  # Excel writes semicolons where the comma is the decimal mark
_DIRECTIVE = re.compile(r"\"?sep=(.)\"?", re.IGNORECASE)  # Excel's first line that names the delimiter
COMMENT = "#"
"""How comments begin."""


def rows(
    lines: Iterable[tuple[int, str]], name: str, *, columns: Collection[str], required: Collection[str]
) -> Iterator[tuple[int, dict[str, str] | None]]:
    """The rows of a table, each with its line's number.

    Comments before a header line are skipped. The delimiter is the one that Excel's ``sep=`` line names, or else the
    one of comma, semicolon and tab with which the first line names the required columns or has enough fields. Each
    line stands alone, so that a stray quote does not swallow the rest.

    Args:
        lines: the lines that are not blank, with their numbers.
        name: what errors call the table.
        columns: the columns, in order, if there is no header line.
        required: the columns that make a line a header line.

    Yields:
        The number, and the fields by column in lower case; ``None`` for a line that is not CSV.

    Raises:
        InputError: the first line has too few fields.
    """
    rest = iter(lines)
    comments = []
    first = next(rest, None)
    while first is not None and first[1].startswith(COMMENT):
        comments.append(first)
        first = next(rest, None)
    directive = delimiter_named(first[1]) if first is not None else None
    if directive is not None:
        comments, first = [], next(rest, None)
    if first is None and comments:  # then they are rows
        first, rest, comments = comments[0], iter(comments[1:]), []
    if first is None:
        raise _not_a_table(name)
    delimiters = (directive,) if directive is not None else _DELIMITERS
    header = next((each for each in delimiters if set(required) <= set(_lower(first[1], each))), None)
    if header is not None:
        names, body = _lower(first[1], header), rest
    else:  # a comment before the first row cannot be told from a row
        names, body = list(columns), itertools.chain(comments, [first], rest)
    delimiter = header or _delimiter(first[1], delimiters, len(required), name)
    for number, line in body:
        fields = _fields(line, delimiter)
        yield number, None if fields is None else dict(zip(names, fields, strict=False))


def is_header(line: str, required: Collection[str], delimiter: str | None = None) -> bool:
    """Whether a line names the required columns, with the delimiter or else with any of the usual ones."""
    return any(set(required) <= set(_lower(line, each)) for each in ([delimiter] if delimiter else _DELIMITERS))


def delimiter_named(line: str) -> str | None:
    """The delimiter that a line such as Excel's ``sep=;`` names."""
    directive = _DIRECTIVE.fullmatch(line.strip())
    return None if directive is None else directive[1]


def _delimiter(line: str, choices: Iterable[str], count: int, name: str) -> str:
    """The first delimiter that gives the line enough fields; a line that is not CSV at all is judged as a row."""
    for each in choices:
        fields = _fields(line, each)
        if fields is None or len(fields) >= count:
            return each
    raise _not_a_table(name)


def _not_a_table(name: str) -> InputError:
    return InputError(
        f"{name} is not a manifest; each line must give two frames or, below a line that says video, a video, "
        "as CSV with commas, semicolons or tabs, or as a JSON object"
    )


def _lower(line: str, delimiter: str) -> list[str]:
    return [field.lower() for field in _fields(line, delimiter) or []]


def _fields(line: str, delimiter: str) -> list[str] | None:
    if '"' not in line and "\r" not in line:  # most lines, several times as fast
        return [field.strip() for field in line.split(delimiter)]
    reader = csv.reader([line], delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        return [field.strip() for field in next(reader)]
    except csv.Error:
        return None
