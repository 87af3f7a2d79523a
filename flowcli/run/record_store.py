"""Where the record of an output folder is kept: in a file that runs rewrite in turn, or in objects of a bucket.

Files can be locked, so all runs share one. A bucket has no locks: each run writes a record of its own there, and all of
them together are the folder's record.
"""

from __future__ import annotations

import contextlib
import errno
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from ..places import is_remote
from ..storage import RECORD, atomic_output, guarded, output_errors

if TYPE_CHECKING:
    from ..remote import Remote

_OWN = ".flowcli-record-"  # how the names of the records that runs write in a bucket begin
_SLOWEST_TICK = 3.0  # seconds; some file systems count in steps of two, and buckets in seconds
_POLL_SECONDS = 0.002
_BUCKET_POLL_SECONDS = 0.2
_LOOK_SECONDS = 30.0  # between looks at the records of others in a bucket


class Draft(Protocol):
    """A record that is being written."""

    def now(self) -> int:
        """The time by the clock that stamps outputs, in nanoseconds."""

    def write(self, text: str, after: int) -> None:
        """Write the record so that its time stamp is later than ``after``: that clock may tick slowly."""


class RecordStore(Protocol):
    """Where a record is kept. All methods but :meth:`stamp` raise ``OutputError`` if it cannot be written."""

    path: Path
    """What messages call it."""

    def texts(self, *, as_listed: bool = False) -> list[str]:
        """The records that are there; raises ``OSError`` if one cannot be read, or there is none.

        Args:
            as_listed: whether a listing of the folder, if there is one, may say which there are.
        """

    def stamp(self) -> object:
        """Changes whenever another run has replaced a record, as far as can be told at no cost; ``None``: none."""

    def guarded(self) -> contextlib.AbstractContextManager[None]:
        """Keep other runs from the record while the block runs, where that is possible."""

    def replacing(self) -> contextlib.AbstractContextManager[Draft]:
        """Replace this run's record by what the block writes."""

    def remove_others(self) -> None:
        """Remove the records of other runs: this run's says all that is to be said."""

    def withdraw(self) -> bool:
        """Remove this run's record, unless it is that of all runs; returns whether it is removed."""


def record_store(folder: Path) -> RecordStore:
    """Where the record of an output folder is kept."""
    return _Bucket(folder) if is_remote(folder) else _File(folder / RECORD)


class _File:
    """A record in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def texts(self, *, as_listed: bool = False) -> list[str]:  # noqa: ARG002  (a file is read at once)
        return [self.path.read_text("utf-8")]

    def stamp(self) -> object:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def guarded(self) -> contextlib.AbstractContextManager[None]:
        return guarded(self.path)

    @contextlib.contextmanager
    def replacing(self) -> Iterator[Draft]:
        with atomic_output(self.path) as temporary:
            yield _FileDraft(self.path, temporary)

    def remove_others(self) -> None:
        pass

    def withdraw(self) -> bool:
        return False


class _FileDraft:
    def __init__(self, path: Path, temporary: Path) -> None:
        self._path, self._temporary = path, temporary

    def now(self) -> int:
        with output_errors(self._path):
            return self._temporary.stat().st_mtime_ns

    def write(self, text: str, after: int) -> None:
        deadline = time.monotonic() + _SLOWEST_TICK
        with output_errors(self._path):
            while True:
                self._temporary.write_text(text, "utf-8")
                if self._temporary.stat().st_mtime_ns > after or time.monotonic() > deadline:
                    return
                time.sleep(_POLL_SECONDS)


class _Bucket:
    """The records of all runs in a folder of a bucket; this run writes one of its own."""

    def __init__(self, folder: Remote) -> None:
        self._folder = folder
        self._own = folder / f"{_OWN}{secrets.token_hex(6)}.json"
        self._probe = folder / f".flowcli-{secrets.token_hex(6)}.tmp"
        self._looked = 0.0
        self._stamp: object = None
        self.path = cast(Path, folder / RECORD)

    def texts(self, *, as_listed: bool = False) -> list[str]:
        texts = []
        for path in self._records(as_listed=as_listed):
            with contextlib.suppress(FileNotFoundError):  # removed since
                texts.append(path.read_text("utf-8"))
        if not texts:
            raise FileNotFoundError(errno.ENOENT, "there is no record", str(self.path))
        return texts

    def _records(self, *, as_listed: bool = False) -> list[Remote]:
        copied = self._folder / RECORD  # from a folder of files
        own = self._folder.beginning_with(_OWN, as_listed=as_listed)
        return [*own, *([copied] if copied.exists() else [])]

    def stamp(self) -> object:
        if time.monotonic() - self._looked > _LOOK_SECONDS:
            try:
                self._stamp = sorted((path.name, path.stat().st_mtime_ns) for path in self._records())
            except OSError:  # told when the next output is written
                self._stamp = None
            self._looked = time.monotonic()
        return self._stamp

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        self._looked = 0.0  # the stamp is taken anew
        yield

    @contextlib.contextmanager
    def replacing(self) -> Iterator[Draft]:
        yield self

    def now(self) -> int:
        """The time by the server's clock."""
        with output_errors(self._own):
            self._probe.write_bytes(b"")
            try:
                return int(self._probe.stat().st_mtime_ns)
            finally:
                with contextlib.suppress(OSError):
                    self._probe.unlink()

    def write(self, text: str, after: int) -> None:
        deadline = time.monotonic() + _SLOWEST_TICK
        with output_errors(self._own):
            while True:
                self._own.write_bytes(text.encode())
                if not after or self._own.stat().st_mtime_ns > after or time.monotonic() > deadline:
                    return
                time.sleep(_BUCKET_POLL_SECONDS)

    def remove_others(self) -> None:
        with output_errors(self._own):
            for path in self._records():
                if path.name != self._own.name:
                    path.unlink(missing_ok=True)

    def withdraw(self) -> bool:
        with output_errors(self._own):
            self._own.unlink(missing_ok=True)
        return True
