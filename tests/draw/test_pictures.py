from __future__ import annotations

import numpy as np
import pytest

from flowcli import colorize
from flowcli.arrays import Flow
from flowcli.choices import Wheel
from flowcli.draw.arrows import arrows
from flowcli.draw.figure import Figure
from flowcli.draw.style import Style, draw_flow, lay_out, overlay
from flowcli.scene import Scene


def test_an_overlay_is_grey_where_nothing_moves_and_tinted_where_something_does(scene: Scene) -> None:
    flow = np.zeros_like(scene.flow)
    flow[:, 80:] = 5, 0
    picture = overlay(scene.frame1, colorize(flow, 5.0)).astype(int)
    assert np.ptp(picture[:, :80], axis=-1).max() == 0
    assert (picture[:, 80:, 0] > picture[:, 80:, 1]).all()  # to the right is red
    assert np.corrcoef(picture[:, :80, 0].ravel(), scene.frame1[:, :80].mean(-1).ravel())[0, 1] > 0.95


@pytest.mark.parametrize(("u", "v"), [(6.0, 0.0), (0.0, 6.0), (-6.0, 0.0), (0.0, -6.0)])
def test_an_arrow_leads_from_its_tail_along_the_flow(u: float, v: float) -> None:
    black = np.zeros((64, 64, 3), np.uint8)
    flow = np.full((64, 64, 2), np.nan, np.float32)
    flow[32, 32] = u, v
    drawn = np.argwhere(arrows(black, flow, 64, 6.0).any(axis=-1)) - 32
    assert len(drawn)
    along = drawn @ np.array([v, u]) / 6
    assert along.max() == pytest.approx(31, abs=2)  # cut off at the edge, nearly a step away
    assert along.min() >= -3


def test_no_arrow_for_unknown_still_or_endless_flow(scene: Scene) -> None:
    still = arrows(scene.frame1, np.zeros_like(scene.flow), 16, 5.0)
    for value in (np.nan, np.inf, 1e30):
        flow: Flow = np.zeros_like(scene.flow)
        flow[8, 8] = value
        picture = arrows(scene.frame1, flow, 16, 5.0)
        assert picture.shape == scene.frame1.shape
        if np.isnan(value):
            np.testing.assert_array_equal(picture, still)


def test_layouts_have_the_size_they_should(scene: Scene) -> None:
    for layout in ("flow", "overlay", "arrows"):
        assert lay_out(scene.frame1, scene.flow, layout, Style(max_flow=5.0)).shape == (120, 160, 3)
    assert lay_out(scene.frame1, scene.flow, "side-by-side", Style(max_flow=5.0)).shape == (120, 320, 3)


@pytest.mark.parametrize("wheel", ["middlebury", "hsv"])
@pytest.mark.parametrize("size", [(1, 1), (1, 50), (20, 20), (60, 40), (100, 300)])
def test_every_style_at_every_size(size: tuple[int, int], wheel: Wheel) -> None:
    frame = np.full((*size, 3), 100, np.uint8)
    for length in (0.0, 0.3, 2e3, 1e30, 3e38):
        flow = np.full((*size, 2), length, np.float32)
        for step in (2, 7, 99):
            style = Style(wheel=wheel, legend=True, overlay=step == 7, arrows=step)
            assert draw_flow(flow, style, frame).shape == (*size, 3)
        assert draw_flow(flow, Style(wheel=wheel)).shape == (*size, 3)


def test_a_legend_needs_room(scene: Scene) -> None:
    small = scene.flow[:90, :90]
    np.testing.assert_array_equal(draw_flow(small, Style(legend=True)), draw_flow(small, Style()))
    assert (draw_flow(scene.flow, Style(legend=True)) != draw_flow(scene.flow, Style())).any()


@pytest.mark.parametrize("name", ["bad\udcff", "$x$ ^ \\frac{", "<b>'\"&", "two\nlines", "\u6d41", "n" * 250])
def test_figures_of_any_name(scene: Scene, name: str) -> None:
    figure = Figure([(name, scene.flow)], truth=scene.flow)
    assert figure.picture(500).shape[1] <= 500
    pytest.importorskip("matplotlib")
    assert figure.pdf(500).startswith(b"%PDF-")
