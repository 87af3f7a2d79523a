"""Sintel's figures, against loops over pixels."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from flowcli.arrays import Flow
from flowcli.figures import find_figures
from flowcli.figures.shared.figure_set import Judged
from flowcli.figures.sintel import distance_to_boundary

SINTEL = find_figures("sintel")


def distances_by_hand(marked: np.ndarray) -> np.ndarray:
    out = np.full(marked.shape, np.inf)
    for place in np.ndindex(marked.shape):
        others = np.argwhere(marked != marked[place])
        if len(others):
            out[place] = math.sqrt(((others - place) ** 2).sum(axis=1).min())
    return out


def by_hand(flow: Flow, truth: Flow, occluded: np.ndarray, invalid: np.ndarray) -> dict[str, float | None]:
    distance = distances_by_hand(occluded)
    errors: dict[str, list[float]] = {}
    for place in np.ndindex(occluded.shape):
        if invalid[place] or not np.isfinite([*truth[place], *flow[place]]).all():
            continue
        error = math.hypot(*map(float, flow[place].astype(float) - truth[place].astype(float)))
        speed, near = math.hypot(*map(float, truth[place])), distance[place]
        regions = {
            "epe_all": True,
            "epe_matched": not occluded[place],
            "epe_unmatched": bool(occluded[place]),
            "d0_10": near < 10,
            "d10_60": 10 <= near < 60,
            "d60_140": 60 <= near < 140,
            "s0_10": speed < 10,
            "s10_40": 10 <= speed < 40,
            "s40": speed >= 40,
        }
        for region, is_in in regions.items():
            errors.setdefault(region, [])
            if is_in:
                errors[region].append(error)
    return {region: sum(each) / len(each) if each else None for region, each in errors.items()}


@pytest.fixture
def drawn() -> tuple[Flow, Flow, np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    truth = random.normal(0, 25, (12, 80, 2)).astype(np.float32)
    truth[2, 3] = np.nan
    truth[4, 4], truth[5, 5] = (6, 8), (24, 32)  # exactly 10 and 40 px
    flow = (truth + random.normal(0, 2, truth.shape)).astype(np.float32)
    flow[6, 6] = np.nan
    occluded, invalid = np.zeros((12, 80), np.bool_), random.random((12, 80)) < 0.1
    occluded[4:7, 2:4] = True
    return flow, truth, occluded, invalid


def test_every_region(drawn: tuple[Flow, Flow, np.ndarray, np.ndarray], tmp_path: Path) -> None:
    flow, truth, occluded, invalid = drawn
    for name, marks in (("occlusions", occluded), ("invalid", invalid)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), marks.astype(np.uint8) * 255)
    maps = {name: tmp_path / f"{name}.png" for name in ("occlusions", "invalid")}
    table = SINTEL.table(SINTEL.tally(Judged(Path("e.flo"), flow, Path("t.flo"), truth, maps)))
    expected = by_hand(flow, truth, occluded, invalid)
    assert None not in expected.values()
    assert table[""] == pytest.approx(expected, rel=1e-6)


def test_without_maps_the_regions_that_need_them_are_unknown(
    drawn: tuple[Flow, Flow, np.ndarray, np.ndarray],
) -> None:
    flow, truth, occluded, _ = drawn
    found = SINTEL.table(SINTEL.tally(Judged(Path("e.flo"), flow, Path("t.flo"), truth)))[""]
    expected = by_hand(flow, truth, occluded, np.zeros_like(occluded))
    needing = ("epe_matched", "epe_unmatched", "d0_10", "d10_60", "d60_140")
    assert {found[region] for region in needing} == {None}
    for region in set(expected) - set(needing):
        assert found[region] == pytest.approx(expected[region], rel=1e-6)


def test_the_distance_to_a_boundary() -> None:
    marked = np.zeros((9, 70), np.bool_)
    marked[3:5, 60:] = True
    np.testing.assert_allclose(distance_to_boundary(marked), distances_by_hand(marked), rtol=1e-6)
    assert np.isinf(distance_to_boundary(np.ones((2, 3), np.bool_))).all()
