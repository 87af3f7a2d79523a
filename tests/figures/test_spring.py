"""Spring's figures, against loops over pixels that follow the rules in words."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from flowcli.arrays import Flow
from flowcli.errors import InputError
from flowcli.figures import find_figures
from flowcli.figures.shared.figure_set import Judged, Rows

SPRING = find_figures("spring")


def judged(flow: Flow, truth: Flow, maps: dict[str, Path] | None = None) -> Judged:
    return Judged(Path("estimate.flo"), flow, Path("truth.flo5"), truth, maps or {})


def figures(*pairs: Judged) -> Rows:
    sums = SPRING.tally(pairs[0])
    for pair in pairs[1:]:
        sums.merge(SPRING.tally(pair))
    return SPRING.table(sums)


def four(truth: Flow, row: int, column: int) -> list[tuple[float, float]]:
    places = [(2 * row + below, 2 * column + right) for right in (0, 1) for below in (0, 1)]
    return [(float(truth[place][0]), float(truth[place][1])) for place in places]


def by_hand(flow: Flow, truth: Flow, counts: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Each figure over the pixels of each row that ``counts`` selects."""
    found = {}
    for row_name, selected in counts.items():
        errors, outliers, fl = [], 0, 0
        for row in range(flow.shape[0]):
            for column in range(flow.shape[1]):
                vectors = four(truth, row, column)
                if not selected[row, column] or any(math.isnan(part) for vector in vectors for part in vector):
                    continue
                u, v = map(float, flow[row, column])
                error = min(math.hypot(u - true_u, v - true_v) for true_u, true_v in vectors)
                longest = max(math.hypot(*vector) for vector in vectors)
                errors.append(error)
                outliers += error > 1
                fl += error > 3 and error > 0.05 * longest
        count = len(errors)
        weights = {i: 1 - (i - 1) / 100 for i in range(1, 101)}
        shares = {i: sum(error <= i / 20 for error in errors) / count for i in weights}
        found[row_name] = {
            "outliers_1px": 100 * outliers / count,
            "epe": sum(errors) / count,
            "fl": 100 * fl / count,
            "wauc": 100 * sum(weights[i] * shares[i] for i in weights) / sum(weights.values()),
        }
    return found


def drawn(height: int, width: int, seed: int) -> tuple[Flow, Flow]:
    """A flow, and a truth of twice its size with some unknown vectors; speeds of all three bins."""
    random = np.random.default_rng(seed)
    small = random.normal(0, 25, (height, width, 2))
    truth = np.repeat(np.repeat(small, 2, 0), 2, 1) + random.normal(0, 2, (2 * height, 2 * width, 2))
    truth[3, 4, 0] = truth[7, 1] = np.nan
    flow = small + random.normal(0, 3, small.shape)
    return flow.astype(np.float32), truth.astype(np.float32)


def speeds(truth: Flow) -> np.ndarray:
    height, width = truth.shape[0] // 2, truth.shape[1] // 2
    means = [[sum(math.hypot(*v) for v in four(truth, r, c)) / 4 for c in range(width)] for r in range(height)]
    return np.array(means)


def test_every_row_of_drawn_pairs(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    height, width = 9, 12
    flow, truth = drawn(height, width, 1)
    detail = random.random((height, width)) < 0.5
    match = random.integers(0, 2, (height, width, 3)) * 255  # in the file: red, green, blue
    rigid, sky = random.random((2, 2 * height, 2 * width)) < 0.5
    cv2.imwrite(str(tmp_path / "detail.png"), detail.astype(np.uint8) * 7)
    cv2.imwrite(str(tmp_path / "match.png"), match[..., ::-1].astype(np.uint8))
    for name, marks in (("rigid", rigid), ("sky", sky)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), marks.astype(np.uint8) * 255, [cv2.IMWRITE_PNG_BILEVEL, 1])
    maps = {name: tmp_path / f"{name}.png" for name in ("detail", "match", "rigid", "sky")}

    def two_of_four(marks: np.ndarray) -> np.ndarray:
        return np.array(
            [[marks[2 * r : 2 * r + 2, 2 * c : 2 * c + 2].sum() >= 2 for c in range(width)] for r in range(height)]
        )

    unmatched = (match[..., 0] > 0) | (match[..., 1] > 0)
    speed = speeds(truth)
    expected = by_hand(
        flow,
        truth,
        {
            "total": np.ones_like(detail),
            "low-detail": ~detail,
            "high-detail": detail,
            "rigid": ~two_of_four(rigid),
            "non-rigid": two_of_four(rigid),
            "matched": ~unmatched,
            "unmatched": unmatched,
            "not sky": ~two_of_four(sky),
            "sky": two_of_four(sky),
            "s0-10": speed < 10,
            "s10-40": (speed >= 10) & (speed < 40),
            "s40+": speed >= 40,
        },
    )
    found = figures(judged(flow, truth, maps))
    assert list(found) == list(expected)
    for row, values in expected.items():
        assert found[row] == pytest.approx(values, rel=1e-6), row


def pixel(truth: list[tuple[float, float]], flow: tuple[float, float]) -> Rows:
    """The figures of one pixel with four true vectors."""
    vectors = np.array(truth, np.float32).reshape(2, 2, 2)
    return figures(judged(np.array(flow, np.float32).reshape(1, 1, 2), vectors))


def test_the_closest_of_the_four_counts_for_the_error_and_the_longest_for_fl() -> None:
    found = pixel([(0, 0), (0, 0), (90, 0), (4, 0)], (8.5, 0))["total"]
    assert found["epe"] == pytest.approx(4.5)
    assert found["fl"] == 0  # 4.5 px is exactly 5 % of 90
    assert pixel([(0, 0), (0, 0), (89, 0), (4, 0)], (8.5, 0))["total"]["fl"] == 100


def test_what_is_exactly_at_a_threshold() -> None:
    same = [(0.0, 0.0)] * 4
    assert pixel(same, (1, 0))["total"]["outliers_1px"] == 0
    assert pixel(same, (1.0001, 0))["total"]["outliers_1px"] == 100
    assert pixel(same, (3, 0))["total"]["fl"] == 0
    assert pixel(same, (3.0001, 0))["total"]["fl"] == 100
    assert pixel([(10.0, 0.0)] * 4, (10, 0))["s10-40"]["epe"] == 0
    assert pixel([(9.0, 0.0), (11.0, 0.0), (10.0, 0.0), (10.0, 0.0)], (10, 0))["s0-10"]["epe"] is None
    assert pixel([(40.0, 0.0)] * 4, (40, 0))["s40+"]["epe"] == 0
    assert pixel([(40.0, 0.0)] * 4, (40, 0))["s10-40"]["epe"] is None
    assert pixel(same, (0.05, 0))["total"]["wauc"] == pytest.approx(100 * (1 - 1 / 50.5), rel=1e-6)  # float32 is above
    assert pixel(same, (0.5, 0))["total"]["wauc"] == pytest.approx(100 * sum(range(1, 92)) / 5050)
    assert pixel(same, (5.1, 0))["total"]["wauc"] == 0


def test_a_pixel_is_left_out_where_one_of_its_four_is_unknown() -> None:
    found = pixel([(0, 0), (0, math.nan), (0, 0), (0, 0)], (0, 0))["total"]
    assert found == {"outliers_1px": None, "epe": None, "fl": None, "wauc": None}


def test_pairs_are_pooled() -> None:
    one, two = drawn(8, 6, 2), drawn(10, 7, 3)
    everything = {"total": np.ones((18, 7), np.bool_)}
    padded = [np.full((18, 7, 2), np.nan, np.float32), np.full((36, 14, 2), np.nan, np.float32)]
    for flow, truth, top in ((*one, 0), (*two, 8)):
        padded[0][top : top + flow.shape[0], : flow.shape[1]] = flow
        padded[1][2 * top : 2 * top + truth.shape[0], : truth.shape[1]] = truth
    expected = by_hand(padded[0], padded[1], everything)["total"]
    assert figures(judged(*one), judged(*two))["total"] == pytest.approx(expected, rel=1e-6)


def test_a_truth_of_the_size_of_the_flow() -> None:
    flow, truth = drawn(8, 6, 4)
    repeated = np.repeat(np.repeat(flow + np.float32(2), 2, 0), 2, 1)
    assert figures(judged(flow, flow + np.float32(2))) == figures(judged(flow, repeated))
    with pytest.raises(InputError, match="or the first twice that of the second"):
        SPRING.tally(judged(flow, truth[:-2]))
