from __future__ import annotations

import numpy as np
import pytest

from flowcli import load_estimator
from flowcli.flows.occlusion import occluded
from flowcli.flows.warp import photometric_error, warp
from flowcli.scene import render_scene


def test_the_formula_by_hand() -> None:
    forward = np.zeros((1, 6, 2), np.float32)
    backward = np.zeros_like(forward)
    forward[0, 0] = 2, 0
    backward[0, 2] = -2, 0  # comes back
    forward[0, 1] = 3, 0
    backward[0, 4] = -2, 0  # one pixel off: 1 >= 0.01 * (9 + 4) + 0.5
    forward[0, 3] = 0.5, 0
    backward[0, 3] = -0.5, 0  # found at 3.5, between -0.5 and -2: 0.5625 >= 0.01 * (0.25 + 1.5625) + 0.5
    forward[0, 4] = 9, 0  # leaves the frame
    forward[0, 5] = np.nan
    assert occluded(forward, backward)[0].tolist() == [False, True, True, True, True, True]


def test_the_hidden_strip_of_a_rendered_scene_is_found() -> None:
    scene = render_scene(240, 320)
    estimator = load_estimator("dis")
    forward, backward = estimator.estimate_pairs([(scene.frame1, scene.frame2), (scene.frame2, scene.frame1)])
    found = occluded(forward, backward)
    hidden = ~scene.visible
    assert hidden.any()
    assert (found & hidden).sum() / hidden.sum() > 0.6
    assert (found & ~hidden).sum() / (~hidden).sum() < 0.05


def test_warping_by_the_true_flow_gives_frame_1_where_it_is_visible() -> None:
    scene = render_scene(240, 320)
    warped, inside = warp(scene.frame2, scene.flow)
    there = inside & scene.visible
    assert there.mean() > 0.8
    assert np.abs(warped[there].astype(int) - scene.frame1[there]).mean() < 4
    error = photometric_error(scene.frame1, scene.frame2, warped, inside)
    assert error is not None
    assert error.warped < error.unwarped / 4
    assert error.share == pytest.approx(inside.mean())


def test_whole_pixels_are_exact_and_the_outside_is_black() -> None:
    frame = np.random.default_rng(0).integers(1, 256, (9, 11, 3), dtype=np.uint8)
    flow = np.zeros((9, 11, 2), np.float32)
    flow[...] = 3, -2
    flow[8, 0] = np.nan
    warped, inside = warp(frame, flow)
    np.testing.assert_array_equal(warped[2:, :8][inside[2:, :8]], frame[:-2, 3:][inside[2:, :8]])
    assert not inside[:2].any()
    assert not inside[:, 8:].any()
    assert not inside[8, 0]
    assert not warped[~inside].any()


def test_nothing_to_compare() -> None:
    frame = np.zeros((4, 4, 3), np.uint8)
    warped, inside = warp(frame, np.full((4, 4, 2), 100, np.float32))
    assert photometric_error(frame, frame, warped, inside) is None


def test_interpolation_is_bilinear_for_any_size() -> None:
    random = np.random.default_rng(1)
    for height, width in ((1, 40_000), (7, 9), (1, 1)):
        frame = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        flow = random.normal(0, 3, (height, width, 2)).astype(np.float32)
        warped, inside = warp(frame, flow)
        for y, x in random.integers(0, (height, width), (50, 2)):
            to_x, to_y = float(x + flow[y, x, 0]), float(y + flow[y, x, 1])
            assert inside[y, x] == (0 <= to_x <= width - 1 and 0 <= to_y <= height - 1)
            if inside[y, x]:
                left, top = int(to_x), int(to_y)
                corners = frame[top : top + 2, left : left + 2].astype(float)
                down, across = to_y - top, to_x - left
                rows = corners[0] * (1 - down) + (corners[1] * down if down else 0)
                expected = rows[0] * (1 - across) + (rows[1] * across if across else 0)
                assert np.abs(warped[y, x] - expected).max() <= 0.51
