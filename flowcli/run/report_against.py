"""Another evaluation, as ``eval --json`` printed it, that a report compares with."""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..places import place
from ..storage import why

_BEYOND = 1e18  # what no figure reaches, but a foreign file may

FiguresByName = Mapping[str, float | None]
"""Figures by their key in JSON results."""


@dataclass
class OtherEvaluation:
    """The figures of another evaluation."""

    name: str
    """The name of the file that they are from."""

    pairs: dict[str, FiguresByName] = field(default_factory=dict)
    """Those of each pair over its first subset, by the pair's name."""

    subsets: dict[str, FiguresByName] = field(default_factory=dict)
    """Those over all pairs, by subset."""


def read_evaluation(path: Path | str) -> OtherEvaluation:
    """Read the JSON lines of another evaluation.

    Args:
        path: a file with what ``flowcli eval --json`` printed; lines of other types are left out.

    Raises:
        InputError: the file cannot be read, or has no pair of an evaluation.
    """
    path = place(path)
    other = OtherEvaluation(path.name)
    try:
        lines = _text(path.read_bytes()).splitlines()
    except OSError as error:
        raise InputError(f"cannot read {path}: {why(error)}; check the path") from error
    except UnicodeDecodeError:
        raise _foreign(path, "it is not text") from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            _take(other, _parsed(path, number, line))
    if not other.pairs:
        raise _foreign(path, "it has no pair with an end-point error")
    return other


def _take(other: OtherEvaluation, said: dict[str, Any]) -> None:
    """Take what a line says."""
    name, subsets = said.get("name"), said.get("subsets")
    if said.get("type") == "pair" and isinstance(name, str) and "epe" in said:
        other.pairs[name] = _numbers(said)
    elif said.get("type") == "summary" and isinstance(subsets, dict):
        other.subsets = {subset: _numbers(figures) for subset, figures in subsets.items() if isinstance(figures, dict)}


def _numbers(said: dict[str, Any]) -> FiguresByName:
    numbers = {key: value for key, value in said.items() if isinstance(value, int | float)}
    return {key: value for key, value in numbers.items() if abs(value) < _BEYOND}


def _text(data: bytes) -> str:
    """Text as shells write it to files; PowerShell writes UTF-16."""
    return data.decode("utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig")


def _parsed(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        raise _foreign(path, f"line {number} is not JSON") from None
    if not isinstance(said, dict):
        raise _foreign(path, f"line {number} is not a JSON object")
    return said


def _foreign(path: Path, cause: str) -> InputError:
    return InputError(f"cannot compare with {path}: {cause}; give what flowcli eval --json printed")
