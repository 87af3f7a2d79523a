"""A Ray cluster of several nodes on this machine: nodes that come and go, and the processes of each.

Nodes listen on addresses of the loopback interface only, with a token of their own. Everything is ended by the ids of
the processes that were started here.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil

from .processes import started, until

MISSING = None if importlib.util.find_spec("ray") else "Ray is not installed"
"""Why there can be no cluster, or ``None``."""

RAY = str(Path(sys.executable).with_name("ray"))

QUICK = {"RAY_worker_niceness": "0"}
"""Changes of the environment by which Ray's workers do not wait, as they do by default, for all tests beside them."""

_HEAD = 2  # the last number of its address: Ray takes 127.0.0.1 to mean any address of the machine
_STORE_BYTES = 80_000_000

# A node that has gone is noticed in two seconds instead of twenty.
_WATCHFUL = {"RAY_health_check_period_ms": "500", "RAY_health_check_timeout_ms": "1500"}


class Node:
    """A node: ``ray start --block`` and what that started."""

    def __init__(self, address: str, process: subprocess.Popen[Any], log: Path, stack: contextlib.ExitStack) -> None:
        self.address = address
        self.process = process
        self._log = log
        self._stack = stack

    def wait(self) -> None:
        """Wait until it has joined, which it says."""
        until(lambda: b"Ray runtime started" in self._log.read_bytes() or self.process.poll() is not None)
        assert self.process.poll() is None, self._log.read_text()

    def processes(self) -> list[psutil.Process]:
        """All its processes."""
        try:
            top = psutil.Process(self.process.pid)
            return [top, *top.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def workers(self) -> list[psutil.Process]:
        """Those in which flowcli's workers run."""
        return [each for each in self.processes() if _title(each).startswith("ray::Worker")]

    def remove(self) -> None:
        """Kill everything at once, as when the machine is gone."""
        gone = self.processes()
        for each in gone:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        self._stack.close()
        until(lambda: all(map(_has_ended, gone)))


class RayCluster:
    """The cluster; see :func:`ray_cluster`."""

    def __init__(self, folder: Path, port: int, stack: contextlib.ExitStack) -> None:
        self.address = f"127.0.0.{_HEAD}:{port}"
        self.nodes: list[Node] = []
        self._folder, self._stack = folder, stack
        self._secret = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(16)}

    @property
    def environment(self) -> dict[str, str]:
        """The environment of processes that use the cluster."""
        return {**without_cluster(), **self._secret}

    def add_node(
        self, *, cpus: int = 1, gpus: int = 0, wrapper: tuple[str, ...] = (), changes: Mapping[str, str] | None = None
    ) -> Node:
        """Start a node and wait until it has joined; arguments as for :meth:`begin_node`."""
        node = self.begin_node(cpus=cpus, gpus=gpus, wrapper=wrapper, changes=changes)
        node.wait()
        return node

    def begin_node(
        self, *, cpus: int = 1, gpus: int = 0, wrapper: tuple[str, ...] = (), changes: Mapping[str, str] | None = None
    ) -> Node:
        """Start a node; it joins by itself, also if the first is still on its way.

        Args:
            cpus: how many it says it has.
            gpus: the same.
            wrapper: a command that runs the command after it.
            changes: of its environment.
        """
        number = _HEAD + len(self.nodes)
        address = f"127.0.0.{number}"
        head = ("--head", f"--port={self.address.rpartition(':')[2]}", "--include-dashboard=false", "--no-monitor")
        command = [
            *wrapper,
            *(RAY, "start", "--block", "--disable-usage-stats", f"--node-ip-address={address}"),
            *((*head, f"--temp-dir={self._folder}") if number == _HEAD else (f"--address={self.address}",)),
            *(f"--num-cpus={cpus}", f"--num-gpus={gpus}", f"--object-store-memory={_STORE_BYTES}"),
            f"--include-log-monitor={number == _HEAD}",  # one for a machine is enough
            *(f"--{name}={_free_port(address)}" for name in ("dashboard-agent-listen-port", "metrics-export-port")),
        ]
        stack = contextlib.ExitStack()
        log_path = self._folder / f"{address}.log"
        log = stack.enter_context(log_path.open("wb"))
        environment = {**self.environment, **_WATCHFUL, "RAY_USAGE_STATS_ENABLED": "0", **(changes or {})}
        process = stack.enter_context(started(command, env=environment, stdout=log, stderr=log))
        node = Node(address, process, log_path, stack)
        self.nodes.append(node)
        self._stack.callback(node.remove)
        return node

    def workers(self) -> list[psutil.Process]:
        """The processes of flowcli's workers on all nodes."""
        return [worker for node in self.nodes for worker in node.workers()]


def without_cluster() -> dict[str, str]:
    """The environment of processes that know of no cluster; one that they start is as quick as other processes."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    return {**kept, **QUICK}


@contextlib.contextmanager
def ray_cluster(nodes: int = 2, *, cpus: int = 1, changes: Mapping[str, str] | None = None) -> Iterator[RayCluster]:
    """A cluster of so many nodes with so many CPUs each, and changed environments; gone at the end of the block."""
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # paths of sockets hold 107 bytes
    try:
        with contextlib.ExitStack() as stack:
            cluster = RayCluster(folder, _free_port(f"127.0.0.{_HEAD}"), stack)
            for _ in range(nodes):
                cluster.begin_node(cpus=cpus, changes=changes)
            for node in cluster.nodes:
                node.wait()
            yield cluster
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def kill(process: psutil.Process) -> None:
    """End a process without warning."""
    process.kill()


def _has_ended(process: psutil.Process) -> bool:
    """Whether a process has ended, even if nobody has asked for its exit code yet."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _title(process: psutil.Process) -> str:
    """What a process calls itself; Ray's workers say what they do."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _free_port(address: str) -> int:
    """A port that nobody uses and that Ray does not give to workers."""
    while True:
        with socket.socket() as probe:
            probe.bind((address, 0))
            port: int = probe.getsockname()[1]
        if port >= 20_000:
            return port
