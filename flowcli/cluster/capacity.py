"""How many workers a cluster holds, by the resources of its nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .options import ClusterOptions


@dataclass(frozen=True)
class Node:
    """A node of the cluster. Plain data."""

    id: str
    name: str
    cpus: int
    gpus: float


@dataclass(frozen=True)
class Share:
    """What each worker gets. Plain data."""

    cpus: int
    gpus: float

    def __str__(self) -> str:
        """What it is, such as ``2 CPUs and 1 GPU``."""
        return counted(self.cpus, "CPU") + (f" and {counted(self.gpus, 'GPU')}" if self.gpus else "")

    def fitting(self, node: Node) -> int:
        """How many workers a node holds."""
        by_gpus = node.gpus / self.gpus if self.gpus else float("inf")
        return int(min(node.cpus // self.cpus, by_gpus + 1e-9))

    def fitting_all(self, nodes: Sequence[Node]) -> int:
        """How many workers the nodes hold together."""
        return sum(map(self.fitting, nodes))


def counted(number: float, what: str) -> str:
    """A number of things, such as ``1 worker`` or ``0.5 GPUs``."""
    return f"{number:g} {what}{'' if number == 1 else 's'}"


def nodes_of(described: Sequence[dict[str, Any]]) -> list[Node]:
    """The nodes that are alive, of what ``ray.nodes()`` says."""
    return [
        Node(
            each["NodeID"],
            each.get("NodeName") or each["NodeManagerAddress"],
            int(each["Resources"].get("CPU", 0)),
            float(each["Resources"].get("GPU", 0)),
        )
        for each in described
        if each["Alive"]
    ]


def share_of(options: ClusterOptions, nodes: Sequence[Node]) -> Share:
    """What each worker gets: as asked for, the rest by default; see :class:`ClusterOptions`."""
    has_gpus = any(node.gpus for node in nodes)
    gpus = options.gpus_per_worker if options.gpus_per_worker is not None else float(has_gpus)
    if options.cpus_per_worker is not None:
        return Share(options.cpus_per_worker, gpus)
    most = max((node.cpus for node in nodes), default=1)
    if options.workers != "auto":
        shares = (Share(cpus, gpus) for cpus in range(most, 1, -1))
        return next((share for share in shares if share.fitting_all(nodes) >= options.workers), Share(1, gpus))
    if not gpus:
        return Share(1, 0)
    each = [int(node.cpus * gpus // max(node.gpus, gpus)) for node in nodes if node.gpus >= gpus]
    return Share(max(1, min(each, default=1)), gpus)
