"""Middlebury's and VIPER's figures, and quantiles of numbers that are not kept."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from flowcli.arrays import Flow
from flowcli.figures import find_figures
from flowcli.figures.shared import quantiles
from flowcli.figures.shared.figure_set import Judged
from flowcli.figures.shared.quantiles import RELATIVE_ERROR, Quantiles

MIDDLEBURY = find_figures("middlebury")


def angle(u: float, v: float, true_u: float, true_v: float) -> float:
    cosine = (u * true_u + v * true_v + 1) / math.sqrt((u * u + v * v + 1) * (true_u**2 + true_v**2 + 1))
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


def by_hand(flow: Flow, truth: Flow, chosen: np.ndarray) -> dict[str, float]:
    pixels = [place for place in np.ndindex(chosen.shape) if chosen[place] and np.isfinite(truth[place]).all()]
    vectors = [(*map(float, flow[place]), *map(float, truth[place])) for place in pixels]
    found = {}
    for kind, errors, limits in (
        ("ee", [math.hypot(u - tu, v - tv) for u, v, tu, tv in vectors], (0.5, 1, 2)),
        ("ae", [angle(*vector) for vector in vectors], (2.5, 5, 10)),
    ):
        mean = sum(errors) / len(errors)
        found[f"{kind}_avg"] = mean
        found[f"{kind}_sd"] = math.sqrt(sum((error - mean) ** 2 for error in errors) / len(errors))
        found |= {
            f"{kind}_r{limit}".replace(".", "_"): 100 * sum(error > limit for error in errors) / len(errors)
            for limit in limits
        }
        for share in (50, 75, 95):
            ordered, place = sorted(errors), share / 100 * (len(errors) - 1)
            low = ordered[math.floor(place)]
            found[f"{kind}_a{share}"] = low + (ordered[math.ceil(place)] - low) * (place - math.floor(place))
    return found


def drawn(seed: int) -> tuple[Flow, Flow]:
    random = np.random.default_rng(seed)
    truth = random.normal(0, 3, (11, 13, 2)).astype(np.float32)
    flow = (truth + random.normal(0, 1, truth.shape)).astype(np.float32)
    truth[4, 5] = np.nan
    return flow, truth


def test_regions(tmp_path: Path) -> None:
    flow, truth = drawn(0)
    disc = np.random.default_rng(1).random(truth.shape[:2]) < 0.4
    cv2.imwrite(str(tmp_path / "disc.png"), disc.astype(np.uint8) * 255)
    judged = Judged(Path("e.flo"), flow, Path("t.flo"), truth, {"disc": tmp_path / "disc.png"})
    found = MIDDLEBURY.table(MIDDLEBURY.tally(judged))
    assert list(found) == ["all", "disc"]
    assert found["all"] == pytest.approx(by_hand(flow, truth, np.ones_like(disc)), rel=1e-6)
    assert found["disc"] == pytest.approx(by_hand(flow, truth, disc), rel=1e-6)


def test_what_is_exactly_at_a_threshold() -> None:
    flow, truth = np.zeros((1, 3, 2), np.float32), np.zeros((1, 3, 2), np.float32)
    flow[0, :, 0] = 0.5, 1, 2
    found = MIDDLEBURY.table(MIDDLEBURY.tally(Judged(Path("e.flo"), flow, Path("t.flo"), truth)))["all"]
    assert [found[f"ee_r{limit}"] for limit in ("0_5", "1", "2")] == pytest.approx([200 / 3, 100 / 3, 0])


def test_wauc_of_viper() -> None:
    viper = find_figures("viper")
    flow, truth = drawn(2)
    errors = [math.hypot(*map(float, flow[p] - truth[p])) for p in np.ndindex(11, 13) if p != (4, 5)]
    weights = [1 - (i - 1) / 100 for i in range(1, 101)]
    shares = [sum(error <= i / 20 for error in errors) / len(errors) for i in range(1, 101)]
    expected = 100 * sum(w * s for w, s in zip(weights, shares, strict=True)) / sum(weights)
    found = viper.table(viper.tally(Judged(Path("e.flo"), flow, Path("t.npz"), truth)))
    assert found[""]["wauc"] == pytest.approx(expected, rel=1e-6)


def test_quantiles_of_more_numbers_than_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantiles, "KEPT", 100)
    random = np.random.default_rng(4)
    parts = [np.abs(random.normal(0, scale, 400)) for scale in (1e-3, 1.0, 300.0)]
    together, joined = Quantiles(), Quantiles()
    for part in parts:
        together.add(part)
        other = Quantiles()
        other.add(part[:50])
        other.add(part[50:])
        joined.merge(other)
    numbers = np.concatenate(parts)
    for share in (0.01, 0.25, 0.5, 0.75, 0.95, 1.0):
        expected = float(np.quantile(numbers, share))
        for found in (together.at(share), joined.at(share)):
            assert found == pytest.approx(expected, rel=2 * RELATIVE_ERROR, abs=1e-6)


def test_quantiles_of_nothing_and_of_zeros() -> None:
    assert Quantiles().at(0.5) is None
    zeros = Quantiles()
    zeros.add(np.zeros(5))
    assert zeros.at(0.95) == 0
