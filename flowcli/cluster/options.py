"""What a run on a cluster is told, and what it is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from ..errors import FlowcliError, InputError, UsageError


@dataclass(frozen=True)
class ClusterOptions:
    """Which cluster, and how much of it. Plain data.

    Raises:
        UsageError: a number or the address is out of range.
    """

    address: str
    """``local`` starts Ray on this machine, ``auto`` is the cluster that this machine is in, ``HOST:PORT`` the same by
    its address."""

    workers: int | Literal["auto"] = "auto"
    """How many workers, at least 1; ``auto``: as many as the cluster holds, more as nodes join. If fewer fit into a
    cluster, those are used and a note says so; nodes that join later take the rest. A local cluster must hold all."""

    cpus_per_worker: int | None = None
    """CPUs of each worker, at least 1. By default as many as leave room for all workers; with ``auto`` 1, or on GPUs
    what the node with fewest has for each."""

    gpus_per_worker: float | None = None
    """GPUs of each worker, at least 0, fractions below 1 share one; by default 1 where the cluster has GPUs, else 0."""

    def __post_init__(self) -> None:
        """Check the values."""
        if self.workers != "auto" and self.workers < 1:
            raise UsageError("`workers` must be at least 1, or auto")
        if self.cpus_per_worker is not None and self.cpus_per_worker < 1:
            raise UsageError("`cpus_per_worker` must be at least 1")
        gpus = self.gpus_per_worker
        if gpus is not None and (gpus < 0 or (gpus > 1 and gpus != int(gpus))):
            raise UsageError("`gpus_per_worker` must be a whole number, or a fraction between 0 and 1")
        host, _, port = self.address.rpartition(":")
        if self.address not in {"local", "auto"} and not (host and "/" not in host and port.isdecimal()):
            raise UsageError(f"{self.address!r} is no cluster; give local, auto or HOST:PORT")


@dataclass(frozen=True)
class MustSee:
    """A path that the processes of each node must see. Plain data."""

    path: Path
    """The file or folder; a relative one is taken from the working folder."""

    what: str = "input"
    """What it is to the user, such as ``output folder``."""

    error: type[FlowcliError] = InputError
    """What is raised where it is not seen."""


class Runner(Protocol):
    """Does the work in a worker's process."""

    def about(self) -> Any:
        """What the run should know of it, such as the settings of its model; picklable."""

    def run(self, items: list[Any]) -> list[Any]:
        """Do these items; returns one small picklable reply for each, in the same order."""


Job = Callable[[int], Runner]
"""Makes the runner, once in each worker's process, given the number of CPU threads it may use; picklable."""


@dataclass(frozen=True)
class Lost:
    """The outcome of an item that ended the process of its worker, each time. Plain data."""

    reason: str
    """What the cluster says about it, in one line."""
