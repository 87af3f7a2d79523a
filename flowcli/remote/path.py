"""Paths of objects at URLs."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import io
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, cast
from urllib.parse import quote, unquote

from fsspec.asyn import sync
from fsspec.registry import available_protocols, get_filesystem_class
from fsspec.utils import glob_translate
from upath import UPath
from upath.extensions import ProxyUPath

from ..errors import InputError, UsageError
from .causes import has_slash_in_password, names_container, plain_errors, without_credentials
from .listing import FOLDER, Entry, Infos, Listing, Notes
from .ranges import Ranges

_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "http": "http", "https": "http"}
_WEB = frozenset({"http", "https"})
_S3 = frozenset({"s3", "s3a"})
_SAME = {"s3a": "s3", "gcs": "gs"}  # two names for one store
_SIGNING = re.compile(  # the names of what signs a URL: it changes while the object stays the same
    r"x-(amz|goog|oss|ms)-.*|.*(token|signature|expires|credential|secret|passw|auth|session|policy).*"
    r"|key|key-pair-id|awsaccesskeyid|googleaccessid|sig|s[eprtv]|spr|sip|sk(oid|tid|[tesv])|exp|hmac",
    re.IGNORECASE,
)
_BUCKETS = _S3 | {"gs", "gcs"}
_CACHING = _BUCKETS | _WEB | {"az", "abfs", "abfss"}  # whose file systems would keep listings
_WHOLE = _BUCKETS | {"az", "abfs", "abfss", "hf", "memory"}
"""Protocols of stores in which an object appears whole or not at all."""

_FILES = frozenset({"file", "local"})
_COMMON = "s3, gs, az, hf, http and https"
_HEAD_BYTES = 1 << 16  # what a read of an object's beginning fetches at least
_PATIENCE = 100  # objects of a folder that are asked about one by one before it is listed
_NOTED = "flowcli-"  # how the names of what flowcli notes of an object begin


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
        if has_slash_in_password(str(name)):
            raise UsageError(f"cannot open {text}: write the slash in its password as %2F")
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
        """The whole URL, with credentials: not to be shown. One text for both names of a store."""
        path = self.path if self.protocol in _WEB else self.path.rstrip("/")
        return f"{_SAME.get(self.protocol, self.protocol)}:{path}"

    @property
    def variant(self) -> str:
        """What tells objects apart that are shown alike: a short hash of the query without what signs it, or ''."""
        query = self.path.partition("?")[2]
        if self.protocol in _WEB:
            query = "&".join(each for each in query.split("&") if not _SIGNING.fullmatch(each.partition("=")[0]))
        return hashlib.sha256(query.encode()).hexdigest()[:8] if query else ""

    @property
    def recorded(self) -> str:
        """What records call this object; see :func:`flowcli.places.recorded_place`."""
        protocol, _, rest = str(self).partition("://")
        name = f"{_SAME.get(protocol, protocol)}://{rest}"
        return f"{name}#{self.variant}" if self.variant else name

    def __str__(self) -> str:
        """The URL without credentials."""
        text = str(self.__wrapped__)
        if host := self.storage_options.get("host"):  # of which fsspec makes an option
            text = text.replace(":///", f"://{host}/", 1)
        return without_credentials(text.partition("?")[0] if self.protocol in _WEB else text)

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
            path._listing = Listing(_key(self), self._find)
        return path

    def unlisted(self) -> Remote:
        """The same object, of which the server is asked whatever a listing says."""
        return self._from_upath(self.__wrapped__)

    def sharing(self, listings: dict[str, Listing]) -> Remote:
        """The same object; once many objects of a folder have been asked about one by one, the folder is listed.

        Args:
            listings: of the folders so far; the new one is added.
        """
        path = self._from_upath(self.__wrapped__)
        if self.protocol not in _WEB:  # which say nothing of times
            folder = self.parent
            path._listing = listings.setdefault(_key(folder), Listing(_key(folder), folder._find, _PATIENCE))
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
        listing = self._covering()
        return self._ask() if listing is None else listing.find(_key(self), self._ask)

    def _covering(self) -> Listing | None:
        """The listing, if it says all of this path."""
        return self._listing if self._listing is not None and self._listing.covers(_key(self)) else None

    def _ask(self) -> Entry | None:
        """What the server knows of this path; ``None`` if nothing is there. Raises ``OSError``."""
        if self.protocol in _WEB and self.path.endswith("/"):
            return FOLDER
        try:
            with plain_errors(self):
                return Entry.of(self.fs.info(self.path))
        except FileNotFoundError as error:
            if names_container(error):
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
        names = listing.names(_key(self))
        if names is None:
            raise FileNotFoundError(errno.ENOENT, "there is no such folder", str(self))
        for name in names:
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
        if (listing := self._covering()) is not None:
            return self, listing
        folder = self.with_listing()
        if folder._listing is None:
            raise NotADirectoryError(errno.ENOTDIR, "a folder at such a URL ends with /", str(self))
        return folder, folder._listing

    def beginning_with(self, beginning: str, *, as_listed: bool = False) -> list[Remote]:
        """The objects in this folder whose names begin so, as they are now, whatever a listing said.

        Args:
            beginning: the beginning.
            as_listed: whether a listing that covers the folder says it instead.
        """
        if as_listed and (listing := self._covering()) is not None:
            found = [name for name in listing.names(_key(self)) or [] if name.startswith(beginning)]
            return [self._from_upath(self.__wrapped__ / name) for name in found]
        options = {"prefix": beginning} if self.protocol in _BUCKETS else {}
        below = [key.removeprefix(_key(self).rstrip("/") + "/") for key in self._find(**options)]
        names = [name for name in below if name.startswith(beginning) and "/" not in name]
        return [self._from_upath(self.__wrapped__ / name) for name in names]

    def _find(self, **options: str) -> Infos:
        """What fsspec finds below this folder."""
        try:
            with plain_errors(self):
                asked: dict[str, Any] = {"refresh": True, **options} if self._is_s3 else options
                return cast(Infos, self.fs.find(self.path, detail=True, **asked))
        except FileNotFoundError as error:
            if names_container(error):
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
        return io.BufferedReader(Ranges(self.read_range, lambda: int(self.stat().st_size)), _HEAD_BYTES)

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
        listing = self._covering()
        with plain_errors(self):
            if self._is_s3:
                found = (
                    (self._heads([self.path])[0] or {}) if listing is None else listing.noted(_key(self), self._heads)
                )
            elif self.protocol in {"gs", "gcs"}:
                found = self.fs.info(self.path).get("metadata") or {}
            else:
                return {}
        return {
            name.lower().removeprefix(_NOTED): unquote(value)
            for name, value in found.items()
            if name.lower().startswith(_NOTED)
        }

    def _heads(self, paths: Sequence[str]) -> list[Notes | None]:
        """What is noted of objects on S3, by one request each, all at the same time.

        Returns:
            The notes; ``None`` for an object, but the first, of which they could not be had. Raises what s3fs raises.
        """

        async def all_of() -> list[Notes | BaseException]:
            return list(await asyncio.gather(*map(self.fs._metadata, paths), return_exceptions=True))

        found: list[Notes | BaseException] = sync(self.fs.loop, all_of)
        if isinstance(found[0], BaseException):
            raise found[0]
        return [None if isinstance(each, BaseException) else each for each in found]

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
            self._listing.forget(_key(self))


def _unpickled(upath: UPath, entry: Entry | None) -> Remote:
    path = Remote._from_upath(upath)
    path._entry = entry
    return path


def _key(path: Remote) -> str:
    """What a listing calls a path."""
    return path.path.rstrip("/") if path.path != "/" else path.path
