"""The scripts under ``flowcli/view/assets`` as what they become: one module."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from importlib import resources
from pathlib import Path

import pytest

from flowcli.view.page import asset, modules_of, script_of

_FIRST = ["viewer.js", "viewer_worker.js"]
_TOP_LEVEL = re.compile(r"^(?:export )?(?:async )?(?:function\*?|class|const|let|var) (\{[^}]*\}|\[[^\]]*\]|\w+)", re.M)


@pytest.mark.parametrize("first", _FIRST)
def test_names_at_the_top_level_are_unique(first: str) -> None:
    names = Counter(
        name
        for module in modules_of(first)
        for found in _TOP_LEVEL.findall(asset(module))
        for name in re.findall(r"\w+", found)
    )
    assert len(names) > 10
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("first", _FIRST)
def test_the_joined_script_parses(first: str, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    joined = tmp_path / "joined.mjs"
    joined.write_text(script_of(first), encoding="utf-8")
    checked = subprocess.run([node, "--check", str(joined)], capture_output=True, text=True, timeout=60, check=False)
    assert checked.stderr == ""


@pytest.mark.parametrize("first", _FIRST)
def test_joining_leaves_no_import_or_export(first: str) -> None:
    assert not re.search(r"^\s*(import|export)\b", script_of(first), re.M)


def test_every_script_is_used() -> None:
    assets = resources.files("flowcli.view").joinpath("assets")
    used = {module for first in _FIRST for module in modules_of(first)}
    viewers = {entry.name for entry in assets.iterdir() if entry.name.endswith(".js")}
    assert used <= viewers
    assert "innerHTML" not in "".join(map(asset, used))
