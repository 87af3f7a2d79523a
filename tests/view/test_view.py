"""Zoom, pan, keys, and which panes there are on the viewer page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .viewing import HEIGHT, WIDTH, viewing

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from .viewing import Viewing

_ALL = ["histogram", "flow", "frame1", "frame2", "warped", "error", "truth", "occlusion"]
_SCALE = "parseFloat(document.getElementById('zoom').textContent)"


def _relative(there: Viewing, kind: str, x: int, y: int) -> tuple[float, float]:
    """Where a pane shows a pixel, from the pane's own corner."""
    box = there.page.locator(f'[data-pane="{kind}"] .stage').bounding_box()
    assert box is not None
    left, top = there.at(kind, x, y)
    return left - box["x"], top - box["y"]


def test_zoom_is_linked_and_keeps_the_pixel_below_the_pointer(browser: Browser, pair: Path) -> None:
    with viewing(browser, pair) as there:
        there.hover("frame2", 20, 15)
        before, scale = there.at("frame2", 20, 15), there.page.evaluate(_SCALE)
        there.page.mouse.wheel(0, -600)
        there.drawn()
        assert there.page.evaluate(_SCALE) > 2 * scale
        assert there.at("frame2", 20, 15) == pytest.approx(before, abs=3)
        for kind in ("flow", "frame1", "warped", "error", "truth", "occlusion"):
            assert _relative(there, kind, 20, 15) == pytest.approx(_relative(there, "frame2", 20, 15), abs=0.01)


def test_dragging_moves_all_panes(browser: Browser, pair: Path) -> None:
    with viewing(browser, pair) as there:
        for _ in range(4):
            there.page.keyboard.press("+")
        there.hover("flow", 40, 30)
        x, y = there.at("flow", 40, 30)
        other = there.at("error", 40, 30)
        there.page.mouse.down()
        there.page.mouse.move(x + 30, y - 20, steps=3)
        there.page.mouse.up()
        there.drawn()
        assert there.at("flow", 40, 30) == pytest.approx((x + 30, y - 20), abs=1)
        assert there.at("error", 40, 30) == pytest.approx((other[0] + 30, other[1] - 20), abs=1)


def test_two_fingers_zoom(browser: Browser, pair: Path) -> None:
    pinch = """([x, y]) => {
      const stage = document.querySelector('[data-pane="flow"] .stage');
      stage.setPointerCapture = () => {};
      const send = (type, pointerId, dx) => stage.dispatchEvent(new PointerEvent(type, {
        pointerId, pointerType: "touch", clientX: x + dx, clientY: y, button: 0, bubbles: true }));
      send("pointerdown", 11, -20); send("pointerdown", 12, 20);
      for (let i = 1; i <= 10; i++) { send("pointermove", 11, -20 - 2 * i); send("pointermove", 12, 20 + 2 * i); }
      send("pointerup", 11, -40); send("pointerup", 12, 40);
    }"""
    with viewing(browser, pair) as there:
        scale, place = there.page.evaluate(_SCALE), there.at("flow", 42, 30)
        there.page.evaluate(pinch, list(place))
        there.drawn()
        assert there.page.evaluate(_SCALE) == pytest.approx(2 * scale, rel=0.03)
        assert there.at("flow", 42, 30) == pytest.approx(place, abs=2)


def test_everything_has_a_key(browser: Browser, pair: Path) -> None:
    with viewing(browser, pair) as there:
        press = there.page.keyboard.press
        fitting = there.page.evaluate(_SCALE)
        press("1")
        assert there.page.evaluate(_SCALE) == 100
        press("+")
        press("-")
        press("+")
        assert there.page.evaluate(_SCALE) == 150
        press("0")
        assert there.page.evaluate(_SCALE) == fitting
        there.page.focus('[data-pane="error"] .stage')
        press("m")
        assert there.kinds() == ["histogram", "error"]
        press("Escape")
        assert len(there.kinds()) == 8
        press("c")
        assert there.page.input_value('[data-pane="warped"] select >> nth=0') == "slider"
        press("?")
        assert there.page.locator("dialog").is_visible()
        assert "Zoom in" in there.page.inner_text("dialog")
        press("Escape")
        assert not there.page.locator("dialog").is_visible()
        assert len(there.kinds()) == 8


def test_tab_reaches_every_pane_and_control(browser: Browser, pair: Path) -> None:
    described = "(document.activeElement.closest('[data-pane]')?.dataset.pane ?? '') + ' ' + document.activeElement.id"
    reached = set()
    with viewing(browser, pair) as there:
        for _ in range(60):
            there.page.keyboard.press("Tab")
            pane, name = there.page.evaluate(described).split(" ")
            reached |= {pane, name}
    controls = {"scale", "scale-slider", "wheel-choice", "arrows", "occlusion", "zoom-in", "help-open"}
    assert controls | set(_ALL) <= reached


def test_panes_can_be_hidden_and_maximised(browser: Browser, pair: Path) -> None:
    with viewing(browser, pair) as there:
        assert there.kinds() == _ALL
        there.page.click("#pane-choices button:text-is('Frame 2')")
        there.page.click("#pane-choices button:text-is('Truth')")
        assert there.kinds() == ["histogram", "flow", "frame1", "warped", "error", "occlusion"]
        there.page.click('[data-pane="flow"] .icon')
        assert there.kinds() == ["histogram", "flow"]
        box = there.page.locator('[data-pane="flow"] .stage').bounding_box()
        assert box is not None
        assert box["width"] > 900
        there.page.click('[data-pane="flow"] .icon')
        assert len(there.kinds()) == 6


def test_the_selected_flow_is_the_one_that_others_show(browser: Browser, several: Path) -> None:
    with viewing(browser, several) as there:
        before = there.pixels("error")
        there.page.keyboard.press("]")
        there.wait_for("document.querySelector('[data-flow=\"1\"]').hasAttribute('data-selected')")
        there.settle()
        there.page.wait_for_timeout(200)
        assert (there.pixels("error") != before).any()
        assert there.page.input_value("#flow-choice") == "1"
        there.page.keyboard.press("[")
        there.page.wait_for_timeout(200)
        assert (there.pixels("error") == before).all()


def test_the_picture_fits_its_pane(browser: Browser, pair: Path) -> None:
    for width, height in ((1280, 900), (700, 900), (380, 700)):
        with viewing(browser, pair, width=width, height=height) as there:
            for kind in ("flow", "occlusion"):
                box = there.page.locator(f'[data-pane="{kind}"] .stage').bounding_box()
                assert box is not None
                left, top = _relative(there, kind, 0, 0)
                right, bottom = _relative(there, kind, WIDTH - 1, HEIGHT - 1)
                assert 0 <= left < right <= box["width"]
                assert 0 <= top < bottom <= box["height"]
                assert max((right - left) / box["width"], (bottom - top) / box["height"]) > 0.95
            assert there.page.evaluate("document.documentElement.scrollWidth") <= width
