"""Makes the README's picture of the viewer: ``python docs/screenshot.py``, where Chromium is installed."""

from __future__ import annotations

import tempfile
from pathlib import Path

from flowcli import load_estimator, occluded
from flowcli.scene import render_scene
from flowcli.view.viewer import About, Moment, viewer
from support.browser import opened, started_browser

PICTURE = Path(__file__).parent / "view.jpg"
WIDTH, HEIGHT = 1400, 860
POINT = 440, 240  # which is read out


def main() -> None:
    """Estimate the flow of the rendered scene, open its page, and take the picture."""
    scene = render_scene(480, 640)
    estimator = load_estimator("dis")
    flow = estimator.estimate(scene.frame1, scene.frame2)
    hidden = occluded(flow, estimator.estimate(scene.frame2, scene.frame1))
    about = About("a rendered scene", ("dis",), facts={"model": "dis"})
    text, _ = viewer(about, [Moment("frame 1 to frame 2", (flow,), scene.frame1, scene.frame2, scene.flow, (hidden,))])
    with tempfile.TemporaryDirectory() as folder, started_browser() as browser:
        path = Path(folder) / "page.html"
        path.write_text(text, encoding="utf-8")
        with opened(browser, path, width=WIDTH, height=HEIGHT) as there:
            page = there.page
            page.evaluate("window.flowcli.settled")
            place = page.evaluate("([x, y]) => window.flowcli.place('flow', x, y)", list(POINT))
            page.mouse.move(place["x"], place["y"])
            page.get_by_label("Arrows", exact=True).check()
            page.screenshot(path=PICTURE, type="jpeg", quality=85)


if __name__ == "__main__":
    main()
