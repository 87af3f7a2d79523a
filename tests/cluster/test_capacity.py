"""How many workers a cluster holds."""

from __future__ import annotations

import pytest

from flowcli.cluster.capacity import Node, Share, nodes_of, share_of
from flowcli.cluster.options import ClusterOptions
from flowcli.errors import UsageError

SMALL, LARGE = Node("1", "small", 4, 0), Node("2", "large", 10, 0)
GPUS = [Node("3", "a", 16, 2), Node("4", "b", 6, 1), Node("5", "no gpu", 64, 0)]


@pytest.mark.parametrize(("workers", "cpus"), [(1, 10), (2, 5), (3, 4), (4, 3), (7, 2), (14, 1), (99, 1)])
def test_a_number_of_workers_shares_all_cpus(workers: int, cpus: int) -> None:
    assert share_of(ClusterOptions("auto", workers), [SMALL, LARGE]) == Share(cpus, 0)


def test_without_a_number_each_gets_a_cpu_or_the_part_of_a_gpu() -> None:
    assert share_of(ClusterOptions("auto"), [SMALL, LARGE]) == Share(1, 0)
    share = share_of(ClusterOptions("auto"), GPUS)
    assert share == Share(6, 1)
    assert share.fitting_all(GPUS) == 3
    halves = share_of(ClusterOptions("auto", gpus_per_worker=0.5), GPUS)
    assert halves == Share(3, 0.5)
    assert halves.fitting_all(GPUS) == 6


@pytest.mark.parametrize(
    ("share", "words"),
    [(Share(1, 0), "1 CPU"), (Share(1, 1), "1 CPU and 1 GPU"), (Share(12, 0.5), "12 CPUs and 0.5 GPUs")],
)
def test_a_share_in_words(share: Share, words: str) -> None:
    assert str(share) == words


def test_what_is_asked_for_is_kept() -> None:
    assert share_of(ClusterOptions("auto", cpus_per_worker=3), [SMALL, LARGE]) == Share(3, 0)
    assert share_of(ClusterOptions("auto", gpus_per_worker=0), GPUS) == Share(1, 0)
    assert Share(3, 0).fitting_all([SMALL, LARGE]) == 4


def test_nodes_that_have_gone_do_not_count() -> None:
    node = {"NodeID": "1", "NodeManagerAddress": "10.0.0.1", "NodeName": "", "Resources": {"CPU": 2.0}, "Alive": True}
    assert nodes_of([node, {**node, "Alive": False}]) == [Node("1", "10.0.0.1", 2, 0)]


@pytest.mark.parametrize("address", ["", "head", "head:", "ray://head:10001", "head:x"])
def test_what_is_no_cluster(address: str) -> None:
    with pytest.raises(UsageError, match="HOST:PORT"):
        ClusterOptions(address)


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"cpus_per_worker": 0}, {"gpus_per_worker": 1.5}])
def test_numbers_out_of_range(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        ClusterOptions("auto", **wrong)
