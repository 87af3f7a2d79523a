"""Files that have to be sought in: as they are, or copied to this machine first.

FFmpeg, and readers of TIFF stacks, go back and forth in a file, so an object in a bucket is fetched once, as a whole.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import weakref
from pathlib import Path

from ..errors import InputError
from ..places import is_remote
from ..shutdown import making_file, on_abrupt_end
from ..storage import why

_copies: set[Path] = set()  # temporary files of this process


class LocalFile:
    """A file on this machine with the content of ``path``.

    A copy has the time stamp of the object. It is removed when nobody uses this any more, and when the process ends.

    Args:
        path: a file, or an object at a URL.

    Raises:
        InputError: the object cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if is_remote(path):
            self.path = _new_file(path.suffix)
            weakref.finalize(self, _remove, self.path)
            try:
                path.download(self.path)
                changed = path.stat().st_mtime_ns
                os.utime(self.path, ns=(changed, changed))
            except OSError as error:
                raise InputError(f"cannot read {path}: {why(error)}; check the path") from error


def _new_file(suffix: str) -> Path:
    with making_file():
        descriptor, name = tempfile.mkstemp(suffix, "flowcli-")
        os.close(descriptor)
        _copies.add(Path(name))
    return Path(name)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
    _copies.discard(path)


def _remove_all() -> None:
    """Remove the copies of this process, which is about to be ended."""
    for path in list(_copies):
        _remove(path)


on_abrupt_end(_remove_all)
