"""Names of the outputs of a sequence: templates with Python's format fields."""

from __future__ import annotations

import os
import re
import string
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError

FIELDS = ("frame", "frame2", "gap", "direction", "stem", "stem2", "index")
"""The fields of a name: the frames' numbers in the input, from 0; the gap; ``fwd`` or ``bwd``; the names of the image
files, or of a video the frames' numbers in six digits; the running number of the flow, from 0."""

FLOW = "flow"
"""The field of names of what belongs to a flow, such as its mask: the flow's name without suffix."""

_LONGEST = 255  # bytes of a name, in most file systems
_RESERVED = (".flowcli", "flowcli.json", "failures.jsonl")

SEVERAL_GAPS = "gap{gap}/{frame:06d}"
"""The default name where there are several gaps, without suffix."""


@dataclass(frozen=True)
class Named:
    """What a template is filled with for one flow; see :data:`FIELDS`."""

    frame: int
    frame2: int
    gap: int
    stem: str
    stem2: str
    index: int

    @property
    def direction(self) -> str:
        """``fwd`` if the flow leads to a later frame, else ``bwd``."""
        return "fwd" if self.gap > 0 else "bwd"


class Template:
    """A template for names.

    Args:
        text: such as ``{frame:05d}_{direction}.npz``, relative to the output folder.
        option: what errors call it.
        fields: the fields that it may have.

    Raises:
        UsageError: it has other fields, leaves the folder, or is not a template.
    """

    def __init__(self, text: str, option: str = "names", fields: Iterable[str] = FIELDS) -> None:
        self.text = text
        self.option = option
        known = list(fields)
        try:
            parts = list(string.Formatter().parse(text))
        except ValueError as error:
            raise self._wrong(str(error)) from error
        self.fields = frozenset(name for _, name, _, _ in parts if name is not None)
        """The fields that it has."""

        for name in self.fields:
            if name not in known:
                listed = ", ".join(f"{{{each}}}" for each in known)
                raise self._wrong(f"it has no field {{{name}}}, only {listed}")
        if any(spec and ("{" in spec or re.search(r"\d{3}", spec)) for _, _, spec, _ in parts):
            raise self._wrong("a format specification has fields of its own, or a width of three digits")
        if any(conversion for _, _, _, conversion in parts):
            raise self._wrong("conversions such as !r are not for names")
        path = Path(text)
        if path.anchor or ".." in path.parts or not path.name or text.endswith("/"):
            raise self._wrong("it must be a path below the output folder, without ..")

    def fill(self, **values: object) -> Path:
        """The path for these values; raises ``UsageError`` if it leaves the folder or cannot be filled."""
        try:
            text = self.text.format(**values)
        except (ValueError, TypeError, OverflowError) as error:
            raise self._wrong(str(error)) from error
        path = Path(text)
        if path.anchor or ".." in path.parts or not path.name or "\0" in text:
            raise self._wrong(f"{text!r} is not a path below the output folder")
        if any(len(os.fsencode(part)) > _LONGEST for part in path.parts):
            raise self._wrong(f"{text!r} is too long")
        if path.name.startswith(_RESERVED):
            raise self._wrong(f"{path.name} is a name of flowcli's own")
        return path

    def name(self, named: Named) -> Path:
        """The path of one flow; errors as for :meth:`fill`."""
        return self.fill(**{field: getattr(named, field) for field in FIELDS})

    def _wrong(self, why: str) -> UsageError:
        return UsageError(f"`{self.option}` {self.text!r}: {why}")


def check_distinct(names: Iterable[tuple[Path, str]]) -> None:
    """Raise ``UsageError`` if two of these names, each with what it is the name of, are the same."""
    seen: dict[Path, str] = {}
    for path, what in names:
        if path in seen:
            raise UsageError(
                f"`names` gives {seen[path]} and {what} the same name, {path}; add fields that tell them apart"
            )
        seen[path] = what
