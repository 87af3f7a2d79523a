"""Tests on a CUDA GPU, if there is one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from flowcli import FlowEstimator, check_model, load_estimator
from flowcli.scene import render_scene
from support.on_arrays import OnArrays
from support.reference import even_starts, load_stock, tiled_flow

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")


@pytest.mark.parametrize(
    ("precision", "largest", "mean"),
    [("fp32", 1e-3, 1e-3), ("tf32", 0.3, 0.02), ("bf16", 3.0, 0.3), ("fp16", 0.5, 0.05)],
)
def test_flow_is_that_of_the_stock_module(checkpoint: Path, precision: str, largest: float, mean: float) -> None:
    if precision == "tf32" and torch.cuda.get_device_capability() < (8, 0):
        pytest.skip("this GPU has no tf32")
    scene = render_scene(57, 100, seed=6)
    expected = tiled_flow(
        load_stock(checkpoint), scene.frame1, scene.frame2, even_starts(57, 24, 6), even_starts(100, 40, 6)
    )
    estimator = load_estimator(str(checkpoint), device="cuda", precision=precision, overlap=6)  # type: ignore[arg-type]
    off = np.abs(estimator.estimate(scene.frame1, scene.frame2) - expected)
    assert off.max() <= largest
    assert off.mean() <= mean


def test_auto_takes_the_gpu_and_tf32_where_it_is(checkpoint: Path) -> None:
    estimator = load_estimator(str(checkpoint))
    assert estimator.model.device == "cuda"
    assert estimator.model.precision == ("tf32" if torch.cuda.get_device_capability() >= (8, 0) else "fp32")
    assert estimator.batch_size > 1


def test_running_out_of_memory_halves_the_batch(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real allocation that fails, on a GPU of which almost all is taken."""
    scene = render_scene(120, 200)
    expected = load_estimator(str(checkpoint), device="cuda", overlap=6).estimate(scene.frame1, scene.frame2)
    estimator = load_estimator(str(checkpoint), device="cuda", overlap=6, batch_size=64)
    torch.cuda.empty_cache()
    allowed = torch.cuda.memory_allocated() + estimator.model._network.bytes_per_window() * 8  # type: ignore[attr-defined]
    total = torch.cuda.get_device_properties(0).total_memory
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    torch.cuda.set_per_process_memory_fraction(min(1.0, allowed / total))
    try:
        flow = estimator.estimate(scene.frame1, scene.frame2)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert estimator.batch_size < 64
    np.testing.assert_allclose(flow, expected, atol=0.3)


def test_model_check(good_checkpoint: Path) -> None:
    found = check_model(str(good_checkpoint), device="cuda", float64=True)
    assert found.problem is None
    assert [check.precision for check in found.checks if check.precision != "tf32"] == ["fp32", "bf16", "fp16"]
    assert all(check.peak_bytes for check in found.checks)
    assert found.stock.peak_bytes


def test_frames_go_up_and_flow_comes_down_while_the_gpu_computes(checkpoint: Path) -> None:
    """Pairs of many sizes in shared batches: the flow of each is that of the model's arrays."""
    estimator = load_estimator(str(checkpoint), device="cuda", precision="fp32", overlap=6, batch_size=5)
    sizes = [(57, 100), (24, 40), (120, 200), (20, 12)] * 5
    scenes = [render_scene(*size, seed=seed) for seed, size in enumerate(sizes)]
    flows = list(estimator.estimate_pairs((scene.frame1, scene.frame2) for scene in scenes))
    other = FlowEstimator(OnArrays(estimator.model), overlap=6, batch_size=5)
    expected = list(other.estimate_pairs((scene.frame1, scene.frame2) for scene in scenes))
    for flow, from_arrays in zip(flows, expected, strict=True):
        np.testing.assert_allclose(flow, from_arrays, rtol=0, atol=1e-4)
