"""Models found by name: modules of flowcli, entry points of other packages, checkpoints."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from flowcli import read_flow
from flowcli.frames.images import write_image
from flowcli.models import ModelRequest, built_in, find_family
from flowcli.models.perceiver import PerceiverFamily
from support.videos import moving_frames

from ..conftest import Run

PLUGIN = """
import numpy as np

class Still:
    name, fingerprint, revision, device, precision, window = "still", "still 1", None, "cpu", "fp32", None

    def largest_batch(self):
        return 1

    def __call__(self, frames1, frames2):
        return np.full((*frames1.shape[:3], 2), 3, np.float32)

def load(request):
    assert request.name == "still"
    return Still()
"""


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """A package with a model, as pip leaves it, on the path of the commands."""
    site = tmp_path / "site"
    metadata = site / "flowcli_still-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / "flowcli_still.py").write_text(PLUGIN)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: flowcli-still\nVersion: 1.0\n")
    entries = "still = flowcli_still:load\ngone = flowcli_gone:load\n"
    (metadata / "entry_points.txt").write_text(f"[flowcli.models]\n{entries}")
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))}


@pytest.fixture
def frames(tmp_path: Path) -> list[str]:
    for name, image in zip(("a.png", "b.png"), moving_frames(2), strict=True):
        write_image(tmp_path / name, image)
    return ["a.png", "b.png"]


def test_the_models_of_flowcli_itself() -> None:
    assert built_in() == ["dis"]
    assert find_family("dis").load(ModelRequest("dis")).name == "dis"
    assert isinstance(find_family("owner/name"), PerceiverFamily)


def test_a_model_of_another_package(flowcli: Run, installed: dict[str, str], frames: list[str], tmp_path: Path) -> None:
    done = flowcli("estimate", *frames, "-o", "x.flo", "-m", "still", **installed)
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(read_flow(tmp_path / "x.flo"), np.full((64, 96, 2), 3))
    info = flowcli("model", "info", "-m", "still", **installed)
    assert info.stdout.decode().splitlines() == ["model:     still", "kind:      flowcli_still:load"]
    assert b"built in" in flowcli("model", "fetch", "-m", "still", **installed).stderr


def test_a_model_that_cannot_be_imported(flowcli: Run, installed: dict[str, str], frames: list[str]) -> None:
    done = flowcli("estimate", *frames, "-o", "x.flo", "-m", "gone", **installed)
    assert done.returncode == 4
    assert b"cannot import model gone from flowcli_gone:load" in done.stderr
    assert done.stderr.count(b"\n") == 1
