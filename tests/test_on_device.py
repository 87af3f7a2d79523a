"""Pairs on a model's device: the same flow as through NumPy's arrays; here on the CPU, which is a device as well."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from flowcli import FlowEstimator, load_estimator, on_device
from flowcli.arrays import Flow, Frame
from flowcli.errors import DeviceError
from flowcli.models import TorchModel, takes_tensors
from flowcli.models.dis import DisFlow
from flowcli.scene import render_scene
from support.on_arrays import OnArrays

SIZES = [(24, 40), (30, 40), (20, 12), (41, 74), (57, 100)]  # one, two, one, four and nine windows


@pytest.fixture(scope="module")
def model(checkpoint: Path) -> TorchModel:
    found = load_estimator(str(checkpoint)).model
    assert takes_tensors(found)
    return found


@pytest.fixture(scope="module")
def pairs() -> list[tuple[Frame, Frame]]:
    scenes = [render_scene(60, 110, seed=seed) for seed in range(len(SIZES))]
    return [(each.frame1[:h, :w], each.frame2[:h, :w]) for each, (h, w) in zip(scenes, SIZES, strict=True)]


@pytest.fixture(scope="module")
def expected(model: TorchModel, pairs: list[tuple[Frame, Frame]]) -> list[Flow]:
    return list(FlowEstimator(OnArrays(model), overlap=6, batch_size=4).estimate_pairs(pairs))


def assert_same(flows: list[Flow], expected: list[Flow]) -> None:
    for flow, other in zip(flows, expected, strict=True):
        assert isinstance(flow, np.ndarray)
        assert flow.dtype == np.float32
        assert flow.flags.c_contiguous
        np.testing.assert_allclose(flow, other, rtol=0, atol=1e-5)


def test_the_flow_is_that_of_arrays(
    model: TorchModel, pairs: list[tuple[Frame, Frame]], expected: list[Flow], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> object:
        raise AssertionError("through arrays")

    monkeypatch.setattr(type(model), "__call__", refuse)
    assert_same(list(FlowEstimator(model, overlap=6, batch_size=4).estimate_pairs(pairs)), expected)


@pytest.mark.parametrize("scale", [0.7, 1.3])
def test_scaled(model: TorchModel, pairs: list[tuple[Frame, Frame]], scale: float) -> None:
    flow = FlowEstimator(model, overlap=6, scale=scale).estimate(*pairs[4])
    other = FlowEstimator(OnArrays(model), overlap=6, scale=scale).estimate(*pairs[4])
    assert_same([flow], [other])


def test_the_published_windows(model: TorchModel) -> None:
    """Some of them count twice at this size."""
    scene = render_scene(60, 108)
    flows = [
        FlowEstimator(each, overlap=6, grid="reference").estimate(scene.frame1, scene.frame2)
        for each in (model, OnArrays(model))
    ]
    assert_same(flows[:1], flows[1:])


def test_frames_of_any_layout(model: TorchModel, pairs: list[tuple[Frame, Frame]], expected: list[Flow]) -> None:
    """torch shares no memory with arrays that run backwards, and warns of those that nobody may write."""
    backwards = [np.ascontiguousarray(frame[::-1, ::-1])[::-1, ::-1] for frame in pairs[4]]
    for frame in backwards:
        frame.flags.writeable = False
    assert_same([FlowEstimator(model, overlap=6, batch_size=4).estimate(*backwards)], expected[4:])


def test_flows_that_the_device_still_computes_are_waited_for_late(
    model: TorchModel, pairs: list[tuple[Frame, Frame]], expected: list[Flow], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a GPU: a flow is taken only after the next batch has been given to the device, or at the end."""
    given: list[int] = []
    monkeypatch.setattr(on_device.DevicePair, "is_ready", False)
    estimator = FlowEstimator(model, overlap=6, batch_size=4)
    flows = []
    for flow in estimator.estimate_pairs((pair for pair in pairs * 3), on_window=given.append):
        flows.append(flow)
        if len(flows) == 4:
            assert sum(given) >= sum((1, 2, 1, 4)) + 4
    assert_same(flows, expected * 3)


def test_frames_that_the_device_cannot_hold_stay_here(
    model: TorchModel, pairs: list[tuple[Frame, Frame]], expected: list[Flow], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = on_device._sent
    failures = iter([torch.OutOfMemoryError("CUDA out of memory")])

    def send(frame: Frame, device: torch.device) -> torch.Tensor:
        for error in failures:
            raise error
        return sent(frame, device)

    monkeypatch.setattr(on_device, "_sent", send)
    assert_same(list(FlowEstimator(model, overlap=6, batch_size=4).estimate_pairs(pairs)), expected)
    assert next(failures, None) is None


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "cpu has too little free memory beside the model"),
        (torch.AcceleratorError("CUDA error: unspecified launch failure"), "cpu failed: unspecified launch failure"),
    ],
)
def test_what_fails_while_it_is_stitched(
    model: TorchModel,
    pairs: list[tuple[Frame, Frame]],
    error: RuntimeError,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(on_device._Download, "array", fail)
    with pytest.raises(DeviceError, match=words):
        FlowEstimator(model).estimate(*pairs[0])


def test_a_batch_that_does_not_fit_when_it_is_put_together(
    model: TorchModel, pairs: list[tuple[Frame, Frame]], expected: list[Flow], monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = torch.stack

    def limited(tensors: tuple[torch.Tensor, ...], dim: int = 0) -> torch.Tensor:
        if len(tensors) > 2 and tensors[0].dtype == torch.uint8:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return stack(tensors, dim)

    monkeypatch.setattr(torch, "stack", limited)
    estimator = FlowEstimator(model, overlap=6, batch_size=8)
    flows = list(estimator.estimate_pairs(pairs))
    assert estimator.batch_size == 2
    for flow, other in zip(flows, expected, strict=True):
        np.testing.assert_allclose(flow, other, rtol=0, atol=1e-4)  # other batches


def test_models_of_arrays_never_load_torch() -> None:
    assert not takes_tensors(DisFlow())
    code = (
        "import sys; from flowcli import load_estimator; from flowcli.scene import render_scene;"
        "s = render_scene(40, 50); load_estimator('dis').estimate(s.frame1, s.frame2); sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
