"""The page of a report in a browser: its table is sorted and filtered, leads to the viewer, and trusts no name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from flowcli.run.report_files import PairPage, ReportFiles
from flowcli.scene import render_scene
from flowcli.view import thumbnails
from flowcli.view.bins import Bins
from flowcli.view.page import modules_of
from flowcli.view.report import Column, Report, Row, report_page
from flowcli.view.viewer import About, Moment

from ..conftest import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from support.browser import OpenPage

HOSTILE = "<img src=x onerror=alert(1)>"
COLUMNS = (
    Column("epe", "EPE", "mean end-point error, in pixels"),
    Column("known", "known %", "percentage of known pixels", "low", 1),
    Column("pixels", "pixels", "number of pixels", None, 0),
)
AXE = Path(os.environ.get("FLOWCLI_AXE", ROOT / "node_modules/axe-core/axe.min.js"))


def rows() -> list[Row]:
    scene = render_scene(48, 80)
    pictures = (thumbnails.of_frame(scene.frame1), thumbnails.of_flow(scene.flow), None)
    return [
        Row("s/2", {"all": [0.5, 100.0, 12000], "visible": [0.4, 100.0, 9000]}, pictures=pictures),
        Row("s/10", {"all": [2.5, 80.0, 12000], "visible": [0.1, 80.0, 9000]}, pictures=pictures, is_marked=True),
        Row(HOSTILE, {"all": [1.5, 90.0, 12000]}, pictures=pictures, remarks=[HOSTILE]),
        Row("lost", status="failed", remarks=["cannot read lost.png"]),
    ]


def report(found: list[Row], **changes: Any) -> Report:
    bins = Bins("End-point error", "px", "pixels")
    bins.add(np.geomspace(0.01, 2000, 500))
    values = {
        "facts": {"model": HOSTILE},
        "notes": ["a note"],
        "pictures": ("Frame", "Flow", "Error"),
        "summary_columns": COLUMNS,
        "summary": {"all": [1.5, 90.0, 36000], "visible": [0.25, 90.0, 18000]},
        "bins": (bins,),
        **changes,
    }
    return Report(title=f"Report {HOSTILE}", columns=COLUMNS, rows=found, first="epe", **values)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A report whose marked pair has a page of its own."""
    scene, found = render_scene(48, 80), rows()
    files = ReportFiles(tmp_path / "report.html", f"Report {HOSTILE}", force=False)
    moment = Moment("s/10", (scene.flow,), scene.frame1, scene.frame2, scene.flow)
    files.write(report(found), iter([PairPage(found[1], "s/10 #1?.flo", About("s/10", ("flow",)), moment)]))
    return files.path


@pytest.fixture
def there(browser: Browser, path: Path) -> Iterator[OpenPage]:
    from support.browser import opened, wait_for

    with opened(browser, path) as there:
        wait_for(there.page, "Boolean(window.flowcli)")
        yield there


def names(there: OpenPage) -> list[str]:
    found: list[str] = there.page.evaluate("window.flowcli.rows()")
    shown = there.page.locator("#pairs tbody th > :first-child").all_text_contents()
    assert shown == found
    return found


class TestTable:
    def test_the_worst_come_first_and_failures_last(self, there: OpenPage) -> None:
        assert names(there) == ["s/10", HOSTILE, "s/2", "lost"]
        assert there.page.locator("#failures li").all_text_contents() == ["lost: cannot read lost.png"]
        assert there.page.locator("#pairs tbody tr").nth(0).locator("td.number").all_text_contents() == [
            "2.500",
            "80.0",
            "12,000",
        ]

    def test_sorting_by_click_and_by_keyboard(self, there: OpenPage) -> None:
        heading = there.page.get_by_role("button", name="known %")
        heading.click()
        assert names(there) == ["s/10", HOSTILE, "s/2", "lost"]  # the smallest is the worst
        assert there.page.locator("[aria-sort]").get_attribute("aria-sort") == "ascending"
        heading.focus()
        there.page.keyboard.press("Enter")
        assert names(there) == ["s/2", HOSTILE, "s/10", "lost"]
        assert there.page.locator("[aria-sort]").get_attribute("aria-sort") == "descending"
        there.page.get_by_role("button", name="Name").focus()
        there.page.keyboard.press("Space")
        assert names(there) == [HOSTILE, "lost", "s/2", "s/10"]

    def test_filters(self, there: OpenPage) -> None:
        page = there.page
        page.get_by_label("Name").fill("S/")
        assert names(there) == ["s/10", "s/2"]
        assert page.locator("#count").inner_text() == "2 of 4 shown"
        page.get_by_label("Subset").select_option("visible")
        assert names(there) == ["s/2", "s/10"]
        page.get_by_label("Name").fill("")
        page.get_by_label("Subset").select_option("")
        page.get_by_label("Show").select_option("failed")
        assert names(there) == ["lost"]

    def test_pictures_are_decoded_when_they_are_seen(self, there: OpenPage) -> None:
        from support.browser import wait_for

        picture = there.page.get_by_alt_text("Flow of s/10")
        wait_for(there.page, "document.querySelector('#pairs img').naturalWidth > 1")
        assert picture.evaluate("(picture) => [picture.naturalWidth, picture.naturalHeight]") == [80, 48]
        assert there.page.get_by_alt_text("Error of s/10").count() == 0

    def test_a_name_leads_to_the_viewer(self, there: OpenPage) -> None:
        there.page.get_by_role("link", name="s/10").click()
        there.page.wait_for_url(lambda url: "report_pairs/s/10" in url)
        there.page.evaluate("window.flowcli.ready")
        read = there.page.evaluate("window.flowcli.read(3, 2)")
        assert read["u"] == pytest.approx(float(render_scene(48, 80).flow[2, 3, 0]), abs=0.02)


def test_names_are_text(there: OpenPage) -> None:
    assert there.page.locator("img[src='x']").count() == 0
    assert HOSTILE in there.page.locator("h1").inner_text()
    assert HOSTILE in there.page.title()
    assert there.page.locator("#facts dd").inner_text() == HOSTILE


def test_another_evaluation(browser: Browser, tmp_path: Path) -> None:
    from support.browser import opened, wait_for

    better, worse, new = (Row(name, {"all": [value, 90.0, 5]}) for name, value in (("a", 1.0), ("b", 0.6), ("c", 9.0)))
    better.before, worse.before = [2.0, 90.0, 5], [0.5, 95.0, 5]
    gone = Row("d", before=[1.0, 90.0, 5])
    path = tmp_path / "report.html"
    path.write_text(report_page(report([better, worse, new, gone], against="other.json")), encoding="utf-8")
    with opened(browser, path) as there:
        wait_for(there.page, "Boolean(window.flowcli)")
        assert names(there) == ["b", "a", "c", "d"]
        cells = there.page.locator("#pairs tbody tr").nth(1).locator("td.number")
        assert cells.nth(0).inner_text().split("\n") == ["\N{MINUS SIGN}1.000", "2.000 → 1.000"]
        assert "better" in str(cells.nth(0).get_attribute("class"))
        lower = there.page.locator("#pairs tbody tr").nth(0).locator("td.number").nth(1)
        assert "worse" in str(lower.get_attribute("class"))
        there.page.get_by_label("Figures").select_option("figures")
        assert names(there) == ["c", "a", "b", "d"]
        there.page.get_by_label("Show").select_option("one")
        assert names(there) == ["c", "d"]


def test_thousands_of_rows_are_added_when_asked_for(browser: Browser, tmp_path: Path) -> None:
    from support.browser import opened, wait_for

    path = tmp_path / "report.html"
    many = [Row(f"pair {number}", {"all": [number / 7, 90.0, 5]}) for number in range(3000)]
    path.write_text(report_page(report(many)), encoding="utf-8")
    with opened(browser, path) as there:
        wait_for(there.page, "Boolean(window.flowcli)")
        assert there.page.evaluate("window.flowcli.rows().length") == 3000
        count = there.page.locator("#pairs tbody tr").count()
        assert count < 3000
        there.page.locator("#more").click()
        assert there.page.locator("#pairs tbody tr").count() == 2 * count
        there.page.get_by_label("Name").fill("pair 2999")
        assert there.page.locator("#pairs tbody tr").count() == 1
        assert there.page.locator("#more").is_hidden()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_serious_fault_for_readers(browser: Browser, path: Path, tmp_path: Path, dark: bool) -> None:
    from support.browser import opened, wait_for

    if not AXE.is_file():
        pytest.skip("axe-core is not there: npm install axe-core, or set FLOWCLI_AXE to axe.min.js")
    with opened(browser, path, dark=dark) as there:
        wait_for(there.page, "Boolean(window.flowcli)")
        there.page.evaluate(AXE.read_text(encoding="utf-8"))  # as the policy allows no other script
        found = there.page.evaluate("axe.run().then((result) => result.violations)")
        serious = [each["id"] for each in found if each["impact"] in {"serious", "critical"}]
        assert serious == []
        there.page.screenshot(path=tmp_path / "report.png", full_page=True)
    assert (tmp_path / "report.png").stat().st_size > 10_000


def test_modules_are_joined() -> None:
    assert modules_of("report.js")[-1] == "report.js"
    assert "page_data.js" in modules_of("report.js")
