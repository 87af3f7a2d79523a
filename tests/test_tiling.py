from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcli.errors import UsageError
from flowcli.tiling import Memory, Stitcher, cut, fill_window, make_grid, window_weights
from support.reference import even_starts, published_starts

WINDOW = (368, 496)


@given(length=st.integers(1, 9000), window=st.integers(2, 500), overlap=st.integers(0, 499))
def test_even_windows_cover_the_axis_with_enough_overlap_and_none_is_idle(
    length: int, window: int, overlap: int
) -> None:
    overlap = min(overlap, window - 1)
    starts = make_grid((length, 1), (window, 1), overlap if length > window else 0).rows
    assert starts[0] == 0
    if length <= window:
        assert starts == (0,)
        return
    assert starts[-1] == length - window
    steps = np.diff(starts)
    assert (steps <= window - overlap).all()
    assert steps.max() - steps.min() <= 1
    assert (len(starts) - 2) * (window - overlap) + window < length, "one window fewer would do"


@pytest.mark.parametrize(
    ("size", "windows"),
    [((1, 1), 1), ((368, 496), 1), ((369, 496), 2), ((436, 1024), 6), ((1080, 1920), 16), ((4320, 7680), 13 * 17)],
)
def test_the_number_of_windows(size: tuple[int, int], windows: int) -> None:
    assert len(make_grid(size, WINDOW)) == windows


@given(length=st.integers(1, 3000), overlap=st.integers(0, 60))
def test_even_starts_are_those_found_by_trying(length: int, overlap: int) -> None:
    assert list(make_grid((length, 10), (61, 10), overlap).rows) == even_starts(length, 61, overlap)


@given(length=st.integers(1, 3000), overlap=st.integers(0, 99))
def test_reference_windows_are_the_published_ones_or_refused(length: int, overlap: int) -> None:
    published = published_starts(length, 100, overlap)
    works = all(0 <= start <= length - 100 for start in published)
    if works:
        assert list(make_grid((100, length), (100, 100), overlap, "reference").columns) == published
    else:
        with pytest.raises(UsageError, match="use grid even"):
            make_grid((100, length), (100, 100), overlap, "reference")


@pytest.mark.parametrize("width", [960, 1440, 1920, 495])
def test_reference_refuses_the_widths_at_which_the_published_code_fails(width: int) -> None:
    with pytest.raises(UsageError, match=f"{width} x 368"):
        make_grid((368, width), WINDOW, kind="reference")


def test_reference_computes_a_frame_of_one_window_once() -> None:
    assert len(make_grid(WINDOW, WINDOW, kind="reference")) == 1


def test_an_overlap_as_large_as_the_window_is_refused() -> None:
    with pytest.raises(UsageError, match=r"overlap must be .* less than the window's .* px, not 100"):
        make_grid((500, 90), (100, 100), overlap=100)


def test_weights_count_from_one_at_the_nearest_edge() -> None:
    expected = [[1, 1, 1, 1, 1], [1, 2, 2, 2, 1], [1, 2, 2, 2, 1], [1, 1, 1, 1, 1]]
    np.testing.assert_array_equal(window_weights((4, 5)), expected)


def test_a_small_frame_is_extended_by_its_edges_to_the_right_and_downwards() -> None:
    frame = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    filled = fill_window(frame, (3, 4))
    assert filled.shape == (3, 4, 3)
    np.testing.assert_array_equal(filled[:2, :2], frame)
    np.testing.assert_array_equal(filled[2, 3], frame[1, 1])
    np.testing.assert_array_equal(filled[0, 3], frame[0, 1])


@given(height=st.integers(1, 70), width=st.integers(1, 90), data=st.data())
def test_stitching_windows_of_one_flow_gives_that_flow(height: int, width: int, data: st.DataObject) -> None:
    grid = make_grid((height, width), (20, 30), overlap=data.draw(st.integers(0, 15)))
    random = np.random.default_rng(height * 100 + width)
    flow = random.normal(0, 50, (max(height, 20), max(width, 30), 2)).astype(np.float32)
    stitcher = Stitcher(grid, Memory())
    for position in data.draw(st.permutations(grid.positions)):
        stitcher.add(position, cut(flow, position, grid.window))
    np.testing.assert_allclose(stitcher.flow(), flow[:height, :width], rtol=0, atol=1e-4)
