"""Keeps what libraries print from the terminal, where flowcli promises a single line of its own."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import TextIO, cast

_LOCK = threading.Lock()  # file descriptor 2 and sys.stdout belong to the whole process


@contextlib.contextmanager
def captured_stderr(is_chatter: Callable[[bytes], object]) -> Iterator[list[str]]:
    """Collect the lines that C libraries print directly to file descriptor 2 while the block runs.

    All other output during that time, such as a progress bar in another thread, is passed on.

    Args:
        is_chatter: whether a line, with its end, is one of these.

    Yields:
        The lines; complete only after the block.
    """
    with _LOCK, _captured(is_chatter) as lines:
        yield lines


@contextlib.contextmanager
def silenced(is_chatter: Callable[[bytes], object]) -> Iterator[list[str]]:
    """As :func:`captured_stderr`, and drop what this thread prints to ``sys.stdout``, as OpenEXR's warnings are."""
    with _LOCK:
        stdout = sys.stdout
        if stdout is not None:
            sys.stdout = cast(TextIO, _OtherThreads(stdout))
        try:
            with _captured(is_chatter) as lines:
                yield lines
        finally:
            sys.stdout = stdout


class _OtherThreads:
    """A stream that drops what the thread that made it writes, and is ``stream`` itself to all other threads."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._thread = threading.get_ident()

    def write(self, text: str) -> int:
        return len(text) if threading.get_ident() == self._thread else self._stream.write(text)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


@contextlib.contextmanager
def _captured(is_chatter: Callable[[bytes], object]) -> Iterator[list[str]]:
    lines: list[str] = []
    with contextlib.ExitStack() as stack:
        try:
            caught = stack.enter_context(tempfile.TemporaryFile())
            original = os.dup(2)
        except OSError:  # no stderr, or no room for a temporary file: let the libraries print
            yield lines
            return
        stack.callback(os.close, original)
        os.dup2(caught.fileno(), 2)
        try:
            yield lines
        finally:
            os.dup2(original, 2)
            caught.seek(0)
            for line in caught.read().splitlines(keepends=True):
                if is_chatter(line):
                    lines.append(line.decode(errors="replace"))
                else:
                    with contextlib.suppress(OSError):
                        os.write(2, line)
