"""The rows of a report while they are collected: only the worst of many keep their pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..view.report import Row

PICTURED = 500
"""How many rows have pictures at most, so that a page of thousands of pairs stays usable."""


class Rows:
    """The rows of a report.

    Args:
        badness: how much a row deserves to be looked at; ``None`` is the least.
    """

    def __init__(self, badness: Callable[[Row], float | None]) -> None:
        self._badness = badness
        self._rows: list[Row] = []
        self._pictured: list[Row] = []
        self._has_dropped = False

    def __iter__(self) -> Iterator[Row]:
        """The rows in the order in which they were added."""
        return iter(self._rows)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._rows)

    def add(self, row: Row) -> None:
        """Add a row; now and then, pictures of others are dropped."""
        self._rows.append(row)
        if any(row.pictures):
            self._pictured.append(row)
        if len(self._pictured) >= 2 * PICTURED:
            self._drop()

    def worst_first(self) -> list[Row]:
        """The rows that can be judged, the worst first."""
        judged = [(bad, row) for row in self._rows if (bad := self._badness(row)) is not None]
        return [row for _, row in sorted(judged, key=lambda each: each[0], reverse=True)]

    def finish(self) -> list[str]:
        """Drop the pictures that are too many; returns what the page says of that, a line or none."""
        if len(self._pictured) > PICTURED:
            self._drop()
        if not self._has_dropped:
            return []
        return [f"Of {len(self._rows)} rows, the {PICTURED} worst have pictures, so that the page stays small."]

    def _drop(self) -> None:
        """Drop the pictures of all but the worst rows."""

        def order(row: Row) -> float:
            bad = self._badness(row)
            return float("-inf") if bad is None else bad

        self._has_dropped = True
        self._pictured.sort(key=order, reverse=True)
        for row in self._pictured[PICTURED:]:
            row.pictures = ()
        del self._pictured[PICTURED:]
