"""Puts a page together: one HTML file with its styles, its scripts and its data, and a policy that forbids the network.

The scripts are ES modules under ``assets/``. They are joined, in the order of ``imports``, into a single inline module:
a page that is opened from disk may not load others, and there is nothing to build or to check in twice. So a name at
the top level of one of them must not occur in another; the tests look.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import json
import re
from collections.abc import Iterable
from importlib import resources
from importlib.resources.abc import Traversable
from string import Template
from typing import Any

import numpy as np

from ..version import __version__

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([a-z_]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const|let)\b)", re.MULTILINE)

# Four bytes as five letters, like Ascii85, of letters that mean nothing in HTML: 6 % shorter than base64.
_LETTERS = np.array([code for code in range(33, 127) if chr(code) not in "\"&'-/<>\\`"], np.uint8)
_DIGITS = 5
BYTES_AS_TEXT = 4 / _DIGITS
"""How many bytes of data a character of the page holds."""

_TEMPLATE = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="$policy">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="flowcli $version">
<title>$title</title>
<style>$style</style>
</head>
<body>
$body
<noscript>This page needs JavaScript; it asks nothing of the network.</noscript>
$blobs
$worker<script type="application/json" id="page-data">$data</script>
<script type="module">$script</script>
</body>
</html>
""")


def page(title: str, kind: str, data: dict[str, Any]) -> str:
    """Make a page.

    Args:
        title: the title of the page; it is escaped.
        kind: the page's assets: ``KIND.html`` is its body, ``KIND.css`` comes after ``common.css``, and ``KIND.js`` is
            its first module. If there is a ``KIND_worker.js``, it is the first module of a worker.
        data: what its scripts find in ``page-data``: JSON types, and ``bytes``, which become the numbers of their
            blobs. Equal ones are stored once.

    Returns:
        The text of the HTML file.
    """
    style = asset("common.css") + asset(f"{kind}.css")
    script = script_of(f"{kind}.js")
    sources = {
        "default-src": "'none'",
        "script-src": _source(script),
        "style-src": _source(style),
        "img-src": "data: blob:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    worker = ""
    if _assets().joinpath(f"{kind}_worker.js").is_file():
        worker = f'<script type="text/plain" id="worker">{script_of(f"{kind}_worker.js")}</script>\n'
        sources["worker-src"] = "blob:"
    blobs: dict[bytes, int] = {}
    described = _embedded(_numbered(data, blobs))
    return _TEMPLATE.substitute(
        policy="; ".join(f"{name} {value}" for name, value in sources.items()),
        version=__version__,
        title=html.escape(title.encode(errors="replace").decode()),  # of files whose names are not UTF-8
        style=style,
        body=asset(f"{kind}.html"),
        blobs="\n".join(_element(number, blob) for blob, number in blobs.items()),
        worker=worker,
        data=described,
        script=script,
    )


def _numbered(data: Any, blobs: dict[bytes, int]) -> Any:
    """The data with numbers instead of bytes, which are added to ``blobs``."""
    if isinstance(data, bytes):
        return blobs.setdefault(data, len(blobs))
    if isinstance(data, dict):
        return {key: _numbered(value, blobs) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_numbered(value, blobs) for value in data]
    return data


def _element(number: int, blob: bytes) -> str:
    """The element that holds a blob: one that browsers neither show nor run."""
    return f'<script type="text/plain" id="blob-{number}" data-bytes="{len(blob)}">{as_text(blob)}</script>'


def as_text(data: bytes) -> str:
    """Data as letters; ``bytesOf`` in ``assets/unpack.js`` is the other side."""
    numbers = np.frombuffer(data + bytes(-len(data) % 4), ">u4").astype(np.uint32)
    powers = np.array([85**power for power in reversed(range(_DIGITS))], np.uint32)
    return str(_LETTERS[numbers[:, None] // powers % 85].tobytes(), "ascii")


@functools.cache
def asset(name: str) -> str:
    """The text of a file under ``assets/``."""
    return _assets().joinpath(name).read_text(encoding="utf-8")


def _assets() -> Traversable:
    return resources.files(__package__).joinpath("assets")


@functools.cache
def script_of(first: str) -> str:
    """A module and all that it imports, as one module: each after those that it needs."""
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", asset(name))) for name in modules_of(first))


def modules_of(first: str) -> list[str]:
    """The names of a module and all that it imports, each after those that it needs."""
    ordered: list[str] = []

    def visit(names: Iterable[str]) -> None:
        for name in names:
            if name not in ordered:
                visit(_IMPORT.findall(asset(name)))
                ordered.append(name)

    visit([first])
    return ordered


def _source(text: str) -> str:
    """How a policy names an inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _embedded(data: Any) -> str:
    """JSON that cannot end the element that it stands in."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
