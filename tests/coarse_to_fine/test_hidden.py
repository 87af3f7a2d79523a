"""What is hidden in the second frame."""

from __future__ import annotations

import numpy as np
import pytest

from flowcli.coarse_to_fine.hidden import taken, with_covered
from flowcli.coarse_to_fine.photometric import photometric_error


def test_what_leads_to_the_place_of_another_is_hidden() -> None:
    flow = np.zeros((8, 20, 2), np.float32)
    flow[:, 3:9, 0] = 6  # its right half should have stayed with the rest, which it now covers
    error = np.ones((8, 20), np.float32)
    error[:, 9:12] = 9  # covered by its left half
    error[:, 6:9] = 2
    doubtful = flow[..., 0] > 1
    mask = taken(flow, error, doubtful, apart=2)
    assert mask[:, 6:9].all()
    assert mask.sum() == 8 * 3
    error[:, 6:9] = 1  # as on a plain ground, where its motion explains the ground as well as the ground's own
    np.testing.assert_array_equal(taken(flow, error, doubtful, apart=2), mask)


@pytest.mark.parametrize("motion", [-30.0, 30.0])
def test_what_leaves_the_frame_is_in_nobodys_place(motion: float) -> None:
    flow = np.full((8, 20, 2), motion, np.float32)
    assert not taken(flow, np.ones((8, 20), np.float32), np.ones((8, 20), np.bool_), apart=2).any()


@pytest.mark.parametrize("motion", [12, 25])
def test_what_a_thing_covers_keeps_the_motion_of_the_ground(motion: int) -> None:
    """The model has carried the thing's motion on to where it arrives, which looks as well: the ground is plain."""
    texture = np.random.default_rng(0).integers(0, 256, (20, 10, 3), dtype=np.uint8)
    frame1, frame2 = np.full((2, 80, 60, 3), 140, np.uint8)
    frame1[10:30, 20:30] = texture
    frame2[10:30, 20 + motion : 30 + motion] = texture
    truth = np.zeros((80, 60, 2), np.float32)
    truth[10:30, 20:30, 0] = motion
    flow = truth.copy()
    flow[10:30, 20 + motion : 30 + motion, 0] = motion  # of which the longer one leads out of the frame
    for given in (flow, truth):
        found = with_covered((frame1, frame2), given, photometric_error(frame1, frame2, given), apart=4)
        np.testing.assert_array_equal(found[12:28, 20:60], truth[12:28, 20:60])


@pytest.mark.parametrize("left", [0, 25])
def test_a_long_thing_that_leaves_the_frame_is_not_covered_by_itself(left: int) -> None:
    texture = np.random.default_rng(0).integers(0, 256, (20, 120, 3), dtype=np.uint8)
    frame1, frame2 = np.full((2, 120, 80, 3), 140, np.uint8)
    frame1[50:70, left:] = texture[:, 30 : 110 - left]
    start = left + 30 if left else 0  # the longer one goes through the frame
    frame2[50:70, start:] = texture[:, start - left : 80 - left]
    flow = np.zeros((120, 80, 2), np.float32)
    flow[50:70, left:, 0] = 30
    found = with_covered((frame1, frame2), flow, photometric_error(frame1, frame2, flow), apart=4)
    np.testing.assert_array_equal(found[53:67, left + 3 :], flow[53:67, left + 3 :])


def test_nothing_moves_onto_a_ground_that_stays() -> None:
    """A thing is lost, and where it arrives a wrong motion looks as well as none: it leads to plain ground."""
    frame1, frame2 = np.full((2, 80, 60, 3), 140, np.uint8)
    frame1[10:30, 5:15] = 20
    frame2[10:30, 45:55] = 20
    flow = np.zeros((80, 60, 2), np.float32)
    flow[10:30, 45:55, 0] = -20
    found = with_covered((frame1, frame2), flow, photometric_error(frame1, frame2, flow), apart=4)
    assert not found.any()


def test_what_leaves_a_frame_that_moves_is_left_alone() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 90, 3), dtype=np.uint8)
    frame1, frame2 = (np.ascontiguousarray(picture[:, start : start + 60]) for start in (30, 0))
    flow = np.zeros((40, 60, 2), np.float32)
    flow[..., 0] = 30
    error = photometric_error(frame1, frame2, flow)
    np.testing.assert_array_equal(with_covered((frame1, frame2), flow, error, apart=4), flow)
