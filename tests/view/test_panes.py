"""What the panes of the viewer page show, compared with what flowcli draws."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from flowcli.choices import Wheel
from flowcli.draw.color import colorize, largest_flow
from flowcli.draw.error_map import error_map, heat
from flowcli.flows.metrics import endpoint_error
from flowcli.flows.warp import warp
from flowcli.view.viewer import About, Moment

from .viewing import HEIGHT, WIDTH, differences, scene_flow, scene_frame, scene_hidden, scene_truth, viewing, write_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_WHEELS: tuple[Wheel, ...] = ("middlebury", "hsv")


@pytest.mark.parametrize("wheel", _WHEELS)
def test_colors_equal_those_of_colorize(browser: Browser, pair: Path, wheel: Wheel) -> None:
    flow, truth = scene_flow(), scene_truth()
    with viewing(browser, pair) as there:
        first = largest_flow(truth)
        assert differences(there.pixels("flow"), colorize(flow, first)).max() <= 1
        assert differences(there.pixels("truth"), colorize(truth, first)).max() <= 1
        there.page.select_option("#wheel-choice", wheel)
        for scale in (0.5, 2.0, 3.7, 40.0):
            there.set_scale(scale)
            assert differences(there.pixels("flow"), colorize(flow, scale, wheel)).max() <= 1
            assert f"{scale:g}" in there.page.inner_text("#wheel-rim")


def test_the_slider_recolors(browser: Browser, pair: Path) -> None:
    with viewing(browser, pair) as there:
        there.page.focus("#scale-slider")
        for _ in range(5):
            there.page.keyboard.press("PageDown")
        there.drawn()
        scale = 10 ** float(there.page.input_value("#scale-slider"))
        assert scale < largest_flow(scene_truth()) / 1.5
        assert differences(there.pixels("flow"), colorize(scene_flow(), scale)).max() <= 1
        there.page.click("#scale-reset")
        there.drawn()
        assert differences(there.pixels("flow"), colorize(scene_flow(), largest_flow(scene_truth()))).max() <= 1


def test_the_longest_vector_stays_on_the_rim(browser: Browser, tmp_path: Path) -> None:
    flow = np.random.default_rng(3).normal(0, 5, (HEIGHT, WIDTH, 2)).astype(np.float32)
    path = write_page(tmp_path / "page.html", About("any flow", ("f",)), [Moment("any flow", (flow,))])
    with viewing(browser, path) as there:
        assert differences(there.pixels("flow"), colorize(flow, largest_flow(flow))).max() <= 1


def test_colors_jump_where_those_of_the_file_do(browser: Browser, tmp_path: Path) -> None:
    flow = scene_flow()
    flow[..., 1] = np.where(np.arange(HEIGHT)[:, None] % 2, 1e-7, -1e-7)
    flow[:9, :, 1] = -0.0
    path = write_page(tmp_path / "page.html", About("along the axis", ("f",)), [Moment("a pair", (flow,))])
    with viewing(browser, path) as there:
        for scale in (0.5, 40.0):
            there.set_scale(scale)
            assert differences(there.pixels("flow"), colorize(flow, scale)).max() <= 1


def test_colors_of_tiny_flow(browser: Browser, tmp_path: Path) -> None:
    flow = (np.nan_to_num(scene_flow()) / 3000).astype(np.float32)
    path = write_page(tmp_path / "page.html", About("tiny", ("f",)), [Moment("a pair", (flow,))])
    with viewing(browser, path) as there:
        assert differences(there.pixels("flow"), colorize(flow, largest_flow(flow))).max() <= 1


def test_errors_are_in_the_colors_of_kitti_and_of_heat(browser: Browser, pair: Path) -> None:
    flow, truth = scene_flow(), scene_truth()
    expected = error_map(flow, truth)
    assert len(np.unique(expected.reshape(-1, 3), axis=0)) > 6
    with viewing(browser, pair) as there:
        assert differences(there.pixels("error"), expected).max() <= 1
        there.page.select_option('[data-pane="error"] select', "heat")
        errors = endpoint_error(flow, truth)
        for top in (3.0, 7.5):
            there.page.fill('[data-pane="error"] input', str(top))
            there.drawn()
            assert differences(there.pixels("error"), heat(errors, top)).max() <= 8  # of neighbours in the table
            assert np.mean(differences(there.pixels("error"), heat(errors, top)) > 0) < 0.01


def test_the_warped_frame_and_its_comparison(browser: Browser, pair: Path) -> None:
    frame1, frame2 = scene_frame(1), scene_frame(2)
    warped, inside = warp(frame2, scene_flow())
    assert 0.3 < inside.mean() < 0.99
    modes, against = ('[data-pane="warped"] select >> nth=0', '[data-pane="warped"] select >> nth=1')
    with viewing(browser, pair) as there:
        assert np.array_equal(there.pixels("frame1"), frame1)
        assert np.array_equal(there.pixels("frame2"), frame2)
        assert np.array_equal(there.pixels("warped"), warped)
        there.page.select_option(modes, "difference")
        there.page.wait_for_timeout(100)
        there.drawn()
        shown = there.pixels("warped")
        gain = round(float(shown[inside].mean() / np.abs(warped.astype(int) - frame1)[inside].mean()))
        expected = np.minimum(255, gain * np.abs(warped.astype(int) - frame1)) * inside[..., None]
        assert differences(shown, expected.astype(np.uint8)).max() == 0
        there.page.select_option(against, "frame2")
        there.page.select_option(modes, "slider")
        there.drawn()
        shown = there.pixels("warped")
        assert np.array_equal(shown[:, : WIDTH // 2 - 4], frame1[:, : WIDTH // 2 - 4])
        assert np.array_equal(shown[:, WIDTH // 2 + 4 :], frame2[:, WIDTH // 2 + 4 :])
        there.page.fill('[data-pane="warped"] input[type="range"]', "0")
        there.drawn()
        assert np.array_equal(there.pixels("warped")[:, 4:], frame2[:, 4:])
        there.page.select_option(modes, "blink")
        note = """document.querySelector('[data-pane="warped"] .note').textContent"""
        for name in ("frame 1", "frame 2"):
            there.wait_for(f"{note}.startsWith('{name}')")


def test_occluded_pixels_are_told_apart(browser: Browser, pair: Path) -> None:
    _, inside = warp(scene_frame(2), scene_flow())
    leaving = ~inside & np.isfinite(scene_flow()).all(axis=-1)
    hidden = scene_hidden() & ~leaving
    with viewing(browser, pair) as there:
        shown = there.pixels("occlusion")
        for mask in (leaving, hidden):
            assert len(np.unique(shown[mask].reshape(-1, 3), axis=0)) == 1
        assert tuple(shown[leaving][0]) != tuple(shown[hidden][0])
        before = there.pixels("flow")
        there.page.keyboard.press("o")
        there.page.wait_for_timeout(50)
        there.drawn()
        changed = differences(there.pixels("flow"), before) > 0
        assert not changed[~(leaving | hidden)].any()
        assert changed[hidden].all()


def test_arrows_are_drawn_on_flow_and_frame_1(browser: Browser, pair: Path) -> None:
    with viewing(browser, pair) as there:
        there.set_scale(3)
        before = {kind: there.pixels(kind) for kind in ("flow", "frame1", "frame2")}
        there.page.keyboard.press("a")
        there.drawn()
        few = {kind: int((differences(there.pixels(kind), before[kind]) > 0).sum()) for kind in before}
        assert few["flow"] > 50
        assert few["frame1"] > 50
        assert few["frame2"] == 0
        there.page.focus("#density")
        there.page.keyboard.press("End")
        there.drawn()
        assert (differences(there.pixels("flow"), before["flow"]) > 0).sum() > few["flow"]


def test_brushing_shows_the_pixels_of_a_range(browser: Browser, pair: Path) -> None:
    lengths = np.hypot(*np.moveaxis(scene_flow(), -1, 0))
    with viewing(browser, pair) as there:
        before = there.pixels("flow")
        there.page.focus('[aria-label="Length from"]')
        for _ in range(3):
            there.page.keyboard.press("PageUp")
        there.drawn()
        share = float(there.page.input_value('[aria-label="Length from"]')) / 80
        chosen = lengths >= share * np.nanmax(lengths)
        assert np.array_equal(differences(there.pixels("flow"), before) == 0, chosen)
        assert f"{chosen.sum():,} pixels" in there.page.inner_text("#brushed")
        there.page.click("#brush-clear")
        there.drawn()
        assert np.array_equal(there.pixels("flow"), before)
        bars = there.page.locator("canvas.bars").nth(1)
        bars.scroll_into_view_if_needed()
        box = bars.bounding_box()
        assert box is not None
        there.page.mouse.move(box["x"] + 0.26 * box["width"], box["y"] + 20)
        there.page.mouse.down()
        there.page.mouse.move(box["x"] + 0.49 * box["width"], box["y"] + 20)
        there.page.mouse.up()
        there.drawn()
        shown = differences(there.pixels("flow"), before) == 0
        angles = np.degrees(np.arctan2(scene_flow()[..., 1], scene_flow()[..., 0])) % 360
        assert shown[(angles > 96) & (angles < 174)].all()
        assert not shown[(angles < 84) | (angles > 186)].any()
