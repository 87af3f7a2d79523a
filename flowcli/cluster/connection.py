"""The connection to Ray, made and ended quietly, within a deadline, and without its signal handlers."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import logging
import os
import signal
import socket
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import shutdown
from ..errors import UsageError

if TYPE_CHECKING:
    import psutil

_CONNECT_SECONDS = 20.0
_LOCAL_SECONDS = 90.0  # to start Ray on a slow machine
_ANSWER_SECONDS = 5.0
_CLOSE_SECONDS = 3.0
_ABANDON_SECONDS = 1.0
_POLL_SECONDS = 0.2
_LONG = 500  # characters


class Connection:
    """One connection to a cluster. Use it as a context manager.

    Ray is started and ended in a thread of its own. It sets its signal handlers only in the main thread, which keeps
    its own and can be interrupted; and the processes of a local cluster, which the kernel ends with the thread
    that started them, live as long as this one does.

    Args:
        address: as in :class:`flowcli.cluster.options.ClusterOptions`.
        verbose: whether what workers print is shown.
    """

    def __init__(self, address: str, *, verbose: bool = False) -> None:
        self._address, self._verbose = address, verbose
        self._calls: list[Callable[[], object]] = []
        self._called, self._answered = threading.Semaphore(0), threading.Semaphore(0)
        self._error: BaseException | None = None
        self._local: list[psutil.Process] = []
        self._before: set[psutil.Process] | None = None  # while a local cluster is being started
        threading.Thread(target=self._serve, name="ray", daemon=True).start()

    def __enter__(self) -> Connection:
        """Connect; raises ``UsageError`` where Ray is missing, or the cluster does not answer or refuses us."""
        if importlib.util.find_spec("ray") is None:
            raise UsageError("a cluster needs Ray; pip install 'flowcli[ray]'")
        is_local = self._address == "local"
        if not is_local:
            os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "3")  # of connecting; Ray reads it on import
            address = os.environ.get("RAY_ADDRESS", "auto") if self._address == "auto" else self._address
            if address != "auto" and "/" not in address:
                _check_answers(address)
        with _native_stderr(is_kept=not self._verbose) as said:

            def is_refused() -> bool:
                return any(b"Unauthenticated" in file.read_bytes() for file in said)

            seconds = _LOCAL_SECONDS if is_local else _CONNECT_SECONDS
            shutdown.on_abrupt_end(self._end_local)
            try:
                is_back = self._call(self._connect, seconds, is_refused)  # Ray itself goes on trying
            finally:
                self._abandon()
            _reinstall_handlers()
            refused = is_refused() and not (is_back and self._error is None)
        if refused:
            raise UsageError(
                f"the Ray cluster {self._address!r} refuses our authentication token; "
                "set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN to those of the cluster"
            ) from self._error
        if not is_back:
            raise UsageError(f"the Ray cluster {self._address!r} does not answer; check its address")
        if self._error is not None:
            self._end_local()
            raise failure(self._address, self._error) from self._error
        return self

    def _abandon(self) -> None:
        """End a local cluster that is still being started, also what Ray starts before it notices: after Ctrl-C."""
        deadline = time.monotonic() + _ABANDON_SECONDS
        while self._before is not None and time.monotonic() < deadline:
            self._end_local()
            time.sleep(_POLL_SECONDS)

    def __exit__(self, *_: object) -> None:
        """Leave the cluster, and end it if it is local; takes a few seconds at most."""
        import ray

        self._call(ray.shutdown, _CLOSE_SECONDS)
        self._end_local()

    def _call(self, function: Callable[[], object], seconds: float, is_vain: Callable[[], bool] = bool) -> bool:
        """Call a function in the thread; returns whether it came back in time, and before that was seen to be vain."""
        self._calls.append(function)
        self._called.release()
        deadline = time.monotonic() + seconds
        while not self._answered.acquire(timeout=_POLL_SECONDS):
            if time.monotonic() > deadline or is_vain():
                return False
        return True

    def _serve(self) -> None:
        while self._called.acquire():
            self._error = None
            try:
                self._calls.pop(0)()
            except BaseException as error:  # Ray also raises SystemExit; said by the main thread
                self._error = error
            self._answered.release()

    def _end_local(self) -> None:
        """Kill what is left of a local cluster: some of its processes notice only after a while that it has ended."""
        if not self._local and self._before is None:
            return
        import psutil

        for each in (*self._local, *self._started()):
            with contextlib.suppress(psutil.Error):
                for process in (*each.children(recursive=True), each):
                    with contextlib.suppress(psutil.Error):
                        process.kill()

    def _started(self) -> list[psutil.Process]:
        """What there is of a local cluster that is being started."""
        import psutil

        before = self._before
        if before is None:
            return []
        return [each for each in psutil.Process().children(recursive=True) if each not in before]

    def _connect(self) -> None:
        import psutil

        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # what Ray does; unset, it warns
        logging.getLogger("ray").setLevel(logging.ERROR)
        if self._address == "local":
            self._before = set(psutil.Process().children(recursive=True))
        try:
            self._init()
        finally:
            self._local, self._before = self._started(), None

    def _init(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import ray

            if not self._verbose:
                _mute()
            local: dict[str, Any] = {"include_dashboard": False} if self._address == "local" else {}
            ray.init(
                address=self._address,
                log_to_driver=self._verbose,
                logging_level=logging.ERROR if self._verbose else logging.CRITICAL,
                **local,
            )


def _reinstall_handlers() -> None:
    """Have Python's signal handlers called again: the native part of Ray takes their places, in any thread."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            if handler is not None:
                signal.signal(number, handler)


def _mute() -> None:
    """Keep Ray from printing to stdout that workers have died, which no option does; we say what follows from it."""
    worker: Any = importlib.import_module("ray._private.worker")
    if hasattr(worker, "print_to_stdstream"):
        worker.print_to_stdstream = lambda *_, **__: None


def _check_answers(address: str) -> None:
    """Raise ``UsageError`` unless something listens there: Ray itself would try for minutes."""
    import ray

    host, _, port = address.rpartition(":")
    if host in {"localhost", "127.0.0.1", "::1", "[::1]"}:
        host = ray.util.get_node_ip_address()  # as Ray does
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"no Ray cluster answers at {address}: {_one_line(error)}; give the address that `ray start` has printed"
        ) from error


def failure(address: str, error: BaseException) -> UsageError:
    """What is said where Ray cannot be started or connected to."""
    if address == "auto" and isinstance(error, ConnectionError) and "running Ray instance" in str(error):
        return UsageError(  # Ray names options that only it has
            "no Ray cluster runs on this machine; start one with `ray start --head`, or give local or HOST:PORT"
        )
    what = "start Ray" if address == "local" else f"connect to the Ray cluster {address!r}"
    return UsageError(f"cannot {what}: {_one_line(error)}")


def _one_line(error: BaseException) -> str:
    """What Ray says, as one line; of what is long or has a traceback the first."""
    text = str(error).strip() or type(error).__name__
    if len(text) > _LONG or "Traceback" in text:
        text = text.splitlines()[0]
    return " ".join(text.split())


@contextlib.contextmanager
def _native_stderr(*, is_kept: bool) -> Iterator[list[Path]]:
    """Keep what is written to the file descriptor of stderr in a file: the native part of Ray cannot be told not to.

    Yields:
        The file, unless ``is_kept`` is false or there is no stderr.
    """
    with contextlib.ExitStack() as stack:
        files = []
        if is_kept:
            with contextlib.suppress(OSError):
                ours = os.dup(2)
                stack.callback(os.close, ours)
                kept = stack.enter_context(tempfile.NamedTemporaryFile(prefix="flowcli-"))
                os.dup2(kept.fileno(), 2)
                stack.callback(os.dup2, ours, 2)
                files.append(Path(kept.name))
        yield files


@contextlib.contextmanager
def connected(address: str, *, verbose: bool = False) -> Iterator[None]:
    """Be connected to a cluster; see :class:`Connection`."""
    with Connection(address, verbose=verbose):
        yield
