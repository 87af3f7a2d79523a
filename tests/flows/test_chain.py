"""Chained flows: where the motion is known, the composition is as well."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import flowcli
from flowcli.arrays import Flow, known
from flowcli.errors import InputError, UsageError
from flowcli.flows.chain import chain, compose, prefixes

Affine = npt.NDArray[np.floating]
"""A ``(3, 3)`` matrix that moves points ``(x, y, 1)``."""

HEIGHT, WIDTH = 48, 64
POINTS: Affine = np.stack([*np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT)), np.ones((HEIGHT, WIDTH))], axis=-1)


def flow_of(motion: Affine) -> Flow:
    return (POINTS @ motion.T - POINTS)[..., :2].astype(np.float32)


def expected(motions: Sequence[Affine]) -> tuple[Affine, Affine]:
    """The flow of all motions, and how far inside the frame each point stays before the last one, in pixels."""
    at = POINTS
    margin: Affine = np.full((HEIGHT, WIDTH), np.inf)
    for motion in motions[:-1]:
        at = at @ motion.T
        sides = (at[..., 0], at[..., 1], WIDTH - 1 - at[..., 0], HEIGHT - 1 - at[..., 1])
        margin = np.min([margin, *sides], axis=0)
    return (at @ motions[-1].T - POINTS)[..., :2], margin


def check(motions: Sequence[Affine], bound: float) -> None:
    """The chain is right to ``bound`` pixels where the way stays inside, and unknown where it does not."""
    flow = chain(flow_of(motion) for motion in motions)
    truth, margin = expected(motions)
    assert flow.dtype == np.float32
    inside = margin > bound
    assert inside.mean() > 0.1
    np.testing.assert_allclose(flow[inside], truth[inside], rtol=0, atol=bound)
    assert np.isnan(flow[margin < -bound]).all()


def translation(u: float, v: float) -> Affine:
    return np.array([[1, 0, u], [0, 1, v], [0, 0, 1]], np.float64)


def rotation(degrees: float, zoom: float = 1.0, center: tuple[float, float] = (WIDTH / 2, HEIGHT / 2)) -> Affine:
    turn = np.deg2rad(degrees)
    c, s = zoom * np.cos(turn), zoom * np.sin(turn)
    about = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    return np.asarray(translation(*center) @ about @ translation(-center[0], -center[1]))


def test_translations_add_up_exactly() -> None:
    steps = [(1.25, -0.5), (2.0, 3.0), (-0.7, 0.1), (0.3, 0.3)]
    flow = chain(flow_of(translation(*step)) for step in steps)
    exact = np.sum(np.asarray(steps, np.float32), axis=0, dtype=np.float64).astype(np.float32)
    assert known(flow).mean() > 0.8
    assert (flow[known(flow)] == exact).all()
    check([translation(*step) for step in steps], 1e-5)


def test_whole_pixels_are_unknown_exactly_where_the_next_look_up_is_outside() -> None:
    flow = chain([flow_of(translation(3, -2))] * 2)
    is_known = np.zeros((HEIGHT, WIDTH), bool)
    is_known[2:, : WIDTH - 3] = True  # the last column and the first row are inside
    np.testing.assert_array_equal(known(flow), is_known)
    assert (flow[is_known] == (6, -4)).all()


def test_the_last_flow_may_end_anywhere() -> None:
    far = flow_of(translation(1000, -1000))
    assert known(chain([far])).all()
    assert (chain([flow_of(translation(0, 0)), far]) == far).all()
    assert not known(chain([far, flow_of(translation(0, 0))])).any()


# An affine flow is reproduced exactly by bilinear interpolation; what is left is the rounding of float32 flows.
@pytest.mark.parametrize("links", [2, 8, 40])
def test_rotations(links: int) -> None:
    check([rotation(90 / links)] * links, 1e-4)


@given(
    motions=st.lists(
        st.builds(
            lambda degrees, zoom, u, v: translation(u, v) @ rotation(degrees, zoom),
            st.floats(-9, 9),
            st.floats(0.9, 1.1),
            st.floats(-5, 5),
            st.floats(-5, 5),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_affine_motion(motions: list[Affine]) -> None:
    _, margin = expected(motions)
    if (margin > 1e-4).mean() > 0.1:
        check(motions, 1e-4)


def test_there_and_back_is_no_motion() -> None:
    there = rotation(7, 1.05)
    flow = chain([flow_of(there), flow_of(np.linalg.inv(there))])
    assert np.nanmax(np.abs(flow)) < 1e-5


def test_a_long_chain_does_not_add_up_rounding_errors() -> None:
    links = 2000
    flow = chain(flow_of(translation(0.01, 0)) for _ in range(links))
    exact = links * float(np.float32(0.01))
    assert flow[0, 0, 0] == np.float32(exact)
    one_by_one = np.float32(0)
    for _ in range(links):
        one_by_one += np.float32(0.01)
    assert one_by_one != flow[0, 0, 0]


def test_curved_motion_is_interpolated_bilinearly() -> None:
    random = np.random.default_rng(0)
    first, second = (random.normal(0, 2, (9, 11, 2)).astype(np.float32) for _ in range(2))
    flow = chain([first, second])
    for y, x in np.ndindex(9, 11):
        to_x, to_y = x + float(first[y, x, 0]), y + float(first[y, x, 1])
        if not (0 <= to_x <= 10 and 0 <= to_y <= 8):
            assert np.isnan(flow[y, x]).all()
            continue
        weights = np.maximum(0, 1 - np.abs(to_y - np.arange(9)))[:, None] * np.maximum(
            0, 1 - np.abs(to_x - np.arange(11))
        )
        onward = (second * weights[..., None]).sum(axis=(0, 1))
        np.testing.assert_allclose(flow[y, x], first[y, x] + onward, atol=1e-5)


def test_unknown_flow_makes_the_chain_unknown_on_the_way() -> None:
    still, moved = flow_of(translation(0, 0)), flow_of(translation(2.5, 0))
    first, last = still.copy(), still.copy()
    first[4, 4, 1] = np.nan  # one component suffices
    last[10, 10] = np.nan
    flow = chain([first, moved, last])
    unknown = ~known(flow)
    unknown[:, WIDTH - 3 :] = False  # leaves the frame
    assert sorted(zip(*np.nonzero(unknown), strict=True)) == [(4, 4), (10, 7), (10, 8)]
    assert np.isnan(flow[4, 4]).all()


def test_infinite_flow_is_unknown() -> None:
    still = flow_of(translation(0, 0))
    infinite = still.copy()
    infinite[3, 3, 0] = np.inf
    for flows in ([infinite, still], [still, infinite], [infinite]):
        flow = chain(flows)
        assert np.isnan(flow[3, 3]).all()
        assert known(flow).sum() == HEIGHT * WIDTH - 1


def test_masks_are_applied_where_their_flow_is_looked_up() -> None:
    motion = flow_of(translation(1, 0))
    holds = np.ones((HEIGHT, WIDTH), bool)
    holds[5, 5] = False
    for masks, place in (([holds, None], (5, 5)), ([None, holds], (5, 4))):
        unknown = ~known(chain([motion, motion], masks))
        unknown[:, -1] = False
        assert list(zip(*np.nonzero(unknown), strict=True)) == [place]
    assert not known(chain([motion], [np.zeros((HEIGHT, WIDTH), bool)])).any()


@given(seed=st.integers(0, 2**32 - 1), links=st.integers(1, 5))
def test_prefixes_are_chains(seed: int, links: int) -> None:
    random = np.random.default_rng(seed)
    flows = list(random.normal(0, 1, (links, 7, 8, 2)).astype(np.float32))
    masks = list(random.random((links, 7, 8)) > 0.1)
    for count, prefix in enumerate(prefixes(flows, masks), 1):
        np.testing.assert_array_equal(prefix, chain(flows[:count], masks[:count]))


def test_composing_step_by_step_is_chaining() -> None:
    flows = [flow_of(rotation(2, 1.01, (10 * n, 20))) for n in range(4)]
    so_far = compose(flows[0], flows[1])
    assert so_far.dtype == np.float64
    for flow in flows[2:]:
        so_far = compose(so_far, flow)
    np.testing.assert_array_equal(so_far.astype(np.float32), chain(flows))


def test_inputs_are_left_alone_and_taken_one_at_a_time() -> None:
    motion = flow_of(rotation(1))
    kept = motion.copy()
    taken = []

    def flows() -> Iterator[Flow]:
        for number in range(3):
            taken.append(number)
            yield motion

    seen = [len(taken) for _ in prefixes(flows(), itertools.repeat(None, 3))]
    assert seen == [1, 2, 3]
    np.testing.assert_array_equal(motion, kept)


def test_what_does_not_fit() -> None:
    small, large = np.zeros((3, 4, 2), np.float32), np.zeros((4, 3, 2), np.float32)
    with pytest.raises(UsageError, match="flows is empty"):
        chain([])
    with pytest.raises(InputError, match="flow 1 is 4 x 3 but flow 2 is 3 x 4"):
        chain([small, large])
    with pytest.raises(InputError, match="flow 2 is 4 x 3 but its mask is 3 x 4"):
        chain([small, small], [None, np.ones((4, 3), bool)])
    with pytest.raises(ValueError, match="zip"):
        chain([small, small], [None])


def test_it_is_part_of_the_python_api() -> None:
    assert flowcli.chain is chain
