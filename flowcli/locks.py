"""Lock files, which keep processes and threads out of each other's way."""

from __future__ import annotations

import contextlib
import functools
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

SUFFIX = ".lock"
"""How the names of lock files end."""

_WINDOWS = os.name == "nt"
_POLL_SECONDS = 0.01  # between attempts to get a lock


@contextlib.contextmanager
def locked(lock_file: Path) -> Iterator[None]:
    """Keep other processes and threads that ask for the same lock file out while the block runs.

    The file is made for this, and removed at the end; a process that is killed leaves it behind, unlocked. Where a file
    system or a system has no locks, nobody is kept out. Raises ``OSError`` if the file cannot be made.
    """
    descriptor = take(lock_file)
    try:
        yield
    finally:
        give_back(lock_file, descriptor)


def take(lock_file: Path) -> int:
    """Make and lock a file as :func:`locked` does, until :func:`give_back`; returns its descriptor."""
    while True:
        descriptor = os.open(lock_file, os.O_CREAT | os.O_RDWR, 0o666)
        taken = False
        try:
            with contextlib.suppress(OSError):
                _lock_function()(descriptor, poll_interval=_POLL_SECONDS)
            taken = os.fstat(descriptor).st_nlink > 0  # or else whoever had it before has removed it
            if taken:
                return descriptor
        finally:
            if not taken:
                os.close(descriptor)


def take_if_free(lock_file: Path) -> int | None:
    """The descriptor of an existing file, locked; ``None`` if somebody has it, or there are no locks.

    Raises ``OSError``, such as ``FileNotFoundError``, if the file cannot be opened.
    """
    descriptor = os.open(lock_file, os.O_RDWR)
    is_taken = False
    try:
        with contextlib.suppress(OSError):
            is_taken = _lock_function()(descriptor, blocking=False)
    finally:
        if not is_taken:
            os.close(descriptor)
    return descriptor if is_taken else None


def is_there(lock_file: Path, descriptor: int) -> bool:
    """Whether nobody has removed a lock file, or moved it away, perhaps with its folder."""
    try:
        return os.path.samestat(lock_file.stat(), os.fstat(descriptor))
    except OSError:
        return False


def give_back(lock_file: Path, descriptor: int) -> None:
    """Remove a lock file that this process has locked, and with it the lock."""
    if _WINDOWS:  # where nobody can remove a file that somebody has open, neither we nor others
        os.close(descriptor)
    with contextlib.suppress(OSError):
        lock_file.unlink(missing_ok=True)
    if not _WINDOWS:  # while it is ours, so that it is not taken from somebody who has just opened it
        os.close(descriptor)


@functools.cache
def _lock_function() -> Callable[..., bool]:
    """filelock's function that locks a descriptor; it raises ``OSError`` where there are no locks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a system without fcntl it says what it would use instead; we do without
        from filelock import lock_descriptor  # takes 10 ms
    return lock_descriptor
