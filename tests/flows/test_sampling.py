from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcli.flows.sampling import look_up

NAN = np.float32(np.nan)


def vectors(height: int, width: int, u: float, v: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.full((height, width, 2), (u, v), np.float32)


@given(seed=st.integers(0, 2**32 - 1), height=st.integers(1, 9), width=st.integers(1, 9))
def test_samples_are_bilinear_in_double_precision(seed: int, height: int, width: int) -> None:
    random = np.random.default_rng(seed)
    values = random.normal(0, 9, (height, width, 2)).astype(np.float32)
    ways = random.normal(0, 3, (height, width, 2)).astype(np.float32)
    found, inside = look_up(values, ways)
    for y, x in np.ndindex(height, width):
        to_x, to_y = x + float(ways[y, x, 0]), y + float(ways[y, x, 1])
        assert inside[y, x] == (0 <= to_x <= width - 1 and 0 <= to_y <= height - 1)
        expected = np.zeros(2)
        if inside[y, x]:
            for row, column in np.ndindex(height, width):
                expected += values[row, column] * float(max(0, 1 - abs(to_x - column)) * max(0, 1 - abs(to_y - row)))
        np.testing.assert_allclose(found[y, x], expected, rtol=1e-6, atol=1e-5)


def test_the_last_row_and_column_are_inside() -> None:
    values = np.arange(24, dtype=np.float32).reshape(3, 4, 2)
    found, inside = look_up(values, vectors(3, 4, 1, 2))
    assert inside.tolist() == [[True, True, True, False], [False] * 4, [False] * 4]
    np.testing.assert_array_equal(found[0, :3], values[2, 1:])
    assert not look_up(values, vectors(3, 4, float(np.nextafter(np.float32(3), 4)), 0))[1].any()
    assert not look_up(values, vectors(3, 4, 0, -1e-30))[1][0].any()


def test_only_neighbours_with_a_weight_matter() -> None:
    values = np.ones((3, 3, 2), np.float32)
    values[1, 1] = NAN
    for u, v, unknown in (
        (0.0, 0.0, {(1, 1)}),
        (0.5, 0.0, {(1, 0), (1, 1)}),
        (0.0, 0.5, {(0, 1), (1, 1)}),
        (1.0, 1.0, {(0, 0)}),
        (0.5, 0.5, {(0, 0), (0, 1), (1, 0), (1, 1)}),
    ):
        found, inside = look_up(values, vectors(3, 3, u, v))
        assert set(zip(*map(list, np.nonzero(np.isnan(found[..., 0]) & inside)), strict=True)) == unknown


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_what_leads_nowhere_is_outside(value: float) -> None:
    ways = np.zeros((2, 2, 2), np.float32)
    ways[0, 0, 0] = ways[1, 1, 1] = value
    found, inside = look_up(np.ones((2, 2, 3), np.uint8), ways)
    assert inside.tolist() == [[False, True], [True, False]]
    assert found[..., 0].tolist() == [[0, 1], [1, 0]]


def test_points_far_to_the_right_are_exact() -> None:
    width = 40_000
    values = np.repeat(np.arange(width, dtype=np.float32)[None, :, None], 2, axis=2)
    found, _ = look_up(values, vectors(1, width, 1 / 1024, 0))
    assert found[0, 30_000, 0] == np.float32(30_000 + 1 / 1024)


def test_a_frame_of_many_bands_is_sampled_as_one() -> None:
    random = np.random.default_rng(2)
    values = random.integers(0, 256, (700, 300, 3), dtype=np.uint8)
    ways = random.normal(0, 40, (700, 300, 2)).astype(np.float32)
    found, inside = look_up(values, ways)
    for start in range(0, 700, 100):  # whole numbers of rows, so that the points are the same
        part = np.full_like(ways, NAN)
        part[start : start + 100] = ways[start : start + 100]
        found_here, inside_here = look_up(values, part)
        np.testing.assert_array_equal(found_here[start : start + 100], found[start : start + 100])
        np.testing.assert_array_equal(inside_here[start : start + 100], inside[start : start + 100])
