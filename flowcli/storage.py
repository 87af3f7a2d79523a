"""Output files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import os
import secrets
import shutil
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from .errors import OutputError, UsageError

_MADE_FROM = "user.flowcli.made_from"  # an extended attribute of files
_unfinished: set[Path] = set()  # temporary files of this process
_TEMPORARY = (".flowcli-", ".tmp")  # how the names of temporary files begin and end


def why(error: OSError) -> str:
    """The cause of an operating-system error in lower case, such as ``no space left on device``."""
    return (error.strerror or str(error) or type(error).__name__).lower()


def check_suffix(path: Path, known: Collection[str]) -> None:
    """Raise ``OutputError`` if the suffix of ``path`` is none of ``known`` (such as ``.png``), in any case."""
    if path.suffix.lower() not in known:
        raise OutputError(
            f"cannot write {path}: unknown format {path.suffix or '(no suffix)'}; use {' or '.join(known)}"
        )


def is_out_of_room(error: OutputError) -> bool:
    """Whether every further output would fail as well: the disk is full, a quota used up, or nothing may be written."""
    cause = error.__cause__
    return isinstance(cause, OSError) and cause.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}


@contextlib.contextmanager
def atomic_output(target: Path, made_from: str | None = None) -> Iterator[Path]:
    """Give a temporary path beside ``target`` to write to; when the block ends well, it becomes ``target``.

    Missing parent folders are made. The data is on disk before the name appears, so neither a crash nor a power cut
    leaves a truncated file under the final name. When the block fails, the temporary file is removed; what a process
    that was killed has left is removed by the next one that writes into the folder.

    Args:
        target: the output.
        made_from: what it is made from, for :func:`is_made_from`.

    Raises:
        OutputError: the operating system refused (permission, disk full, a folder in the way, ...).
    """
    try:
        target = Path(os.path.realpath(target))  # a link stays a link
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(target.parent)
        with _temporary_file(target.parent) as (temporary, descriptor):
            yield temporary
            os.fsync(descriptor)
            if target.exists():
                shutil.copymode(target, temporary)
            if made_from is not None and hasattr(os, "setxattr"):
                with contextlib.suppress(OSError):  # not every file system has room for it
                    os.setxattr(temporary, _MADE_FROM, os.fsencode(made_from))
            temporary.replace(target)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {why(error)}") from error


@contextlib.contextmanager
def _temporary_file(folder: Path) -> Iterator[tuple[Path, int]]:
    """A new file in ``folder``, locked while the block runs; removed at its end if it still has its name."""
    while True:
        path = folder / f"{_TEMPORARY[0]}{secrets.token_hex(6)}{_TEMPORARY[1]}"
        _unfinished.add(path)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
        with contextlib.suppress(OSError):  # some file systems have no locks; then leftovers stay
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            break
        os.close(descriptor)  # taken for a leftover before it was locked
    try:
        yield path, descriptor
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        os.close(descriptor)
        _unfinished.discard(path)


def remove_temporary_files() -> None:
    """Remove this process's unfinished files, which is about to be ended."""
    for path in list(_unfinished):
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


@functools.lru_cache(maxsize=1024)
def _remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of processes that were killed: nobody holds their locks any more."""
    prefix, suffix = _TEMPORARY
    with os.scandir(folder) as entries:
        leftovers = [entry.path for entry in entries if entry.name.startswith(prefix) and entry.name.endswith(suffix)]
    for path in leftovers:
        with contextlib.suppress(OSError):  # another process is writing it, or has just finished
            descriptor = os.open(path, os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                Path(path).unlink()
            finally:
                os.close(descriptor)


def is_made_from(path: Path, made_from: str) -> bool:
    """Whether ``path`` was made from this, as far as its extended attributes tell, which some ways to copy lose."""
    if not hasattr(os, "getxattr"):
        return True
    try:
        return os.getxattr(path, _MADE_FROM) == os.fsencode(made_from)
    except OSError:  # nothing is noted, or cannot be
        return True


def write_bytes(target: Path, data: bytes | memoryview, made_from: str | None = None) -> None:
    """Write ``data`` to ``target``, whole or not at all; arguments and errors as for :func:`atomic_output`."""
    with atomic_output(target, made_from) as temporary:
        temporary.write_bytes(data)


@contextlib.contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder's own files while the block runs; the folder is made if it is missing.

    Raises ``OutputError`` if the folder cannot be made or opened.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise OutputError(f"cannot write into {folder}: {why(error)}") from error
    try:
        with contextlib.suppress(OSError):  # some file systems have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def check_outputs(targets: list[Path], *, force: bool, inputs: list[Path]) -> None:
    """Refuse, before anything is computed, outputs that could not be written at the end.

    Args:
        targets: the files that a command will write.
        force: whether existing files may be replaced.
        inputs: the files that the command reads; none of them may be an output, even with ``force``.

    Raises:
        UsageError: an output exists and ``force`` is not given, is named twice, or is one of the inputs.
        OutputError: the folder cannot be written to, or the target is a folder.
    """
    sources = {os.path.realpath(path) for path in inputs}
    seen: set[str] = set()
    for target in targets:
        resolved = os.path.realpath(target)
        if resolved in seen:
            raise UsageError(f"output {target} is named twice; give each -o a file of its own")
        seen.add(resolved)
        if resolved in sources:
            raise UsageError(f"output {target} is also an input; choose another name")
        try:
            existing = target.stat()
        except (FileNotFoundError, NotADirectoryError):
            pass  # whether it can be made is seen below
        except OSError as error:
            raise OutputError(f"cannot write {target}: {why(error)}") from error
        else:
            if stat.S_ISDIR(existing.st_mode):
                raise OutputError(f"cannot write {target}: it is a folder; give a file name")
            if not stat.S_ISREG(existing.st_mode):
                raise OutputError(f"cannot write {target}: it is a pipe or a device; give a file name, or - for stdout")
            if not force:
                raise UsageError(f"output {target} exists; add `force` to replace it")
        check_writable(Path(resolved).parent)


def check_writable(folder: Path) -> None:
    """Raise ``OutputError`` if files cannot be made in ``folder`` (or, where it is missing, the folder itself)."""
    nearest = folder
    try:
        while not nearest.exists() and nearest != nearest.parent:
            nearest = nearest.parent
        is_folder = nearest.is_dir()
    except OSError as error:
        raise OutputError(f"cannot write into {folder}: {why(error)}") from error
    if not is_folder:
        raise OutputError(f"cannot write into {folder}: {nearest} is not a folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        read_only = os.statvfs(nearest).f_flag & os.ST_RDONLY
        cause = "the file system is read-only" if read_only else f"no permission to write in {nearest}"
        raise OutputError(f"cannot write into {folder}: {cause}")
