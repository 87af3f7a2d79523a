"""Temporary files that become outputs: whose they are while they are written, and which of them were left behind.

A process that writes into a folder has a lock file there, ``.flowcli-TOKEN.tmp.lock``, and the names of its temporary
files begin with the same token. (The lock of a temporary file itself could not tell as much: on Windows and on network
drives a locked file cannot be written to, and Windows renames none that is open.)
"""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from . import locks
from .shutdown import making_file, on_abrupt_end

PREFIX = ".flowcli-"
"""How the names of temporary files begin."""

SUFFIX = ".tmp"
"""How they end."""

_MOST_KEPT = 16  # folders

_files: set[Path] = set()  # those of this process


@contextlib.contextmanager
def temporary_file(folder: Path) -> Iterator[Path]:
    """A new empty file in ``folder``; removed at the end of the block if it still has its name.

    Raises ``OSError`` if the folder cannot be written to.
    """
    remove_leftovers(folder)
    with _claims.claimed(folder) as token:
        path = folder / f"{PREFIX}{token}-{secrets.token_hex(6)}{SUFFIX}"
        try:
            with making_file():
                _files.add(path)
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666))
            yield path
        finally:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            _files.discard(path)


@functools.lru_cache(maxsize=1024)
def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files in a folder of processes that were killed: nobody holds their locks any more.

    It is done once for each folder. Raises ``OSError`` if the folder cannot be read.
    """
    left: dict[str, list[Path]] = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name.removesuffix(locks.SUFFIX)
            if name.startswith(PREFIX) and name.endswith(SUFFIX):
                token = name[len(PREFIX) : -len(SUFFIX)].partition("-")[0]
                left.setdefault(token, []).append(folder / name)
    for token, paths in left.items():
        with contextlib.suppress(OSError):  # another process has just removed them
            _remove_if_left(_lock_file(folder, token), paths)


def _remove_if_left(lock_file: Path, paths: list[Path]) -> None:
    try:
        descriptor = locks.take_if_free(lock_file)
    except FileNotFoundError:  # what is being written has one
        _remove(paths)
        return
    if descriptor is not None:
        try:
            _remove(paths)
        finally:
            locks.give_back(lock_file, descriptor)


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def keeping_claims() -> contextlib.AbstractContextManager[None]:
    """Keep the lock files of folders between outputs while the block runs, for those who write many.

    Else each output would have one made and removed, and file systems make files ever more slowly where others have
    just been removed (ext4 passes over their inodes one by one).
    """
    return _claims.kept()


class _Claim:
    """A lock file of this process in a folder."""

    def __init__(self, folder: Path) -> None:
        self.token = secrets.token_hex(6)
        self.users = 0
        self.lock_file = _lock_file(folder, self.token)
        with contextlib.ExitStack() as undo:
            undo.callback(_remove, [self.lock_file])  # after Ctrl-C, once the file is there
            self._descriptor = locks.take(self.lock_file)
            undo.pop_all()

    @property
    def is_valid(self) -> bool:
        """Whether the lock file still lies in the folder."""
        return locks.is_there(self.lock_file, self._descriptor)

    def end(self) -> None:
        """Remove the lock file."""
        locks.give_back(self.lock_file, self._descriptor)


class _Claims:
    """The claims of this process, by folder."""

    def __init__(self) -> None:
        self._held: dict[Path, _Claim] = {}
        self._keepers = 0

    @contextlib.contextmanager
    def claimed(self, folder: Path) -> Iterator[str]:
        """Show others for the time of the block that temporary files with the token are no leftovers."""
        with making_file():
            claim = self._held.pop(folder, None)  # the one used last is the last
            if claim is None or not claim.is_valid:
                if claim is not None:
                    _end_if_unused(claim)
                claim = _Claim(folder)
            self._held[folder] = claim
            claim.users += 1
        try:
            yield claim.token
        finally:
            with making_file():
                claim.users -= 1
                if self._held.get(folder) is not claim:
                    _end_if_unused(claim)
                self._end_unused()

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """See :func:`keeping_claims`."""
        with making_file():
            self._keepers += 1
        try:
            yield
        finally:
            with making_file():
                self._keepers -= 1
                self._end_unused()

    def _end_unused(self) -> None:
        """End the claims that nobody uses, but for those of the last folders where they are kept."""
        unused = [folder for folder, claim in self._held.items() if not claim.users]
        for folder in unused[: max(0, len(unused) - (_MOST_KEPT if self._keepers else 0))]:
            if (claim := self._held.pop(folder, None)) is not None:
                claim.end()

    def lock_files(self) -> list[Path]:
        """The lock files that there are; asked for when this process is about to be ended."""
        return [claim.lock_file for claim in list(self._held.values())]


def _end_if_unused(claim: _Claim) -> None:
    if not claim.users:
        claim.end()


_claims = _Claims()


def _lock_file(folder: Path, token: str) -> Path:
    return folder / f"{PREFIX}{token}{SUFFIX}{locks.SUFFIX}"


def _remove_all() -> None:
    """Remove the unfinished files of this process, which is about to be ended."""
    for path in [*_files, *_claims.lock_files()]:
        with contextlib.suppress(OSError):  # Windows does not remove what is open; the next run will
            path.unlink(missing_ok=True)


def _forget() -> None:
    """In a process that was forked: the files are those of the other one."""
    global _claims
    _claims = _Claims()
    _files.clear()


on_abrupt_end(_remove_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
