"""The figures of pairs in a report without a truth."""

from __future__ import annotations

import functools
import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import get_args, get_type_hints

from ..results import FlowStatistics
from ..view.report import Column, Figures, Row
from .glance import Glance
from .tasks import Task

ALL = "all"
"""The subset of pixels that the figures are over: all."""

_WORSE_BY = 0.1  # grey levels; warping that harms less than that says nothing
_PERCENT = 100.0


@functools.cache
def columns() -> tuple[Column, ...]:
    """What the figures are."""
    hints = get_type_hints(FlowStatistics, include_extras=True)
    unusual = "how far the pair's mean length is from that of the others; see above"
    error = "photometric error: mean difference of frame 1 and warped frame 2, in grey levels"
    return (
        Column("unusual", "unusual", unusual, decimals=1),
        Column("length_mean", "length px", get_args(hints["length_mean"])[1]),
        Column("length_max", "longest px", get_args(hints["length_max"])[1], decimals=2),
        Column("known", "known %", "percentage of pixels whose flow is known", "low", 1),
        Column("warped", "photometric", error, decimals=2),
        Column("unwarped", "unwarped", "the same for the original frame 2", decimals=2),
        Column("ratio", "of unwarped %", "photometric error as a percentage of that without warping", decimals=1),
        Column("time", "time s", "time of frame 1, in seconds since the input's first frame", None, 2),
    )


@functools.cache
def place_of(key: str) -> int:
    """The place of a figure among all."""
    return [column.key for column in columns()].index(key)


def figures_of(seen: Glance, task: Task) -> Figures:
    """The figures of a pair, but for how unusual it is."""
    said, errors = seen.statistics, seen.photometric
    values = {**vars(said), "known": _PERCENT * said.known, "time": None if task.time is None else float(task.time)}
    if errors is not None:
        values |= {"warped": errors.warped, "unwarped": errors.unwarped}
        values["ratio"] = _PERCENT * errors.warped / errors.unwarped if errors.unwarped else None
    return [values.get(column.key) for column in columns()]


def is_harmed(row: Row) -> bool:
    """Whether warping makes the frames of a pair fit worse."""
    warped, unwarped = row.figures[ALL][place_of("warped")], row.figures[ALL][place_of("unwarped")]
    return warped is not None and unwarped is not None and warped > unwarped + _WORSE_BY


def over_pairs(rows: Iterable[Row], chosen: Sequence[Column]) -> dict[str, Figures]:
    """The smallest, median, mean and largest of some figures over all pairs; nothing if none has any."""
    all_figures = [row.figures[ALL] for row in rows if ALL in row.figures]
    figures = [each for each in all_figures if each[place_of("length_mean")] is not None]
    if not figures:
        return {}
    values = [[each[place_of(column.key)] for each in figures] for column in chosen]
    found = [[value for value in column if value is not None] for column in values]
    kinds: dict[str, Callable[[list[float]], float]] = {
        "smallest": min,
        "median": statistics.median,
        "mean": statistics.fmean,
        "largest": max,
    }
    return {name: [kind(column) if column else None for column in found] for name, kind in kinds.items()}
