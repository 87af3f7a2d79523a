"""Reads the pairs of a batch from a manifest (CSV or JSON Lines) or a folder of frames."""

from __future__ import annotations

import codecs
import contextlib
import functools
import io
import itertools
import json
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast

from ..choices import FlowFormatName
from ..errors import FlowcliError, InputError, UsageError
from ..flows.io import form_for, suffix_of
from ..frames.files import is_frame, natural_key, oddities
from ..places import OfflineError, identity, is_remote, listed, object_at, place, shown
from ..storage import why
from .flow_folder import FlowFiles
from .names import Named, check_distinct
from .pairing import IndexPair, Pairing, Plan
from .table import rows
from .tasks import Task, made_from

if TYPE_CHECKING:
    from ..remote import Listing

COLUMNS = ("frame1", "frame2", "out")
"""The columns of a manifest; ``out`` is optional."""

_LINE_ENDS = "\r\n\x1a"  # the last is how DOS ended files

STDIN = "-"
"""The source that means a manifest on standard input."""


@contextlib.contextmanager
def open_tasks(
    source: str | Path,
    flow_format: FlowFormatName,
    out_dir: Path,
    on_note: Callable[[str], None] | None = None,
    files: FlowFiles = FlowFiles(),
) -> Iterator[Iterable[Task]]:
    """Open the source of a batch and read its tasks.

    Args:
        source: a manifest, a folder of frames, or ``-`` for a manifest on standard input.
        flow_format: the format of outputs that the manifest does not give, or gives without a suffix.
        out_dir: the output folder; not searched for frames.
        on_note: called with what a user may not know of a folder's frames.
        files: which frames of a folder are paired, and the names of their flow.

    Yields:
        A list of tasks; for standard input, an iterator that reads them as needed.

    Raises:
        InputError: the source cannot be read, or contains no pairs.
        UsageError: pairs or names of a sequence are asked for, but the source is a manifest.
    """
    suffix = suffix_of(flow_format)
    path = listed(place(source))
    if not path.is_dir() and (files.names is not None or files.pairing != Pairing()):
        raise UsageError(f"`gap`, `reference`, `pad` and `names` are for folders of frames; {path} lists its pairs")
    if source == STDIN:
        if sys.stdin is None:
            raise InputError("cannot read the manifest from stdin: it is closed")
        # Not sys.stdin: Python closes it at exit, and would wait for a thread that still reads a line.
        with open(0, encoding="utf-8", errors="surrogateescape", closefd=False) as lines:
            yield Manifest(lines, "stdin", Path(), suffix).tasks()
        return
    if path.is_dir():
        yield list(folder_tasks(path, suffix, exclude=out_dir, on_note=on_note, files=files))
        return
    try:
        with _open_text(path) as lines:
            tasks = list(Manifest(lines, str(path), path.parent, suffix).tasks())
    except UnicodeError as error:
        raise InputError(f"{path} is damaged: it begins as UTF-16 and is not; save it as UTF-8") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {why(error)}; check the path") from error
    yield tasks


def _open_text(path: Path) -> TextIO:
    if is_remote(path):
        data = path.read_bytes()
        is_wide = data[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}
        return io.TextIOWrapper(io.BytesIO(data), *(("utf-16", None) if is_wide else ("utf-8", "surrogateescape")))
    if path.is_file():  # and not a pipe, whose beginning can be read only once
        with path.open("rb") as file:
            if file.read(2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
                return path.open(encoding="utf-16")
    # A manifest may contain file names that are not UTF-8.
    return path.open(encoding="utf-8", errors="surrogateescape")


class Manifest:
    """Parses the lines of a manifest.

    Args:
        lines: the lines of the file: JSON objects, or CSV with or without a header line.
        name: what errors call the manifest.
        folder: relative paths are looked up here first, then in the current folder.
        suffix: the suffix of outputs that the manifest does not give, or gives without a suffix.
    """

    def __init__(self, lines: Iterable[str], name: str, folder: Path, suffix: str) -> None:
        self._lines = lines
        self._name = name
        self._folder = folder
        self._suffix = suffix
        self._listings: dict[str, Listing] = {}

    def tasks(self) -> Iterator[Task]:
        """Parse the tasks in order, as needed. A line that is wrong becomes a task with an error.

        Raises:
            InputError: the file is not a manifest, or contains no pairs.
        """
        stripped = (line.rstrip(_LINE_ENDS) for line in self._lines)
        numbered = ((number, line) for number, line in enumerate(stripped, 1) if line.strip())
        first = next(numbered, None)
        if first is None:
            raise InputError(f"{self._name} contains no pairs; write frame1,frame2 on each line")
        text = first[1].lstrip("\ufeff").lstrip()
        if text.startswith("["):
            raise InputError(f"{self._name} is a JSON array; put one object on each line (JSON Lines)")
        lines = itertools.chain([(first[0], text)], numbered)
        if "\0" in text:
            raise InputError(f"{self._name} is not UTF-8 text; save it as UTF-8")
        count = listed = 0
        table = functools.partial(rows, name=self._name, columns=COLUMNS, required=COLUMNS[:2])
        for number, row in self._json_rows(lines) if text.startswith("{") else table(lines):
            if isinstance(row, dict) and "frame1" not in row and "error" in row:
                listed += 1
                continue  # in a list of failures: a line that was not a pair
            origin = f"{self._name}, line {number}"
            try:
                yield self._task(count, row, origin)
            except OfflineError:
                raise
            except FlowcliError as error:
                yield Task(count, None, None, origin=origin, error=type(error)(f"{origin}: {error.message}"))
            count += 1
        if not count and not listed:
            raise InputError(f"{self._name} contains no pairs, only column names; write frame1,frame2 on each line")

    def _json_rows(self, lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, object]]:
        for number, line in lines:
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError):
                yield number, None

    def _task(self, number: int, row: object, origin: str) -> Task:
        if not isinstance(row, dict):
            raise InputError("the line is neither a JSON object nor CSV")
        values = [row.get(column) or None for column in COLUMNS]
        if not all(isinstance(value, str) for value in values[:2]) or not isinstance(values[2], str | None):
            raise InputError("it must give frame1 and frame2, and optionally out, as strings")
        if any(not _is_path(str(value)) for value in values if value):
            raise InputError("a path contains invalid characters")
        frame1, frame2, out = values
        frames = self._resolve(str(frame1)), self._resolve(str(frame2))
        out_path = self._output(Path(out) if out else _below_root(str(frame1)), out)
        return Task(number, *frames, out_path, origin, made_from=made_from(*frames))

    def _resolve(self, text: str) -> Path:
        """The path as written, or else as another system would write the same letters (macOS decomposes accents)."""
        named = object_at(text) or (Path(text) if Path(text).is_absolute() else self._folder / text)
        if is_remote(named):  # names there are as they are written
            return cast(Path, named.sharing(self._listings))
        folder = Path() if is_remote(self._folder) else self._folder
        for written in (text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)):
            for path in (folder / written, Path(written)):
                if os.path.lexists(path):
                    return path
        return folder / text

    def _output(self, path: Path, given: str | None) -> Path:
        """The output, relative to the output folder."""
        if given is None:  # named after frame 1, including its folders
            parts = [part for part in path.with_suffix("").parts if part not in {path.anchor, ".."}]
            return with_suffix(Path(*parts), self._suffix)
        if path.anchor or ".." in path.parts or "://" in given:
            raise UsageError(f"out {shown(given)} is outside the output folder; give a path relative to it, without ..")
        if not path.name:
            raise UsageError(f"out {given} is not a file name; give one")
        if re.fullmatch(r"\.[A-Za-z]\w*", path.suffix):
            form_for(path)
            return path
        return with_suffix(path, self._suffix)


def _below_root(text: str) -> Path:
    """The path of a file, or that of an object without its host or bucket."""
    path = object_at(text)
    return Path(text) if path is None else path.relative_to(path.parents[-1])


def _is_path(text: str) -> bool:
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def with_suffix(path: Path, suffix: str) -> Path:
    """``path`` with ``suffix`` appended to its name, even if the name contains dots."""
    return path.with_name(path.name + suffix)


def folder_tasks(
    folder: Path,
    suffix: str,
    exclude: Path,
    on_note: Callable[[str], None] | None = None,
    files: FlowFiles = FlowFiles(),
) -> Iterator[Task]:
    """Pair the frames of a folder, and of each of its subfolders separately, in natural order.

    Args:
        folder: the folder to search.
        suffix: the suffix of the outputs, which are named after frame 1 of each pair.
        exclude: a subfolder that is not searched: the batch's output folder.
        on_note: called with what a user may not know of the frames, for the first folder of which there is something.
        files: which frames are paired (consecutive ones by default), and the names of their flow.

    Yields:
        The tasks.

    Raises:
        InputError: no folder contains two frames, or a folder cannot be read.
    """
    count = 0
    notes: list[str] = []
    for frames in _frame_folders(folder, exclude.resolve()):
        if not notes and on_note is not None:
            notes = oddities(frames)
            for note in notes:
                on_note(note)
        try:
            paired = _paired(frames, folder, suffix, files)
        except InputError as error:  # which is that folder's own
            yield Task(count, None, None, origin=str(frames[0].parent), error=error)
            count += 1
            continue
        for pair, out in paired:
            frame1, frame2 = frames[pair.first], frames[pair.second]
            origin = str(frame1) if files.pairing == Pairing() else f"{frame1} -> {frame2}, {out.name}"
            made = made_from(frame1, frame2)
            yield Task(count, frame1, frame2, out, origin, made_from=made, is_zero=pair.is_zero)
            count += 1
    if not count:
        raise InputError(f"no pairs in {folder}; it, or one of its subfolders, must contain at least two frames")


def _paired(frames: list[Path], folder: Path, suffix: str, files: FlowFiles) -> Iterable[tuple[IndexPair, Path]]:
    """The pairs of a folder's frames, with the names of their flow relative to ``folder``, the folder of the batch.

    Raises:
        InputError: there are too few frames.
        UsageError: two outputs would have the same name.
    """
    if len(frames) < 2:
        return ()
    anchor = files.pairing.anchor
    files.pairing.check_count(len(frames), frames[0].parent)
    if anchor is not None and anchor >= len(frames):
        raise InputError(f"{frames[0].parent} has no frame {anchor}, only {len(frames)}; choose another reference")
    unique = len({frame.stem for frame in frames}) == len(frames)
    stems = [frame.stem if unique else f"{number:06d}" for number, frame in enumerate(frames)]
    if files != FlowFiles(files.flow_format):
        check_distinct(files.named(list(enumerate(stems)), anchor))
    return _named_pairs(frames, stems, frames[0].parent.relative_to(folder), suffix, files)


def _named_pairs(
    frames: list[Path], stems: list[str], below: Path, suffix: str, files: FlowFiles
) -> Iterator[tuple[IndexPair, Path]]:
    for index, pair in enumerate(Plan(files.pairing, files.pairing.anchor).of(len(frames))):
        frame = frames[pair.frame]
        if files.names is None and files.pairing.single_gap is not None:  # named after the frame
            yield pair, with_suffix(below / (frame.stem if frame.stem in stems else frame.name), suffix)
        else:
            named = Named(pair.frame, pair.second, pair.gap, stems[pair.frame], stems[pair.second], index)
            yield pair, below / files.name(named)


def _frame_folders(folder: Path, exclude: Path) -> Iterator[list[Path]]:
    """The frames of ``folder`` and of each subfolder, in natural order; links to folders are followed once."""
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
        yield [entry for entry in entries if is_frame(entry) and not entry.is_dir()]
        for entry in entries:
            if entry.is_dir():
                yield from visit(entry)

    return visit(folder)


def distinct(tasks: Iterable[Task], files: Callable[[Path], Iterable[Path]]) -> Iterator[Task]:
    """Give an error to each task whose output is also the output of an earlier task, or a frame.

    Args:
        tasks: the tasks. If they are a collection, outputs are compared with the frames of all tasks, else with those
            so far.
        files: returns the files of an output.

    Yields:
        All tasks, in order.
    """
    origins: dict[Path, str | None] = {}
    are_known = isinstance(tasks, Collection)
    frames: set[str] = set().union(*map(_frames, tasks)) if are_known else set()
    for task in tasks:
        if not are_known:
            frames |= _frames(task)
        fault = None
        if task.out is not None:
            earlier = origins.setdefault(task.out, task.origin)
            if earlier != task.origin:
                fault = f"{task.out} is also the output of {earlier}; give each pair its own output"
            elif file := next((file for file in files(task.out) if identity(file) in frames), None):
                fault = f"{file} is a frame; choose another output folder"
        if fault is not None:
            task = Task(task.number, None, None, origin=task.origin, error=UsageError(f"{task.origin}: {fault}"))
        yield task


def _frames(task: Task) -> set[str]:
    return {identity(frame) for frame in (task.frame1, task.frame2) if frame is not None}
