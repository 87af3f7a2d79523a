"""A real browser for the pages: Debian's Chromium, without a network."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

try:
    from playwright.sync_api import Browser, Page, sync_playwright
except ImportError:
    pytest.skip("playwright is not installed: pip install playwright", allow_module_level=True)

_ARGUMENTS = [
    "--no-sandbox",  # which Chromium cannot have as root, nor in most containers
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-features=OptimizationHints,MediaRouter,Translate",
    "--no-first-run",
    "--force-color-profile=srgb",
]
_DEADLINE = 60_000  # milliseconds, for whatever the browser does


def chromium() -> str | None:
    """The path of Chromium: ``FLOWCLI_CHROMIUM``, or the one that is installed."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("FLOWCLI_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


@contextlib.contextmanager
def started_browser() -> Iterator[Browser]:
    """Start Chromium; skips the test where there is none."""
    path = chromium()
    if path is None:
        pytest.skip("no Chromium on this machine; install it, or set FLOWCLI_CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS, timeout=_DEADLINE)
        try:
            yield browser
        finally:
            browser.close()


class OpenPage:
    """A page that was opened from disk, and what has gone wrong on it.

    Args:
        page: the page.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        """The addresses of everything that it has asked for, besides itself and what it holds."""

        self.errors: list[str] = []
        """What its scripts have thrown or complained about."""

        page.set_default_timeout(_DEADLINE)
        page.on("request", lambda request: self._note(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)

    def _note(self, address: str) -> None:
        if not address.startswith(("file:", "data:", "blob:")):
            self.requests.append(address)

    def check(self) -> None:
        """Fail if it has asked for anything, or if anything went wrong."""
        assert self.requests == []
        assert self.errors == []


def wait_for(page: Page, expression: str) -> None:
    """Wait until an expression holds on a page, whose policy forbids Playwright's own way to ask again and again."""
    deadline = time.monotonic() + _DEADLINE / 1000
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"never true: {expression}"
        page.wait_for_timeout(50)


@contextlib.contextmanager
def opened(
    browser: Browser, path: Path, *, dark: bool = False, width: int = 1280, height: int = 900
) -> Iterator[OpenPage]:
    """Open a page from disk, in a window of a given size, and check it at the end as :meth:`OpenPage.check` does."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", offline=True
    )
    try:
        opened_page = OpenPage(context.new_page())
        opened_page.page.goto(path.as_uri())
        yield opened_page
        opened_page.check()
    finally:
        context.close()
