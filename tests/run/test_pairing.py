"""Which frames of a sequence are paired, against plain definitions."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcli.choices import Pad
from flowcli.errors import UsageError
from flowcli.run.pairing import IndexPair, Pairing, Plan

GAPS = st.lists(st.integers(-5, 5).filter(bool), min_size=1, max_size=4, unique=True)


def defined(count: int, gaps: list[int], pad: Pad) -> set[tuple[int, int, int, int, bool]]:
    """Frame, first, second, gap, is zero: as the documentation says it."""
    found = set()
    for gap, frame in itertools.product(gaps, range(count)):
        have = [other for other in range(count) if 0 <= other + gap < count]
        if frame in have:
            found.add((frame, frame, frame + gap, gap, False))
        elif pad == "zero":
            found.add((frame, frame, frame, gap, True))
        elif pad == "repeat" and have:
            nearest = min(have, key=lambda other: abs(other - frame))
            found.add((frame, nearest, nearest + gap, gap, False))
        elif pad == "backward" and 0 <= frame - gap < count:
            found.add((frame, frame, frame - gap, gap, False))
    return found


def as_set(pairs: list[IndexPair]) -> set[tuple[int, int, int, int, bool]]:
    return {(pair.frame, pair.first, pair.second, pair.gap, pair.is_zero) for pair in pairs}


@given(count=st.integers(0, 14), gaps=GAPS, pad=st.sampled_from(["none", "repeat", "zero", "backward"]))
def test_gaps_and_padding(count: int, gaps: list[int], pad: Pad) -> None:
    pairing = Pairing(tuple(gaps), pad=pad)
    pairs = list(Plan(pairing).of(count))
    assert as_set(pairs) == defined(count, gaps, pad)
    assert len(pairs) == len(as_set(pairs)) == Plan(pairing).total(count)


@given(count=st.integers(0, 14), gaps=GAPS, pad=st.sampled_from(["none", "repeat", "zero", "backward"]))
def test_frames_are_kept_no_longer_than_stated(count: int, gaps: list[int], pad: Pad) -> None:
    pairing = Pairing(tuple(gaps), pad=pad)
    plan, reach = Plan(pairing), pairing.reach
    assert reach == max(map(abs, gaps)) * (2 if pad == "backward" else 1)
    for last in range(count):
        for pair in plan.at(last):
            assert last - reach <= min(pair.frame, pair.first, pair.second) or pair.frame != pair.first
            assert last - reach <= min(pair.first, pair.second)
            assert max(pair.first, pair.second) <= last
    for pair in plan.at_end(count):
        assert count - 1 - reach <= min(pair.first, pair.second)


@given(count=st.integers(0, 9))
def test_each_with_each(count: int) -> None:
    pairs = list(Plan(Pairing("all")).of(count))
    assert {(pair.first, pair.second) for pair in pairs} == set(itertools.permutations(range(count), 2))
    assert len(pairs) == Plan(Pairing("all")).total(count)
    assert all(pair.gap == pair.second - pair.first for pair in pairs)


@given(count=st.integers(1, 9), data=st.data())
def test_references(count: int, data: st.DataObject) -> None:
    anchor = data.draw(st.integers(0, count - 1))
    there = list(Plan(Pairing(reference=7), anchor).of(count))
    back = list(Plan(Pairing(to_reference=7), anchor).of(count))
    others = [other for other in range(count) if other != anchor]
    assert [(pair.first, pair.second) for pair in there] == [(anchor, other) for other in others]
    assert [(pair.first, pair.second) for pair in back] == [(other, anchor) for other in others]
    assert Plan(Pairing(reference=7), anchor).total(count) == len(there)


@pytest.mark.parametrize(
    "arguments",
    [
        {"gaps": ()},
        {"gaps": (0,)},
        {"gaps": (2, 2)},
        {"gaps": (2,), "reference": 1},
        {"reference": 1, "to_reference": 1},
        {"gaps": "all", "pad": "zero"},
        {"reference": 1, "pad": "repeat"},
    ],
)
def test_what_excludes_each_other(arguments: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Pairing(**arguments)  # type: ignore[arg-type]
