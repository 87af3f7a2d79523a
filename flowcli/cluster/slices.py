"""Slices: which items go to a worker together, and which of them is to blame when its process ends."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_SECONDS = 1.0  # that a slice should take: long against the time to send it, short at the end of a run
_MOST = 256
_BYTES = 65_536  # of the replies to a slice; Ray sends up to 100 kB without its object store


@dataclass(eq=False)
class Slice:
    """Some items that are sent together."""

    items: list[Any]
    is_alone: bool = False
    """Whether its one item is suspected to end processes, so that nothing else may be on its worker."""

    is_shielded: bool = False
    """Whether it waited behind another that ended the process; it is not to blame for what follows at once."""


class Pace:
    """How many items a worker is given at a time: as many as it does in about a second."""

    def __init__(self) -> None:
        self.size = 1

    def note(self, count: int, seconds: float, reply_bytes: int) -> None:
        """Adapt to a slice of ``count`` items that took so long, and whose replies were so large."""
        fitting = count * _SECONDS / max(seconds, 1e-6)
        light = count * _BYTES / max(reply_bytes, 1)
        self.size = int(max(1, min(2 * self.size, fitting, light, _MOST)))


class SliceQueue:
    """The items that are still to be done; those of a source are taken only when a worker has room.

    Args:
        items: the source.
        total: how many they are, if known: towards the end, slices become smaller.
    """

    def __init__(self, items: Iterable[Any], total: int | None) -> None:
        self._source = iter(items)
        self._left = total
        self._is_exhausted = False
        self._again: deque[Slice] = deque()
        self._suspects: deque[Slice] = deque()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left, as far as known."""
        return self._is_exhausted and not self._again and not self._suspects

    def take(self, size: int, workers: int, *, is_idle: bool) -> Slice | None:
        """The next slice for a worker, or ``None`` if there is none for it now.

        Args:
            size: the most items.
            workers: how many share what is left.
            is_idle: whether the worker has nothing else to do. A suspect goes only to such a one; while there are any,
                no worker gets anything else, so that one becomes idle.
        """
        if self._suspects:
            return self._suspects.popleft() if is_idle else None
        if self._again:
            return self._again.popleft()
        if self._is_exhausted:
            return None
        if self._left is not None:
            size = max(1, min(size, -(-self._left // (2 * max(1, workers)))))
        items = list(itertools.islice(self._source, size))
        self._is_exhausted = len(items) < size
        if self._left is not None:
            self._left = max(0, self._left - len(items))
        return Slice(items) if items else None

    def add(self, items: Iterable[Any]) -> None:
        """Have these items done before those of the source, each as a slice of its own."""
        self._again.extend(Slice([item]) for item in items)

    def put_back(self, piece: Slice) -> None:
        """Have a slice done by another worker; what ended its worker was not in it."""
        if piece.is_alone:
            self._suspects.append(piece)
        else:
            self._again.append(Slice(piece.items))

    def suspect(self, piece: Slice) -> None:
        """Have the items of a slice, which ended its worker, done one by one."""
        self._suspects.extend(Slice([item], is_alone=True) for item in piece.items)
