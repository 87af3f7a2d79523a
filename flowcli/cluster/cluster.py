"""A cluster at work: items out, replies back, and nothing lost with a process or a node."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from .connection import connected
from .crew import Crew, wait
from .fitness import Needs
from .mapping import Mapping
from .options import ClusterOptions, Job, MustSee
from .slices import SliceQueue

_POLL_SECONDS = 0.5


class Cluster:
    """Runs items on the workers of a Ray cluster. Use it as a context manager::

        with Cluster(ClusterOptions("auto")) as cluster:
            about = cluster.start(job, [MustSee(folder)])
            for item, reply in cluster.map(items): ...

    Leaving it ends the workers, and a local cluster.

    Args:
        options: which cluster, and how much of it.
        verbose: whether what workers print is shown on stderr.
    """

    def __init__(self, options: ClusterOptions, *, verbose: bool = False) -> None:
        self._options, self._verbose = options, verbose
        self._crew: Crew | None = None
        self._queue: SliceQueue | None = None
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Cluster:
        """Connect.

        Raises:
            UsageError: Ray is missing, or there is no such cluster, or it refuses us.
        """
        self._stack.enter_context(connected(self._options.address, verbose=self._verbose))
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """End the workers and leave the cluster."""
        with self._stack:
            if self._crew is not None:
                self._crew.disband(in_midst=error is not None)

    def start(self, job: Job, must_see: Sequence[MustSee] = ()) -> Any:
        """Make the first workers, in the working folder of this process.

        Args:
            job: makes the runner in each worker's process.
            must_see: paths that each node must see; of all other nodes' processes, those that join later and do not
                see one are left out.

        Returns:
            What the runner that was ready first says about itself.

        Raises:
            UsageError: a node has another flowcli or Python; or there is no room for a worker.
            InputError: a node does not see the working folder, or one of the paths, whose own class it may be.
            FlowcliError: what the job raised, with the name of the node.
            DeviceError: the processes of workers end while they start.
        """
        crew = self._crew = Crew(self._options, job, Needs(str(Path.cwd()), tuple(must_see)))
        crew.begin()
        while True:
            crew.tend()
            came = wait([member.hello for member in crew.members], _POLL_SECONDS)
            for member in list(crew.members):
                if member.hello in came and crew.greet(member):
                    return member.about

    def map(self, items: Iterable[Any], total: int | None = None) -> Iterator[tuple[Any, Any]]:
        """Have items done; yields each once with its reply, as they come, in no order.

        Args:
            items: picklable; taken only when a worker has room.
            total: how many they are, if known; it lets all workers end at about the same time.

        Yields:
            The item and its reply; or :class:`flowcli.cluster.options.Lost` for one that ended the process of its
            worker three times, the last time alone.

        Raises:
            FlowcliError: what a runner raised.
            DeviceError: the processes of workers end while they start.
        """
        assert self._crew is not None, "start comes first"
        self._queue = SliceQueue(items, total)
        yield from Mapping(self._crew, self._queue).run()

    def add(self, items: Iterable[Any]) -> None:
        """Have more items done in the pass of :meth:`map` that goes on; for what follows from its replies."""
        assert self._queue is not None, "map comes first"
        self._queue.add(items)
