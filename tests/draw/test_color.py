from __future__ import annotations

import flow_vis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcli import colorize
from flowcli.arrays import Flow
from flowcli.draw.color import color_wheel, largest_flow


def random_flow(seed: int, spread: float = 5.0) -> Flow:
    """Larger than a block, so that colours are looked up as well as computed."""
    return np.random.default_rng(seed).normal(0, spread, (301, 233, 2)).astype(np.float32)


def test_the_wheel_is_middleburys() -> None:
    np.testing.assert_array_equal(color_wheel(), flow_vis.make_colorwheel())


@given(seed=st.integers(0, 1000), spread=st.floats(1e-3, 1e3))
def test_colours_equal_flow_vis_within_one_grey_level(seed: int, spread: float) -> None:
    flow = random_flow(seed, spread)
    difference = colorize(flow).astype(int) - flow_vis.flow_to_color(flow)
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("scale", [0.5, 4.0, 9.0])
def test_a_given_scale_equals_flow_vis_inside_and_outside_the_wheel(scale: float) -> None:
    flow = random_flow(1)
    expected = flow_vis.flow_uv_to_colors(flow[..., 0] / scale, flow[..., 1] / scale)
    assert np.abs(colorize(flow, scale).astype(int) - expected).max() <= 1


@pytest.mark.parametrize("v", [0.0, -0.0, 1e-9, -1e-9, -1e-5, 3e-3, -3e-3])
@pytest.mark.parametrize("u", [3.0, -3.0, 1e-7, -1e-7])
def test_where_the_turn_closes(u: float, v: float) -> None:
    flow = random_flow(4)
    flow[100:200] = u, v
    assert np.abs(colorize(flow).astype(int) - flow_vis.flow_to_color(flow)).max() <= 1


def test_just_inside_and_outside_the_rim() -> None:
    angle = np.linspace(-np.pi, np.pi, 1 << 17, dtype=np.float32).reshape(-1, 512)
    radius = 5 + np.random.default_rng(5).normal(0, 1e-5, angle.shape)
    flow = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1).astype(np.float32)
    expected = flow_vis.flow_uv_to_colors(flow[..., 0] / np.float32(5), flow[..., 1] / np.float32(5))
    assert np.abs(colorize(flow, 5.0).astype(int) - expected).max() <= 1


def test_every_part_of_the_wheel() -> None:
    axis = np.linspace(-1, 1, 1501, dtype=np.float32)
    flow = np.stack(np.meshgrid(axis, axis), axis=-1)
    assert np.abs(colorize(flow).astype(int) - flow_vis.flow_to_color(flow)).max() <= 1


def test_the_directions_of_the_axes() -> None:
    flow = np.array([[[1, 0], [0, 1], [-1, 0], [0, -1], [0, 0]]], np.float32)
    difference = colorize(flow, 1.0).astype(int) - flow_vis.flow_uv_to_colors(flow[..., 0], flow[..., 1])
    assert np.abs(difference).max() <= 1
    np.testing.assert_array_equal(colorize(flow, 1.0)[0, 4], [255, 255, 255])


def test_unknown_flow_is_black_and_does_not_set_the_scale() -> None:
    flow = random_flow(2)
    flow[3:5, 7] = np.nan
    flow[0, 0, 1] = np.inf
    image = colorize(flow)
    assert (image[3:5, 7] == 0).all()
    assert (image[0, 0] == 0).all()
    known = np.asarray(np.isfinite(flow).all(axis=-1))
    np.testing.assert_array_equal(image[known], colorize(np.where(known[..., None], flow, 0))[known])


def test_flow_that_is_zero_or_unknown_everywhere() -> None:
    assert (colorize(np.zeros((3, 4, 2), np.float32)) == 255).all()
    assert (colorize(np.full((3, 4, 2), np.nan, np.float32)) == 0).all()
    assert largest_flow(np.full((3, 4, 2), np.nan, np.float32)) == 0


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan")])
def test_a_scale_must_be_positive(scale: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        colorize(random_flow(3), scale)
