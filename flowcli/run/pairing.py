"""Which frames of a sequence are paired: by gaps, each with each, or with a reference.

Frames are named by their positions among the frames that are taken (with a stride, some of the input's). A plan says
which pairs can be estimated once a frame has been read, so that frames need not be kept for longer than the longest
gap.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from ..choices import Pad
from ..errors import InputError, UsageError


@dataclass(frozen=True)
class IndexPair:
    """A flow of a sequence, by the positions of its frames."""

    frame: int
    """The frame that the flow belongs to: its name and its time."""

    first: int
    """The frame that the flow leads from: ``frame``, unless the flow of another frame is repeated."""

    second: int
    """The frame that it leads to."""

    gap: int
    """The gap that it belongs to."""

    is_zero: bool = False
    """Whether it is no motion, for a frame without a partner."""


@dataclass(frozen=True)
class Pairing:
    """The pairs of a sequence. Plain data.

    Args:
        gaps: pairs (i, i + g) for every frame i and every g; ``all``: every ordered pair.
        reference: pairs (N, i) instead, for every other frame i; N is the frame's number in the input.
        to_reference: pairs (i, N) instead.
        pad: what frames without a partner get, for every gap: ``none`` nothing; ``repeat`` the flow of the nearest
            frame that has one; ``zero`` no motion; ``backward`` the flow to frame i - g.

    Raises:
        UsageError: a gap is 0 or given twice, or the arguments exclude each other.
    """

    gaps: tuple[int, ...] | Literal["all"] = (1,)
    reference: int | None = None
    to_reference: int | None = None
    pad: Pad = "none"

    def __post_init__(self) -> None:
        """Check the values."""
        if self.gaps != "all":
            gaps = tuple(self.gaps)
            object.__setattr__(self, "gaps", gaps)
            if not all(isinstance(gap, int) for gap in gaps) or not gaps or 0 in gaps or len(set(gaps)) < len(gaps):
                raise UsageError("`gap` must be different whole numbers other than 0, such as 1,-1, or all")
        if self.pad not in get_args(Pad):
            raise UsageError(f"`pad` must be one of {', '.join(get_args(Pad))}, not {self.pad}")
        given = [self.reference is not None, self.to_reference is not None, self.gaps != (1,)]
        if sum(given) > 1:
            raise UsageError("give only one of `gap`, `reference` and `to_reference`")
        if self.pad != "none" and not self.is_by_gaps:
            raise UsageError("`pad` is for gaps that are numbers; leave it out")

    @classmethod
    def chosen(
        cls,
        gaps: Sequence[int] | Literal["all"] | None,
        reference: int | None = None,
        to_reference: int | None = None,
        pad: Pad = "none",
    ) -> Pairing:
        """The pairing of these arguments, of which the first three exclude each other; raises ``UsageError``."""
        if gaps is not None and (reference is not None or to_reference is not None):
            raise UsageError("give only one of `gap`, `reference` and `to_reference`")
        return cls((1,) if gaps is None else gaps if gaps == "all" else tuple(gaps), reference, to_reference, pad)

    @property
    def is_by_gaps(self) -> bool:
        """Whether the pairs are those of given gaps."""
        return self.gaps != "all" and self.anchor is None

    @property
    def anchor(self) -> int | None:
        """The number of the reference frame in the input, if there is one."""
        return self.reference if self.reference is not None else self.to_reference

    @property
    def single_gap(self) -> int | None:
        """The only gap, if there is just one."""
        return self.gaps[0] if self.is_by_gaps and len(self.gaps) == 1 and self.gaps != "all" else None

    @property
    def reach(self) -> int | None:
        """How many frames before the last one are needed; ``None``: all."""
        if self.anchor is not None:
            return 0
        if self.gaps == "all":
            return None
        longest = max(abs(gap) for gap in self.gaps)
        return 2 * longest if self.pad == "backward" else longest

    def noted(self) -> dict[str, object]:
        """What a record notes of the pairs, where they are not those of each frame and the next."""
        if self == Pairing():
            return {}
        if self.anchor is not None:
            return {"pairs": f"reference {self.reference}" if self.to_reference is None else "to reference"}
        return {"pairs": self.gaps if self.gaps == "all" else ",".join(map(str, self.gaps)), "pad": self.pad}

    def distance(self, count: int | None) -> int:
        """How far apart the frames of the longest pair are, or of a typical one where there is no longest."""
        if self.is_by_gaps and self.gaps != "all":
            return max(abs(gap) for gap in self.gaps)
        return max(1, (count or 2) // 2)

    def check_count(self, count: int, name: object) -> None:
        """Raise ``InputError`` if some frames of ``count`` cannot be given a flow as padding."""
        if self.gaps == "all" or self.pad not in {"repeat", "backward"}:
            return
        longest = max(abs(gap) for gap in self.gaps)
        if count < (longest + 1 if self.pad == "repeat" else 2 * longest):
            raise InputError(f"{name} has {count} frames, too few to pad a gap of {longest} with `pad` {self.pad}")

    def settings(self, fields: Collection[str]) -> dict[str, object]:
        """What a record has to say so that outputs of other pairs under the same names are not taken for these.

        Args:
            fields: the fields in the names of the outputs.
        """
        names_both = not {"frame", "stem"}.isdisjoint(fields) and not {"frame2", "stem2", "gap"}.isdisjoint(fields)
        if self == Pairing() or (names_both and self.pad == "none"):
            return {}
        if self.anchor is not None:
            return {"reference": self.reference, "to_reference": self.to_reference}
        return {"gap": self.gaps if self.gaps == "all" else ",".join(map(str, self.gaps)), "pad": self.pad}


class Plan:
    """The pairs of a sequence, in the order in which its frames are read.

    Args:
        pairing: which.
        anchor: the position of the reference frame, if there is one.
    """

    def __init__(self, pairing: Pairing, anchor: int | None = None) -> None:
        self._pairing = pairing
        self._anchor = anchor

    def at(self, last: int) -> Iterator[IndexPair]:
        """The pairs that can be estimated once the frame at position ``last`` has been read, and not before."""
        pairing = self._pairing
        if self._anchor is not None:
            if last != self._anchor and pairing.reference is not None:
                yield IndexPair(self._anchor, self._anchor, last, last - self._anchor)
            elif last != self._anchor:
                yield IndexPair(last, last, self._anchor, self._anchor - last)
        elif pairing.gaps == "all":
            for other in range(last):
                yield IndexPair(other, other, last, last - other)
                yield IndexPair(last, last, other, other - last)
        else:
            for gap in pairing.gaps:
                yield from self._padded_start(last, gap)
                if last >= abs(gap):
                    frame = last - gap if gap > 0 else last
                    yield IndexPair(frame, frame, frame + gap, gap)

    def _padded_start(self, last: int, gap: int) -> Iterator[IndexPair]:
        """What the first frames get, which have no partner before them."""
        if gap > 0:
            return
        first = -gap  # the first frame that has a partner
        if self._pairing.pad == "zero" and last < first:
            yield IndexPair(last, last, last, gap, is_zero=True)
        elif self._pairing.pad == "repeat" and last == first:
            yield from (IndexPair(frame, first, 0, gap) for frame in range(first))
        elif self._pairing.pad == "backward" and first <= last < 2 * first:
            yield IndexPair(last - first, last - first, last, gap)

    def at_end(self, count: int) -> Iterator[IndexPair]:
        """What the last frames of ``count`` get, which have no partner after them."""
        if self._pairing.gaps == "all" or self._pairing.pad == "none":
            return
        for gap in self._pairing.gaps:
            if gap < 0:
                continue
            for frame in range(max(0, count - gap), count):
                if self._pairing.pad == "zero":
                    yield IndexPair(frame, frame, frame, gap, is_zero=True)
                elif self._pairing.pad == "repeat" and count > gap:
                    yield IndexPair(frame, count - 1 - gap, count - 1, gap)
                elif self._pairing.pad == "backward" and frame - gap >= 0:
                    yield IndexPair(frame, frame, frame - gap, gap)

    def of(self, count: int) -> Iterator[IndexPair]:
        """All pairs of ``count`` frames."""
        for last in range(count):
            yield from self.at(last)
        yield from self.at_end(count)

    def total(self, count: int) -> int:
        """How many pairs ``count`` frames have."""
        pairing = self._pairing
        if pairing.anchor is not None:
            return max(0, count - 1)
        if pairing.gaps == "all":
            return count * (count - 1)
        if pairing.pad == "none":
            return sum(max(0, count - abs(gap)) for gap in pairing.gaps)
        return sum(1 for _ in self.of(count))
