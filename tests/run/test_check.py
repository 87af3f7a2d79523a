"""Checking a checkpoint, from Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from flowcli import check_model
from flowcli.errors import BatchError, UsageError
from flowcli.frames.images import write_image
from flowcli.models.perceiver import model, weights
from flowcli.models.perceiver.checkpoint import open_checkpoint
from flowcli.models.perceiver.memory import PeakMemory
from flowcli.models.perceiver.stock import StockFlow
from flowcli.run.check import LARGEST_DIFFERENCE, central_window, scene_window
from flowcli.scene import render_scene
from support.checkpoints import draw_checkpoint
from support.reference import load_stock, window_flow

WINDOW = (24, 40)


def test_passes_are_told_and_float64_is_compared(good_checkpoint: Path) -> None:
    passes: list[int] = []
    found = check_model(str(good_checkpoint), device="cpu", float64=True, on_pass=passes.append)
    assert found.problem is None
    assert passes == [1, 1, 1, 1]  # fp32, bf16, stock, stock in float64


def test_the_problem_is_an_error(checkpoint: Path) -> None:
    found = check_model(str(checkpoint), device="cpu")
    assert isinstance(found.problem, BatchError)
    assert str(found.problem) == found.error


def with_mixed_channels(read: Any) -> Any:
    """Weights whose patch map has the channels of a patch in another order."""

    def broken(*arguments: Any) -> Any:
        found = read(*arguments)
        name = f"{weights.PATCH_MAP}.weight"
        found[name] = found[name].view(-1, 2, 9, 3).transpose(2, 3).reshape(found[name].shape)
        return found

    return broken


def with_query_for_key(read: Any) -> Any:
    """Weights of which a layer's query and key are each other's."""

    def broken(*arguments: Any) -> Any:
        found = read(*arguments)
        names = [f"{weights.layer_name(1)}.attention.self.{part}.weight" for part in ("query", "key")]
        found.update(zip(names, [found[name].T for name in names], strict=True))
        return found

    return broken


def with_an_offset(estimate: Any) -> Any:
    """Flow that is off by a hundredth of a pixel."""
    return lambda *arguments: estimate(*arguments) + torch.tensor((0.0, 0.0101))


@pytest.mark.parametrize(
    ("place", "name", "mistake"),
    [
        (model, "read_weights", with_mixed_channels),
        (model, "read_weights", with_query_for_key),
        (model.PerceiverFlow, "estimate_tensors", with_an_offset),
    ],
)
def test_a_network_that_is_not_the_stock_module(
    good_checkpoint: Path, place: Any, name: str, mistake: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake in how our network reads or runs."""
    monkeypatch.setattr(place, name, mistake(getattr(place, name)))
    found = check_model(str(good_checkpoint), device="cpu")
    assert isinstance(found.problem, BatchError)
    assert found.error is not None
    assert found.checks[0].max_difference > LARGEST_DIFFERENCE
    assert "from the stock module, more than 0.01 px" in found.error
    assert "float64 tells" in found.error.replace("`", "")


def test_other_models_are_refused() -> None:
    with pytest.raises(UsageError, match="dis is no Perceiver"):
        check_model("dis")


@pytest.mark.parametrize("size", [(64, 80), (20, 90), (24, 40), (1, 1)])
def test_frames_of_any_size(good_checkpoint: Path, tmp_path: Path, size: tuple[int, int]) -> None:
    scene = render_scene(64, 90, seed=3)
    frames = tmp_path / "a.png", tmp_path / "b.png"
    for path, frame in zip(frames, (scene.frame1, scene.frame2), strict=True):
        write_image(path, frame[: size[0], : size[1]])
    plain = check_model(str(good_checkpoint), device="cpu")
    framed = check_model(str(good_checkpoint), device="cpu", frames=frames)
    assert (framed.frame1, framed.frame2) == frames
    assert framed.scene == plain.scene
    assert framed.checks[0].max_difference < LARGEST_DIFFERENCE
    assert framed.checks[1].mean_difference != plain.checks[1].mean_difference


def test_the_window_is_the_middle_of_the_frames() -> None:
    y, x = np.mgrid[:64, :80].astype(np.uint8)
    first, second = central_window((np.stack([y, x, y], axis=-1), np.zeros((64, 80, 3), np.uint8)), WINDOW)
    assert first.shape == second.shape == (*WINDOW, 3)
    assert first[0, 0].tolist() == [20, 20, 20]
    narrow, _ = central_window((np.stack([y, x, y], axis=-1)[:, :30],) * 2, WINDOW)
    assert narrow[0, :, 1].tolist() == [*range(30), *[29] * 10]


@pytest.mark.parametrize("window", [(16, 16), (24, 40), (40, 48)])
def test_the_scene_is_that_of_the_window(window: tuple[int, int]) -> None:
    scene = scene_window(window)
    assert scene.frame1.shape == scene.frame2.shape == (*window, 3)
    assert scene.flow.shape == (*window, 2)
    assert scene.visible.shape == window
    whole = render_scene(max(32, window[0]), max(32, window[1]))
    np.testing.assert_array_equal(scene.flow, whole.flow[: window[0], : window[1]])


@pytest.mark.parametrize(("dtype", "off"), [(torch.float32, 1e-3), (torch.float64, 1e-6)])
def test_the_stock_module_is_used_as_published(tmp_path: Path, dtype: torch.dtype, off: float) -> None:
    folder = draw_checkpoint(tmp_path, train_size=(18, 22), seed=5)
    scene = scene_window((18, 22))
    expected = window_flow(load_stock(folder), scene.frame1, scene.frame2)
    run = StockFlow(open_checkpoint("drawn", folder, None), torch.device("cpu"), dtype)
    np.testing.assert_allclose(run(scene.frame1, scene.frame2), expected, rtol=0, atol=off)


def test_the_peak_is_counted_anew() -> None:
    large = np.ones(1 << 25, np.uint64)  # 256 MiB
    peak = PeakMemory(torch.device("cpu"))
    del large
    before = peak.bytes()
    if before is None:
        pytest.skip("only Linux counts the peak anew")
    after = PeakMemory(torch.device("cpu"))
    assert (after.bytes() or 0) < before - (1 << 27)
