"""What is known of objects: one by one, or from one listing of a folder."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

_TIMES = ("mtime", "LastModified", "last_modified", "Last-Modified", "updated", "created", "modified", "timeModified")
_AT_ONCE = 64  # objects of which a server is asked at the same time


@dataclass(frozen=True)
class Entry:
    """What is known of an object, or of what is a folder because objects are below it; named as in ``os.stat_result``.

    An object of which nobody says when it was changed counts as never changed.
    """

    st_size: int
    st_mtime_ns: int
    st_mode: int = stat.S_IFREG
    st_ino: int = 0

    @classmethod
    def of(cls, info: Mapping[str, Any]) -> Entry:
        """What a file system of fsspec says of an object."""
        is_folder = info.get("type") == "directory"
        return cls(int(info.get("size") or 0), _time(info), stat.S_IFDIR if is_folder else stat.S_IFREG)


FOLDER = Entry(0, 0, stat.S_IFDIR)


def _time(info: Mapping[str, Any]) -> int:
    """When an object was changed, in nanoseconds since the epoch; 0 if nobody says."""
    found = next((info[name] for name in _TIMES if info.get(name)), None) or getattr(info.get("last_commit"), "date", 0)
    if isinstance(found, str):
        try:
            found = datetime.fromisoformat(found) if found[:1].isdecimal() else parsedate_to_datetime(found)
        except ValueError:
            return 0
    seconds = found.timestamp() if isinstance(found, datetime) else found
    return round(seconds * 1e6) * 1000 if isinstance(seconds, int | float) else 0


Infos = Mapping[str, Mapping[str, Any]]
"""What a file system of fsspec says of objects, by its names for them."""

Notes = Mapping[str, str]
"""What is noted of an object."""


class Listing:
    """What is below a folder, from one listing: all objects with their sizes and times.

    Paths are what their file system calls them.

    Args:
        root: the folder. It is listed when it is first asked about.
        load: lists it; raises ``OSError``.
        patience: of how many objects the server is asked one by one before that.
    """

    def __init__(self, root: str, load: Callable[[], Infos], patience: int = 0) -> None:
        self._root, self._load_infos, self._patience = root, load, patience
        self._asked: dict[str, Entry | None] = {}
        self._lock, self._noting = threading.Lock(), threading.Lock()
        self._changed: set[str] = set()
        self._folders: dict[str, dict[str, None]] = {}
        self._order: dict[str, int] = {}
        self._keys: list[str] = []
        self._notes: dict[str, Notes] = {}
        self._expected, self._streak = 0, 0
        self.entries: dict[str, Entry] = {}
        """The objects."""
        self.is_loaded = False

    def covers(self, key: str) -> bool:
        """Whether the listing says all of a path: it is the folder or below it, and not changed since."""
        return key not in self._changed and (key == self._root or key.startswith(self._root.rstrip("/") + "/"))

    def forget(self, key: str) -> None:
        """Look this path up again when it is asked about: this process has changed it."""
        self._changed.add(key)

    def find(self, key: str, ask: Callable[[], Entry | None]) -> Entry | None:
        """What is known of a path that the listing covers; ``None`` if nothing is there.

        Args:
            key: the path.
            ask: asks the server about it alone.
        """
        if not self.is_loaded and len(self._asked) < self._patience:
            if key not in self._asked:
                self._asked[key] = ask()
            return self._asked[key]
        self._load()
        if key in self.entries:
            return self.entries[key]
        return FOLDER if key in self._folders else None

    def noted(self, key: str, ask: Callable[[Sequence[str]], Sequence[Notes | None]]) -> Notes:
        """What is noted of an object. As long as objects are asked for in order, the next ones are asked for as well.

        Args:
            key: the object.
            ask: asks for the notes of several objects at the same time; ``None`` for one that cannot be had.
        """
        self._load()
        place = self._order.get(key)
        if place is None:
            return ask([key])[0] or {}
        with self._noting:  # what one thread is asking for may be what the next one needs
            self._streak = self._streak + 1 if place == self._expected else 0
            self._expected = place + 1
            if key not in self._notes:
                ahead = self._keys[place : place + min(1 << self._streak, _AT_ONCE)]
                keys = [name for name in ahead if name not in self._notes]
                self._notes |= {name: notes for name, notes in zip(keys, ask(keys), strict=True) if notes is not None}
            return self._notes.pop(key)

    def names(self, folder: str) -> list[str] | None:
        """The names in a folder; ``None`` if there is none."""
        self._load()
        names = self._folders.get(folder)
        return None if names is None else list(names)

    def files(self) -> list[str]:
        """All objects, by what their file system calls them."""
        self._load()
        return list(self.entries)

    def _load(self) -> None:
        with self._lock:
            if not self.is_loaded:
                for name, info in self._load_infos().items():
                    if info.get("type") != "directory" and not name.endswith("/"):
                        self._add(name, Entry.of(info))
                self._keys = list(self.entries)
                self._order = {key: number for number, key in enumerate(self._keys)}
                self.is_loaded = True

    def _add(self, key: str, entry: Entry) -> None:
        self.entries[key] = entry
        while key != self._root:
            parent, _, name = key.rpartition("/")
            parent = parent or "/"
            known = parent in self._folders
            self._folders.setdefault(parent, {})[name] = None
            if known or not parent.startswith(self._root):
                return
            key = parent
