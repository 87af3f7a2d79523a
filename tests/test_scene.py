from __future__ import annotations

import cv2
import numpy as np
import pytest

from flowcli.scene import render_scene


@pytest.mark.parametrize("size", [(120, 160), (368, 496)])
def test_frame_2_at_the_end_of_the_flow_is_frame_1_where_visible(size: tuple[int, int]) -> None:
    scene = render_scene(*size)
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    moved = cv2.remap(scene.frame2, x + scene.flow[..., 0], y + scene.flow[..., 1], cv2.INTER_CUBIC)
    difference = np.abs(moved.astype(int) - scene.frame1).max(axis=-1)
    assert np.median(difference[scene.visible]) <= 2
    assert np.median(difference[~scene.visible]) > 20
    assert 0.8 < scene.visible.mean() < 1


def test_a_scene_is_the_same_every_time_and_another_with_another_seed() -> None:
    assert (render_scene(40, 50).frame1 == render_scene(40, 50).frame1).all()
    assert (render_scene(40, 50).frame1 != render_scene(40, 50, seed=1).frame1).any()


def test_further_steps_are_further_frames_of_a_video() -> None:
    """From frame 1 over frame 2 to frame 3, a point arrives where two steps lead it."""
    one, two = render_scene(120, 160), render_scene(120, 160, steps=2)
    np.testing.assert_array_equal(one.frame1, two.frame1)
    assert (one.frame2 != two.frame2).any()
    background = np.zeros((120, 160), bool)
    background[-20:, :20] = True
    y, x = np.nonzero(background & two.visible)
    motion = np.linalg.lstsq(np.c_[x, y, np.ones_like(x)], one.flow[y, x] + np.c_[x, y], rcond=None)[0]  # affine
    there = np.c_[x, y, np.ones_like(x)] @ motion
    twice = np.c_[there, np.ones(len(x))] @ motion
    np.testing.assert_allclose(twice - np.c_[x, y], two.flow[y, x], atol=1e-3)
    with pytest.raises(ValueError, match="at least one step"):
        render_scene(120, 160, steps=0)
