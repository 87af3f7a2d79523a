"""Runs commands in forks of a process that has imported PyTorch already, which takes most of their time.

A fork is a process of its own: it gets its arguments, environment, folder and pipes, signals do there what they do by
default, and nothing of this project has been imported. Tests of what happens while the program starts, or while it
runs, start the installed command itself; so do those that change what Python and its libraries read when they start.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .processes import DEADLINE, PROGRAM, started

assert sys.platform == "linux"  # elsewhere libraries may not work in a fork

_LIBRARIES = ("numpy", "torch", "typer._adapters")  # the same whatever the rest of the environment says
_READ_AT_START = ("LANG", "LC_", "LD_", "MKL_", "OMP_", "OPENBLAS_", "PYTHON", "TORCH", "TZ")
_ROOT = Path(__file__).parent.parent


class Forks:
    """The process whose forks are the installed command. A context manager."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self._connection, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", __name__, str(theirs.fileno())]
            process = started(command, pass_fds=[theirs.fileno()], cwd=_ROOT, stdout=subprocess.DEVNULL)
            self._stack.enter_context(process)

    def __enter__(self) -> Forks:
        """Nothing: it has been started."""
        return self

    def __exit__(self, *error: object) -> None:
        """End the process."""
        self._connection.close()
        self._stack.close()

    def can_run(self, arguments: Sequence[str], environment: Mapping[str, str]) -> bool:
        """Whether a fork does what a new process does, and sooner: others would only take down what they do not use."""
        has_checkpoint = not {"-m", "--model"}.isdisjoint(arguments) and "dis" not in arguments
        return has_checkpoint and _read_at_start(environment) == _read_at_start(os.environ)

    def finished(
        self, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout: float = DEADLINE
    ) -> subprocess.CompletedProcess[bytes]:
        """Run the command to its end, as :func:`support.processes.finished` does with ``capture_output``.

        Raises:
            subprocess.TimeoutExpired: it took more than ``timeout`` seconds, and has been killed.
        """
        command = [PROGRAM, *arguments]
        ours, status = socket.socketpair()
        with ours, ours.makefile("r") as said, ThreadPoolExecutor(2) as pool:
            ours.settimeout(timeout)
            with status, tempfile.TemporaryFile("w+") as request, contextlib.ExitStack() as stack:
                json.dump({"arguments": arguments, "cwd": str(cwd), "environment": dict(env)}, request)
                request.flush()
                pipes = [os.pipe() for _ in range(2)]
                reads = [pool.submit(_read, reading) for reading, _ in pipes]
                for _, writing in pipes:
                    stack.callback(os.close, writing)
                numbers = [request.fileno(), status.fileno(), *(writing for _, writing in pipes)]
                socket.send_fds(self._connection, [b"!"], numbers)
            pid = int(said.readline())
            try:
                code = int(said.readline())
                output, errors = (read.result(timeout) for read in reads)
            except TimeoutError as error:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(command, timeout) from error
        return subprocess.CompletedProcess(command, code, output, errors)


def _read(pipe: int) -> bytes:
    with os.fdopen(pipe, "rb") as file:
        return file.read()


def _read_at_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_READ_AT_START)}


def _serve(connection: socket.socket) -> list[int] | None:
    """Fork for each request; in the fork, return what came with it; ``None`` once nobody asks any more."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that forks need not be waited for
    while True:
        data, passed, _, _ = socket.recv_fds(connection, 1, 4)
        if not data:
            return None
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            return list(passed)
        for number in passed:
            os.close(number)


def _watched(status: socket.socket) -> bool:
    """Fork; true in the fork, whose number and exit code are told here."""
    pid = os.fork()
    if pid == 0:
        return True
    os.closerange(0, 3)
    with contextlib.suppress(OSError):  # nobody waits any more
        status.sendall(b"%d\n" % pid)
        status.sendall(b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    return False


def _become(request: int, outputs: Sequence[int]) -> None:
    """Make this process what the command expects."""
    with os.fdopen(request) as file:
        file.seek(0)
        asked = json.load(file)
    for number, output in enumerate(outputs, 1):
        os.dup2(output, number)
    os.closerange(3, min(os.sysconf("SC_OPEN_MAX"), 1 << 16))
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["cwd"])
    sys.argv = [PROGRAM, *asked["arguments"]]
    sys.path[0] = str(Path(PROGRAM).parent)


def main() -> None:
    """Serve the socket whose number is the argument; in a fork, be the command."""
    for name in _LIBRARIES:
        importlib.import_module(name)
    gc.freeze()
    passed = _serve(socket.socket(fileno=int(sys.argv[1])))
    if passed is None:
        return
    request, status, *outputs = passed
    if not _watched(socket.socket(fileno=status)):
        os._exit(0)
    _become(request, outputs)
    runpy.run_path(PROGRAM, run_name="__main__")


if __name__ == "__main__":
    main()
