"""Finds items whose outputs are also those of another item, or overwrite an input."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator, Sized
from pathlib import Path

from ..errors import UsageError
from ..places import is_remote
from .fingerprints import Fingerprints, Repeated
from .tasks import Item, Task, VideoTask

_FOLDERS = 4096  # whose real paths are remembered
_FRAMES = 16  # the same; a frame is often that of the next pair as well


class Distinct:
    """The items, with an error for each whose output is also the output of an earlier item, or an input.

    It keeps at most 32 bytes for each item, and nothing else of them.

    Args:
        items: the items. If their number is known, they can be gone through several times, and outputs are compared
            with the inputs of all of them, else with those so far.
        files: returns the files of an item's outputs.
    """

    def __init__(self, items: Iterable[Item], files: Callable[[Item], Iterable[Path]]) -> None:
        self._items = items
        self._files = files
        self._names = RealNames()
        self._are_known = isinstance(items, Sized)
        known = getattr(items, "inputs", None)
        self._inputs = known if isinstance(known, Fingerprints) else Fingerprints()
        for item in items if self._are_known and known is None else ():
            self._note(item)

    def __iter__(self) -> Iterator[Item]:
        """All items, in order."""
        outs = Fingerprints()
        origins: dict[str, str | None] | None = None
        for item in self._items:
            if not self._are_known:
                self._note(item)
            fault = None
            if item.out is not None and not outs.add(str(item.out)):
                if origins is None:
                    origins = _first_origins(self._items) if self._are_known else {}
                earlier = origins.get(str(item.out), "an earlier line")
                fault = f"{item.out} is also the output of {earlier}; give each its own output"
            elif file := next((file for file in self._files(item) if self._names.of(file) in self._inputs), None):
                fault = f"{file} is {'a frame' if isinstance(item, Task) else 'a video'}; choose another output folder"
            yield item if fault is None else _failed(item, UsageError(f"{item.origin}: {fault}"))

    def _note(self, item: Item) -> None:
        for path in inputs_of(item):
            self._inputs.add(self._names.of_frame(path))


def _failed(item: Item, error: UsageError) -> Item:
    if isinstance(item, VideoTask):
        return VideoTask(item.number, None, origin=item.origin, error=error)
    return Task(item.number, None, None, origin=item.origin, error=error)


def _first_origins(items: Iterable[Item]) -> dict[str, str | None]:
    """The first item of each output that several have."""
    repeated = Repeated()
    for item in items:
        if item.out is not None:
            repeated.add(str(item.out))
    origins: dict[str, str | None] = {}
    for item in items:
        if item.out is not None and str(item.out) in repeated:
            origins.setdefault(str(item.out), item.origin)
    return origins


def inputs_of(item: Item) -> list[Path]:
    """The files that an item reads, as far as they are known."""
    paths = (item.video,) if isinstance(item, VideoTask) else (item.frame1, item.frame2)
    return [path for path in paths if path is not None]


class RealNames:
    """Gives the same text for the same file or object, as :func:`flowcli.places.identity` does, but fast.

    What is found out about folders is remembered: what is put into one that was not there is no link to an input.
    """

    def __init__(self) -> None:
        self._folder = functools.lru_cache(_FOLDERS)(_real_folder)
        self.of_frame = functools.lru_cache(_FRAMES)(self.of)
        """As :meth:`of`, for files that are asked for several times in a row."""

    def of(self, path: Path) -> str:
        """The name of a file or an object."""
        if is_remote(path):
            return path.address
        text = str(path)
        folder, name = os.path.split(text)
        real_folder, is_there = self._folder(folder)
        if is_there and os.path.islink(text):  # noqa: PTH114  (twice as fast)
            return os.path.normcase(os.path.realpath(text))
        return os.path.normcase(f"{real_folder}{os.sep}{name}")


def _real_folder(folder: str) -> tuple[str, bool]:
    """The real path of a folder, and whether it is there."""
    real_path = os.path.realpath(folder)
    return real_path, os.path.isdir(real_path)  # noqa: PTH112
