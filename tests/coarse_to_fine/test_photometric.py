from __future__ import annotations

import numpy as np

from flowcli.coarse_to_fine.photometric import better, confidence, photometric_error
from flowcli.scene import Scene


def test_the_true_flow_has_a_small_error_and_no_motion_a_large_one(scene: Scene) -> None:
    true = photometric_error(scene.frame1, scene.frame2, scene.flow)
    still = photometric_error(scene.frame1, scene.frame2, np.zeros_like(scene.flow))
    assert true[scene.visible].mean() < 0.25 * still[scene.visible].mean()
    assert confidence(true)[scene.visible].mean() > confidence(still)[scene.visible].mean()


def test_a_part_of_a_frame_is_compared_with_all_of_the_other(scene: Scene) -> None:
    whole = photometric_error(scene.frame1, scene.frame2, scene.flow)
    part = photometric_error(scene.frame1[30:80, 40:100], scene.frame2, scene.flow[30:80, 40:100], (30, 40))
    np.testing.assert_allclose(part[5:-5, 5:-5], whole[35:75, 45:95], rtol=0, atol=1e-3)


def test_the_other_flow_must_be_clearly_better() -> None:
    flow, other = np.zeros((1, 4, 2), np.float32), np.ones((1, 4, 2), np.float32)
    error = np.array([[50, 50, 10, 10]], np.float32)
    chosen, left = better(flow, error, other, np.array([[47, 48, 7.5, 8.5]], np.float32))
    np.testing.assert_array_equal(chosen[0, :, 0], [1, 0, 1, 0])
    np.testing.assert_allclose(left, [[47, 50, 7.5, 10]])


def test_noise_is_not_improved() -> None:
    """Most of the window has errors of 3 grey levels, whatever the flow: only what is off by more may change."""
    flow, other = np.zeros((20, 20, 2), np.float32), np.ones((20, 20, 2), np.float32)
    random = np.random.default_rng(0)
    error, other_error = (random.normal(3, 0.2, (2, 20, 20))).astype(np.float32)
    error[:4] = 9
    chosen, _ = better(flow, error, other, other_error)
    np.testing.assert_array_equal(chosen[:4], 1)
    np.testing.assert_array_equal(chosen[4:], 0)
