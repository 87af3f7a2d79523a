"""Objects at URLs, such as ``s3://bucket/frame.png``, with the interface of ``pathlib.Path`` that flowcli uses.

universal-pathlib and fsspec do the work. What is different here:

- A frame is one request for its bytes, and the beginning of an object is one request for that part.
- Whatever the libraries raise becomes an ``OSError`` that says the cause, and so is handled as that of a file is.
- Credentials in a URL (``https://user:password@host/``, the query of a signed URL) are in no text of a path.
- A folder can be listed once (:meth:`Remote.with_listing`) instead of asking for each of its objects.

Listings are never kept longer than that: a second run in the same process sees what has changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import io
import os
import re
import stat
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, cast
from urllib.parse import quote, unquote

from fsspec.asyn import sync
from fsspec.registry import available_protocols, get_filesystem_class
from fsspec.utils import glob_translate
from upath import UPath
from upath.extensions import ProxyUPath

from .errors import InputError, UsageError

_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "http": "http", "https": "http"}
_WEB = frozenset({"http", "https"})
_S3 = frozenset({"s3", "s3a"})
_BUCKETS = _S3 | {"gs", "gcs"}
_CACHING = _BUCKETS | _WEB | {"az", "abfs", "abfss"}  # whose file systems would keep listings
_WHOLE = _BUCKETS | {"az", "abfs", "abfss", "hf", "memory"}
"""Protocols of stores in which an object appears whole or not at all."""

_FILES = frozenset({"file", "local"})
_COMMON = "s3, gs, az, hf, http and https"
_TIMES = ("mtime", "LastModified", "last_modified", "Last-Modified", "updated", "created", "modified", "timeModified")
_HEAD_BYTES = 1 << 16  # what a read of an object's beginning fetches at least
_PATIENCE = 100  # objects of a folder that are asked about one by one before it is listed
_AT_ONCE = 64  # objects of which a server is asked at the same time
_NOTED = "flowcli-"  # how the names of what flowcli notes of an object begin

_USER = re.compile(r"(?<=://)[^/@\s]*@")
_BUCKET = re.compile(r"bucket does not exist|no ?such ?bucket", re.IGNORECASE)
_NO_BUCKET = "the bucket does not exist"
_QUERY = re.compile(r"(\w://[^\s?'\"]*)\?[^\s'\",;)]*")
_FOREIGN = (  # what libraries raise that is no OSError; each only if it has been imported
    ("botocore.exceptions", "BotoCoreError"),
    ("botocore.exceptions", "ClientError"),
    ("aiohttp", "ClientError"),
    ("aiohttp", "InvalidURL"),
    ("fsspec.exceptions", "FSTimeoutError"),
    ("gcsfs.retry", "HttpError"),
    ("google.auth.exceptions", "GoogleAuthError"),
    ("azure.core.exceptions", "AzureError"),
    ("huggingface_hub.errors", "HfHubHTTPError"),
    ("httpx", "HTTPError"),
    ("httpx2", "HTTPError"),
    ("requests", "RequestException"),
    ("paramiko", "SSHException"),
    ("ftplib", "Error"),
)


def without_credentials(text: str) -> str:
    """A text in which no URL has a user, a password or a query."""
    return _QUERY.sub(r"\1", _USER.sub("", text))


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


_FOLDER = Entry(0, 0, stat.S_IFDIR)


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


class Remote(ProxyUPath):
    """An object at a URL, or a folder of objects: their common prefix.

    ``exists``, ``is_file`` and ``is_dir`` raise ``InputError`` if nobody can be asked; all others raise ``OSError``.
    """

    __slots__ = ("_entry", "_listing")

    _listing: Listing | None
    _entry: Entry | None

    @classmethod
    def named(cls, name: str | os.PathLike[str]) -> Remote | Path:
        """The object at a URL, or of a ``UPath``; a file if the URL is one of a file. Raises ``UsageError``."""
        text = without_credentials(str(name))
        protocol = name.protocol if isinstance(name, UPath) else str(name).partition("://")[0]
        try:
            get_filesystem_class(protocol.rpartition("::")[2])
            options: dict[str, Any] = {"use_listings_cache": False} if protocol in _CACHING else {}
            path = name if isinstance(name, UPath) else UPath(str(name), **options)
            if protocol in _BUCKETS and not path.path.strip("/"):
                raise ValueError("no bucket")
        except ImportError as error:
            extra = _EXTRAS.get(protocol)
            remedy = f"pip install 'flowcli[{extra}]'" if extra else without_credentials(str(error))
            raise UsageError(f"{text} needs a package that is not installed: {remedy}") from error
        except ValueError:
            known = f"fsspec knows {_COMMON}, and {len(available_protocols())} protocols in all"
            raise UsageError(f"cannot open {text}: unknown protocol, or no bucket; {known}") from None
        return Path(path.path) if protocol in _FILES else cls._from_upath(path)

    @classmethod
    def _from_upath(cls, upath: UPath, /) -> Remote:
        path = super()._from_upath(upath)
        path._listing = None
        path._entry = None
        return path

    def _near(self, upath: UPath) -> Remote:
        """Another path of the same listing."""
        path = self._from_upath(upath)
        path._listing = self._listing
        return path

    def __reduce__(self) -> tuple[Any, ...]:
        """For other processes: with what is known of this object, but not of all others."""
        return _unpickled, (self.__wrapped__, self._known())

    # What a path is called

    @property
    def _tail(self) -> str:
        """The last part of the path with its query, if that is one."""
        return str(self.__wrapped__.name)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self._tail.partition("?")[0] if self.protocol in _WEB else self._tail

    @property
    def suffix(self) -> str:
        """The suffix of the name."""
        return PurePosixPath(self.name).suffix

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        return PurePosixPath(self.name).stem

    @property
    def parts(self) -> Sequence[str]:
        """The host or bucket and the parts of the path."""
        parts = [without_credentials(part) for part in self.__wrapped__.parts]
        return (*parts[:-1], self.name) if len(parts) > 1 else tuple(parts)

    @property
    def address(self) -> str:
        """The whole URL, with credentials: not to be shown."""
        return f"{self.protocol}:{self.path}"

    def __str__(self) -> str:
        """The URL without credentials."""
        text = str(self.__wrapped__)
        if host := self.storage_options.get("host"):  # of which fsspec makes an option
            text = text.replace(":///", f"://{host}/", 1)
        return without_credentials(text) if self.protocol in _WEB else _USER.sub("", text)

    def __repr__(self) -> str:
        """For developers."""
        return f"{type(self).__name__}({str(self)!r})"

    def __truediv__(self, other: object) -> Remote:
        """An object below this folder."""
        return self._near(self.__wrapped__ / (other.as_posix() if isinstance(other, PurePath) else str(other)))

    def with_name(self, name: str) -> Remote:
        """An object beside this one."""
        return self._near(self.__wrapped__.with_name(name))

    def with_suffix(self, suffix: str) -> Remote:
        """An object beside this one whose name has another suffix."""
        return self.with_name(self.stem + suffix)

    @property
    def parent(self) -> Remote:
        """The folder of this object."""
        return self._near(self.__wrapped__.parent)

    @property
    def parents(self) -> Sequence[Remote]:
        """The folders above."""
        return tuple(self._near(path) for path in self.__wrapped__.parents)

    def absolute(self) -> Remote:
        """The same: every URL is absolute."""
        return self

    def resolve(self, strict: bool = False) -> Remote:  # noqa: ARG002  (as of pathlib.Path)
        """The same: there are no links."""
        return self

    def relative_to(self, other: object, /, *_: object, walk_up: bool = False) -> Path:  # type: ignore[override]
        """The path below a folder, as that of a file, so that it can be joined with any folder; ``ValueError``."""
        above = other.path.rstrip("/") + "/" if isinstance(other, Remote) else str(other)
        path = self.path if self.protocol not in _WEB else self.path.partition("?")[0]
        if walk_up or not (path.rstrip("/") + "/").startswith(above):
            raise ValueError(f"{self} is not below {other}")
        return Path(path[len(above) :])

    def match(self, pattern: str, *, case_sensitive: bool | None = None) -> bool:  # noqa: ARG002
        """Whether the last parts of the path match a pattern."""
        return PurePosixPath(*self.parts).match(pattern)

    # What is there

    def with_listing(self) -> Remote:
        """The same folder, which is listed at once when it is first asked about; see :func:`flowcli.places.listed`."""
        path = self._from_upath(self.__wrapped__)
        if self.protocol not in _WEB or self.path.endswith("/"):  # else its bytes would be searched for links
            path._listing = Listing(self)
        return path

    def sharing(self, listings: dict[str, Listing]) -> Remote:
        """The same object; once many objects of a folder have been asked about one by one, the folder is listed.

        Args:
            listings: of the folders so far; the new one is added.
        """
        path = self._from_upath(self.__wrapped__)
        if self.protocol not in _WEB:  # which say nothing of times
            path._listing = listings.setdefault(_key(self.parent), Listing(self.parent, _PATIENCE))
        return path

    def _known(self) -> Entry | None:
        """What is known of this object without a request."""
        if self._entry is not None:
            return self._entry
        return self._listing.entries.get(_key(self)) if self._listing is not None and self._listing.is_loaded else None

    def _look(self) -> Entry | None:
        """What is known of this path; ``None`` if nothing is there. Raises ``OSError``."""
        if self._entry is not None:
            return self._entry
        listing = self._listing if self._listing is not None and self._listing.covers(self) else None
        return self._ask() if listing is None else listing.find(self)

    def _ask(self) -> Entry | None:
        """What the server knows of this path; ``None`` if nothing is there. Raises ``OSError``."""
        if self.protocol in _WEB and self.path.endswith("/"):
            return _FOLDER
        try:
            with plain_errors(self):
                return Entry.of(self.fs.info(self.path))
        except FileNotFoundError as error:
            if _names_container(error):
                raise
            return None

    def _asked(self) -> Entry | None:
        try:
            return self._look()
        except OSError as error:
            raise InputError(f"cannot read {self}: {error.strerror}") from error

    def stat(self, *, follow_symlinks: bool = True) -> Any:  # noqa: ARG002  (as of pathlib.Path)
        """Size and time of an object."""
        found = self._look()
        if found is None:
            raise FileNotFoundError(errno.ENOENT, "there is no such object", str(self))
        return found

    def exists(self, *, follow_symlinks: bool = True) -> bool:  # noqa: ARG002
        """Whether there is an object of this name, or one below it."""
        return self._asked() is not None

    def is_file(self) -> bool:
        """Whether there is an object of this name."""
        found = self._asked()
        return found is not None and stat.S_ISREG(found.st_mode)

    def is_dir(self) -> bool:
        """Whether there is an object below this name."""
        if self.protocol in _WEB and self._listing is None:
            return self.path.endswith("/")
        found = self._asked()
        return found is not None and stat.S_ISDIR(found.st_mode)

    def iterdir(self) -> Iterator[Remote]:
        """What is in this folder, one level deep."""
        folder, listing = self._listed()
        for name in listing.names(self):
            yield folder / name

    def rglob(self, pattern: str, **_: object) -> Iterator[Remote]:
        """The objects below this folder that match a pattern."""
        return self.glob(f"**/{pattern}")

    def glob(self, pattern: str, **_: object) -> Iterator[Remote]:
        """The objects below this folder that match a pattern; no folders."""
        folder, listing = self._listed()
        matches = re.compile(glob_translate(pattern)).match
        root = _key(self).rstrip("/") + "/"
        for key in listing.files():
            name = key.removeprefix(root)
            if name != key and matches(name):
                yield folder / name

    def _listed(self) -> tuple[Remote, Listing]:
        """The same folder with a listing that covers it."""
        if self._listing is not None and self._listing.covers(self):
            return self, self._listing
        folder = self.with_listing()
        if folder._listing is None:
            raise NotADirectoryError(errno.ENOTDIR, "a folder at such a URL ends with /", str(self))
        return folder, folder._listing

    def beginning_with(self, beginning: str) -> list[Remote]:
        """The objects in this folder whose names begin so, as they are now, whatever a listing said."""
        options = {"prefix": beginning} if self.protocol in _BUCKETS else {}
        below = [key.removeprefix(_key(self).rstrip("/") + "/") for key in self._find(**options)]
        names = [name for name in below if name.startswith(beginning) and "/" not in name]
        return [self._from_upath(self.__wrapped__ / name) for name in names]

    def _find(self, **options: str) -> dict[str, Mapping[str, Any]]:
        """What fsspec finds below this folder."""
        try:
            with plain_errors(self):
                asked: dict[str, Any] = {"refresh": True, **options} if self._is_s3 else options
                return cast(dict[str, Mapping[str, Any]], self.fs.find(self.path, detail=True, **asked))
        except FileNotFoundError as error:
            if _names_container(error):
                raise
            return {}

    # What is in an object

    def read_bytes(self) -> bytes:
        """All bytes, by one request."""
        with plain_errors(self):
            try:  # s3fs would ask for the size first, to fetch large objects in parts
                return cast(bytes, self.fs.cat_file(self.path, **({"max_concurrency": 1} if self._is_s3 else {})))
            except IsADirectoryError:
                raise FileNotFoundError(errno.ENOENT, "there is no such object", str(self)) from None

    def read_text(self, encoding: str | None = None, errors: str | None = None, newline: str | None = None) -> str:
        """All text, by one request."""
        return io.TextIOWrapper(io.BytesIO(self.read_bytes()), encoding or "utf-8", errors, newline).read()

    def read_range(self, start: int, stop: int) -> bytes:
        """The bytes from ``start`` to ``stop``, fewer at the end, by one request."""
        with plain_errors(self):
            data = cast(bytes, self.fs.cat_file(self.path, start=start, end=stop))
        return data if len(data) <= stop - start else data[start:stop]  # a server that knows no ranges sends all

    def open(self, mode: str = "r", *_: object, **__: object) -> Any:
        """Open an object for reading bytes; only what is read is fetched, a part at a time."""
        if mode != "rb":
            raise ValueError(f"objects are opened for reading bytes, not as {mode}")
        return io.BufferedReader(_Ranges(self), _HEAD_BYTES)

    def download(self, target: Path) -> None:
        """Copy an object to a file."""
        with plain_errors(self):
            self.fs.get_file(self.path, str(target))

    def write_bytes(self, data: bytes | memoryview, noted: Mapping[str, str] | None = None) -> int:
        """Write an object, which appears whole or not at all.

        Args:
            data: its bytes.
            noted: what to note of it, for :meth:`noted`.

        Returns:
            The number of bytes.
        """
        with plain_errors(self):
            self._check_writable()
            self.fs.pipe_file(self.path, bytes(data), **self._metadata(noted))
        self._forget()
        return len(data)

    def upload(self, source: Path, noted: Mapping[str, str] | None = None) -> None:
        """Write a file to an object, which appears whole or not at all; see :meth:`write_bytes`."""
        with plain_errors(self):
            self._check_writable()
            self.fs.put_file(str(source), self.path, **self._metadata(noted))
        self._forget()

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove an object."""
        with contextlib.ExitStack() as stack:
            if missing_ok:
                stack.enter_context(contextlib.suppress(FileNotFoundError))
            with plain_errors(self):
                self.fs.rm_file(self.path)
        self._forget()

    def noted(self) -> dict[str, str]:
        """What was noted of an object when it was written, by one request; nothing where a store cannot note."""
        listing = self._listing if self._listing is not None and self._listing.covers(self) else None
        with plain_errors(self):
            if self._is_s3:
                found = self._heads([self.path])[0] if listing is None else listing.noted(self)
            elif self.protocol in {"gs", "gcs"}:
                found = self.fs.info(self.path).get("metadata") or {}
            else:
                return {}
        return {
            name.lower().removeprefix(_NOTED): unquote(value)
            for name, value in found.items()
            if name.lower().startswith(_NOTED)
        }

    def _heads(self, paths: list[str]) -> list[Mapping[str, str]]:
        """What is noted of objects on S3, by one request each, all at the same time; raises what s3fs raises."""

        async def all_of() -> list[Mapping[str, str] | BaseException]:
            found: list[Mapping[str, str] | BaseException] = await asyncio.gather(
                *map(self.fs._metadata, paths), return_exceptions=True
            )
            return found

        found: list[Mapping[str, str] | BaseException] = sync(self.fs.loop, all_of)
        if isinstance(found[0], BaseException):
            raise found[0]
        return [{} if isinstance(each, BaseException) else each for each in found]

    def is_whole_store(self) -> bool:
        """Whether objects appear whole or not at all in this store, so that flowcli writes to it."""
        return self.protocol in _WHOLE

    @property
    def _is_s3(self) -> bool:
        return self.protocol in _S3

    def _metadata(self, noted: Mapping[str, str] | None) -> dict[str, Any]:
        """The arguments that make a file system note something of what it writes."""
        quoted = {f"{_NOTED}{name}": quote(value, safe="/ ") for name, value in (noted or {}).items()}
        if quoted and self._is_s3:
            return {"Metadata": quoted}
        return {"metadata": quoted} if quoted and self.protocol in {"gs", "gcs"} else {}

    def _check_writable(self) -> None:
        if not self.is_whole_store():
            raise OSError(errno.EROFS, f"flowcli does not write to {self.protocol}://", str(self))

    def _forget(self) -> None:
        if self._listing is not None:
            self._listing.forget(self)


def _unpickled(upath: UPath, entry: Entry | None) -> Remote:
    path = Remote._from_upath(upath)
    path._entry = entry
    return path


def _key(path: Remote) -> str:
    """What a listing calls a path."""
    return path.path.rstrip("/") if path.path != "/" else path.path


class Listing:
    """What is below a folder, from one listing: all objects with their sizes and times.

    Args:
        folder: the folder. It is listed when it is first asked about.
        patience: of how many objects the server is asked one by one before that.
    """

    def __init__(self, folder: Remote, patience: int = 0) -> None:
        self._patience = patience
        self._asked: dict[str, Entry | None] = {}
        self._folder = folder
        self.root = _key(folder)
        """The folder, by what its file system calls it."""
        self._lock = threading.Lock()
        self._changed: set[str] = set()
        self._folders: dict[str, dict[str, None]] = {}
        self.entries: dict[str, Entry] = {}
        """The objects, by what their file system calls them."""
        self.is_loaded = False
        self._order: dict[str, int] = {}
        self._keys: list[str] = []
        self._notes: dict[str, Mapping[str, str]] = {}
        self._expected, self._streak = 0, 0

    def noted(self, path: Remote) -> Mapping[str, str]:
        """What is noted of an object on S3; as long as objects are asked for in order, the next ones are asked, too."""
        self._load()
        key = _key(path)
        place = self._order.get(key)
        if place is None:
            return path._heads([key])[0]
        self._streak = self._streak + 1 if place == self._expected else 0
        self._expected = place + 1
        if key not in self._notes:
            keys = self._keys[place : place + min(1 << self._streak, _AT_ONCE)]
            self._notes.update(zip(keys, path._heads(keys), strict=True))
        return self._notes.pop(key)

    def covers(self, path: Remote) -> bool:
        """Whether the listing says all of a path: it is the folder or below it, and not changed since."""
        key = _key(path)
        return key not in self._changed and (key == self.root or key.startswith(self.root.rstrip("/") + "/"))

    def forget(self, path: Remote) -> None:
        """Look this path up again when it is asked about: this process has changed it."""
        self._changed.add(_key(path))

    def find(self, path: Remote) -> Entry | None:
        """What is known of a path that the listing covers; ``None`` if nothing is there."""
        key = _key(path)
        if not self.is_loaded and len(self._asked) < self._patience:
            if key not in self._asked:
                self._asked[key] = path._ask()
            return self._asked[key]
        self._load()
        if key in self.entries:
            return self.entries[key]
        return _FOLDER if key in self._folders else None

    def names(self, folder: Remote) -> list[str]:
        """The names in a folder; raises ``FileNotFoundError`` if there is none."""
        self._load()
        names = self._folders.get(_key(folder))
        if names is None:
            raise FileNotFoundError(errno.ENOENT, "there is no such folder", str(folder))
        return list(names)

    def files(self) -> list[str]:
        """All objects, by what their file system calls them."""
        self._load()
        return list(self.entries)

    def _load(self) -> None:
        with self._lock:
            if not self.is_loaded:
                for name, info in self._folder._find().items():
                    if info.get("type") != "directory" and not name.endswith("/"):
                        self._add(name, Entry.of(info))
                self._keys = list(self.entries)
                self._order = {key: number for number, key in enumerate(self._keys)}
                self.is_loaded = True

    def _add(self, key: str, entry: Entry) -> None:
        self.entries[key] = entry
        while key != self.root:
            parent, _, name = key.rpartition("/")
            parent = parent or "/"
            known = parent in self._folders
            self._folders.setdefault(parent, {})[name] = None
            if known or not parent.startswith(self.root):
                return
            key = parent


class _Ranges(io.RawIOBase):
    """Reads an object in parts, each by one request."""

    def __init__(self, path: Remote) -> None:
        self._path = path
        self._position = 0
        self._end: int | None = None
        self._head = b""  # kept: headers are read by going back and forth

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_CUR:
            offset += self._position
        elif whence == os.SEEK_END:
            self._end = self._path.stat().st_size if self._end is None else self._end
            offset += self._end
        self._position = offset
        return offset

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        wanted = len(buffer)
        data = self._head[self._position : self._position + wanted]
        if not data:
            data = self._fetched(wanted)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _fetched(self, wanted: int) -> bytes:
        if self._end is not None and self._position >= self._end:
            return b""
        try:
            data = self._path.read_range(self._position, self._position + wanted)
        except OSError as error:
            if error.errno != errno.EINVAL:  # what begins at the end is no range
                raise
            data = b""
        if len(data) < wanted:
            self._end = self._position + len(data)
        if not self._position:
            self._head = data
        return data


@contextlib.contextmanager
def plain_errors(path: Remote) -> Iterator[None]:
    """Raise what libraries raise within the block as an ``OSError`` that says the cause, without credentials.

    The original is not chained: its text may contain the whole URL, which a traceback would print.
    """
    try:
        yield
    except NotImplementedError:
        raise OSError(errno.EROFS, "it cannot be written to", str(path)) from None
    except OSError as error:
        raise _plain(error, path) from None
    except _foreign_errors() as error:
        raise _plain(error, path) from None


def _foreign_errors() -> tuple[type[BaseException], ...]:
    loaded = [(sys.modules.get(module), name) for module, name in _FOREIGN]
    found = (getattr(module, name) for module, name in loaded if hasattr(module, name))
    return ValueError, *found  # the first of names that a store cannot have


def _plain(error: BaseException, path: Remote) -> OSError:
    status = getattr(error, "status", None) or getattr(error, "code", None)
    text = getattr(error, "strerror", None) or str(error)
    if isinstance(error, FileNotFoundError) or status == 404:
        text = _NO_BUCKET if _BUCKET.search(text) else "there is no such object"
        return FileNotFoundError(errno.ENOENT, text, str(path))
    kind = type(error).__name__
    if isinstance(error, PermissionError) or status in {401, 403} or "Credential" in kind or "Auth" in kind:
        no_keys = "NoCredentials" in kind or "DefaultCredentials" in kind
        cause = "no credentials were found" if no_keys else "access was denied"
        return PermissionError(errno.EACCES, f"{cause}; check the credentials in the environment", str(path))
    if isinstance(error, TimeoutError) or "Timeout" in kind:
        return OSError(errno.EIO, "the server did not answer in time", str(path))
    if isinstance(error, ConnectionError) or "Connect" in kind or "Disconnect" in kind or "Payload" in kind:
        return OSError(errno.EIO, "the connection to the server failed", str(path))
    if "bucket name" in text.lower():
        return OSError(errno.EINVAL, "no bucket can have that name", str(path))
    number = error.errno if isinstance(error, OSError) and error.errno else errno.EIO
    if status == 416 or "range" in text.lower():
        number = errno.EINVAL
    cause = " ".join(without_credentials(text).split()).rstrip(".") or kind
    return OSError(number, cause[:1].lower() + cause[1:], str(path))


def _names_container(error: OSError) -> bool:
    """Whether not only an object is missing, but what it would be in."""
    return error.strerror == _NO_BUCKET
