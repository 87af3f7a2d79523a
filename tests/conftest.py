"""Shared fixtures: random checkpoints, rendered scenes, real frames, and the installed command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from flowcli.run.check import scene_window
from flowcli.scene import Scene, render_scene
from support.hub_server import HubServer
from support.processes import DEADLINE, PROGRAM, finished
from support.ray_cluster import QUICK
from support.s3_server import Bucket, S3Server, missing

# A busy machine must not fail a test.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
if WORKERS > 1:  # side by side with other workers: together, and with what they start, no more threads than cores
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // WORKERS)))  # read by torch

os.environ.update(QUICK)

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("FLOWCLI_TEST_DATA", ROOT.parent / "shared" / "data"))

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slowest tests, so that none of them is left to one worker at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def data() -> Path:
    """Real frames with ground truth, where the machine has them."""
    if not DATA.is_dir():
        pytest.skip(f"no real frames in {DATA}; set FLOWCLI_TEST_DATA")
    return DATA


@pytest.fixture(scope="session")
def scene() -> Scene:
    return render_scene(120, 160)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random checkpoint whose window is 24 x 40."""
    from support.checkpoints import draw_checkpoint

    return draw_checkpoint(tmp_path_factory.mktemp("checkpoint"), train_size=(24, 40), seed=1)


@pytest.fixture(scope="session")
def good_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random checkpoint whose last layer is fitted to the scene of ``model check``: better than zero flow there."""
    from support.checkpoints import draw_model, fit_output, small_config

    window = (24, 40)
    scene = scene_window(window)
    model = draw_model(small_config(window), seed=1, is_scaled=False)
    fit_output(model, scene.frame1, scene.frame2, scene.flow)
    folder = tmp_path_factory.mktemp("good-checkpoint")
    model.save_pretrained(folder)
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a user who has neither a cache nor settings; the hub is a closed port of this machine."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "FLOWCLI_", "TRANSFORMERS_"))}
    return {**kept, "HF_HOME": str(tmp_path / "hf"), "HF_ENDPOINT": "http://127.0.0.1:9", "COLUMNS": "200"}


@pytest.fixture(scope="session")
def forks() -> Iterator[Any]:
    """The :class:`support.forks.Forks`, which start in less time, where the system has them."""
    if sys.platform != "linux":
        yield None
    else:
        from support.forks import Forks

        with Forks() as made:
            yield made


@pytest.fixture
def flowcli(environment: dict[str, str], tmp_path: Path, forks: Any) -> Run:
    """Run the installed command in a process of its own, in an empty folder."""

    def run(*arguments: object, timeout: float = DEADLINE, **changes: str) -> subprocess.CompletedProcess[bytes]:
        given, env = [str(argument) for argument in arguments], {**environment, **changes}
        if forks is not None and forks.can_run(given, env):
            done: subprocess.CompletedProcess[bytes] = forks.finished(given, cwd=tmp_path, env=env, timeout=timeout)
            return done
        return finished([PROGRAM, *given], cwd=tmp_path, env=env, capture_output=True, timeout=timeout)

    return run


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """An S3 server on this machine."""
    if (name := missing()) is not None:
        pytest.skip(f"{name} is not installed, which the S3 server of the tests needs")
    with S3Server() as server:
        yield server


@pytest.fixture
def bucket(s3_server: S3Server, environment: dict[str, str]) -> Bucket:
    """A new bucket; the environment of commands has what is needed to use it."""
    environment.update(s3_server.environment)
    return s3_server.make_bucket()


@pytest.fixture
def hub(checkpoint: Path, environment: dict[str, str]) -> Iterator[HubServer]:
    """A hub on this machine that has the small checkpoint as ``someone/flow``; ``HF_ENDPOINT`` points to it."""
    with HubServer({"someone/flow": checkpoint}) as server:
        environment["HF_ENDPOINT"] = server.url
        yield server
