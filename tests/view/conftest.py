"""A browser for the tests of pages, and pages that several tests look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flowcli.view.viewer import About, Moment

from .viewing import constant, exact, scene, scene_flow, scene_frame, scene_hidden, scene_truth, write_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MOMENTS = 12
HOSTILE = "<img src=x onerror=alert(1)>.png"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; skips where it or Playwright is missing."""
    from support.browser import started_browser

    with started_browser() as started:
        yield started


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with everything: frames, one flow, a truth, a mask of hidden pixels."""
    about = About("A small scene", ("a model",), facts={"model": "a model"}, notes=("a note",))
    return write_page(tmp_path_factory.mktemp("pair") / "pair.html", about, [scene()])


@pytest.fixture(scope="session")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page that compares three flows, one of them with a hostile name; the mask is of the first."""
    flow = scene_flow()
    flows = (flow, exact(flow / 2), exact(-flow))
    moment = Moment(HOSTILE, flows, scene_frame(1), scene_frame(2), scene_truth(), (scene_hidden(), None, None))
    about = About(HOSTILE, ("first", HOSTILE, "third"), facts={HOSTILE: HOSTILE}, notes=(HOSTILE,))
    return write_page(tmp_path_factory.mktemp("several") / "several.html", about, [moment])


@pytest.fixture(scope="session")
def timeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with a timeline: the flow of moment i is (i, 0) everywhere."""
    moments = (
        Moment(f"frame {i}", (constant(i),), scene_frame(i), scene_frame(i + 1), time=i / 10) for i in range(MOMENTS)
    )
    return write_page(
        tmp_path_factory.mktemp("timeline") / "timeline.html", About("Moments", ("f",), rate=10.0), moments
    )
