"""Running sums from which figures are computed: their memory does not grow with the number of pixels."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .quantiles import Quantiles


@dataclass
class Tally:
    """Sums in float64, by row of the table and by what is summed."""

    sums: dict[str, dict[str, float]] = field(default_factory=dict)
    quantiles: dict[str, dict[str, Quantiles]] = field(default_factory=dict)

    def add(self, row: str, **numbers: float) -> None:
        """Add numbers to the sums of a row; a row exists once something was added to it."""
        sums = self.sums.setdefault(row, {})
        for name, number in numbers.items():
            sums[name] = sums.get(name, 0.0) + float(number)

    def spread(self, row: str, name: str, values: npt.NDArray[np.floating]) -> None:
        """Add values whose quantiles are asked for."""
        self.quantiles.setdefault(row, {}).setdefault(name, Quantiles()).add(values)

    def merge(self, other: Tally) -> None:
        """Add everything that ``other`` has."""
        for row, sums in other.sums.items():
            self.add(row, **sums)
        for row, named in other.quantiles.items():
            mine = self.quantiles.setdefault(row, {})
            for name, values in named.items():
                mine.setdefault(name, Quantiles()).merge(values)

    def mean(self, row: str, name: str, count: str = "pixels", factor: float = 1.0) -> float | None:
        """``factor`` times a sum divided by another one; ``None`` where that is 0 or the row is not there."""
        sums = self.sums.get(row, {})
        return factor * sums.get(name, 0.0) / sums[count] if sums.get(count) else None

    def quantile(self, row: str, name: str, share: float) -> float | None:
        """The quantile at ``share``, 0 to 1, of the values of a row; ``None`` if there are none."""
        found = self.quantiles.get(row, {}).get(name)
        return None if found is None else found.at(share)
