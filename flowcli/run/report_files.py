"""The files of a report: the page itself, and the pages of single pairs in a folder beside it."""

from __future__ import annotations

import contextlib
import html
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import UsageError
from ..places import file_only
from ..storage import check_outputs, check_suffix, check_writable, write_bytes
from ..view.report import Report, Row, report_page
from ..view.viewer import About, Moment, viewer

SUFFIXES = (".html", ".htm")
PAIRS = 20
"""How many pairs get a page of their own, unless another number is asked for."""

_MADE_BY = '<meta name="generator" content="flowcli '  # see flowcli/view/page.py
_HEAD_BYTES = 4096  # of a page, in which its title is


@dataclass(frozen=True)
class ReportRequest:
    """What report is asked for. Plain data."""

    path: Path
    """The page to write."""

    pairs: int = PAIRS
    """How many pairs, the worst, get a page of their own."""

    against: Path | None = None
    """The JSON lines of another evaluation to compare this one with."""

    def __post_init__(self) -> None:
        """Take the name of a file as well."""
        object.__setattr__(self, "path", file_only(self.path))


@dataclass(frozen=True)
class PairPage:
    """The page of a pair, before it is made."""

    row: Row
    """The row that leads to it."""

    name: str
    """The name of its file without ``.html``, relative to the folder of such pages; unique."""

    about: About
    moment: Moment


class ReportFiles:
    """Writes a report.

    Args:
        path: the page.
        title: its title; a page of the same title that flowcli has made may be replaced if ``is_rewritten``.
        force: whether any file may be replaced.
        inputs: the files that are read.
        is_rewritten: whether a report of an earlier run is replaced by that of a run that goes on.

    Raises:
        UsageError: the page, or a folder for the pages of pairs, exists and may not be replaced; or it is an input.
        OutputError: the page cannot be written, or has another suffix than ``.html``.
    """

    def __init__(
        self, path: Path, title: str, *, force: bool, inputs: Collection[Path] = (), is_rewritten: bool = False
    ) -> None:
        check_suffix(path, SUFFIXES)
        self.path = path
        self.title = title
        self.folder = path.with_name(f"{path.stem}_pairs")
        """The folder for the pages of pairs."""

        may_replace = force or (is_rewritten and _is_own(path, title))
        check_outputs([path], force=may_replace, inputs=list(inputs))
        check_writable(self.folder)
        if not may_replace and self.folder.is_dir() and any(self.folder.iterdir()):
            raise UsageError(f"output {self.folder} exists; add `force` to overwrite it")

    def write(self, report: Report, pages: Iterable[PairPage]) -> Path:
        """Write the pages of pairs, then the report with links to them; returns its path. Raises ``OutputError``."""
        written = {self._write_pair(page, number) for number, page in enumerate(pages)}
        write_bytes(self.path, report_page(report).encode())
        self._remove_others(written)
        return self.path

    def _write_pair(self, page: PairPage, number: int) -> Path:
        name = _page_name(page.name, number)
        path = self.folder / name
        write_bytes(path, viewer(page.about, [page.moment])[0].encode())
        page.row.page = f"{self.folder.name}/{name}"
        return path

    def _remove_others(self, written: Collection[Path]) -> None:
        """Remove the pages of an earlier report that nothing leads to any more."""
        if self.folder.is_dir():
            for path in list(self.folder.rglob("*.html")):
                if path not in written and _is_own(path):
                    with contextlib.suppress(OSError):
                        path.unlink()
            folders = sorted((path for path in self.folder.rglob("*") if path.is_dir()), reverse=True)
            for folder in [*folders, self.folder]:
                with contextlib.suppress(OSError):  # it is not empty
                    folder.rmdir()


def _page_name(name: str, number: int) -> PurePosixPath:
    """The page of a pair, relative to the folder; what would lead out of that gets a number instead."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.name:
        path = PurePosixPath(f"pair-{number}")
    return path.with_name(f"{path.name}.html")


def _is_own(path: Path, title: str | None = None) -> bool:
    """Whether flowcli has made a page; with a title, whether it has that as well."""
    if not path.is_file():  # reading a pipe would wait
        return False
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES).decode(errors="replace")
    except OSError:
        return False
    return _MADE_BY in head and (title is None or f"<title>{html.escape(title)}</title>" in head)
