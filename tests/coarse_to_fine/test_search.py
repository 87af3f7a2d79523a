"""Looking for parts of a frame in another one."""

from __future__ import annotations

import numpy as np
import pytest

from flowcli.arrays import Frame
from flowcli.coarse_to_fine.search import Search, parts_of
from flowcli.scene import Motion, render_scene

HEIGHT, WIDTH = 121, 161


@pytest.fixture(scope="module")
def frames() -> tuple[Frame, Frame]:
    """The second one shows the first one's content 11 pixels to the left and 6 below."""
    scene = render_scene(HEIGHT, WIDTH, seed=3, background=Motion((-11, 6)), discs=[])
    return scene.frame1, scene.frame2


@pytest.mark.parametrize("side", [9, 31, 32, 70])
def test_parts_of_any_size_are_found(frames: tuple[Frame, Frame], side: int) -> None:
    motion = Search(frames).moved((25, 25 + side), (60, 60 + side), 30)
    assert motion == pytest.approx((-11, 6), abs=1)  # what is large is looked for at half the size


def test_what_is_small_plain_or_out_of_reach_is_not_found(frames: tuple[Frame, Frame]) -> None:
    search = Search(frames)
    assert search.moved((25, 30), (60, 90), 30) is None
    assert search.moved((25, 55), (60, 90), 5) is None
    plain = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    assert Search((plain, plain)).moved((25, 55), (60, 90), 30) is None


def test_parts_at_the_edges_are_found(frames: tuple[Frame, Frame]) -> None:
    search = Search(frames)
    assert search.moved((0, 20), (WIDTH - 20, WIDTH), 40) == (-11, 6)
    assert search.moved((0, 110), (20, WIDTH), 40) == pytest.approx((-11, 6), abs=1)


def test_quarters_cover_a_rectangle_and_large_ones_have_no_parts() -> None:
    quarters = list(parts_of((10, 21), (40, 60)))
    assert quarters[:4] == [((10, 15), (40, 50)), ((10, 15), (50, 60)), ((15, 21), (40, 50)), ((15, 21), (50, 60))]
    assert len(quarters) == 20
    covered = np.zeros((21, 60), np.int_)
    for (top, bottom), (left, right) in quarters[4:]:
        covered[top:bottom, left:right] += 1
    assert (covered[10:, 40:] == 1).all()
    assert len(list(parts_of((0, 200), (0, 100)))) == 4
