"""Reads the items of a batch from a manifest: CSV, JSON Lines, or a bare list of videos."""

from __future__ import annotations

import functools
import itertools
import json
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from ..draw.video_writer import VIDEO_SUFFIXES
from ..errors import FlowcliError, InputError, UsageError
from ..flows.io import form_for
from ..frames.files import is_video
from ..frames.selection import Selection, parse_position
from ..places import OfflineError, is_remote, object_at, shown
from .table import COMMENT, delimiter_named, is_header, rows
from .tasks import Item, Task, VideoTask, frame_label, made_from_labels

if TYPE_CHECKING:
    from ..remote import Listing

COLUMNS = ("frame1", "frame2", "out")
"""The columns of a manifest of pairs; ``out`` is optional."""

VIDEO_COLUMNS = ("video", "out", "start", "end", "stride")
"""The columns of a manifest of videos; only ``video`` is needed."""

_LINE_ENDS = "\r\n\x1a"  # the last is how DOS ended files
_MOST_REMARKS = 100  # lines before the header
_REMARK = re.compile(r"\ufeff?#(?=[\s#]|$)")  # names of files may begin with a hash, too
_FRAMES = 16  # that are remembered, since a frame is often that of the next line as well
_FOLDERS = 4096  # of which is remembered where they are
_SUFFIX = re.compile(r"\.[A-Za-z]\w*")
_DELIMITED = re.compile(r"[,;\t]")

Kind = Literal["json", "pairs", "videos", "list"]
"""How the rows of a manifest are written: JSON Lines; CSV of pairs or of videos; or names of videos, one a line."""

_WHAT_IS_MISSING: dict[Kind, str] = {
    "json": "pairs or videos; write a JSON object",
    "pairs": "pairs, only column names; write frame1,frame2",
    "videos": "videos, only column names; write a video",
    "list": "videos, only folders; write a video",
}


class Manifest:
    """Parses the lines of a manifest.

    Args:
        lines: the lines of the file: JSON objects; CSV with or without a header line; or names of videos.
        name: what errors call the manifest.
        folder: relative paths are looked up here first, then in the current folder.
        suffix: the suffix of outputs that the manifest does not give, or gives without a suffix.
        takes_pairs: whether pairs may be listed; otherwise they are a ``UsageError``.
    """

    def __init__(self, lines: Iterable[str], name: str, folder: Path, suffix: str, *, takes_pairs: bool = True) -> None:
        self._name = name
        self._folder = folder
        self._is_remote = is_remote(folder)
        self._local_folder = "" if self._is_remote else str(folder)
        self._suffix = suffix
        self._takes_pairs = takes_pairs
        self._listings: dict[str, Listing] = {}
        self._known_suffixes: set[str] = set()
        self._frame = functools.lru_cache(_FRAMES)(self._resolved_frame)
        self._folders = functools.lru_cache(_FOLDERS)(self._folders_there)
        self._may_be_elsewhere = functools.lru_cache(_FOLDERS)(self._is_current_another)
        stripped = (line.rstrip(_LINE_ENDS) for line in lines)
        self._kind: Kind = "pairs"
        self._lines = (
            (number, line) for number, line in enumerate(stripped, 1) if line.strip() and not self._is_remark(line)
        )

    def tasks(self) -> Iterator[Item]:
        """Parse the items in order, as needed. A line that is wrong becomes an item with an error.

        Raises:
            InputError: the file is not a manifest, or contains no items.
            UsageError: it lists pairs, which it may not.
        """
        count = listed = 0
        for number, row in self._rows():
            if isinstance(row, dict) and "frame1" not in row and "video" not in row and "error" in row:
                listed += 1
                continue  # in a list of failures: a line that was not an item
            yield self._item(count, row, f"{self._name}, line {number}")
            count += 1
        if not count and not listed:
            raise InputError(f"{self._name} contains no {_WHAT_IS_MISSING[self._kind]} on each line")

    def _rows(self) -> Iterator[tuple[int, object]]:
        """The rows with their lines' numbers."""
        first = next(self._lines, None)
        if first is None:
            raise InputError(f"{self._name} contains no pairs or videos; write frame1,frame2, or a video, on each line")
        text = first[1].lstrip("\ufeff").lstrip()
        if text.startswith("["):
            raise InputError(f"{self._name} is a JSON array; put one object on each line (JSON Lines)")
        if "\0" in text:
            raise InputError(f"{self._name} is not UTF-8 text; save it as UTF-8")
        opening = [(first[0], text)]
        if not self._exists(text):
            opening += itertools.islice(_after_remarks(text, self._lines), _MOST_REMARKS)
        lines = itertools.chain(opening, self._lines)
        kind = self._kind = self._kind_of(opening)
        if kind == "json":
            return _json_rows(lines)
        if kind == "list":
            return ((number, {"video": line}) for number, line in lines if not self._is_folder(line))
        columns, required = (COLUMNS, COLUMNS[:2]) if kind == "pairs" else (VIDEO_COLUMNS, VIDEO_COLUMNS[:1])
        return rows(lines, self._name, columns=columns, required=required)

    def _is_remark(self, line: str) -> bool:
        return _REMARK.match(line) is not None and not self._exists(line)

    def _kind_of(self, opening: list[tuple[int, str]]) -> Kind:
        """How the rows are written, by the first lines, of which the last is no remark."""
        first, last = opening[0][1], opening[-1][1]
        if first.startswith("{"):
            return "json"
        separator = delimiter_named(first)
        if is_header(last, COLUMNS[:2], separator):
            return "pairs"
        if is_header(last, VIDEO_COLUMNS[:1], separator):
            return "videos"
        name = first.partition("?")[0] if first.startswith(("http://", "https://")) else first
        is_name = is_video(Path(name)) and not _DELIMITED.search(first)
        return "list" if is_name or self._exists(first) else "pairs"

    def _exists(self, text: str) -> bool:
        """Whether a line as a whole is the name of a file; no server is asked for that."""
        return self._is_file_name(text) and os.path.lexists(self._resolve(text))

    def _is_folder(self, text: str) -> bool:
        """Whether a line names a folder, as ``find`` prints them beside the files."""
        return self._is_file_name(text) and self._resolve(text).is_dir()

    def _is_file_name(self, text: str) -> bool:
        return _is_path(text) and "://" not in text and not self._is_remote

    def _item(self, number: int, row: object, origin: str) -> Item:
        """The item of a row; one with an error if the row is wrong."""
        is_of_video = isinstance(row, dict) and "video" in row
        if not is_of_video and not self._takes_pairs:
            raise UsageError(
                f"`gap`, `reference`, `pad` and `names` are for videos and folders of frames; {self._name} lists pairs"
            )
        make: Any = self._video if is_of_video else self._pair
        try:
            item: Item = make(number, row, origin)
        except OfflineError:
            raise
        except FlowcliError as error:
            fault = type(error)(f"{origin}: {error}")  # what it names are columns, not options
            if is_of_video:
                return VideoTask(number, None, origin=origin, error=fault)
            return Task(number, None, None, origin=origin, error=fault)
        return item

    def _pair(self, number: int, row: object, origin: str) -> Task:
        if not isinstance(row, dict):
            raise InputError("the line is neither a JSON object nor CSV")
        frame1, frame2, out = row.get("frame1"), row.get("frame2"), row.get("out") or None
        are_strings = isinstance(frame1, str) and isinstance(frame2, str) and isinstance(out, str | None)
        if not (are_strings and frame1 and frame2):
            raise InputError("it must give frame1 and frame2, and optionally out, as strings")
        if not (_is_path(frame1) and _is_path(frame2) and (out is None or _is_path(out))):
            raise InputError("a path contains invalid characters")
        (path1, label1), (path2, label2) = self._frame(frame1), self._frame(frame2)
        out_path = self._output(Path(out) if out else _below_root(frame1), out)
        return Task(number, path1, path2, out_path, origin, made_from=made_from_labels(label1, label2))

    def _video(self, number: int, row: Mapping[str, object], origin: str) -> VideoTask:
        video, out = (row.get(column) or None for column in VIDEO_COLUMNS[:2])
        if not isinstance(video, str) or not isinstance(out, str | None):
            raise InputError("it must give video, and optionally out, as strings")
        if any(not _is_path(value) for value in (video, out) if value):
            raise InputError("a path contains invalid characters")
        folder = None
        if out is not None:
            folder = _checked(Path(out), out)
            folder = folder.with_suffix("") if folder.suffix.lower() in VIDEO_SUFFIXES else folder
        return VideoTask(number, self._resolve(video), folder, selection=_selection(row), origin=origin)

    def _resolved_frame(self, text: str) -> tuple[Path, str]:
        """The path of a frame, and its label."""
        path = self._resolve(text)
        return path, frame_label(path)

    def _resolve(self, text: str) -> Path:
        """The path as written, or else as another system would write the same letters (macOS decomposes accents)."""
        if self._is_remote or "://" in text:
            named = object_at(text) or (Path(text) if Path(text).is_absolute() else self._folder / text)
            if is_remote(named):  # names there are as they are written
                return cast(Path, named.sharing(self._listings))
        if text.isascii() and not self._may_be_elsewhere(os.path.dirname(text)):  # noqa: PTH120  (much faster)
            return Path(os.path.join(self._local_folder, text))  # noqa: PTH118
        forms = [text] if text.isascii() else [text, *(unicodedata.normalize(form, text) for form in ("NFC", "NFD"))]
        for written in forms:
            folder, name = os.path.split(written)
            for there in self._folders(folder):
                if os.path.lexists(path := os.path.join(there, name)):  # noqa: PTH118  (much faster)
                    return Path(path)
        return Path(os.path.join(self._local_folder, text))  # noqa: PTH118

    def _folders_there(self, folder: str) -> list[str]:
        """Where a folder may be meant and is, asked once for all its files: systems take long to say that one is not.

        It is relative to the manifest or else to the current folder, which may have no name.
        """
        meant = (os.path.join(self._local_folder, folder), folder)  # noqa: PTH118
        return [path for path in meant if not path or os.path.isdir(path)]  # noqa: PTH112

    def _is_current_another(self, folder: str) -> bool:
        """Whether a folder is there relative to the current folder, and is not the one relative to the manifest.

        Otherwise its files need not be looked for, which takes long on a network's disk.
        """
        own, there = os.path.join(self._local_folder, folder), self._folders(folder)  # noqa: PTH118
        is_elsewhere = any(path != own for path in there)
        return is_elsewhere and not (own in there and os.path.samefile(own, folder or os.curdir))  # noqa: PTH121

    def _output(self, path: Path, given: str | None) -> Path:
        """The output of a pair, relative to the output folder."""
        if given is None:  # named after frame 1, including its folders
            parts = [part for part in path.with_suffix("").parts if part not in {path.anchor, ".."}]
            return with_suffix(Path(*parts), self._suffix)
        _checked(path, given)
        suffix = path.suffix
        if suffix in self._known_suffixes:
            return path
        if not _SUFFIX.fullmatch(suffix):
            return with_suffix(path, self._suffix)
        form_for(path)
        self._known_suffixes.add(suffix)
        return path


def _after_remarks(first: str, lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The lines after a first one that is a comment or names the delimiter, up to one that does neither."""
    text = first
    while text.startswith(COMMENT) or delimiter_named(text):
        number, text = next(lines, (0, ""))
        if not number:
            return
        yield number, text


def _json_rows(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, object]]:
    for number, line in lines:
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError):
            yield number, None


def _checked(path: Path, given: str) -> Path:
    """An output as given; raises ``UsageError`` if it is not one below the output folder."""
    if path.anchor or ".." in path.parts or "://" in given:
        raise UsageError(f"out {shown(given)} is outside the output folder; give a path relative to it, without ..")
    if not path.name:
        raise UsageError(f"out {given} is not a file name; give one")
    return path


def _selection(row: Mapping[str, object]) -> Selection:
    """The frames that a row asks for; raises ``UsageError``."""
    given = {name: str(row[name]).strip() for name in VIDEO_COLUMNS[2:] if row.get(name) not in {None, ""}}
    stride = given.get("stride", "1")
    if not re.fullmatch(r"\d{1,9}", stride):
        raise UsageError(f"stride {stride!r} is not a whole number")
    end = parse_position(given["end"]) if "end" in given else None
    return Selection(parse_position(given.get("start", "0")), end, int(stride))


def _below_root(text: str) -> Path:
    """The path of a file, or that of an object without its host or bucket."""
    path = object_at(text)
    return Path(text) if path is None else path.relative_to(path.parents[-1])


def _is_path(text: str) -> bool:
    if text.isascii():
        return "\0" not in text
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def with_suffix(path: Path, suffix: str) -> Path:
    """``path`` with ``suffix`` appended to its name, even if the name contains dots."""
    return path.with_name(path.name + suffix)
