"""A set of very many names that takes little memory: eight bytes a name."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_BUFFERED = 1 << 16  # fingerprints in an ordinary set, until they are sorted


class Fingerprints:
    """A set of texts, of which it keeps 64 bits each.

    Two texts of ten million are taken for the same with a probability of one in 400 000. Sorted arrays are merged as
    in a log-structured merge tree, so that there are few of them.
    """

    def __init__(self) -> None:
        self._recent: set[int] = set()
        self._sorted: list[npt.NDArray[np.uint64]] = []

    def add(self, text: str) -> bool:
        """Add a text; returns whether it is new."""
        fingerprint = _fingerprint(text)
        if fingerprint in self._recent or self._is_sorted(fingerprint):
            return False
        self._recent.add(fingerprint)
        if len(self._recent) >= _BUFFERED:
            self._sort()
        return True

    def __contains__(self, text: str) -> bool:
        """Whether a text was added."""
        fingerprint = _fingerprint(text)
        return fingerprint in self._recent or self._is_sorted(fingerprint)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._recent or self._sorted)

    def _is_sorted(self, fingerprint: int) -> bool:
        wanted = np.uint64(fingerprint)
        for array in self._sorted:
            place = int(array.searchsorted(wanted))
            if place < len(array) and array[place] == wanted:
                return True
        return False

    def _sort(self) -> None:
        array = np.sort(np.fromiter(self._recent, np.uint64, len(self._recent)))
        self._recent.clear()
        while self._sorted and len(self._sorted[-1]) <= len(array):
            array = np.concatenate([self._sorted.pop(), array])
            array.sort(kind="stable")  # which merges runs that are sorted
        self._sorted.append(array)


class Repeated:
    """Finds the texts that occur more than once."""

    def __init__(self) -> None:
        self._all = Fingerprints()
        self._repeated: set[int] = set()

    def add(self, text: str) -> None:
        """Count a text."""
        if not self._all.add(text):
            self._repeated.add(_fingerprint(text))

    def __contains__(self, text: str) -> bool:
        """Whether a text was counted more than once."""
        return _fingerprint(text) in self._repeated

    def __bool__(self) -> bool:
        """Whether any was."""
        return bool(self._repeated)


def _fingerprint(text: str) -> int:
    return hash(text) & 0xFFFF_FFFF_FFFF_FFFF  # Python's own, which is different in each process
