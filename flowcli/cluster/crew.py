"""The workers of a run: they are made where there is room, and taken away with their nodes."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import DeviceError, FlowcliError, UsageError
from .capacity import Node, Share, counted, nodes_of, share_of
from .fitness import Findings, Needs, complaint_of
from .options import ClusterOptions, Job
from .slices import Pace, Slice
from .worker import ASIDE, Hello, new_actor

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_BEGIN_SECONDS = 10.0  # for all to answer; Ray lists a node for a while after it has gone
_WAIT_SECONDS = 10.0  # without any worker, until it is said
_START_SECONDS = 60.0  # in which a worker loads most models
_RESTARTS = 3  # by Ray; after that, a new worker is made
_LEAVE_SECONDS = 2.0  # in which workers remove what they have half written
_STILLBORN = 3  # workers in a row that end before they are ready: that is no accident


@dataclass(eq=False)
class Member:
    """A worker as the driver sees it."""

    actor: Any
    hello: Any
    """The reference to what it says next, until it is ready: what it found on its node, then its
    :class:`flowcli.cluster.worker.Hello`."""

    has_looked: bool = False
    """Whether its node was found to be fit."""

    node: str | None = None
    """Where it was when it last said something; ``None`` until it is ready."""

    about: Any = None
    """What its runner says about itself."""

    slices: dict[Any, Slice] = field(default_factory=dict)
    """What it has been given, by reference to its replies, in order."""

    pace: Pace = field(default_factory=Pace)


class Crew:
    """The workers of a run.

    Args:
        options: how many, and what each gets.
        job: makes the runner of each.
        needs: what the work needs of a node.
    """

    def __init__(self, options: ClusterOptions, job: Job, needs: Needs) -> None:
        self._options, self._job, self._needs = options, job, needs
        self.members: list[Member] = []
        self._alive: dict[str, Node] = {}
        self._first: set[str] = set()
        self._unfit: set[str] = set()
        self._share = Share(1, 0)
        self._looked = 0.0
        self._worked = time.monotonic()
        self._stillborn = 0

    def begin(self) -> None:
        """Look at the nodes and make the first workers.

        Raises:
            FlowcliError: a node cannot do the work, see :func:`flowcli.cluster.fitness.complaint_of`.
            UsageError: not even one worker fits; or not all, into a local cluster.
        """
        self._see()
        nodes = self._usable()
        self._first = {node.id for node in nodes}
        self._share = share_of(self._options, nodes)
        fitting = self._share.fitting_all(nodes)
        each = self._share
        if not fitting:
            raise UsageError(
                f"no node of the cluster has room for a worker of {each}; "
                "give smaller `cpus_per_worker` or `gpus_per_worker`"
            )
        if self._options.workers != "auto" and fitting < self._options.workers:
            if self._options.address == "local":
                held = counted(fitting, "worker")
                raise UsageError(f"this machine holds {held} of {each}; give at most as many `workers`")
            _log.info("the cluster holds %d of %d workers of %s", fitting, self._options.workers, each)
        self._make()
        began = time.monotonic()
        while (looking := [member for member in self.members if not member.has_looked]) and (
            len(looking) == len(self.members) or time.monotonic() - began < _BEGIN_SECONDS
        ):
            came = wait([member.hello for member in looking], 0.5)
            for member in looking:
                if member.hello in came:
                    self.greet(member)
            self.tend()

    def tend(self) -> list[Slice]:
        """About every second: take away the workers of lost nodes, and make workers where there is room.

        Returns:
            What the workers that were taken away had been given.
        """
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return []
        self._see()
        back = [
            piece
            for member in list(self.members)
            if member.node is not None and member.node not in self._alive
            for piece in self.dismiss(member)
        ]
        self._make()
        if any(member.node is not None for member in self.members):
            self._worked = now
        elif not self.members and now - self._worked > _WAIT_SECONDS:
            _log.warning("no worker is left; waiting for nodes of the cluster")
        elif now - self._worked > _START_SECONDS:
            _log.warning("no worker has started yet; others may be using the cluster")
        return back

    def dismiss(self, member: Member) -> list[Slice]:
        """End a worker for good; returns what it had been given."""
        import ray

        if member in self.members:
            self.members.remove(member)
        ray.kill(member.actor, no_restart=True)
        back = list(member.slices.values())
        member.slices.clear()
        return back

    def disband(self, *, in_midst: bool) -> None:
        """End all workers for good.

        Args:
            in_midst: whether they may be writing files, which they are to remove.
        """
        if in_midst:
            deadline = time.monotonic() + _LEAVE_SECONDS
            leaving = {
                member.actor.leave.options(concurrency_group=ASIDE, max_task_retries=0).remote(): member
                for member in self.members
                if member.node is not None
            }
            while leaving and time.monotonic() < deadline:
                for answer in wait(list(leaving), deadline - time.monotonic()):
                    self.dismiss(leaving.pop(answer))
        for member in list(self.members):
            self.dismiss(member)

    def greet(self, member: Member) -> bool:
        """Take what a worker has said; returns whether it is ready.

        Raises:
            FlowcliError: why its node cannot do the work, or why it has no runner, with the name of its node, if that
                was there from the beginning.
            DeviceError: workers end one after the other before they are ready.
        """
        import ray

        reference, member.hello = member.hello, None
        try:
            node, said = ray.get(reference)
        except ray.exceptions.RayTaskError:
            raise
        except ray.exceptions.RayError as error:
            self._bury(member, reason_of(error))
            return False
        if not isinstance(said, Hello):
            complaint = self.complaint(node, said)
            if complaint is None:
                member.has_looked, member.hello = True, member.actor.hello.remote()
            else:
                self._refuse(member, node, complaint)
            return False
        self._stillborn = 0
        if said.error is not None:
            self._refuse(member, node, type(said.error)(f"{said.error.message} (on node {self.name_of(node)})"))
            return False
        member.node, member.about = node, said.about
        return True

    def _refuse(self, member: Member, node: str, complaint: FlowcliError) -> None:
        """End the run, or, on a node that has joined later, do without the worker."""
        if node in self._first:
            raise complaint
        self.turn_away(member, node, complaint)

    def complaint(self, node: str, found: Findings) -> FlowcliError | None:
        """Why a node cannot do the work, by what a worker found there, or ``None``."""
        return complaint_of(found, self._needs, self.name_of(node))

    def turn_away(self, member: Member, node: str, complaint: FlowcliError) -> list[Slice]:
        """Take away a worker that is on a node that cannot do the work; returns what it had been given."""
        if node not in self._unfit:
            _log.warning("%s; until then it is left out", complaint.message)
        self._unfit.add(node)
        return self.dismiss(member)

    def _bury(self, member: Member, reason: str) -> None:
        self.dismiss(member)
        self._stillborn += 1
        if self._stillborn >= _STILLBORN:
            raise DeviceError(f"workers end while they start: {reason}; give them more memory, or fewer `workers`")

    def name_of(self, node: str) -> str:
        """The name of a node."""
        return self._alive[node].name if node in self._alive else node

    def _see(self) -> None:
        import ray

        self._looked = time.monotonic()
        self._alive = {node.id: node for node in nodes_of(ray.nodes())}

    def _usable(self) -> list[Node]:
        return [node for node in self._alive.values() if node.id not in self._unfit]

    def _make(self) -> None:
        """Make as many workers as there is room for; Ray places them."""
        fitting = self._share.fitting_all(self._usable())
        wanted = fitting if self._options.workers == "auto" else min(self._options.workers, fitting)
        starting = [member for member in self.members if member.node is None]
        for member in starting[: max(0, len(self.members) - wanted)]:
            self.dismiss(member)  # there was room for it when it was made
        for _ in range(wanted - len(self.members)):
            actor = new_actor(
                self._job,
                self._needs,
                self._share.cpus,
                num_cpus=self._share.cpus,
                num_gpus=self._share.gpus,
                max_restarts=_RESTARTS,
                max_task_retries=1,
                scheduling_strategy="SPREAD",
                label_selector=self._selector(),
            )
            self.members.append(Member(actor, actor.look.remote()))

    def _selector(self) -> dict[str, str] | None:
        """What keeps Ray from placing workers on nodes that are not fit."""
        others = [node for node in self._alive if node in self._unfit]
        return {"ray.io/node-id": f"!in({','.join(others)})"} if others else None


def pinned(function: Any, node: str) -> Any:
    """A function as a task of Ray that runs on a node or not at all, and takes no room there."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    where = NodeAffinitySchedulingStrategy(node, soft=False)
    return ray.remote(function).options(num_cpus=0, max_retries=0, scheduling_strategy=where)


def reason_of(error: BaseException) -> str:
    """What Ray says about the end of a worker's process, in one line."""
    text = " ".join(str(error).split())
    if "low on memory" in text or "OOM" in text.split("common causes")[0] or "OutOfMemory" in type(error).__name__:
        return "the node ran out of memory, and Ray ended the worker"
    if "INTENDED" in text:
        return "the worker's process ended itself"
    return "the worker's process crashed or was killed, perhaps because memory ran out"


def wait(references: Sequence[Any], seconds: float) -> set[Any]:
    """Those that have come: as soon as there is one, or after so many seconds."""
    import ray

    if not references:
        time.sleep(seconds)
        return set()
    if seconds:
        ray.wait(list(references), num_returns=1, timeout=seconds, fetch_local=False)
    came, _ = ray.wait(list(references), num_returns=len(references), timeout=0, fetch_local=False)
    return set(came)
