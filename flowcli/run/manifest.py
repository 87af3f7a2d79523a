"""Which pairs a batch consists of: a manifest (CSV or JSON Lines), or a folder of frames."""

from __future__ import annotations

import csv
import itertools
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import FlowcliError, InputError, UsageError
from ..flows.io import form_for
from ..frames.images import IMAGE_SUFFIXES
from ..frames.sequence import natural_key
from ..storage import why

COLUMNS = ("frame1", "frame2", "out")


@dataclass(frozen=True)
class Item:
    """A pair of a batch."""

    frame1: Path
    frame2: Path
    out: Path
    """The output, relative to the batch's output folder."""

    origin: str
    """Where the pair is named, such as ``pairs.csv, line 3``."""

    @property
    def made_from(self) -> str:
        """The frames in short, with the folders that they are in, wherever those are."""
        return " -> ".join("/".join(frame.absolute().parts[-2:]) for frame in (self.frame1, self.frame2))


@dataclass(frozen=True)
class FaultyItem:
    """A part of a manifest from which no pair can be made."""

    origin: str
    error: FlowcliError


class Manifest:
    """Reads the lines of a manifest.

    Args:
        lines: of the file: JSON objects, or CSV with or without a header line.
        name: what errors call it.
        folder: paths are relative to it, or else to the current folder.
        suffix: of outputs that the manifest does not name, or names without a suffix.
    """

    def __init__(self, lines: Iterable[str], name: str, folder: Path, suffix: str) -> None:
        self._lines = lines
        self._name = name
        self._folder = folder
        self._suffix = suffix

    def items(self) -> Iterator[Item | FaultyItem]:
        """The pairs in order, read as they are asked for.

        Raises:
            InputError: this is no manifest at all.
        """
        numbered = ((number, line) for number, line in enumerate(self._lines, 1) if line.strip())
        first = next(numbered, None)
        if first is None:
            raise InputError(f"{self._name} names no pairs; write frame1,frame2 on each line")
        text = first[1].lstrip("\ufeff").lstrip()
        if text.startswith("["):
            raise InputError(f"{self._name} is a JSON array; put one object on each line (JSON Lines)")
        lines = itertools.chain([(first[0], text)], numbered)
        if "\0" in text:
            raise InputError(f"{self._name} is not UTF-8 text; save it as UTF-8")
        found = False
        for number, row in self._json_rows(lines) if text.startswith("{") else self._csv_rows(lines):
            found = True
            if isinstance(row, dict) and "frame1" not in row and "error" in row:
                continue  # a list of failures also names lines from which no pair could be made
            origin = f"{self._name}, line {number}"
            try:
                yield self._item(row, origin)
            except FlowcliError as error:
                yield FaultyItem(origin, type(error)(f"{origin}: {error}"))
        if not found:
            raise InputError(f"{self._name} names no pairs, only columns")

    def _json_rows(self, lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, object]]:
        for number, line in lines:
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError):
                yield number, None

    def _csv_rows(self, lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, object]]:
        """Rows as dictionaries. Each line stands for itself, so that a stray quote does not swallow the rest."""
        columns: list[str] = list(COLUMNS)
        for index, (number, line) in enumerate(lines):
            try:
                fields = [field.strip() for field in next(csv.reader([line], skipinitialspace=True, strict=True))]
            except csv.Error:
                yield number, None
                continue
            if index == 0 and {"frame1", "frame2"} <= {field.lower() for field in fields}:
                columns = [field.lower() for field in fields]
            elif index == 0 and len(fields) < 2:
                raise InputError(
                    f"{self._name} is not a manifest: its first line names no two frames, "
                    "as CSV with commas or as a JSON object"
                )
            else:
                yield number, dict(zip(columns, fields, strict=False))

    def _item(self, row: object, origin: str) -> Item:
        if not isinstance(row, dict):
            raise InputError("neither a JSON object nor CSV")
        values = [row.get(column) or None for column in COLUMNS]
        if not all(isinstance(value, str) for value in values[:2]) or not isinstance(values[2], str | None):
            raise InputError("it needs frame1 and frame2, and perhaps out, as texts")
        if any(not _is_path(str(value)) for value in values if value):
            raise InputError("it names what cannot be a path")
        frame1, frame2, out = values
        return Item(
            self._resolve(str(frame1)), self._resolve(str(frame2)), self._output(Path(out or str(frame1)), out), origin
        )

    def _resolve(self, text: str) -> Path:
        path = Path(text)
        beside = self._folder / path
        return path if not os.path.lexists(beside) and os.path.lexists(path) else beside

    def _output(self, path: Path, given: str | None) -> Path:
        """Where the flow goes, below the output folder."""
        if given is None:  # named after the first frame, folders included
            parts = [part for part in path.with_suffix("").parts if part not in {path.anchor, ".."}]
            return with_suffix(Path(*parts), self._suffix)
        if path.is_absolute() or ".." in path.parts:
            raise UsageError(f"out {given} leaves the output folder; give a path below it")
        if not path.name:
            raise UsageError(f"out {given} is no file name")
        if re.fullmatch(r"\.[A-Za-z]\w*", path.suffix):
            form_for(path)
            return path
        return with_suffix(path, self._suffix)


def _is_path(text: str) -> bool:
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def with_suffix(path: Path, suffix: str) -> Path:
    """``path`` with ``suffix`` appended to its name, dots in the name notwithstanding."""
    return path.with_name(path.name + suffix)


def folder_items(folder: Path, suffix: str, exclude: Path) -> Iterator[Item]:
    """Consecutive frames of a folder, and of each folder below it, in natural order.

    Args:
        folder: where to look.
        suffix: of the outputs, which are named after the first frame of each pair.
        exclude: a folder below that is not looked into: the batch's output.

    Raises:
        InputError: there are no two frames in any folder, or one cannot be read.
    """
    found = False
    for frames in _frame_folders(folder, exclude.resolve()):
        unique = len({frame.stem for frame in frames}) == len(frames)
        for frame1, frame2 in itertools.pairwise(frames):
            below = frame1.relative_to(folder)
            yield Item(frame1, frame2, with_suffix(below.with_suffix("") if unique else below, suffix), str(frame1))
            found = True
    if not found:
        raise InputError(f"{folder} has no two frames in it, nor has any folder below it")


def _frame_folders(folder: Path, exclude: Path) -> Iterator[list[Path]]:
    """The frames of ``folder`` and of the folders below it, in natural order; links to folders are followed once."""
    seen: set[Path] = set()

    def visit(place: Path) -> Iterator[list[Path]]:
        real = place.resolve()
        if real in seen or (real == exclude and place != folder):
            return
        seen.add(real)
        try:
            entries = sorted((entry for entry in place.iterdir() if not entry.name.startswith(".")), key=natural_key)
        except OSError as error:
            raise InputError(f"cannot read {place}: {why(error)}") from error
        yield [entry for entry in entries if entry.suffix.lower() in IMAGE_SUFFIXES and not entry.is_dir()]
        for entry in entries:
            if entry.is_dir():
                yield from visit(entry)

    return visit(folder)


def distinct(items: Iterable[Item | FaultyItem], folder: Path) -> Iterator[Item | FaultyItem]:
    """The items, of which those are made faulty whose output is another's, or a frame.

    Args:
        items: if they are a list, frames of later items are looked at as well.
        folder: where the outputs go.
    """
    origins: dict[Path, str] = {}
    are_known = isinstance(items, list)
    frames: set[str] = set().union(*map(_frames, items)) if are_known else set()
    for item in items:
        if not are_known:
            frames |= _frames(item)
        fault = None
        if isinstance(item, Item):
            earlier = origins.setdefault(item.out, item.origin)
            if earlier != item.origin:
                fault = f"{item.out} is also the output of {earlier}; give each an out of its own"
            elif os.path.realpath(folder / item.out) in frames:
                fault = f"{folder / item.out} is a frame; choose another output folder"
        yield item if fault is None else FaultyItem(item.origin, UsageError(f"{item.origin}: {fault}"))


def _frames(item: Item | FaultyItem) -> set[str]:
    return {os.path.realpath(item.frame1), os.path.realpath(item.frame2)} if isinstance(item, Item) else set()
