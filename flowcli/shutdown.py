"""Leaving soon after Ctrl-C, whatever the program is in the middle of.

Python tells the main thread of a signal when that thread is next in Python code. OpenCV may keep it for many seconds,
and so may a reader of our output that has stopped reading. So a thread is told as well, by the wakeup file descriptor;
it gives the program a moment to end by itself, and then removes unfinished files and ends it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable

from .errors import INTERRUPTED, KILLED_BY_SIGNAL
from .storage import remove_temporary_files

INTERRUPTED_MESSAGE = "interrupted; finished outputs are kept, partial ones removed"

_GRACE_SECONDS = 1.5  # two are promised

_FAREWELL_SECONDS = 0.3
_SHOW_CURSOR = "\x1b[?25h\n"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def leave_soon_after_signals(say: Callable[[str], None]) -> None:
    """Make SIGINT, SIGTERM and SIGHUP end the program within two seconds.

    Args:
        say: tells the user, if the program did not get round to it.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    threading.Thread(target=_wait, args=(reading, say), name="interruption", daemon=True).start()
    for number in _SIGNALS[1:]:
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup ignores SIGHUP
            signal.signal(number, _terminate)


def exit_code(number: int) -> int:
    """Of a program that was ended by this signal."""
    return INTERRUPTED if number == signal.SIGINT else KILLED_BY_SIGNAL + number


def _terminate(number: int, _frame: object) -> None:
    # An exception, so that temporary files are removed on the way out.
    raise SystemExit(exit_code(number))


def _wait(reading: int, say: Callable[[str], None]) -> None:
    number = 0
    while number not in _SIGNALS:
        number = os.read(reading, 1)[0]
    time.sleep(_GRACE_SECONDS)
    remove_temporary_files()
    # A terminal that nobody reads must not keep us either.
    leave = threading.Timer(_FAREWELL_SECONDS, os._exit, [exit_code(number)])
    leave.daemon = True
    leave.start()
    say(INTERRUPTED_MESSAGE)
    if sys.__stderr__ is not None and sys.__stderr__.isatty():
        sys.__stderr__.write(_SHOW_CURSOR)  # which a progress bar hides
    os._exit(exit_code(number))
