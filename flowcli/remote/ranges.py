"""Reads an object as a file, a part at a time."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from typing import Any


class Ranges(io.RawIOBase):
    """Reads an object in parts, each by one request.

    Args:
        read: returns the bytes from one place to another, fewer at the end; raises ``OSError``.
        size: returns the number of bytes.
    """

    def __init__(self, read: Callable[[int, int], bytes], size: Callable[[], int]) -> None:
        self._read, self._size = read, size
        self._position = 0
        self._end: int | None = None
        self._head = b""  # kept: headers are read by going back and forth

    def readable(self) -> bool:
        """As of a file."""
        return True

    def seekable(self) -> bool:
        """As of a file."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As of a file."""
        if whence == os.SEEK_CUR:
            offset += self._position
        elif whence == os.SEEK_END:
            self._end = self._size() if self._end is None else self._end
            offset += self._end
        self._position = offset
        return offset

    def tell(self) -> int:
        """As of a file."""
        return self._position

    def readinto(self, buffer: Any) -> int:
        """As of a file; the beginning that is read first is kept."""
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
            data = self._read(self._position, self._position + wanted)
        except OSError as error:
            if error.errno != errno.EINVAL:  # what begins at the end is no range
                raise
            data = b""
        if len(data) < wanted:
            self._end = self._position + len(data)
        if not self._position:
            self._head = data
        return data
