from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from flowcli.arrays import Flow
from flowcli.view.encoding import COARSEST, pack_flow
from flowcli.view.page import BYTES_AS_TEXT, as_text
from flowcli.view.viewer import About, Moment, viewer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HEIGHT, WIDTH = 40, 56
PLENTY = 1 << 30


def smooth() -> Flow:
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    return np.stack([x / 7 - 3, 2 * np.sin(y / 9)], axis=-1).astype(np.float32)


def noisy() -> Flow:
    return np.random.default_rng(1).normal(0, 30, (HEIGHT, WIDTH, 2)).astype(np.float32)


def with_holes() -> Flow:
    flow = smooth()
    flow[5:20, 10:30] = np.nan
    flow[:, 0] = np.nan
    return flow


FLOWS = {
    "smooth": smooth(),
    "noisy": noisy(),
    "holes": with_holes(),
    "far": smooth() * 40_000,
    "zero": np.zeros((HEIGHT, WIDTH, 2), np.float32),
    "unknown": np.full((HEIGHT, WIDTH, 2), np.nan, np.float32),
    "one row": smooth()[:1],
    "one column": smooth()[:, :1],
}


@pytest.mark.parametrize("name", FLOWS)
def test_the_page_reads_what_was_packed(browser: Browser, tmp_path: Path, name: str) -> None:
    from support.browser import opened

    flow = FLOWS[name]
    height, width = flow.shape[:2]
    page = tmp_path / "page.html"
    page.write_text(viewer(About("a flow", ("flow",)), [Moment("a pair", (flow,))])[0], encoding="utf-8")
    with opened(browser, page) as there:
        there.page.evaluate("window.flowcli.ready")
        read = there.page.evaluate(
            f"[...Array({height * width}).keys()].map((i) => window.flowcli.read(i % {width}, Math.floor(i / {width})))"
            ".map(({u, v}) => [u, v].map((value) => (Number.isNaN(value) ? null : value)))"
        )
    values = np.array(read, np.float64).reshape(flow.shape)
    assert np.array_equal(np.isnan(values), np.isnan(flow))
    distance = np.hypot(*np.moveaxis(values - flow, -1, 0))
    assert np.nan_to_num(distance).max() <= 0.02


def test_steps_become_finer_where_there_is_room() -> None:
    flow = noisy()
    fine, coarse = pack_flow(flow, PLENTY), pack_flow(flow, 0)
    assert coarse.step == COARSEST
    assert fine.step < 1 / 64
    assert coarse.size < fine.size


def test_a_budget_is_kept_where_it_can_be() -> None:
    flow = noisy()
    largest, smallest = pack_flow(flow, PLENTY).size, pack_flow(flow, 0).size
    for budget in (largest - 1, (largest + smallest) // 2, smallest):
        assert pack_flow(flow, budget).size <= budget


def test_text_has_no_letter_that_html_knows() -> None:
    text = as_text(bytes(range(256)) * 50)
    assert len(text) == 256 * 50 * 5 // 4
    assert not set(text) & set("\"&'<>\\`\n")
    assert text.isascii()


def test_as_many_moments_are_kept_as_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = [Moment(str(number), (noisy(),)) for number in range(60)]
    each = pack_flow(noisy(), 0).size / BYTES_AS_TEXT
    monkeypatch.setattr("flowcli.view.viewer.TIMELINE_BYTES", round(21 * each))
    text, kept = viewer(About("a sequence", ("flow",), rate=10), iter(moments), len(moments))
    assert kept == 20
    assert '"seen":60,"stride":3' in text
