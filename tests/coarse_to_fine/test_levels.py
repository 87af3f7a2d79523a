from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from flowcli.coarse_to_fine.levels import levels, most_windows
from flowcli.tiling import make_grid

WINDOW = (368, 496)


@given(height=st.integers(1, 9000), width=st.integers(1, 9000), overlap=st.integers(0, 100))
def test_coarser_levels_are_at_most_half_as_large_and_cost_little(height: int, width: int, overlap: int) -> None:
    grids = levels((height, width), WINDOW, overlap)
    plain = make_grid((height, width), WINDOW, overlap)
    assert grids[-1] == plain
    assert len(grids[0]) == 1
    assert sum(map(len, grids)) <= max(1.4 * len(plain) + 1e-9, len(plain) + 3)
    for coarse, fine in itertools.pairwise(grids):
        assert all(2 * here <= there + 1 for here, there in zip(coarse.frame, fine.frame, strict=True))
    assert sum(map(len, grids)) < most_windows(grids, are_alike=False) or len(grids) == 1


def test_common_sizes_are_halved() -> None:
    assert [grid.frame for grid in levels((2160, 3840), WINDOW)] == [(270, 480), (540, 960), (1080, 1920), (2160, 3840)]
    assert [len(grid) for grid in levels((2160, 3840), WINDOW)] == [1, 4, 16, 63]
    assert [len(grid) for grid in levels(WINDOW, WINDOW)] == [1]
    assert [len(grid) for grid in levels((369, 496), WINDOW)] == [1, 2]


def test_a_frame_a_little_above_twice_the_window_takes_a_smaller_level() -> None:
    assert [len(grid) for grid in levels((740, 1000), WINDOW)][-1] == 9
    assert sum(len(grid) for grid in levels((740, 1000), WINDOW)) <= 12  # halves would take 14
