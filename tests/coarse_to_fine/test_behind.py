"""What is behind something that arrives."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from flowcli.arrays import Flow, Frame, Mask
from flowcli.coarse_to_fine.behind import with_behind
from flowcli.coarse_to_fine.photometric import photometric_error

HEIGHT, WIDTH = 80, 120
NOTHING = np.zeros((HEIGHT, WIDTH), np.bool_)


def scene(motion: int, ground: int) -> tuple[Frame, Frame, Flow, Mask]:
    """A thing of one texture over a ground of another, both moving to the right, and what the thing covers."""
    random = np.random.default_rng(0)
    texture = random.integers(0, 100, (HEIGHT, WIDTH + 20, 3), dtype=np.uint8)
    thing = random.integers(150, 256, (40, 30, 3), dtype=np.uint8)
    frame1, frame2 = texture[:, 20:].copy(), texture[:, 20 - ground : 20 - ground + WIDTH].copy()
    frame1[20:60, 20:50] = thing
    frame2[20:60, 20 + motion : 50 + motion] = thing
    flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    flow[..., 0] = ground
    flow[20:60, 20:50, 0] = motion
    covered = NOTHING.copy()
    covered[20:60, max(50, 20 + motion - ground) : 50 + motion - ground] = True
    return frame1, frame2, flow, covered


@pytest.mark.parametrize("motion", [20, 45])
@pytest.mark.parametrize("ground", [0, 4])
def test_what_something_covers_moves_like_its_ground(motion: int, ground: int) -> None:
    frame1, frame2, truth, covered = scene(motion, ground)
    flow = truth.copy()
    flow[covered] = (-17, 9)  # what a model has found there
    found = with_behind(frame1, flow, photometric_error(frame1, frame2, flow), 5, NOTHING)
    rim = np.ones((9, 9), np.uint8)  # errors are averages
    inner, outer = (change(covered.astype(np.uint8), rim) > 0 for change in (cv2.erode, cv2.dilate))
    assert (np.abs(found - truth).max(axis=-1) < 1)[inner].mean() > 0.95
    np.testing.assert_array_equal(found[~outer], flow[~outer])
    kept = with_behind(frame1, flow, photometric_error(frame1, frame2, flow), 5, covered)
    np.testing.assert_array_equal(kept[covered], flow[covered])


def test_a_thing_that_was_not_found_is_not_behind_anything() -> None:
    frame1, frame2, truth, _ = scene(45, 0)
    flow = np.zeros_like(truth)
    flow[20:60, 20:50] = (3, 8)
    found = with_behind(frame1, flow, photometric_error(frame1, frame2, flow), 5, NOTHING)
    np.testing.assert_array_equal(found, flow)


@pytest.mark.parametrize("value", [np.nan, np.inf, -1e30])
def test_flow_that_is_no_motion(value: float) -> None:
    frame1, _, flow, covered = scene(20, 0)
    flow[covered] = value
    flow[:10] = value
    found = with_behind(frame1, flow, np.where(covered, np.float32(50), np.float32(1)), 5, NOTHING)
    assert np.isfinite(found[covered]).mean() > 0.9


def test_nothing_is_lost_or_all_is() -> None:
    frame1, _, flow, _ = scene(20, 0)
    for error in (0, 50):
        found = with_behind(frame1, flow, np.full((HEIGHT, WIDTH), error, np.float32), 5, NOTHING)
        np.testing.assert_array_equal(found, flow)
