"""The timeline of the viewer page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from flowcli.draw.color import colorize
from flowcli.flows.warp import warp
from flowcli.view.viewer import About, Moment

from .conftest import MOMENTS
from .viewing import HEIGHT, WIDTH, constant, differences, scene_frame, viewing, write_page

if TYPE_CHECKING:
    import pytest
    from playwright.sync_api import Browser


def test_scrubbing_and_keys_show_moments(browser: Browser, timeline: Path) -> None:
    with viewing(browser, timeline) as there:
        there.page.evaluate("window.flowcli.show(7)")
        assert there.page.evaluate("window.flowcli.read(3, 3).u") == 7
        assert differences(there.pixels("flow"), colorize(constant(7), MOMENTS - 1)).max() <= 1
        assert np.array_equal(there.pixels("frame1"), scene_frame(7))
        there.page.keyboard.press(".")
        there.wait_for("window.flowcli.read(3, 3).u === 8")
        there.page.keyboard.press(",")
        there.page.keyboard.press(",")
        there.wait_for("window.flowcli.read(3, 3).u === 6")
        assert there.page.input_value("#scrub") == "6"
        there.page.fill("#scrub", "2")
        there.wait_for("window.flowcli.read(3, 3).u === 2")
        assert "3 of 12" in there.page.inner_text("#moment")
        assert "frame 2" in there.page.inner_text("#moment")
        assert "0.20 s" in there.page.inner_text("#moment")


def test_the_last_one_asked_for_is_shown(browser: Browser, timeline: Path) -> None:
    with viewing(browser, timeline) as there:
        there.page.evaluate("Promise.all([5, 9, 1, 11, 3].map((index) => window.flowcli.show(index)))")
        assert there.page.evaluate("window.flowcli.read(0, 0).u") == 3
        for index in (*range(MOMENTS), 0):  # more than are kept
            there.page.evaluate("(index) => window.flowcli.show(index)", index)
            assert there.page.evaluate("window.flowcli.read(0, 0).u") == index


def test_it_plays_in_real_time_to_the_end(browser: Browser, timeline: Path) -> None:
    with viewing(browser, timeline) as there:
        assert "10 frames/s" in there.page.inner_text("#timeline")
        there.page.evaluate("window.began = performance.now()")
        there.page.keyboard.press("Space")
        assert there.page.inner_text("#play") == "Pause"
        there.wait_for("document.getElementById('play').textContent === 'Play'")
        taken = there.page.evaluate("performance.now() - window.began")
        assert taken > 1000 * (MOMENTS - 1) / 10 - 50  # not before its time
        assert there.page.evaluate("window.flowcli.read(0, 0).u") == MOMENTS - 1
        there.page.click("#play")  # from the start again
        there.wait_for("window.flowcli.read(0, 0).u < 5")
        there.page.click("#play")
        assert there.page.inner_text("#play") == "Play"


def test_frame_2_is_warped_exactly_when_it_stops(browser: Browser, tmp_path: Path) -> None:
    moments = [Moment(str(i), (constant(i + 0.5),), scene_frame(i), scene_frame(i + 1), time=i / 10) for i in range(3)]
    path = write_page(tmp_path / "page.html", About("halves", ("f",), rate=10.0), moments, len(moments))
    with viewing(browser, path) as there:
        there.page.click("#play")
        there.wait_for("document.getElementById('play').textContent === 'Play'")
        there.wait_for("document.querySelector('[data-pane=\"warped\"] .note').textContent.includes('off by')")
        there.drawn()
        assert np.array_equal(there.pixels("warped"), warp(scene_frame(3), constant(2.5))[0])


def test_what_was_left_out_is_told(browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowcli.view.viewer.TIMELINE_BYTES", 80_000)
    noise = np.random.default_rng(0).normal(0, 9, (MOMENTS, HEIGHT, WIDTH, 2)).astype(np.float32)
    moments = (Moment(str(i), (noise[i],), time=i / 10) for i in range(MOMENTS))
    path = write_page(tmp_path / "page.html", About("left out", ("f",), rate=10.0), moments, MOMENTS)
    with viewing(browser, path) as there:
        about = there.page.inner_text("#about")
        assert f"Of {MOMENTS} moments, every" in about
        assert "no room" in about
        assert "kept" in there.page.inner_text("#timeline")
        assert "off by at most 0.0196 px" in about
