"""Whether everybody can use the viewer page: axe-core, light and dark, names of pictures."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from .viewing import viewing

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_INSTALLED = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
_RUN = """async () => {
  const { violations } = await window.axe.run();
  return violations.map(({ id, impact, nodes }) => [impact, `${id}: ${nodes.map((node) => node.html).join("\\n")}`]);
}"""


def _axe() -> str:
    path = Path(os.environ.get("FLOWCLI_AXE") or _INSTALLED)
    if not path.is_file():
        pytest.skip("axe-core is not installed: npm install axe-core, or set FLOWCLI_AXE to axe.min.js")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "dark"), [("pair", False), ("pair", True), ("several", False), ("timeline", True)])
def test_axe_finds_no_serious_fault(browser: Browser, request: pytest.FixtureRequest, name: str, dark: bool) -> None:
    script = _axe()
    with viewing(browser, request.getfixturevalue(name), dark=dark) as there:
        there.hover("flow", 10, 50)
        there.page.evaluate(script)
        found = there.page.evaluate(_RUN)
        there.page.keyboard.press("?")
        found += there.page.evaluate(_RUN)
    assert [text for impact, text in found if impact in ("serious", "critical")] == []


def test_pictures_say_what_they_show(browser: Browser, pair: Path) -> None:
    with viewing(browser, pair) as there:
        unnamed = there.page.evaluate(
            "[...document.querySelectorAll('canvas:not([aria-hidden])')].filter((each) => !each.ariaLabel).length"
        )
        flow = there.page.get_attribute('[data-pane="flow"] .stage canvas', "aria-label") or ""
        error = there.page.get_attribute('[data-pane="error"] .stage canvas', "aria-label") or ""
    assert unnamed == 0
    assert "84 x 60 pixels" in flow
    assert "mean" in flow
    assert "wrong" in error


@pytest.mark.parametrize("name", ["pair", "timeline"])
def test_light_and_dark_look_as_they_should(browser: Browser, request: pytest.FixtureRequest, name: str) -> None:
    path = request.getfixturevalue(name)
    grounds = []
    for dark in (False, True):
        with viewing(browser, path, dark=dark) as there:
            picture = cv2.imdecode(np.frombuffer(there.page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert len(np.unique(picture.astype(int) @ (1, 256, 65536))) > 1000  # pictures are drawn
        grounds.append(int(np.median(picture[:40])))
    light, dark_ground = grounds
    assert light > 200
    assert dark_ground < 60
