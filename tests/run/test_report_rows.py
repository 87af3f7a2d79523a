"""What a report keeps while it is collected, and what it marks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from flowcli.errors import UsageError
from flowcli.run.outliers import LIMIT, Outliers
from flowcli.run.report_files import PairPage, ReportFiles
from flowcli.run.report_rows import PICTURED, Rows
from flowcli.view.bins import Bins
from flowcli.view.report import Column, Report, Row
from flowcli.view.viewer import About, Moment

COLUMN = Column("epe", "EPE", "mean end-point error, in pixels")


def bad(row: Row) -> float | None:
    return row.figures["all"][0]


def test_only_the_worst_keep_their_pictures() -> None:
    rows = Rows[str](bad)
    most = 0
    for number in np.random.default_rng(1).permutation(5 * PICTURED).tolist():
        rows.add(Row(str(number), {"all": [number]}, pictures=(b"picture",)), "source")
        most = max(most, sum(bool(row.pictures) for row in rows))
    said = rows.finish()
    pictured = {int(row.name) for row in rows if row.pictures}
    assert most < 2 * PICTURED
    assert pictured == set(range(4 * PICTURED, 5 * PICTURED))
    assert f"the {PICTURED} worst" in said[0]
    assert [row.name for row, _ in rows.worst_first()][:2] == [str(5 * PICTURED - 1), str(5 * PICTURED - 2)]


def test_only_failures_and_the_worst_are_listed() -> None:
    rows = Rows[str](bad, listed=100)
    for number in np.random.default_rng(1).permutation(1000).tolist():
        rows.add(Row(str(number), {"all": [number]}, status="failed" if number < 10 else "done"))
        assert len(list(rows)) <= 200
    said = rows.finish()
    assert {int(row.name) for row in rows} == {*range(10), *range(910, 1000)}
    assert (len(rows), rows.are_all) == (1000, False)
    assert "Of 1000 pairs" in said[0]


def test_few_rows_all_keep_theirs() -> None:
    rows = Rows[str](bad)
    rows.add(Row("a", {"all": [None]}, pictures=(b"picture",)))
    assert rows.finish() == []
    assert rows.worst_first() == []
    assert all(row.pictures for row in rows)


def test_outliers() -> None:
    outliers = Outliers()
    for length in (4.0, 4.1, 3.9, 4.2, 3.8, 4.0, 4.1):
        outliers.add(length)
    assert outliers.score(40.0) is None  # too few tell
    outliers.add(4.05)
    scores = [outliers.score(length) for length in (40.0, 4.3, 0.0)]
    assert scores[0] is not None
    assert scores[0] > LIMIT
    assert scores[1] is not None
    assert abs(scores[1]) < LIMIT
    assert scores[2] is not None
    assert scores[2] < -LIMIT


def test_bins_count_everything_once() -> None:
    bins = Bins("errors", "px", "pixels")
    assert bins.data() is None
    values = np.array([0, 0.001, 1, 1.01, 3, 1e6, np.nan, np.inf], np.float32)
    bins.add(values.reshape(2, 4))
    data = bins.data()
    assert data is not None
    assert sum(data["counts"]) == 6
    assert (data["lower"][0], data["upper"][-1]) == (0, None)
    assert data["counts"][data["lower"].index(1.0)] == 2
    assert data["below"][0] == [0.5, pytest.approx(2**0.25)]


def write(path: Path, title: str, names: list[str], *, force: bool = False, is_rewritten: bool = False) -> list[Row]:
    files = ReportFiles(path, title, force=force, is_rewritten=is_rewritten)
    rows = [Row(name, {"all": [1.0]}) for name in names]
    moment = Moment("pair", (np.zeros((4, 5, 2), np.float32),))
    files.write(
        Report(title, (COLUMN,), rows, "epe"),
        (PairPage(row, row.name, About(row.name, ("flow",)), moment) for row in rows),
    )
    return rows


def test_pages_stay_in_their_folder(tmp_path: Path) -> None:
    rows = write(tmp_path / "sub/r.html", "title", ["../out", "/etc/x", "a/b", ".."])
    pages = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.html"))
    assert pages == [
        "sub/r.html",
        "sub/r_pairs/a/b.html",
        "sub/r_pairs/pair-0.html",
        "sub/r_pairs/pair-1.html",
        "sub/r_pairs/pair-3.html",
    ]
    assert [row.page for row in rows] == [
        "r_pairs/pair-0.html",
        "r_pairs/pair-1.html",
        "r_pairs/a/b.html",
        "r_pairs/pair-3.html",
    ]


def test_a_report_replaces_its_own_only(tmp_path: Path) -> None:
    path = tmp_path / "r.html"
    write(path, "a <title>", ["a", "b"])
    with pytest.raises(UsageError):
        write(path, "a <title>", ["a"])
    with pytest.raises(UsageError):
        write(path, "another", ["a"], is_rewritten=True)
    (tmp_path / "r_pairs/notes.html").write_text("mine")
    write(path, "a <title>", ["a"], is_rewritten=True)
    assert sorted(page.name for page in (tmp_path / "r_pairs").iterdir()) == ["a.html", "notes.html"]
    path.unlink()
    with pytest.raises(UsageError):
        write(path, "a <title>", ["a"], is_rewritten=True)  # a folder that is perhaps another's
    write(path, "another", ["c"], force=True)
    assert sorted(page.name for page in (tmp_path / "r_pairs").iterdir()) == ["c.html", "notes.html"]
