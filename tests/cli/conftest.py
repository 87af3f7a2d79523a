"""What the tests of the commands share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from flowcli import write_flow
from flowcli.arrays import Flow
from flowcli.frames.images import write_image
from flowcli.scene import render_scene


@pytest.fixture
def frames(tmp_path: Path) -> list[str]:
    scene = render_scene(64, 80)
    write_image(tmp_path / "a.png", scene.frame1)
    write_image(tmp_path / "b.png", scene.frame2)
    return ["a.png", "b.png"]


@pytest.fixture
def flows(tmp_path: Path) -> tuple[Flow, Flow]:
    """An estimate and the truth, as files and in memory."""
    truth = np.zeros((4, 5, 2), np.float32)
    truth[..., 0] = 10
    truth[3] = np.nan
    flow = truth + np.float32(0.5)
    flow[0, 0] = 14, 3
    flow[3] = 0
    write_flow(tmp_path / "gt.flo", truth)
    write_flow(tmp_path / "pred.npy", flow)
    return flow, truth
