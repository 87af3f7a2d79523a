"""The items of a batch: opened, named, and counted."""

from __future__ import annotations

import codecs
import contextlib
import io
import itertools
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, TextIO

from ..choices import FlowFormatName
from ..errors import InputError
from ..flows.io import suffix_of
from ..places import is_remote, listed, place
from ..storage import why
from .fingerprints import Repeated
from .flow_folder import FlowFiles
from .folder_tasks import folder_tasks
from .inputs import Inputs
from .manifest import Manifest
from .pairing import Pairing
from .tasks import Item, VideoTask

STDIN = "-"
"""The source that means a manifest on standard input."""


class Items:
    """Items that can be gone through several times, each time from their source, so that they need not lie in memory.

    Videos without a name get theirs: the file's name without suffix; with it where two would be the same, or where a
    folder of frames has that name; and with its folders where even that is the same.

    Args:
        read: returns the items anew.
    """

    def __init__(self, read: Callable[[], Iterator[Item]]) -> None:
        self._read = read
        self._stems, self._names = Repeated(), Repeated()
        self._count = 0
        self.has_videos = False
        """Whether there are any."""

        self.inputs = Inputs()
        """The files that are read."""

        self.suffixes: set[str] = set()
        """The suffixes of the outputs of pairs."""

        taken: str | None = None
        for item in read():
            self._count += 1
            self.inputs.note(item)
            if isinstance(item, VideoTask):
                self.has_videos = True
                if item.out is None and item.video is not None:
                    self._stems.add(str(item.below / item.video.stem))
                    self._names.add(str(item.below / item.video.name))
            elif item.out is not None:
                self.suffixes.add(item.out.suffix)
                folder = os.path.dirname(item.out)  # noqa: PTH120  (much faster)
                if folder != taken:
                    taken = folder
                    self._stems.add(folder)

    def __len__(self) -> int:
        """How many there are."""
        return self._count

    def __iter__(self) -> Iterator[Item]:
        """The items, in order."""
        return map(self._named, self._read())

    def _named(self, item: Item) -> Item:
        if not isinstance(item, VideoTask) or item.out is not None or item.video is None:
            return item
        out = item.below / item.video.stem
        if str(out) in self._stems:
            out = item.below / item.video.name
        if str(out) in self._names:
            out = item.below / _with_folders(item.video)
        return replace(item, out=out)


def _with_folders(video: Path) -> Path:
    """A video's path as the name of its output: with all its folders; or with its bucket or host, and its query."""
    if is_remote(video):
        shown = str(video).partition("://")[2]
        return Path(f"{shown}-{video.variant}" if video.variant else shown)
    return Path(*(part for part in video.parts if part not in {video.anchor, ".."}))


@contextlib.contextmanager
def open_tasks(
    source: str | Path,
    flow_format: FlowFormatName | None,
    out_dir: Path,
    on_note: Callable[[str], None] | None = None,
    files: FlowFiles = FlowFiles(),
) -> Iterator[Iterable[Item]]:
    """Open the source of a batch and read its items.

    Args:
        source: a manifest, a folder of frames or videos, or ``-`` for a manifest on standard input.
        flow_format: the format of outputs that the manifest does not give, or gives without a suffix.
        out_dir: the output folder; not searched for frames.
        on_note: called with what a user may not know of a folder's frames.
        files: which frames of a folder or video are paired, and the names of their flow.

    Yields:
        The :class:`Items`; for pairs on standard input, an iterator that reads them as needed.

    Raises:
        InputError: the source cannot be read, or contains no items.
        UsageError: pairs or names of a sequence are asked for, but the source lists pairs.
    """
    path = listed(place(source))
    suffix = suffix_of(flow_format or "flo")
    takes_pairs = files.names is None and files.pairing == Pairing()

    def manifest(lines: Iterable[str]) -> Iterator[Item]:
        place = Path() if source == STDIN else path.parent
        name = "stdin" if source == STDIN else str(path)
        return Manifest(lines, name, place, suffix, takes_pairs=takes_pairs).tasks()

    with contextlib.ExitStack() as stack:
        if source == STDIN:
            lines, first = _peeked(stack.enter_context(_standard_input()), manifest)
            if not isinstance(first, VideoTask):
                yield manifest(lines)
            else:  # its name depends on those that follow
                copy = stack.enter_context(_copy(lines))
                yield Items(lambda: manifest(_from_the_start(copy)))
        elif path.is_dir():
            notes = iter([on_note])  # which are said once
            yield Items(lambda: folder_tasks(path, suffix, out_dir, next(notes, None), files))
        elif path.is_file():
            yield Items(lambda: _read(path, manifest))
        else:  # a pipe can be read only once
            with _read_errors(path), _open_text(path) as text:
                copy = stack.enter_context(_copy(text))
            yield Items(lambda: manifest(_from_the_start(copy)))


def _peeked(
    lines: Iterable[str], manifest: Callable[[Iterable[str]], Iterator[Item]]
) -> tuple[Iterator[str], Item | None]:
    """All lines, and the first item of the manifest that they are."""
    seen: list[str] = []
    rest = iter(lines)

    def noted() -> Iterator[str]:
        for line in rest:
            seen.append(line)
            yield line

    first = next(manifest(noted()), None)
    return itertools.chain(seen, rest), first


def _read(path: Path, manifest: Callable[[Iterable[str]], Iterator[Item]]) -> Iterator[Item]:
    with _read_errors(path), _open_text(path) as lines:
        yield from manifest(lines)


@contextlib.contextmanager
def _read_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeError as error:
        raise InputError(f"{path} is damaged: it begins as UTF-16 and is not; save it as UTF-8") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {why(error)}; check the path") from error


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


def _standard_input() -> TextIO:
    if sys.stdin is None:
        raise InputError("cannot read the manifest from stdin: it is closed")
    # Not sys.stdin: Python closes it at exit, and would wait for a thread that still reads a line.
    return open(0, encoding="utf-8", errors="surrogateescape", closefd=False)


def _copy(lines: Iterable[str]) -> IO[str]:
    """The lines in a temporary file."""
    copy = tempfile.TemporaryFile("w+", encoding="utf-8", errors="surrogateescape")  # noqa: SIM115  (the caller does)
    copy.writelines(lines)
    return copy


def _from_the_start(file: IO[str]) -> IO[str]:
    file.seek(0)
    return file
