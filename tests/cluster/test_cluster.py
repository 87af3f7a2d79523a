"""Runs on real Ray clusters: what comes back, what survives, and what is left behind."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import flowcli
from flowcli.shutdown import INTERRUPTED_MESSAGE
from support import ray_driver
from support.processes import finished, started, until, wait_until
from support.ray_cluster import MISSING, Node, RayCluster, kill, without_cluster

pytestmark = [
    pytest.mark.skipif(MISSING is not None, reason=str(MISSING)),
    pytest.mark.skipif(sys.platform != "linux", reason="a machine has several loopback addresses only on Linux"),
    pytest.mark.slow,
]

WITHIN = 5.0  # seconds, which is promised
LEFT = 15.0  # seconds, for what Ray ends by itself

ELSEWHERE = Path(tempfile.gettempdir())
"""Where drivers work: Ray has workers import what is in that folder, which must not be the code that is tested."""

KILL = 9  # which Windows has not

Record = dict[str, Any]


@contextlib.contextmanager
def joined(cluster: RayCluster, **options: Any) -> Iterator[Node]:
    """A node that is in the cluster for a while."""
    node = cluster.add_node(**options)
    try:
        yield node
    finally:
        node.remove()


def command(address: str, items: object, **options: object) -> list[str]:
    return [sys.executable, ray_driver.__file__, address, json.dumps(items), json.dumps(options)]


def drive(cluster: RayCluster, items: object, **options: object) -> subprocess.CompletedProcess[bytes]:
    return finished(
        command(cluster.address, items, **options), env=cluster.environment, cwd=ELSEWHERE, capture_output=True
    )


def replies_in(output: bytes) -> dict[int, Any]:
    """The replies by number; each was there once."""
    records = [json.loads(line) for line in output.splitlines()]  # nothing else is on stdout
    assert "about" in records[0]
    replies = {record["item"]: record["reply"] for record in records[1:]}
    assert len(replies) == len(records) - 1
    return replies


def check_squares(replies: dict[int, Any], count: int, lost: set[int] = frozenset()) -> None:  # type: ignore[assignment]
    assert set(replies) == set(range(count))
    assert {number for number, reply in replies.items() if isinstance(reply, dict)} == lost
    assert all(replies[number][0] == number**2 for number in set(replies) - lost)


def one_error(done: subprocess.CompletedProcess[bytes], code: int, *words: str) -> None:
    text = done.stderr.decode()
    assert done.returncode == code, text
    assert done.stdout == b""
    assert text.startswith("flowcli: error: "), text
    assert text.count("\n") == 1, text
    for word in words:
        assert word in text


class Driver:
    """A driver in the middle of its work."""

    def __init__(self, process: subprocess.Popen[Any], out: Path, errors: Path) -> None:
        self.process, self._out, self._errors = process, out, errors

    @property
    def output(self) -> bytes:
        return self._out.read_bytes()

    @property
    def errors(self) -> str:
        return self._errors.read_text()

    def wait_until(self, happened: Callable[[], object]) -> None:
        wait_until(self.process, happened)

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)

    def check_finished(self, count: int) -> None:
        assert self.process.wait(100) == 0, self.errors
        check_squares(replies_in(self.output), count)


@contextlib.contextmanager
def driving(
    address: str, environment: dict[str, str], folder: Path, items: object, **options: object
) -> Iterator[Driver]:
    out, errors = folder / "out.jsonl", folder / "errors.txt"
    with (
        out.open("wb") as stdout,
        errors.open("wb") as stderr,
        started(
            command(address, items, **options), env=environment, cwd=ELSEWHERE, stdout=stdout, stderr=stderr
        ) as process,
    ):
        driver = Driver(process, out, errors)
        driver.wait_until(lambda: driver.output.count(b"\n") > 5)
        yield driver


def test_all_replies_come_from_two_nodes_and_nothing_else_is_said(cluster: RayCluster) -> None:
    items = [(number, 0.005, "print" if number % 10 == 0 else "") for number in range(600)]
    done = drive(cluster, items, workers=3)
    assert done.stderr == b"flowcli: the cluster holds 2 of 3 workers of 1 CPU\n"
    assert done.returncode == 0
    replies = replies_in(done.stdout)
    check_squares(replies, 600)
    assert len({pid for _, pid in replies.values()}) == 2
    about = json.loads(done.stdout.splitlines()[0])["about"]
    assert about["folder"] == str(ELSEWHERE)
    assert about["threads"] == 1


def test_items_that_end_processes_are_found_and_the_others_are_done(cluster: RayCluster) -> None:
    items = [(number, 0.002, "exit" if number == 30 else "") for number in range(200)]
    done = drive(cluster, items)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    replies = replies_in(done.stdout)
    check_squares(replies, 200, {30})
    assert replies[30]["reason"].startswith("the worker's process crashed or was killed")


def test_a_worker_that_is_killed_loses_nothing(cluster: RayCluster, tmp_path: Path) -> None:
    hurry = tmp_path / "hurry"
    with driving(cluster.address, cluster.environment, tmp_path, [10_000, 0.02, str(hurry)]) as driver:
        driver.wait_until(lambda: len(cluster.workers()) == 2)
        killed = cluster.workers()[0]
        kill(killed)
        driver.wait_until(lambda: len({*cluster.workers()} - {killed}) == 2)
        hurry.touch()
        driver.check_finished(10_000)
        assert driver.errors == ""


def test_a_node_joins_and_is_lost(cluster: RayCluster, tmp_path: Path) -> None:
    hurry = tmp_path / "hurry"
    items = [10_000, 0.02, str(hurry)]
    with driving(cluster.address, cluster.environment, tmp_path, items) as driver, joined(cluster) as node:
        driver.wait_until(node.workers)
        (worker,) = node.workers()
        driver.wait_until(lambda: b", %d]" % worker.pid in driver.output)
        node.remove()
        hurry.touch()
        driver.check_finished(10_000)
        assert driver.errors == ""


@pytest.mark.parametrize(
    ("number", "code", "seconds"),
    [(signal.SIGINT, 130, WITHIN), (signal.SIGTERM, 143, WITHIN), (KILL, -KILL, LEFT)],
)
def test_a_driver_that_ends_leaves_no_worker(
    cluster: RayCluster, tmp_path: Path, number: int, code: int, seconds: float
) -> None:
    with driving(cluster.address, cluster.environment, tmp_path, [100_000, 0.02]) as driver:
        assert cluster.workers()
        began = time.monotonic()
        assert driver.end(number) == code
        until(lambda: not cluster.workers())
        assert time.monotonic() - began < seconds
        line = f"flowcli: error: {INTERRUPTED_MESSAGE}\n"
        assert driver.errors in ({line} if number == signal.SIGINT else {"", line})  # said if the end takes long


def test_a_local_cluster_ends_with_its_driver(tmp_path: Path) -> None:
    """Killed; of Ctrl-C see the tests of commands."""
    environment = without_cluster()
    environment["HOME"] = str(tmp_path)  # Ray puts the token that it makes there
    with driving("local", environment, tmp_path, [100_000, 0.02], workers=1) as driver:
        theirs = psutil.Process(driver.process.pid).children(recursive=True)
        theirs = [each for each in theirs if each.name() in {"raylet", "gcs_server"} or "Squares" in each.name()]
        assert theirs  # others of Ray's own notice it only after half a minute
        assert driver.end(KILL) == -KILL
        _, left = psutil.wait_procs(theirs, timeout=LEFT)
        assert not [each for each in left if each.status() != psutil.STATUS_ZOMBIE]
        assert driver.errors == ""


def test_errors_of_workers_come_back_as_they_are(cluster: RayCluster) -> None:
    done = drive(cluster, [(0, 0, ""), (1, 0, "full")], workers=1)
    assert done.returncode == 5
    assert done.stderr == b"flowcli: error: cannot write out: the disk is full\n"
    one_error(drive(cluster, [1, 0], job="broken", workers=1), 4, "no model for 1 threads", "node 127.0.0.")
    one_error(drive(cluster, [1, 0], job="fatal"), 7, "workers end while they start")


def test_a_node_that_cannot_do_the_work_is_refused_or_left_out(cluster: RayCluster, tmp_path: Path) -> None:
    """Its flowcli has another version; then, that mended, it does not see a folder."""
    package, hidden = tmp_path / "other" / "flowcli", tmp_path / "hidden" / "model"
    for folder in (package, hidden):
        folder.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "version.py").write_text('__version__ = "0.0.9"\n')
    words = ("127.0.0.", "0.0.9", flowcli.__version__)
    wrapper = ("unshare", "--mount", "sh", "-c", f'mount -t tmpfs none "{hidden.parent}" && exec "$@"', "sh")
    is_hidden = subprocess.run([*wrapper, "true"], capture_output=True).returncode == 0
    changes = {"PYTHONPATH": str(package.parent)}
    with (
        driving(cluster.address, cluster.environment, tmp_path, [100_000, 0.02]) as driver,
        joined(cluster, wrapper=wrapper if is_hidden else (), changes=changes) as node,
    ):
        driver.wait_until(lambda: driver.errors)
        assert driver.errors.count("\n") == 1
        for word in (*words, "left out"):
            assert word in driver.errors
        driver.wait_until(lambda: not node.workers())
        driver.end(signal.SIGINT)
        one_error(drive(cluster, [1, 0]), 2, *words)
        if not is_hidden:
            pytest.skip("no folder can be hidden from a process here; versions were tested")
        shutil.rmtree(package.parent)
        one_error(drive(cluster, [1, 0], needs=[str(hidden)]), 4, "127.0.0.", f"does not see the model {hidden}")


def test_a_cluster_that_refuses_or_has_no_room(cluster: RayCluster) -> None:
    def refused(address: str, **changes: str) -> subprocess.CompletedProcess[bytes]:
        environment = {**cluster.environment, **changes}
        return finished(command(address, [1, 0]), env=environment, capture_output=True)

    one_error(refused(cluster.address, RAY_AUTH_TOKEN="wrong"), 2, cluster.address, "token")
    one_error(drive(cluster, [1, 0], cpus_per_worker=2), 2, "no node", "--cpus-per-worker")
