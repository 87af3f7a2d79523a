"""What users name: files on this machine, or objects at URLs such as ``s3://bucket/frame.png``.

Every name that a user gives goes through :func:`place`. What exists as a file is that file, whatever its name;
otherwise a name with ``://`` is a URL. Nothing heavy is imported unless there is one.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, TypeGuard, cast

from .errors import UsageError

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from .remote import Remote

_URL = "://"

_is_offline = False


class OfflineError(UsageError):
    """A URL was named, but the user has asked not to use the network."""


def go_offline(wanted: bool) -> bool:
    """From now on, in this process, refuse every URL if that is ``wanted``; returns ``wanted``."""
    global _is_offline
    _is_offline = _is_offline or wanted
    return wanted


def place(name: str | os.PathLike[str]) -> Path:
    """The file or object that a user has named.

    Args:
        name: the name of a file that exists, a URL, or the name of a file that may not exist yet.

    Returns:
        A ``pathlib.Path``, or a :class:`flowcli.remote.Remote`, which has the part of its interface that flowcli uses
        but is no subclass of it; that is hidden from the type checker here and nowhere else.

    Raises:
        UsageError: the protocol of the URL is unknown, needs a package that is missing, or URLs are refused
            (:func:`go_offline`).
    """
    if isinstance(name, PurePath):
        return cast(Path, name)
    text = name if isinstance(name, str) else str(name)
    if _URL not in text or os.path.lexists(text):
        return Path(text)
    if _is_offline:
        from .remote import without_credentials

        raise OfflineError(f"{without_credentials(text)} is a URL, which `offline` does not open; give a file")
    from .remote import Remote

    if isinstance(name, Remote):
        return cast(Path, name)
    return cast(Path, Remote.named(name))


def is_remote(path: object) -> TypeGuard[Remote]:
    """Whether a path from :func:`place` is an object at a URL, not a file."""
    remote = sys.modules.get(f"{__package__}.remote")  # not loaded where there is no URL
    return remote is not None and isinstance(path, remote.Remote)


def is_name(source: object) -> TypeIs[str | Path]:
    """Whether a user has given a name, or a path, rather than something that is open already."""
    return isinstance(source, str | PurePath) or is_remote(source) or hasattr(source, "__vfspath__")  # a UPath


def object_at(name: str) -> Path | None:
    """The object that a user has named; ``None`` if it is a file. Raises ``UsageError`` as :func:`place`."""
    path = place(name) if _URL in name else None
    return path if is_remote(path) else None  # type: ignore[return-value]  # see place()


def file_only(name: str | os.PathLike[str]) -> Path:
    """The file that a user has named as an output that can only be a file; raises ``UsageError`` if not."""
    path = place(name)
    if is_remote(path):
        raise UsageError(
            f"cannot write to {path}: this output can only be a file, unlike the flow of estimate, batch and eval; "
            "write a file and copy it"
        )
    return path


def shown(name: str) -> str:
    """What a user has named as messages and results show it: without the credentials that a URL may have."""
    return str(place(name)) if _URL in name else name


def listed(path: Path) -> Path:
    """A folder that is about to be searched as a whole: what is below it is listed once, when it is first asked about.

    All paths that are made from the result know what the listing says: whether they exist, how large they are and when
    they were changed. What this process itself writes or removes is looked up again. A file is returned as it is.
    """
    return cast(Path, path.with_listing()) if is_remote(path) else path


def unlisted(path: Path) -> Path:
    """A path of which the server is asked anew: others may have written it since it was listed."""
    return cast(Path, path.unlisted()) if is_remote(path) else path


def identity(path: Path) -> str:
    """The same text for the same file or object: without links, and on Windows without regard to case."""
    return path.address if is_remote(path) else os.path.normcase(os.path.realpath(path))


def recorded_place(path: Path) -> str:
    """What records call a file or object: without links and credentials, and another text for each of two objects.

    What only signs a URL makes no difference, so that a run is resumed with URLs that are signed anew.
    """
    return path.recorded if is_remote(path) else str(path.resolve())
