from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from flowcli.arrays import Flow
from flowcli.flows.metrics import Scores, angular_error, endpoint_error, flow_statistics

TRUTH: Flow = np.array([[[0, 0], [3, 4]], [[np.nan, np.nan], [60, 80]]], np.float32)
FLOW: Flow = np.array([[[3, 4], [3, 4]], [[1, 1], [60, 84]]], np.float32)


def test_two_by_two_by_hand() -> None:
    np.testing.assert_array_equal(endpoint_error(FLOW, TRUTH), [[5, 0], [np.nan, 4]])
    angle = math.degrees(math.acos(1 / math.sqrt(26)))  # between (3, 4, 1) and (0, 0, 1)
    assert angular_error(FLOW, TRUTH)[0, 0] == pytest.approx(angle, rel=1e-6)
    scores = Scores()
    scores.add(FLOW, TRUTH)
    report = scores.figures()
    assert report.epe == pytest.approx(3)
    assert report.epe_image_mean == pytest.approx(3)
    assert [getattr(report, f"outliers_{n}px") for n in (1, 3, 5)] == pytest.approx([200 / 3, 200 / 3, 0])
    assert report.fl_all == pytest.approx(100 / 3)  # 4 px are less than 5 % of 100 px
    assert (report.s0_10, report.s10_40, report.s40) == (2.5, None, 4)
    assert (report.pixels, report.missing, report.images) == (3, 0, 1)


def test_three_by_three_by_hand() -> None:
    """Speeds 0 to 80 in tens, each off by its index in pixels."""
    truth = np.zeros((3, 3, 2), np.float32)
    truth[..., 0] = 10 * np.arange(9).reshape(3, 3)
    flow = truth.copy()
    flow[..., 1] = np.arange(9).reshape(3, 3)
    scores = Scores()
    scores.add(flow, truth)
    report = scores.figures()
    assert report.epe == pytest.approx(4)
    assert report.outliers_1px == pytest.approx(700 / 9)
    assert report.outliers_3px == pytest.approx(500 / 9)
    assert report.outliers_5px == pytest.approx(300 / 9)
    assert report.fl_all == pytest.approx(500 / 9)  # 4 to 8 px, a tenth of the speed each
    assert report.s0_10 == pytest.approx(0)
    assert report.s10_40 == pytest.approx((1 + 2 + 3) / 3)
    assert report.s40 == pytest.approx((4 + 5 + 6 + 7 + 8) / 5)


def test_estimates_that_are_missing_are_counted_and_left_out() -> None:
    flow = FLOW.copy()
    flow[0, 0] = np.inf, 0
    scores = Scores()
    scores.add(flow, TRUTH)
    assert (scores.figures().pixels, scores.figures().missing) == (2, 1)
    assert scores.figures().epe == pytest.approx(2)
    empty = Scores()
    empty.add(np.full_like(FLOW, np.nan), TRUTH)
    assert empty.figures().epe is None
    assert empty.figures().missing == 3


def test_several_images_and_a_mask() -> None:
    scores = Scores()
    scores.add(FLOW, TRUTH, np.array([[True, False], [True, False]]))
    scores.add(FLOW[:1], TRUTH[:1])
    report = scores.figures()
    assert report.pixels == 3
    assert report.epe == pytest.approx(10 / 3)
    assert report.epe_image_mean == pytest.approx((5 + 2.5) / 2)


FLOATS = st.floats(-1e6, 1e6, width=32) | st.sampled_from([np.nan, np.inf, -np.inf])


@given(
    pair=st.tuples(st.integers(1, 4), st.integers(1, 4)).flatmap(
        lambda size: st.tuples(*[npst.arrays(np.float32, (*size, 2), elements=FLOATS)] * 2)
    )
)
def test_against_the_formulas_pixel_by_pixel(pair: tuple[Flow, Flow]) -> None:
    flow, truth = pair
    errors, angles, wrong = [], [], 0
    for (u, v), (true_u, true_v) in zip(flow.reshape(-1, 2).tolist(), truth.reshape(-1, 2).tolist(), strict=True):
        if all(map(math.isfinite, (u, v, true_u, true_v))):
            error = math.hypot(u - true_u, v - true_v)
            errors.append(error)
            wrong += error > 3 and error > 0.05 * math.hypot(true_u, true_v)
            dot = (u * true_u + v * true_v + 1) / math.sqrt((u * u + v * v + 1) * (true_u**2 + true_v**2 + 1))
            angles.append(math.degrees(math.acos(max(-1.0, min(1.0, dot)))))
    scores = Scores()
    scores.add(flow, truth)
    report = scores.figures()
    assert report.pixels == len(errors)
    if errors:
        assert report.epe == pytest.approx(np.mean(errors), rel=1e-5, abs=1e-6)
        assert report.angular_error == pytest.approx(np.mean(angles), abs=1e-4)
        assert report.fl_all == pytest.approx(100 * wrong / len(errors), abs=100.1 / len(errors) * 0.01)


def test_huge_values_are_no_trouble() -> None:
    truth = np.full((2, 2, 2), 3e38, np.float32)
    scores = Scores()
    scores.add(-truth, truth)
    report = scores.figures()
    assert report.epe == pytest.approx(6e38 * 2**0.5, rel=1e-6)
    assert report.fl_all == 100
    assert report.s40 == report.epe
    statistics = flow_statistics(np.full((200, 200, 2), 9e8, np.float32))
    assert statistics.u_mean == statistics.u_min == 900_000_000


def test_sizes_have_to_agree() -> None:
    with pytest.raises(ValueError, match="different sizes"):
        endpoint_error(FLOW, TRUTH[:1])
    with pytest.raises(ValueError, match="different sizes"):
        angular_error(FLOW, TRUTH[:1])


def test_statistics_leave_unknown_flow_out() -> None:
    statistics = flow_statistics(TRUTH)
    assert (statistics.u_min, statistics.u_mean, statistics.u_max) == (0, 21, 60)
    assert (statistics.length_max, statistics.known) == (100, 0.75)
