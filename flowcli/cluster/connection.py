"""The connection to Ray, made and ended quietly, within a deadline, and without its signal handlers."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import logging
import os
import signal
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from ..errors import UsageError

_CONNECT_SECONDS = 20.0
_LOCAL_SECONDS = 90.0  # to start Ray on a slow machine
_ANSWER_SECONDS = 5.0
_CLOSE_SECONDS = 3.0


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
        threading.Thread(target=self._serve, name="ray", daemon=True).start()

    def __enter__(self) -> Connection:
        """Connect; raises ``UsageError`` where Ray is missing, or the cluster does not answer or refuses us."""
        if importlib.util.find_spec("ray") is None:
            raise UsageError("a cluster needs Ray; pip install 'flowcli[ray]'")
        if self._address not in {"local", "auto"}:
            _check_answers(self._address)
        is_local = self._address == "local"
        is_back = self._call(self._connect, _LOCAL_SECONDS if is_local else _CONNECT_SECONDS)
        _reinstall_handlers()
        if not is_back:
            raise UsageError(f"the Ray cluster {self._address!r} does not answer; check its address and its token")
        if self._error is not None:
            raise UsageError(
                f"cannot {'start Ray' if is_local else f'connect to the Ray cluster {self._address!r}'}: "
                f"{_one_line(self._error)}"
            ) from self._error
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the cluster, and end it if it is local; takes a few seconds at most."""
        import ray

        self._call(ray.shutdown, _CLOSE_SECONDS)

    def _call(self, function: Callable[[], object], seconds: float) -> bool:
        """Call a function in the thread; returns whether it came back in time."""
        self._calls.append(function)
        self._called.release()
        return self._answered.acquire(timeout=seconds)

    def _serve(self) -> None:
        while self._called.acquire():
            self._error = None
            try:
                self._calls.pop(0)()
            except BaseException as error:  # Ray also raises SystemExit; said by the main thread
                self._error = error
            self._answered.release()

    def _connect(self) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # what Ray does; unset, it warns
        logging.getLogger("ray").setLevel(logging.ERROR)
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


def _one_line(error: BaseException) -> str:
    """What Ray says, as far as it is one line."""
    lines = [line.strip() for line in str(error).splitlines()]
    return next((line for line in lines if line), type(error).__name__)


@contextlib.contextmanager
def connected(address: str, *, verbose: bool = False) -> Iterator[None]:
    """Be connected to a cluster; see :class:`Connection`."""
    with Connection(address, verbose=verbose):
        yield
