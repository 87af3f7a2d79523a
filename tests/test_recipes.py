"""The recipes: each command is run as the page has it, and its files are opened as the programs do that read them."""

from __future__ import annotations

import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest

from flowcli.frames.images import write_image
from support.markdown import code_blocks
from support.processes import PROGRAM, finished
from support.videos import moving_frames, write_video

from .conftest import ROOT

COMMANDS = [block.code.strip() for block in code_blocks(ROOT / "docs/recipes.md")]
COUNT = 4


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Frames and a video whose motion is (2, 1) from each frame to the next."""
    frames = moving_frames(COUNT)
    for index, frame in enumerate(frames, 1):
        write_image(tmp_path / "frames" / f"f_{index:04d}.png", frame)
    write_video(tmp_path / "in.mp4", frames)
    return tmp_path


def run(folder: Path, environment: dict[str, str], flow_dir: str) -> Path:
    """Run the recipe that writes to that folder."""
    (command,) = [command for command in COMMANDS if command.endswith(f"--flow-dir {flow_dir}")]
    program, *arguments = shlex.split(command)
    assert program == "flowcli"
    done = finished([PROGRAM, *arguments, "-m", "dis"], cwd=folder, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    return folder / flow_dir


def moves(flow: np.ndarray, u: float, v: float) -> None:
    assert flow.shape == (64, 96, 2)
    assert flow.dtype == np.float32
    assert np.median(flow, axis=(0, 1)) == pytest.approx([u, v], abs=0.1)


def test_every_recipe_is_tested() -> None:
    assert [command.split()[-1] for command in COMMANDS] == ["flow", "motion", "exhaustive", "action", "edit"]


def test_dynamic_radiance_fields(folder: Path, environment: dict[str, str]) -> None:
    out = run(folder, environment, "flow")
    for index in range(COUNT):
        for direction, sign in (("fwd", 1), ("bwd", -1)):
            path = out / f"{index:05d}_{direction}.npz"
            if not 0 <= index + sign < COUNT:
                assert not path.exists()
                continue
            with np.load(path) as archive:
                moves(archive["flow"], 2 * sign, sign)
                assert archive["mask"].dtype == bool
                assert archive["mask"][10:50, 10:80].mean() > 0.95


def test_motion_segmentation(folder: Path, environment: dict[str, str]) -> None:
    out = run(folder, environment, "motion")
    for gap in (1, -1, 2, -2):
        names = [f"f_{index + 1:04d}" for index in range(COUNT) if 0 <= index + gap < COUNT]
        assert sorted(path.stem for path in (out / f"Flows_gap{gap}").iterdir()) == names
        for name in names:
            moves(cv2.readOpticalFlow(str(out / f"Flows_gap{gap}" / f"{name}.flo")), 2 * gap, gap)


def test_exhaustive_tracking(folder: Path, environment: dict[str, str]) -> None:
    out = run(folder, environment, "exhaustive")
    names = [f"f_{index:04d}.png" for index in range(1, COUNT + 1)]
    for i, first in enumerate(names):
        for j, second in enumerate(names):
            if i != j:
                moves(np.load(out / f"{first}_{second}.npy"), 2 * (j - i), j - i)
    assert len(list(out.glob("*.npy"))) == COUNT * (COUNT - 1)


def test_action_recognition(folder: Path, environment: dict[str, str]) -> None:
    out = run(folder, environment, "action")
    for number in range(1, COUNT):
        x, y = (cv2.imread(str(out / f"flow_{component}_{number:05d}.jpg"), cv2.IMREAD_GRAYSCALE) for component in "xy")
        assert x is not None
        assert y is not None
        assert np.median(x) / 255 * 40 - 20 == pytest.approx(2, abs=0.2)
        assert np.median(y) / 255 * 40 - 20 == pytest.approx(1, abs=0.2)
    assert len(list(out.glob("*.jpg"))) == 2 * (COUNT - 1)


def test_video_editing(folder: Path, environment: dict[str, str]) -> None:
    out = run(folder, environment, "edit")
    for direction, sign in (("fwd", 1), ("bwd", -1)):
        for index in range(1, COUNT + 1):
            moves(cv2.readOpticalFlow(str(out / direction / f"f_{index:04d}.flo")), 2 * sign, sign)
            hidden = cv2.imread(str(out / direction / f"f_{index:04d}_hidden.png"), cv2.IMREAD_GRAYSCALE)
            assert hidden is not None
            assert set(np.unique(hidden)) <= {0, 255}
            assert (hidden[10:50, 10:80] == 0).mean() > 0.95
