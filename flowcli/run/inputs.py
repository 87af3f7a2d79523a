"""The files that items read, as a set that outputs are compared with."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from ..places import is_remote
from .fingerprints import Fingerprints
from .tasks import Item, VideoTask

_FOLDERS = 4096  # whose real paths are remembered; of inputs, so many are told apart
_FRAMES = 16  # the same; a frame is often that of the next pair as well


def inputs_of(item: Item) -> list[Path]:
    """The files that an item reads, as far as they are known."""
    paths = (item.video,) if isinstance(item, VideoTask) else (item.frame1, item.frame2)
    return [path for path in paths if path is not None]


class Inputs:
    """The files that items read, by eight bytes each; the same file is the same by whatever name.

    What is found out about folders is remembered: what is put into one that was not there is no link to an input.
    """

    def __init__(self) -> None:
        self._folder = functools.lru_cache(_FOLDERS)(_real_folder)
        self._name_of_frame = functools.lru_cache(_FRAMES)(self._name)
        self._names = Fingerprints()
        self._folders: set[str] | None = set()
        self._last_folder: str | None = None

    def note(self, item: Item) -> None:
        """Add the files that an item reads."""
        for path in inputs_of(item):
            name = self._name_of_frame(path)
            if self._names.add(name):
                self._note_folder(os.path.dirname(name))  # noqa: PTH120  (much faster)

    def _note_folder(self, folder: str) -> None:
        if folder == self._last_folder or self._folders is None:
            return
        self._last_folder = folder
        self._folders.add(folder)
        if len(self._folders) > _FOLDERS:
            self._folders = None

    def __contains__(self, file: Path) -> bool:
        """Whether a file is one of them."""
        return self._name(file) in self._names

    def may_be_in(self, folder: Path) -> bool:
        """Whether any file of a folder can be one of them, by its own name or as a link."""
        if is_remote(folder) or self._folders is None:
            return True
        real_folder, is_there = self._folder(str(folder))
        return is_there or os.path.normcase(real_folder) in self._folders

    def _name(self, path: Path) -> str:
        """The same text for the same file or object, as :func:`flowcli.places.identity`, but fast."""
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
