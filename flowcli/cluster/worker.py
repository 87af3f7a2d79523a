"""The worker: an actor of Ray that loads the model once and does slices of items."""

from __future__ import annotations

import os
import pickle
import time
from dataclasses import dataclass
from typing import Any

from .. import shutdown
from ..errors import FlowcliError
from .fitness import Needs, complaint_of, fitness_probe
from .options import Job, Runner

ASIDE = "aside"
"""The concurrency group of what a worker is told in the middle of a slice."""


@dataclass(frozen=True)
class Hello:
    """What a worker says when it is ready. Plain data."""

    node: str
    about: Any = None
    error: FlowcliError | None = None
    """Why it has no runner."""

    unfit: FlowcliError | None = None
    """Why its node cannot do the work."""


@dataclass(frozen=True)
class Replies:
    """The replies to a slice. Plain data."""

    node: str
    seconds: float = 0.0
    data: bytes = b""
    """The replies, pickled."""

    error: FlowcliError | None = None
    unfit: FlowcliError | None = None


class Worker:
    """Runs in a process of its own; what users should see of its errors is in what it returns.

    Ray makes it anew, perhaps on another node, when its process has ended.
    """

    def __init__(self, job: Job, needs: Needs, threads: int) -> None:
        import ray

        self._node = ray.get_runtime_context().get_node_id()
        self._runner: Runner | None = None
        self._error: FlowcliError | None = None
        self._unfit = complaint_of(fitness_probe()(needs), needs, ray.util.get_node_ip_address())
        if self._unfit is not None:
            return
        os.chdir(needs.folder)
        try:
            self._runner = job(threads)
        except FlowcliError as error:
            self._error = error

    def hello(self) -> Hello:
        """Say where it is, and what the runner says about itself."""
        if self._runner is None:
            return Hello(self._node, error=self._error, unfit=self._unfit)
        try:
            return Hello(self._node, self._runner.about())
        except FlowcliError as error:
            return Hello(self._node, error=error)

    def run(self, data: bytes) -> Replies:
        """Do a pickled slice of items."""
        if self._runner is None:
            return Replies(self._node, error=self._error, unfit=self._unfit)
        started = time.perf_counter()
        try:
            replies = self._runner.run(pickle.loads(data))
        except FlowcliError as error:
            return Replies(self._node, error=error)
        return Replies(self._node, time.perf_counter() - started, pickle.dumps(replies))

    def leave(self) -> None:
        """Remove the files that are half written, and begin no others; told in the group :data:`ASIDE`.

        What ends the process is the driver: if it ended by itself, Ray would at once start another.
        """
        shutdown.clean_up()
