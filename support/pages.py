"""Reads back what a page holds, without a browser."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

_DATA = re.compile(r'<script type="application/json" id="page-data">(.*?)</script>', re.DOTALL)


def page_data(page: Path) -> dict[str, Any]:
    """What the scripts of a page find in ``page-data``."""
    found = _DATA.search(page.read_text(encoding="utf-8"))
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data
