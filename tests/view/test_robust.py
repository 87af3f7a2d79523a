"""Odd flows, missing frames and hostile names on the viewer page, and how large ones open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from flowcli.arrays import Flow, Frame
from flowcli.view.viewer import About, Moment

from .conftest import HOSTILE
from .viewing import Viewing, scene_flow, scene_frame, scene_truth, viewing, write_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_EMPTY = np.full((6, 9, 2), np.nan, np.float32)
_ODD: dict[str, Flow] = {
    "one pixel": np.full((1, 1, 2), 0.5, np.float32),
    "one row": np.ones((1, 300, 2), np.float32),
    "one column": np.ones((300, 1, 2), np.float32),
    "zero": np.zeros((6, 9, 2), np.float32),
    "unknown": _EMPTY,
}


def _frames(flow: Flow) -> tuple[Frame, Frame]:
    return np.full((*flow.shape[:2], 3), 90, np.uint8), np.full((*flow.shape[:2], 3), 120, np.uint8)


@pytest.mark.parametrize("name", _ODD)
def test_odd_flows_are_shown(browser: Browser, tmp_path: Path, name: str) -> None:
    flow = _ODD[name]
    moment = Moment(name, (flow,), *_frames(flow), flow)
    path = write_page(tmp_path / "page.html", About(name, ("f",)), [moment])
    with viewing(browser, path) as there:
        there.hover("flow", flow.shape[1] - 1, flow.shape[0] - 1)
        text = there.page.inner_text("[data-readout]")
        assert ("unknown" in text) == (name == "unknown")
        for key in ("a", "o", "c", "c", "c", "1", "+", "0", "m"):
            there.page.keyboard.press(key)
        there.page.click("#scale-auto")
        there.drawn()


def test_panes_without_data_are_absent(browser: Browser, tmp_path: Path) -> None:
    flow, frame = scene_flow(), scene_frame(1)
    shown = {
        "alone": (Moment("m", (flow,)), ["histogram", "flow"]),
        "frame 1": (Moment("m", (flow,), frame), ["histogram", "flow", "frame1"]),
        "frame 2": (Moment("m", (flow,), None, frame), ["histogram", "flow", "frame2", "warped"]),
        "truth": (Moment("m", (flow,), truth=scene_truth()), ["histogram", "flow", "error", "truth"]),
    }
    for name, (moment, kinds) in shown.items():
        with viewing(browser, write_page(tmp_path / f"{name}.html", About(name, ("f",)), [moment])) as there:
            assert there.kinds() == kinds
            there.hover("flow", 20, 20)
            for key in ("a", "o", "c"):
                there.page.keyboard.press(key)
            there.page.click("#pane-choices button:text-is('Out of frame')")
            there.drawn()
            assert "no mask" in there.page.inner_text('[data-pane="occlusion"]')


def test_hostile_names_are_only_text(browser: Browser, several: Path) -> None:
    with viewing(browser, several) as there:
        there.hover("flow", 5, 50, 1)
        assert there.page.locator("img").count() == 0
        assert there.page.title() == HOSTILE
        assert there.page.inner_text("h1") == HOSTILE
        for place in ('[data-flow="1"] h2', "#about", "#subtitle", "#flow-choices", "[data-readout]"):
            assert HOSTILE in (there.page.text_content(place) or "")


_NO_WORKERS = {
    "unknown": "delete window.Worker",
    "fails": """window.Worker = function () {
      this.postMessage = () => {};
      setTimeout(() => this.onerror(new Event("error")));
    }""",
}


@pytest.mark.parametrize("broken", _NO_WORKERS.values(), ids=_NO_WORKERS)
def test_it_does_without_a_worker(browser: Browser, several: Path, broken: str) -> None:
    context = browser.new_context(offline=True)
    try:
        page = context.new_page()
        page.add_init_script(broken)
        page.goto(several.as_uri())
        there = Viewing(page)
        there.settle()
        read = page.evaluate("window.flowcli.read(60, 45, 2)")
        assert abs(read["u"] + scene_flow()[45, 60, 0]) <= 0.02
    finally:
        context.close()


def test_the_page_tells_about_the_flow(browser: Browser, pair: Path) -> None:
    with viewing(browser, pair) as there:
        about = there.page.inner_text("#about")
        for told in ("84 x 60 pixels", "a model", "a note", "off by at most", "without loss", "90° downwards"):
            assert told in about


def _enlarged(frame: Frame, width: int, height: int) -> Frame:
    return np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def test_a_large_pair_opens(browser: Browser, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    height, width = 1080, 1920
    y, x = np.mgrid[:height, :width].astype(np.float32)
    flow = np.stack([12 * np.sin(x / 300 + y / 500), 9 * np.cos(y / 200)], axis=-1).astype(np.float32)
    frame1, frame2 = (_enlarged(scene_frame(seed), width, height) for seed in (1, 2))
    path = write_page(tmp_path / "page.html", About("large", ("f",)), [Moment("large", (flow,), frame1, frame2)])
    assert path.stat().st_size < 8e6
    with viewing(browser, path) as there:
        ready, settled = there.page.evaluate("[window.flowcli.readyAfter, window.flowcli.settledAfter]")
        read = there.page.evaluate("window.flowcli.read(1234, 567)")
        assert np.hypot(read["u"] - flow[567, 1234, 0], read["v"] - flow[567, 1234, 1]) <= 0.02
        recolored = there.page.evaluate("""async () => {
          const began = performance.now();
          const scale = document.getElementById("scale");
          scale.value = "7";
          scale.dispatchEvent(new Event("input"));
          await new Promise(requestAnimationFrame);
          return performance.now() - began;
        }""")
    record_property("milliseconds", {"ready": ready, "settled": settled, "recolored": recolored})
    print(f"1080 x 1920: ready after {ready:.0f} ms, all after {settled:.0f} ms, recoloured in {recolored:.0f} ms")
