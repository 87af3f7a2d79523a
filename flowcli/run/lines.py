"""Files of JSON objects, one on each line, that several runs add to at the same time."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import OutputError
from ..storage import guarded, why


def append_line(path: Path, entry: Mapping[str, object]) -> str:
    """Add an object to a file; returns its line. Raises ``OutputError``."""
    line = json.dumps(entry) + "\n"
    try:
        with guarded(path), path.open("ab+") as file:
            file.write(b"" if _ends_well(file) else b"\n")
            file.write(line.encode())
    except OSError as error:
        raise OutputError(f"cannot write {path}: {why(error)}") from error
    return line


def lines_of(path: Path) -> list[str]:
    """The lines of a file; none if it cannot be read."""
    try:
        text = path.read_text("utf-8", errors="replace")
    except OSError:
        return []
    return [line + "\n" for line in text.splitlines()]


def entry_of(line: str) -> dict[str, Any] | None:
    """The object on a line; ``None`` where it was cut off with the power."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _ends_well(file: BinaryIO) -> bool:
    """Whether a file that is open at its end is empty or ends with a whole line."""
    if not file.tell():
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
