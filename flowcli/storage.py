"""Writes output files completely or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING

from . import locks
from .errors import OutputError, UsageError
from .places import identity, is_remote
from .unfinished import PREFIX, SUFFIX, temporary_file

if TYPE_CHECKING:
    from .remote import Remote

RECORD = "flowcli.json"
"""The name of the record of a folder's outputs: how they were made."""

_WINDOWS = os.name == "nt"
_MADE_FROM = "user.flowcli.made_from"  # an extended attribute of files
_NOTED_MADE_FROM = "made-from"  # what is noted of objects
_POLL_SECONDS = 0.01  # between attempts to replace a file that somebody reads
_REPLACE_SECONDS = 2.0  # how long a file that somebody reads is waited for on Windows

_DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$"}
_DEVICES |= {kind + number for kind in ("com", "lpt") for number in "123456789¹²³"}
_NOT_IN_NAMES = frozenset('<>:"|?*') | frozenset(map(chr, range(32)))


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
    if not isinstance(cause, OSError):
        return False
    is_of_bucket = "://" in str(cause.filename) and cause.errno in {errno.EACCES, errno.ENOENT}
    return is_of_bucket or cause.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}


def check_name(path: Path, *, windows: bool = _WINDOWS) -> None:
    """Raise ``OutputError`` if Windows has no files of this name; elsewhere any name will do.

    There a colon makes a hidden stream of a file, ``NUL`` or ``aux.txt`` is a device, and dots and spaces at the end of
    a name are lost: what is written would not be found again.
    """
    if not windows or is_remote(path):
        return
    whole = PureWindowsPath(str(path))  # as text: from a Path it would take each part as a path
    for name in whole.parts[bool(whole.anchor) :]:
        if unknown := _NOT_IN_NAMES.intersection(name):
            reason = f"Windows does not allow {min(unknown)!r} in names"
        elif name.partition(".")[0].rstrip(" ").lower() in _DEVICES:
            reason = f"{name} is a device on Windows"
        elif name != ".." and name.endswith((".", " ")):
            reason = "Windows does not allow names that end with a dot or a space"
        else:
            continue
        raise OutputError(f"cannot write {path}: {reason}; choose another name")


@contextlib.contextmanager
def atomic_output(target: Path, made_from: str | None = None) -> Iterator[Path]:
    """Give a temporary path beside ``target`` to write to; when the block ends well, it becomes ``target``.

    Missing parent folders are made. The data is on disk before the name appears, so neither a crash nor a power cut
    leaves a truncated file under the final name. When the block fails, the temporary file is removed; what a process
    that was killed has left is removed by the next one that writes into the folder. The block must close the file.

    For an object, the temporary file is on this machine, and is uploaded at the end.

    Args:
        target: the output.
        made_from: what it is made from, for :func:`noted_made_from`.

    Raises:
        OutputError: the operating system refused (permission, disk full, a folder in the way, ...). Errors of the
            block itself pass through; see :func:`output_errors`.
    """
    check_name(target)
    with contextlib.ExitStack() as stack:
        if is_remote(target):
            folder = Path(tempfile.gettempdir())
            with output_errors(folder):
                temporary = stack.enter_context(temporary_file(folder))
            yield temporary
            with output_errors(target):
                target.upload(temporary, _noted(made_from))
            return
        with output_errors(target):
            target = Path(os.path.realpath(target))  # a link stays a link
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = stack.enter_context(temporary_file(target.parent))
        yield temporary
        with output_errors(target):
            _flush(temporary)
            if target.exists() and not _WINDOWS:  # where the mode only says "read-only"
                shutil.copymode(target, temporary)
            if made_from is not None and hasattr(os, "setxattr"):
                with contextlib.suppress(OSError):  # not every file system has room for it
                    os.setxattr(temporary, _MADE_FROM, os.fsencode(made_from))
            _replace(temporary, target)


@contextlib.contextmanager
def output_errors(target: object) -> Iterator[None]:
    """Raise what the operating system refuses within the block as an ``OutputError`` that names ``target``."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write {target}: {why(error)}") from error


def _noted(made_from: str | None) -> dict[str, str]:
    """What is noted of an object."""
    return {} if made_from is None else {_NOTED_MADE_FROM: made_from}


def _flush(path: Path) -> None:
    """Wait until what was written to ``path`` is on disk."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace(temporary: Path, target: Path) -> None:
    """Give ``temporary`` the name ``target``; on Windows not before those who read the old file have closed it."""
    deadline = time.monotonic() + _REPLACE_SECONDS
    while True:
        try:
            temporary.replace(target)
        except PermissionError:
            if not _WINDOWS or time.monotonic() > deadline:
                raise
            time.sleep(_POLL_SECONDS)
        else:
            return


@contextlib.contextmanager
def guarded(target: Path) -> Iterator[None]:
    """Keep other runs from a file that several of them rewrite, such as a folder's record, while the block runs.

    Missing parent folders are made. Raises ``OutputError`` if the folder cannot be written to.
    """
    with contextlib.ExitStack() as stack:
        with output_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locks.locked(target.with_name(f"{PREFIX}{target.name}{locks.SUFFIX}")))
        yield


def noted_made_from(path: Path) -> str | None:
    """What ``path`` was made from, as far as its extended attributes tell, which some ways to copy lose.

    Of an object, what was noted when it was written tells; that is one request. Raises ``OSError`` if it fails.

    Returns:
        What :func:`atomic_output` was told; ``None`` if nothing is noted, or cannot be.
    """
    if is_remote(path):
        return path.noted().get(_NOTED_MADE_FROM)
    if not hasattr(os, "getxattr"):
        return None
    try:
        return os.fsdecode(os.getxattr(path, _MADE_FROM))
    except OSError:
        return None


def refresh(path: Path, made_from: str | None) -> None:
    """Make a file newer than all others. An object is written again for that. Raises ``OutputError``."""
    with output_errors(path):
        if is_remote(path):
            path.write_bytes(path.read_bytes(), _noted(made_from))
        else:
            os.utime(path)


def write_bytes(target: Path, data: bytes | memoryview, made_from: str | None = None) -> None:
    """Write ``data`` to ``target``, whole or not at all; arguments and errors as for :func:`atomic_output`."""
    if is_remote(target):
        with output_errors(target):
            target.write_bytes(data, _noted(made_from))
        return
    with atomic_output(target, made_from) as temporary, output_errors(target):
        temporary.write_bytes(data)


def write_files(contents: Mapping[Path, bytes | memoryview], made_from: str | None = None) -> None:
    """Write several files that belong together; each whole or not at all, and new ones only if all can be written.

    Args:
        contents: the bytes by path.
        made_from: what they are made from, for :func:`noted_made_from`.

    Raises:
        OutputError: the operating system refused; as for :func:`atomic_output`.
    """
    several = len(contents) > 1
    new = [target for target in contents if several and not _is_there(target)]
    try:
        with contextlib.ExitStack() as stack:
            for target, data in contents.items():  # all are on disk before the first one gets its name
                temporary = stack.enter_context(atomic_output(target, made_from))
                with output_errors(target):
                    temporary.write_bytes(data)
    except OutputError:
        for target in new:
            with contextlib.suppress(OSError):
                target.unlink(missing_ok=True)
        raise


def _fill(temporary: Path, data: bytes | memoryview) -> None:
    """Write into a file that must be there: it is not made again once the process is being ended."""
    with temporary.open("r+b") as file:
        file.write(data)


def _is_there(path: Path) -> bool:
    return path.exists() if is_remote(path) else os.path.lexists(path)


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
    sources = set(map(identity, inputs))
    seen: set[str] = set()
    for target in targets:
        check_name(target)
        resolved = identity(target)
        if resolved in seen:
            raise UsageError(f"output {target} is named twice; give each output a file of its own")
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
                raise OutputError(f"cannot write {target}: it is a pipe or a device; give a file name")
            if not force:
                raise UsageError(f"output {target} exists; add `force` to overwrite it")
        check_writable(target.resolve().parent)


def check_writable(folder: Path) -> None:
    """Raise ``OutputError`` if files cannot be made in ``folder`` (or, where it is missing, the folder itself).

    Of a bucket nothing tells in advance, so a small object is written and removed. Raises ``UsageError`` for URLs of
    places where outputs would not appear whole or not at all.
    """
    if is_remote(folder):
        _check_store(folder)
        return
    check_name(folder)
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
        cause = "the file system is read-only" if _is_read_only(nearest) else f"no permission to write in {nearest}"
        raise OutputError(f"cannot write into {folder}: {cause}")


def _check_store(folder: Remote) -> None:
    if not folder.is_whole_store():
        raise UsageError(
            f"cannot write to {folder}: outputs would not appear whole or not at all there; "
            "write to a file, or to s3, gs, az, hf or memory"
        )
    probe = folder / f"{PREFIX}{secrets.token_hex(6)}{SUFFIX}"
    try:
        probe.write_bytes(b"")
        with contextlib.suppress(OSError):  # who may write may not be allowed to remove
            probe.unlink()
    except OSError as error:
        raise OutputError(f"cannot write into {folder}: {why(error)}") from error


def _is_read_only(folder: Path) -> bool:
    """Whether the folder is on a file system that is mounted read-only, as far as the system tells."""
    if sys.platform == "win32" or not hasattr(os, "statvfs"):
        return False
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
