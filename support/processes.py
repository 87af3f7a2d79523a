"""Starting processes in tests so that the same happens wherever the tests themselves run.

A process inherits which signals are ignored, and under ``nohup``, in a background job and in many CI runners SIGINT or
SIGHUP is. What is started here has default dispositions, unless a test asks for others. Every wait has a deadline, and
nothing is left running or open.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

PROGRAM = str(Path(sys.executable).with_name("flowcli"))
"""The installed command."""

DEADLINE = 120.0
"""Seconds after which a process that has not ended is taken to be stuck."""

_FOREGROUND = tuple(getattr(signal, name) for name in ("SIGINT", "SIGHUP", "SIGTERM") if hasattr(signal, name))


@contextlib.contextmanager
def started(
    command: Sequence[str | Path], *, ignoring: Collection[int] = (), **options: Any
) -> Iterator[subprocess.Popen[Any]]:
    """Start a process; at the end of the block it is killed if it still runs, and its pipes are closed.

    Args:
        command: the program and its arguments.
        ignoring: signals that are ignored in the process, as after ``nohup``; all others do what they do by default.
        options: of ``subprocess.Popen``; stdin is empty unless it is given.
    """
    with _dispositions(ignoring):
        process = subprocess.Popen(command, **{"stdin": subprocess.DEVNULL, **options})
    try:
        yield process
    finally:
        process.kill()  # does nothing once it has ended
        process.wait(DEADLINE)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was not yet written to a process that has ended
                    pipe.close()


def finished(
    command: Sequence[str | Path],
    *,
    ignoring: Collection[int] = (),
    input: Any = None,
    capture_output: bool = False,
    check: bool = False,
    timeout: float = DEADLINE,
    **options: Any,
) -> subprocess.CompletedProcess[Any]:
    """Run a process to its end; arguments as for :func:`started` and ``subprocess.run``.

    Raises:
        subprocess.TimeoutExpired: it took more than ``timeout`` seconds, and has been killed.
        subprocess.CalledProcessError: with ``check``, its exit code is not 0.
    """
    if capture_output:
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    if input is not None:
        options["stdin"] = subprocess.PIPE
    with started(command, ignoring=ignoring, **options) as process:
        output, errors = process.communicate(input, timeout=timeout)
    done = subprocess.CompletedProcess(process.args, process.returncode, output, errors)
    if check:
        done.check_returncode()
    return done


def wait_until(process: subprocess.Popen[Any], happened: Callable[[], object], seconds: float = DEADLINE) -> None:
    """Wait until ``happened()`` is true, while ``process`` runs; raises ``AssertionError``."""

    def has_happened() -> object:
        seen = happened()
        assert seen or process.poll() is None, f"it ended with {process.returncode}: {process.communicate()}"
        return seen

    until(has_happened, seconds)


def until(happened: Callable[[], object], seconds: float = DEADLINE) -> None:
    """Wait until ``happened()`` is true; raises ``AssertionError``. Looking takes at most a fifth of the time."""
    deadline = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        if happened():
            return
        assert began < deadline, f"nothing happened in {seconds} seconds"
        time.sleep(max(0.01, 4 * (time.monotonic() - began)))


def one_line(done: subprocess.CompletedProcess[bytes]) -> str:
    """The one line of an error, beside which stdout is empty; raises ``AssertionError``."""
    text = done.stderr.decode()
    assert text.startswith("flowcli: error: "), text
    assert text.count("\n") == 1, text
    assert done.stdout == b""
    return text


@contextlib.contextmanager
def _dispositions(ignoring: Collection[int]) -> Iterator[None]:
    """What a process that is started in the block does about signals: it inherits whether they are ignored.

    Not ``preexec_fn``, which is not safe beside threads; a program run in between would cost time in every test.
    """
    if threading.current_thread() is not threading.main_thread():  # only that one can change anything
        yield
        return
    before = {}
    try:
        for number in _FOREGROUND:
            is_ignored = signal.getsignal(number) == signal.SIG_IGN
            if is_ignored != (number in ignoring):
                before[number] = signal.signal(number, signal.SIG_IGN if number in ignoring else signal.SIG_DFL)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
