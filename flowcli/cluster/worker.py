"""The worker: an actor of Ray that looks whether its node can do the work, loads the model and does slices of items."""

from __future__ import annotations

import os
import pickle
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import FlowcliError
from .fitness import Findings, Needs
from .options import Job, Runner

ASIDE = "aside"
"""The concurrency group of what a worker is told in the middle of a slice."""


@dataclass(frozen=True)
class Hello:
    """What a worker says when it is ready. Plain data."""

    about: Any = None
    error: FlowcliError | None = None
    """Why it has no runner."""


@dataclass(frozen=True)
class Replies:
    """The replies to a slice. Plain data."""

    seconds: float = 0.0
    data: bytes = b""
    """The replies, pickled."""

    error: FlowcliError | None = None


class Worker:
    """Does the work of an actor; what users should see of its errors is in what it returns.

    Args:
        job: makes the runner.
        folder: the working folder.
        threads: how many threads the process may use for computing.
    """

    def __init__(self, job: Job, folder: str, threads: int) -> None:
        self._runner: Runner | None = None
        self._error: FlowcliError | None = None
        os.chdir(folder)
        try:
            self._runner = job(threads)
        except FlowcliError as error:
            self._error = error

    def hello(self) -> Hello:
        """Say what the runner says about itself."""
        if self._runner is None:
            return Hello(error=self._error)
        try:
            return Hello(self._runner.about())
        except FlowcliError as error:
            return Hello(error=error)

    def run(self, data: bytes) -> Replies:
        """Do a pickled slice of items."""
        if self._runner is None:
            return Replies(error=self._error)
        started = time.perf_counter()
        try:
            replies = self._runner.run(pickle.loads(data))
        except FlowcliError as error:
            return Replies(error=error)
        return Replies(time.perf_counter() - started, pickle.dumps(replies))


def new_actor(job: Job, needs: Needs, threads: int, **options: Any) -> Any:
    """Have Ray make a worker.

    Args:
        job: makes the runner, once its node was found to be fit and :meth:`hello` or :meth:`run` is called.
        needs: what the work needs of a node.
        threads: how many threads the process may use for computing.
        options: of the actor.
    """
    import ray

    made = ray.cloudpickle.dumps((Worker, (job, needs.folder, threads)))
    paths = tuple(str(Path(needs.folder) / each.path) for each in needs.paths)
    actor = ray.remote(concurrency_groups={ASIDE: 1})(_actor_class()).options(**options)
    return actor.remote(needs.folder, paths, needs.flowcli, made)


def _actor_class() -> type:
    """The class of the actor, which Ray sends by value, so that it runs where another flowcli is installed, or none.

    Ray makes it anew, perhaps on another node, when its process has ended.
    """

    class Worker:
        def __init__(self, folder: str, paths: tuple[str, ...], needed: str, made: bytes) -> None:
            import platform
            from pathlib import Path

            import ray

            version: str | None
            try:
                from flowcli.version import __version__ as version
            except ImportError:
                version = None
            seen = Path(folder).is_dir(), tuple(Path(path).exists() for path in paths)
            self._node = ray.get_runtime_context().get_node_id()
            self._found: Findings = version, platform.python_version(), *seen
            self._is_fit = version == needed and seen[0] and all(seen[1])
            self._made = made
            self._worker: Any = None

        def look(self) -> tuple[str, Findings]:
            """Say where it is, and what it found there."""
            return self._node, self._found

        def hello(self) -> tuple[str, Hello | Findings]:
            """See :meth:`flowcli.cluster.worker.Worker.hello`; as :meth:`look` where the work cannot be done."""
            return self._node, self._inner().hello() if self._is_fit else self._found

        def run(self, data: bytes) -> tuple[str, Findings, Replies | None]:
            """See :meth:`flowcli.cluster.worker.Worker.run`; no replies come from where the work cannot be done."""
            return self._node, self._found, self._inner().run(data) if self._is_fit else None

        def leave(self) -> None:
            """Remove the files that are half written, and begin no others; told in the group :data:`ASIDE`.

            What ends the process is the driver: if it ended by itself, Ray would at once start another.
            """
            from flowcli import shutdown

            shutdown.clean_up()

        def _inner(self) -> Any:
            import pickle

            if self._worker is None:
                kind, arguments = pickle.loads(self._made)
                self._worker = kind(*arguments)
            return self._worker

    return Worker
