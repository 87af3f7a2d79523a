"""Output for users: messages and progress on stderr, results on stdout."""

from __future__ import annotations

import contextlib
import logging
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator

from ..errors import OutputError
from ..shutdown import give_up
from ..storage import why

_NUMBER = re.compile(r"\d[\d.]*")
_LINE_SECONDS = 10.0  # between plain progress lines where no bar can be drawn

Advance = Callable[[int], None]
"""Tells a progress display how many more units are done."""


def printable(text: str) -> str:
    """Text as one line: control characters, which names of files may have, are escaped (``\\n``, ``\\x1b``)."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


class Console:
    """The terminal. There is one, :data:`console`; commands set ``quiet`` and ``verbose``.

    Any thread may speak: lines are written one after the other.
    """

    def __init__(self) -> None:
        self.quiet = False
        self.verbose = False
        self._said: set[str] = set()
        # One each, so that a reader of stdout who has stopped reading does not keep messages back.
        self._speaking = threading.RLock()
        self._writing = threading.Lock()

    def error(self, message: str) -> None:
        """Print an error, even with ``--quiet``."""
        self._say(f"flowcli: error: {message}")

    def note(self, message: str) -> None:
        """Print a note, unless quiet."""
        if not self.quiet:
            self._say(f"flowcli: {message}")

    def once(self, message: str, kind: str | None = None) -> None:
        """Print a note the first time only, whatever numbers it has; or the first note of its kind."""
        words = kind or _NUMBER.sub("", message)
        with self._speaking:
            if words not in self._said:
                self._said.add(words)
                self.note(message)

    def _say(self, line: str) -> None:
        # A stderr that is closed or full is not an error.
        with self._speaking, contextlib.suppress(OSError):
            if (stderr := sys.stderr) is not None:  # while a bar is drawn, rich writes above it in its stead
                stderr.write(printable(line) + "\n")
                stderr.flush()

    def detail(self, message: str) -> None:
        """Print a note with ``--verbose``."""
        if self.verbose:
            self.note(message)

    def output(self, data: str | bytes) -> None:
        """Write text or bytes to stdout, flushed; raises ``OutputError`` if the reader has gone or the disk is full."""
        if sys.stdout is None:
            raise OutputError("cannot write to stdout: it is closed")
        try:
            with self._writing:
                sys.stdout.buffer.write(data.encode(errors="surrogateescape") if isinstance(data, str) else data)
                sys.stdout.flush()
        except OSError as error:
            give_up(sys.stdout)
            raise OutputError(f"cannot write to stdout: {why(error)}") from error

    @contextlib.contextmanager
    def progress(self, what: str, total: int | None, unit: str) -> Iterator[Advance]:
        """Show how far long work is: a bar on a terminal, a plain line now and then elsewhere.

        Args:
            what: the description.
            total: the total number of units, if known; it grows if there are more.
            unit: in the plural, such as ``windows``; ``bytes`` are shown as MB.
        """
        if self.quiet:
            yield lambda _: None
        elif sys.stderr is not None and sys.stderr.isatty():
            with _bar(what, total, unit) as advance:
                yield advance
        else:
            yield _Lines(self, what, total, unit).advance


class _Lines:
    """Progress as plain lines."""

    def __init__(self, console: Console, what: str, total: int | None, unit: str) -> None:
        self._console, self._what, self._total, self._unit = console, what, total, unit
        self._done = 0
        self._started = self._last = time.monotonic()
        self._counting = threading.Lock()

    def advance(self, count: int) -> None:
        with self._counting:
            self._done += count
            self._total = None if self._total is None else max(self._total, self._done)
            now = time.monotonic()
            if now - self._last >= _LINE_SECONDS:
                self._last = now
                rate = self._done / (now - self._started)
                self._console.note(f"{self._what}: {self._amount()}{_rate(rate, self._unit)}{self._left(rate)}")

    def _amount(self) -> str:
        done, total = (None if n is None else _number(n, self._unit) for n in (self._done, self._total))
        of = f" of {total}" if total else ""
        return f"{done}{of} {'MB' if self._unit == 'bytes' else self._unit}"

    def _left(self, rate: float) -> str:
        if not self._total or not rate:
            return ""
        return f", {_clock((self._total - self._done) / rate)} left"


def _number(count: int, unit: str) -> str:
    return f"{count / 1e6:.1f}" if unit == "bytes" else str(count)


def _rate(rate: float, unit: str) -> str:
    return f", {rate / 1e6:.1f} MB/s" if unit == "bytes" else f", {rate:.2f} per second"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"


@contextlib.contextmanager
def _bar(what: str, total: int | None, unit: str) -> Iterator[Advance]:
    from rich.console import Console as RichConsole
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class RateColumn(ProgressColumn):
        """How many units are done per second."""

        def render(self, task: Task) -> Text:
            return Text("" if task.speed is None else _rate(task.speed, unit).removeprefix(", "))

    amount = [DownloadColumn()] if unit == "bytes" else [MofNCompleteColumn(), TextColumn(unit)]
    columns = [TextColumn("{task.description}"), BarColumn(), *amount, RateColumn(), TimeRemainingColumn()]
    with Progress(*columns, console=RichConsole(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)

        def advance(count: int) -> None:
            bar.advance(task, count)
            if total is not None and bar.tasks[task].completed > total:  # it was only the least that was expected
                bar.update(task, total=bar.tasks[task].completed)

        yield advance


class _LogHandler(logging.Handler):
    """Says once what the library logs."""

    def emit(self, record: logging.LogRecord) -> None:
        console.once(record.getMessage(), kind=record.msg)


def show_log() -> None:
    """From now on, show what the library logs as notes: of each kind of remark the first."""
    log = logging.getLogger("flowcli")
    if not any(isinstance(handler, _LogHandler) for handler in log.handlers):
        log.addHandler(_LogHandler())
    log.setLevel(logging.INFO)
    log.propagate = False


console = Console()
