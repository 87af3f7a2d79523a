"""What is read off the viewer page at a point."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from .viewing import HEIGHT, WIDTH, scene_flow, scene_truth, viewing

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_READ_ALL = f"""[...Array({HEIGHT * WIDTH}).keys()].map((i) => {{
  const {{u, v, error}} = window.flowcli.read(i % {WIDTH}, Math.floor(i / {WIDTH}));
  return [u, v, error].map((value) => (Number.isNaN(value) ? null : value));
}})"""


def test_read_gives_the_flow_and_its_error(browser: Browser, pair: Path) -> None:
    with viewing(browser, pair) as there:
        read = np.array(there.page.evaluate(_READ_ALL), np.float64).reshape(HEIGHT, WIDTH, 3)
        outside = there.page.evaluate(f"window.flowcli.read({WIDTH}, 0)")
    flow, truth = scene_flow(), scene_truth()
    np.testing.assert_allclose(read[..., :2], flow, atol=0.02)
    np.testing.assert_allclose(read[..., 2], np.hypot(*np.moveaxis(flow - truth, -1, 0)), atol=0.02)
    assert outside is None


@pytest.mark.parametrize("kind", ["flow", "frame2", "error"])
def test_hovering_reads_the_vector(browser: Browser, pair: Path, kind: str) -> None:
    flow, truth = scene_flow(), scene_truth()
    with viewing(browser, pair) as there:
        for x, y in ((0, 59), (83, 0), (50, 41), (12, 30)):
            there.hover(kind, x, y)
            read, true = there.readout()
            u, v = map(float, flow[y, x])
            assert abs(read["u"] - u) <= 0.02
            assert abs(read["v"] - v) <= 0.02
            assert abs(read["length"] - np.hypot(u, v)) <= 0.02
            assert abs((read["angle"] - np.degrees(np.arctan2(v, u)) + 180) % 360 - 180) <= 1
            assert abs(read["error"] - np.hypot(*(flow[y, x] - truth[y, x]))) <= 0.02
            assert abs(true["u"] - truth[y, x, 0]) <= 0.02
            text = there.page.inner_text("[data-readout]").split()
            assert text[:4] == ["x", str(x), "y", str(y)]


def test_hovering_unknown_flow_says_so(browser: Browser, pair: Path) -> None:
    with viewing(browser, pair) as there:
        there.hover("flow", 34, 22)
        assert "unknown" in there.page.inner_text("[data-readout]")
        assert len(there.readout()) == 1  # the truth is known


def test_the_point_is_marked_in_frame_1_and_where_it_goes_in_frame_2(browser: Browser, pair: Path) -> None:
    x, y = 70, 40
    u, v = np.rint(scene_flow()[y, x]).astype(int)
    marked = """([kind, x, y]) => {
      const marks = document.querySelector(`[data-pane="${kind}"] canvas.marks`);
      const box = marks.getBoundingClientRect();
      const at = window.flowcli.place(kind, x, y);
      const [left, top] = [at.x - box.left - 17, at.y - box.top - 17];
      const part = marks.getContext("2d").getImageData(left, top, 34, 34); // around the arms of a cross
      return part.data.filter((value, i) => i % 4 === 3 && value > 0).length;
    }"""
    with viewing(browser, pair) as there:
        there.hover("flow", x, y)
        assert there.page.evaluate(marked, ["frame1", x, y]) > 40
        assert there.page.evaluate(marked, ["frame2", int(x + u), int(y + v)]) > 40
        assert there.page.evaluate(marked, ["truth", x, y]) > 40
        assert there.page.evaluate(marked, ["frame1", 20, 10]) == 0


def test_keys_move_the_point_and_it_is_read_out(browser: Browser, pair: Path) -> None:
    with viewing(browser, pair) as there:
        there.page.focus('[data-pane="flow"] .stage')
        there.page.keyboard.press("ArrowRight")
        there.page.keyboard.press("Shift+ArrowDown")
        x, y = WIDTH // 2 + 1, HEIGHT // 2 + 10
        assert there.page.inner_text("[data-readout]").split()[:4] == ["x", str(x), "y", str(y)]
        there.wait_for("document.getElementById('spoken').textContent !== ''")
        spoken = there.page.inner_text("#spoken")
        assert spoken.startswith(f"x {x}, y {y}:")
        assert f"u {scene_flow()[y, x, 0]:.2f}" in spoken
        for _ in range(20):
            there.page.keyboard.press("Shift+ArrowLeft")
        assert there.page.inner_text("[data-readout]").split()[:2] == ["x", "0"]


def test_several_flows_are_read_side_by_side(browser: Browser, several: Path) -> None:
    flow = scene_flow()
    with viewing(browser, several) as there:
        assert [
            pane.get_attribute("data-flow") for pane in there.page.query_selector_all('[data-pane="flow"]')
        ] == list("012")
        there.hover("flow", 60, 45, 1)
        first, second, third, _ = there.readout()
        read = there.page.evaluate("window.flowcli.read(60, 45, 2)")
    for vector, factor in ((first, 1), (second, 0.5), (third, -1), (read, -1)):
        assert abs(vector["u"] - factor * flow[45, 60, 0]) <= 0.02
        assert abs(vector["v"] - factor * flow[45, 60, 1]) <= 0.02
