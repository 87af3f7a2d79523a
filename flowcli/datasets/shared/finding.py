"""Looks for the files of a data set by the names that its authors give them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path

from ...errors import InputError
from ...frames.files import natural_key
from ...storage import RECORD


class MissingError(InputError):
    """A path that the data set would have is not there.

    Args:
        path: the path.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is missing")
        self.path = path


def need(path: Path) -> Path:
    """Return ``path`` if it is there; raises :class:`MissingError` if not."""
    if not path.exists():
        raise MissingError(path)
    return path


def first_of(*paths: Path) -> Path:
    """The first of some paths that is there; raises :class:`MissingError` with the first if none is."""
    for path in paths:
        if path.exists():
            return path
    raise MissingError(paths[0])


def folders(path: Path) -> list[Path]:
    """The folders in a folder, in natural order; raises :class:`MissingError` if it is not there or has none."""
    found = sorted((entry for entry in need(path).iterdir() if entry.is_dir()), key=natural_key)
    if not found:
        raise MissingError(path / "*")
    return found


def files(folder: Path, pattern: str) -> list[Path]:
    """The files below a folder that match a glob pattern, in natural order; :class:`MissingError` if none does."""
    found = sorted(need(folder).glob(pattern), key=natural_key)
    if not found:
        raise MissingError(folder / pattern)
    return found


def number_of(path: Path) -> int:
    """The number that the name of a file ends with, before its suffix; raises ``InputError`` if there is none."""
    found = re.search(r"(\d+)$", path.stem)
    if found is None:
        raise InputError(f"the name of {path} does not end with the number of its frame; restore the published name")
    return int(found[1])


def numbered(path: Path, number: int) -> Path:
    """The path of another frame of the same sequence: the number at the end of the name is exchanged."""
    digits = re.search(r"(\d+)$", path.stem)
    assert digits is not None
    return path.with_name(f"{path.stem[: digits.start()]}{number:0{len(digits[1])}d}{path.suffix}")


def anywhere(root: Path, pattern: str) -> list[Path]:
    """The files below a folder that match a glob pattern, in natural order; not those that flowcli has estimated."""

    @functools.cache
    def is_estimated(folder: Path) -> bool:
        return folder != root and ((folder / RECORD).exists() or is_estimated(folder.parent))

    return sorted((path for path in root.glob(pattern) if not is_estimated(path.parent)), key=natural_key)


def consecutive(folder: Path, pattern: str, first: int | None = None) -> Iterator[tuple[Path, Path]]:
    """Consecutive frames of a sequence, without gaps: a frame that is missing between others is named all the same.

    Args:
        folder: where the frames are.
        pattern: a glob pattern for their names, which end with their numbers.
        first: the number of the first frame, where all have to be there; by default the smallest that is.

    Returns:
        The paths of both frames of each pair, in order; they need not exist.

    Raises:
        InputError: there is no frame, or one without a number.
    """
    frames = files(folder, pattern)
    numbers = [number_of(frame) for frame in frames]
    start, last = (min(numbers), max(numbers)) if first is None else (first, max(*numbers, first + 1))
    for number in range(start, last):
        yield numbered(frames[0], number), numbered(frames[0], number + 1)
