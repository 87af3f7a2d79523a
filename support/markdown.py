"""Code blocks, links and headings of the project's Markdown pages, for the tests of the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SHELLS = frozenset({"sh", "bash", "console", "shell", "powershell", "crontab"})
"""Languages of blocks with commands; each block must be run, or say why not."""

_DIRECTIVE = re.compile(r"<!-- (not run: |run where there is: |run with: |run with a hub)(.*?) ?-->")
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced code block."""

    page: Path
    line: int
    language: str
    code: str
    comment: str | None
    """The HTML comment right above it."""

    def directive(self) -> tuple[str, str] | None:
        """The instruction in the comment, as its kind and the rest; ``None`` if there is none."""
        match = _DIRECTIVE.fullmatch(self.comment or "")
        return (match[1].rstrip(": "), match[2].strip()) if match else None


def code_blocks(page: Path) -> Iterator[Block]:
    """The fenced code blocks of a page in order."""
    lines = iter(enumerate(page.read_text("utf-8").splitlines(), 1))
    above: str | None = None
    for number, line in lines:
        if line.startswith("```"):
            code = []
            for _, inner in lines:
                if inner.startswith("```"):
                    break
                code.append(inner + "\n")
            yield Block(page, number, line.removeprefix("```").strip(), "".join(code), above)
        above = line.strip() if line.strip() else above
        above = above if above and above.startswith("<!--") else None


def links(page: Path) -> Iterator[tuple[str, str]]:
    """Relative links of a page: the path (empty for the page itself) and the anchor (empty if there is none)."""
    text = re.sub(r"```.*?```|`[^`\n]*`(?!\])", "", page.read_text("utf-8"), flags=re.DOTALL)
    for target in _LINK.findall(text):
        if not re.match(r"[a-z]+:", target):
            path, _, anchor = target.partition("#")
            yield path, anchor


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
