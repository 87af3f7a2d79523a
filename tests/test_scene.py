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
