"""How the program ends: signals, the exit codes that follow from them, and what is cleaned up, all in one place.

After SIGINT (Ctrl-C), SIGTERM, SIGHUP or, on Windows, Ctrl-Break, as far as the system has them:

1. The main thread gets an exception, ``KeyboardInterrupt`` or ``SystemExit``, so that every ``with`` block on the way
   out removes its unfinished files. This is how nearly every run ends.
2. Python raises that exception only when the main thread is next in Python code. OpenCV may keep it for many seconds,
   and so may a reader of our output that has stopped reading. So a thread is told of the signal as well, by the wakeup
   file descriptor. It gives the program a moment to end by itself; then it calls the hooks of :func:`on_abrupt_end` and
   ends the process.

A signal that is ignored when the program starts stays ignored. That is the shell's convention: background jobs of
scripts (``flowcli ... &``) and many CI runners ignore SIGINT, and ``nohup`` ignores SIGHUP, so that what is meant for
the foreground does not end them. SIGTERM (plain ``kill``) ends them all the same.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import NoReturn, TextIO

INTERRUPTED = 130
"""Exit code after Ctrl-C."""

KILLED_BY_SIGNAL = 128
"""Added to the number of the signal that ended the process, as in shells: SIGTERM gives 143."""

INTERRUPTED_MESSAGE = "interrupted; finished outputs are kept, partial ones removed"

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
_SIGNALS = tuple(signal.Signals[name] for name in _NAMES if hasattr(signal, name))  # no system has all of them

_GRACE_SECONDS = 1.5  # two are promised
_FAREWELL_SECONDS = 0.3
_SHOW_CURSOR = b"\x1b[?25h\n"

_MAKING_SECONDS = 0.1  # a file is made in less
_hooks: list[Callable[[], None]] = []
_terminated_by: int | None = None
_making = threading.RLock()  # taken again where garbage collection ends what was making a file in the same thread
_is_ending = threading.Event()


def _renew() -> None:
    """In a process that was forked while another thread of this one made a file."""
    global _making
    _making = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)


@contextlib.contextmanager
def making_file() -> Iterator[None]:
    """Make or remove a file that a hook of :func:`on_abrupt_end` removes, within the block, which must be short.

    One thread does so at a time. Hooks are not called before it has ended; once they have been called, it never begins,
    so that no file stays behind.
    """
    with _making:
        if _is_ending.is_set():
            threading.Event().wait()  # for the end of the process
        yield


def on_abrupt_end(hook: Callable[[], None]) -> None:
    """Have ``hook`` called before the process is ended in the middle of something.

    It runs in another thread than the work and must neither wait nor raise.
    """
    _hooks.append(hook)


def watch_signals() -> None:
    """Make each signal end the program within two seconds, unless it is ignored; to be called in the main thread."""
    reading, writing = socket.socketpair()  # a pipe could not be told not to block everywhere
    writing.setblocking(False)
    signal.set_wakeup_fd(writing.detach(), warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(reading,), name="interruption", daemon=True).start()
    for number in _SIGNALS:
        # For SIGINT, Python itself installs a handler that raises KeyboardInterrupt, unless the signal is ignored.
        if number != signal.SIGINT and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _terminate)


def exit_code(number: int) -> int:
    """The exit code of a program that was ended by signal ``number``."""
    return INTERRUPTED if number == signal.SIGINT else KILLED_BY_SIGNAL + number


def is_interruption(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind ``error``: Python wraps it where it comes while a class is being made, in an import."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__
    return False


def give_up(stream: TextIO) -> None:
    """Send the rest of a stream that has failed nowhere: Python would try once more at exit, and complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def leave(code: int) -> NoReturn:
    """End the program with this exit code; a stderr that is closed or full does not change it."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            sys.stderr.flush()
    sys.exit(code)


def clean_up() -> None:
    """Call the hooks of :func:`on_abrupt_end`, because the process is about to be ended."""
    is_ours = _making.acquire(timeout=_MAKING_SECONDS)
    _is_ending.set()
    if is_ours:
        _making.release()
    for hook in _hooks:
        hook()


def leave_at_once(number: int) -> NoReturn:
    """End the process as after signal ``number``, whatever its threads are doing."""
    clean_up()
    # A terminal that nobody reads must not keep us either.
    farewell = threading.Timer(_FAREWELL_SECONDS, os._exit, [exit_code(number)])
    farewell.daemon = True
    farewell.start()
    _say_interrupted()
    os._exit(exit_code(number))


def code_of(error: SystemExit) -> int:
    """The exit code that ``error`` stands for: that of the signal behind it, if there was one.

    Native code that we call may raise another exception in its place; Ray's has the code 1.
    """
    if _terminated_by is not None:
        return exit_code(_terminated_by)
    return error.code if isinstance(error.code, int) else int(error.code is not None)


def _terminate(number: int, _frame: object) -> NoReturn:
    global _terminated_by
    _terminated_by = number
    raise SystemExit(exit_code(number))


def _watch(wakeup: socket.socket) -> None:
    number = 0
    while number not in _SIGNALS:
        number = wakeup.recv(1)[0]
    time.sleep(_GRACE_SECONDS)
    leave_at_once(number)


def _say_interrupted() -> None:
    """Straight to the file descriptor: a thread that is stuck in a write holds the stream's lock."""
    stream = sys.__stderr__
    if stream is None:
        return
    with contextlib.suppress(OSError, ValueError):  # closed or full
        os.write(stream.fileno(), f"flowcli: error: {INTERRUPTED_MESSAGE}\n".encode())
        if stream.isatty():
            os.write(stream.fileno(), _SHOW_CURSOR)  # which a progress bar hides
