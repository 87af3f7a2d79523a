"""Keeps what codecs print on stderr from the user, and tells damage by it."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import threading
from collections.abc import Iterator

_CHATTER = re.compile(
    rb"libpng (?:error|warning)|Corrupt JPEG data|Premature end of JPEG|Inconsistent progression sequence|"
    rb"Invalid SOS parameters|Unknown Adobe color transform|Warning: unknown JFIF revision|"
    rb"Caution: quantization tables|Application transferred too many scanlines|"
    rb"tempfile\.tif: "
)
"""What libpng, libjpeg (its table of messages in jerror.h) and libtiff (as Pillow names its files) print."""

_LOCK = threading.Lock()


@contextlib.contextmanager
def captured_stderr() -> Iterator[list[bytes]]:
    """Collect the lines that image libraries print directly to file descriptor 2.

    All other output during that time, such as a progress bar in another thread, is passed on.
    """
    complaints: list[bytes] = []
    with contextlib.ExitStack() as stack:
        stack.enter_context(_LOCK)
        try:
            caught = stack.enter_context(tempfile.TemporaryFile())
            original = os.dup(2)
        except OSError:  # no stderr, or no room for a temporary file: let the libraries print
            yield complaints
            return
        stack.callback(os.close, original)
        os.dup2(caught.fileno(), 2)
        try:
            yield complaints
        finally:
            os.dup2(original, 2)
            caught.seek(0)
            for line in caught.read().splitlines(keepends=True):
                if _CHATTER.match(line):
                    complaints.append(line)
                else:
                    with contextlib.suppress(OSError):
                        os.write(2, line)
