"""The rows of a report while they are collected: only the worst of many keep their pictures, or stay at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..view.report import Row

PICTURED = 500
"""How many rows have pictures at most, so that a page of thousands of pairs stays usable."""

LISTED = 20_000
"""How many rows there are at most."""

Source = TypeVar("Source")
"""What a row is made of, for the page of its own."""


@dataclass(frozen=True)
class _Entry(Generic[Source]):
    row: Row
    source: Source | None


class Rows(Generic[Source]):
    """The rows of a report.

    Args:
        badness: how much a row deserves to be looked at; ``None`` is the least. Failures come before all others.
        listed: how many rows there are at most.
    """

    def __init__(self, badness: Callable[[Row], float | None], listed: int = LISTED) -> None:
        self._badness = badness
        self._listed = listed
        self._entries: list[_Entry[Source]] = []
        self._pictured: list[Row] = []
        self._count = self._count_pictured = 0

    def __iter__(self) -> Iterator[Row]:
        """The rows in the order in which they were added."""
        return (entry.row for entry in self._entries)

    def __len__(self) -> int:
        """How many have been added."""
        return self._count

    @property
    def are_all(self) -> bool:
        """Whether all that were added are still there."""
        return self._count == len(self._entries)

    def add(self, row: Row, source: Source | None = None) -> None:
        """Add a row, and what its page is made of; now and then, others are dropped, or their pictures."""
        self._entries.append(_Entry(row, source))
        self._count += 1
        if any(row.pictures):
            self._pictured.append(row)
            self._count_pictured += 1
        self._drop(2 * PICTURED, 2 * self._listed)

    def worst_first(self) -> list[tuple[Row, Source]]:
        """The rows that can be judged and have a source, the worst first."""
        entries = [(self._badness(entry.row), entry.row, entry.source) for entry in self._entries]
        judged = [(bad, row, source) for bad, row, source in entries if bad is not None and source is not None]
        return [(row, source) for _, row, source in sorted(judged, key=lambda each: each[0], reverse=True)]

    def finish(self) -> list[str]:
        """Drop what is too much; returns what the page says of that, a line each."""
        self._drop(PICTURED + 1, self._listed + 1)
        said = []
        if not self.are_all:
            said.append(
                f"Of {self._count} pairs, failures and the worst are listed, {len(self._entries)} in all; "
                "the histograms count every pair."
            )
        if self._count_pictured > len(self._pictured):
            said.append(f"Of {self._count} rows, the {PICTURED} worst have pictures, so that the page stays small.")
        return said

    def _drop(self, pictured: int, listed: int) -> None:
        """Drop all but the worst pictures and rows, if there are at least so many."""
        if len(self._entries) >= listed:
            places = sorted(range(len(self._entries)), key=lambda place: self._order(self._entries[place].row))
            kept = [self._entries[place] for place in sorted(places[-self._listed :])]
            self._entries = kept
        if len(self._pictured) >= pictured:
            self._pictured.sort(key=self._order)
            for row in self._pictured[:-PICTURED]:
                row.pictures = ()
            del self._pictured[:-PICTURED]

    def _order(self, row: Row) -> tuple[bool, float]:
        bad = self._badness(row)
        return row.status == "failed", float("-inf") if bad is None else bad
