from __future__ import annotations

import numpy as np
import pytest

from flowcli.arrays import Flow
from flowcli.coarse_to_fine.offsets import choose_offsets, reach


def uniform(u: float, v: float) -> Flow:
    return np.full((60, 80, 2), (u, v), np.float32)


def test_one_motion_takes_one_offset_in_whole_pixels() -> None:
    assert choose_offsets(uniform(12.4, -7.6), 6.0) == ([(12, -8)], 0.0)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_two_motions_take_an_offset_each(share: float) -> None:
    coarse = uniform(-20, 3)
    coarse[:, : round(80 * share)] = (15, 1)
    offsets, others = choose_offsets(coarse, 6.0)
    assert set(offsets) == {(-20, 3), (15, 1)}
    assert others == pytest.approx(min(share, 1 - share))
    assert offsets[0] == ((15, 1) if share > 0.5 else (-20, 3)) or share == 0.5


def test_a_few_vectors_and_small_differences_take_no_second_offset() -> None:
    coarse = uniform(10, 0)
    coarse[:2, :10] = (40, 40)
    assert choose_offsets(coarse, 6.0)[0] == [(10, 0)]
    coarse = uniform(10, 0)
    coarse[..., 0] += np.linspace(-5, 5, 80, dtype=np.float32)
    assert choose_offsets(coarse, 6.0)[0] == [(10, 0)]


def test_what_leaves_the_frame_takes_no_second_offset() -> None:
    coarse = uniform(30, 0)
    coarse[:, -30:] = (3, 0)  # what a model says of content that the second frame does not show
    assert len(choose_offsets(coarse, 6.0)[0]) == 2
    assert choose_offsets(coarse, 6.0, (0, 0), (60, 80)) == ([(30, 0)], 0.0)
    assert len(choose_offsets(coarse, 6.0, (0, 0), (60, 200))[0]) == 2
    down = np.ascontiguousarray(coarse.transpose(1, 0, 2)[..., ::-1])
    assert choose_offsets(down, 6.0, (10, 0), (90, 60))[0] == [(0, 30)]


def test_three_motions_have_none_in_the_middle() -> None:
    coarse = uniform(0, 0)
    coarse[:, :30], coarse[:, 30:50], coarse[:, 50:] = (-30, 0), (2, 0), (30, 0)
    assert len(choose_offsets(coarse, 6.0)[0]) == 2


def test_the_reach_grows_with_the_window() -> None:
    assert reach((20, 30)) == 4.0
    assert reach((368, 496)) == pytest.approx(36.8)
