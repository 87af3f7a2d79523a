"""Makes pages of a small scene, and looks at them in the browser."""

from __future__ import annotations

import base64
import contextlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from flowcli.arrays import Flow, Frame, Mask
from flowcli.view.viewer import About, Moment, viewer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HEIGHT, WIDTH = 60, 84
_EXACT = 64  # vectors in whole parts of 1/64 pixel are stored as they are

_READ_CANVAS = """([kind, flow]) => {
  const panes = document.querySelectorAll(`[data-pane="${kind}"]`);
  const canvas = panes[kind === "flow" ? flow : 0].querySelector(".stage canvas");
  const box = canvas.getBoundingClientRect();
  const [first, second] = [0, 1].map((x) => window.flowcli.place(kind, x, 0, flow));
  const scale = second.x - first.x;
  if (Math.abs(scale - 1) > 1e-9) throw new Error(`not at 100 % but at ${scale}`);
  const [left, top] = [first.x - box.left - 0.5, first.y - box.top - 0.5].map(Math.round);
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = window.flowcliSize;
  copy.getContext("2d").drawImage(canvas, -left, -top);
  return copy.toDataURL("image/png").split(",")[1];
}"""
_WAIT = """new Promise((go, fail) => {
  const began = performance.now();
  const look = () => {
    if (%s) go();
    else if (performance.now() - began > 20000) fail(new Error("waited in vain"));
    else setTimeout(look, 20);
  };
  look();
})"""
_FRAMES = "new Promise((resume) => requestAnimationFrame(() => requestAnimationFrame(resume)))"


def exact(flow: npt.NDArray[Any]) -> Flow:
    """A flow that the page holds without loss, as it has no -0.0 either."""
    return np.asarray(np.rint(flow * _EXACT) / _EXACT + 0.0, np.float32)


def scene_flow() -> Flow:
    """Flow of all directions, with a hole, and with vectors that lead out of the frame."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    flow = exact(np.stack([(x - 40) / 9 + np.sin(y / 7), (y - 30) / 8 + np.cos(x / 5)], axis=-1))
    flow[20:26, 30:40] = np.nan
    return flow


def constant(u: float) -> Flow:
    """Flow that is (u, 0) everywhere."""
    flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    flow[..., 0] = u
    return flow


def scene_truth() -> Flow:
    """The true flow: off by little to the left, by more to the right; unknown in a corner."""
    flow = exact(np.nan_to_num(scene_flow()))
    flow[..., 0] += exact(np.linspace(0, 12, WIDTH) ** 1.2)
    flow[:8, :8] = np.nan
    return flow


def scene_frame(seed: int) -> Frame:
    """A picture with structure of several sizes."""
    noise = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.2), np.uint8)


def scene_hidden() -> Mask:
    """Some pixels that count as hidden."""
    hidden = np.zeros((HEIGHT, WIDTH), np.bool_)
    hidden[30:40, 50:60] = True
    return hidden


def scene(name: str = "a pair") -> Moment:
    """Everything that a page can show."""
    return Moment(name, (scene_flow(),), scene_frame(1), scene_frame(2), scene_truth(), (scene_hidden(),))


def write_page(path: Path, about: About, moments: Iterable[Moment], count: int = 1) -> Path:
    path.write_text(viewer(about, moments, count)[0], encoding="utf-8")
    return path


class Viewing:
    """A viewer page in the browser."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def settle(self) -> None:
        """Wait until everything is shown."""
        self.page.evaluate("window.flowcli.settled")
        self.drawn()

    def drawn(self) -> None:
        """Wait until what has changed is drawn."""
        self.page.evaluate(_FRAMES)

    def wait_for(self, condition: str) -> None:
        """Wait until a condition in JavaScript holds; the page's policy forbids what Playwright has for that."""
        self.page.evaluate(_WAIT % condition)

    def at(self, kind: str, x: int, y: int, flow: int = 0) -> tuple[float, float]:
        """Where a pane shows the middle of a pixel."""
        place = self.page.evaluate("(args) => window.flowcli.place(...args)", [kind, x, y, flow])
        return place["x"], place["y"]

    def hover(self, kind: str, x: int, y: int, flow: int = 0) -> None:
        self.page.mouse.move(*self.at(kind, x, y, flow))
        self.drawn()

    def readout(self) -> list[dict[str, float]]:
        """The numbers at the point: a dictionary for each line."""
        text = self.page.inner_text("[data-readout]").replace("\n", " ")
        number = r"([+-]?[\d.]+)"
        vectors = re.findall(
            rf"u {number} px\s+v {number} px\s+length {number} px\s+angle {number}°(?:\s+error {number})?", text
        )
        names = ("u", "v", "length", "angle", "error")
        return [{name: float(value) for name, value in zip(names, found, strict=True) if value} for found in vectors]

    def pixels(self, kind: str, flow: int = 0) -> Frame:
        """What a pane shows of each pixel; zooms to 100 %."""
        self.page.click("#zoom-actual")
        self.drawn()
        self.page.evaluate(f"window.flowcliSize = [{WIDTH}, {HEIGHT}]")
        data = base64.b64decode(self.page.evaluate(_READ_CANVAS, [kind, flow]))
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert decoded is not None
        return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)

    def set_scale(self, scale: float) -> None:
        self.page.fill("#scale", str(scale))
        self.drawn()

    def kinds(self) -> list[str]:
        """The panes that can be seen, in their order."""
        panes = self.page.query_selector_all("[data-pane]")
        return [pane.get_attribute("data-pane") or "" for pane in panes if pane.is_visible()]


@contextlib.contextmanager
def viewing(browser: Browser, path: Path, **window: Any) -> Iterator[Viewing]:
    """Open a page from disk and wait until it shows everything; at the end, nothing may have gone wrong on it."""
    from support.browser import opened

    with opened(browser, path, **window) as there:
        shown = Viewing(there.page)
        shown.settle()
        yield shown


def differences(one: Frame, other: Frame) -> npt.NDArray[np.int_]:
    """By how many grey levels pixels differ: ``(H, W)``."""
    return np.asarray(np.abs(one.astype(int) - other).max(axis=-1))
