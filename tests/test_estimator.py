"""The stream of pairs: batches, order, memory; with a small checkpoint or DIS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from flowcli import FlowEstimator, load_estimator, on_device
from flowcli.arrays import Flow, Frame
from flowcli.errors import DeviceError, InputError, UsageError
from flowcli.models import FlowModel, OutOfMemoryError
from flowcli.models.dis import DisFlow
from flowcli.scene import Scene, render_scene


def frames_of(scene: Scene, height: int, width: int) -> tuple[Frame, Frame]:
    return scene.frame1[:height, :width], scene.frame2[:height, :width]


@pytest.fixture(scope="module")
def model(checkpoint: Path) -> FlowModel:
    return load_estimator(str(checkpoint)).model


@pytest.fixture(scope="module")
def pairs() -> list[tuple[Frame, Frame]]:
    """Pairs of different sizes: one, two, six and nine windows."""
    sizes = [(24, 40), (30, 40), (20, 12), (41, 74), (57, 100)]
    return [frames_of(render_scene(60, 110, seed=seed), *size) for seed, size in enumerate(sizes)]


@pytest.fixture(scope="module")
def alone(model: FlowModel, pairs: list[tuple[Frame, Frame]]) -> list[Flow]:
    return [FlowEstimator(model, overlap=6, batch_size=1).estimate(*pair) for pair in pairs]


@pytest.mark.parametrize("batch_size", [1, 2, 3, 7, 100])
def test_the_batch_size_and_the_company_change_nothing(
    model: FlowModel, pairs: list[tuple[Frame, Frame]], alone: list[Flow], batch_size: int
) -> None:
    for order in ([0, 1, 2, 3, 4], [4, 2, 0, 3, 1]):
        estimator = FlowEstimator(model, overlap=6, batch_size=batch_size)
        flows = list(estimator.estimate_pairs(pairs[index] for index in order))
        assert len(flows) == len(order)
        for index, flow in zip(order, flows, strict=True):
            np.testing.assert_allclose(flow, alone[index], rtol=0, atol=1e-4)


def test_windows_of_consecutive_pairs_share_forward_passes(model: FlowModel, pairs: list[tuple[Frame, Frame]]) -> None:
    passes: list[int] = []
    list(FlowEstimator(model, overlap=6, batch_size=4).estimate_pairs(pairs, on_window=passes.append))
    assert sum(passes) == 1 + 2 + 1 + 4 + 9
    assert passes == [4, 4, 4, 4, 1]


def test_pairs_are_taken_only_as_they_are_needed(model: FlowModel, pairs: list[tuple[Frame, Frame]]) -> None:
    taken = 0

    def source() -> Iterator[tuple[Frame, Frame]]:
        nonlocal taken
        for _ in range(50):
            taken += 1
            yield pairs[0]

    flows = FlowEstimator(model, batch_size=2).estimate_pairs(source())
    next(flows)
    assert taken == 2


def test_what_needs_no_flow_keeps_its_place(
    model: FlowModel, pairs: list[tuple[Frame, Frame]], alone: list[Flow]
) -> None:
    wanted = {"b": 0, "i": 3}
    work = [(key, pairs[wanted[key]] if key in wanted else None) for key in "abcdefghij"]
    stream = list(FlowEstimator(model, overlap=6, batch_size=3).estimate_stream(work))
    assert [key for key, _ in stream] == list("abcdefghij")
    for key, flow in stream:
        assert (flow is None) == (key not in wanted)
        if flow is not None:
            np.testing.assert_allclose(flow, alone[wanted[key]], rtol=0, atol=1e-4)


@pytest.mark.parametrize(("is_ready", "most"), [(True, 4), (False, 8)], ids=["not full", "still computed"])
def test_what_needs_no_flow_does_not_gather_behind_a_batch(
    model: FlowModel, pairs: list[tuple[Frame, Frame]], is_ready: bool, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_device.DevicePair, "is_ready", is_ready)
    taken = 0

    def source() -> Iterator[tuple[int, tuple[Frame, Frame] | None]]:
        nonlocal taken
        yield 0, pairs[0]
        for index in range(1000):
            taken += 1
            yield index, None

    next(FlowEstimator(model, batch_size=4).estimate_stream(source()))
    assert taken <= most


class Cramped:
    """A real model whose device holds only so many windows at once."""

    def __init__(self, model: FlowModel, room: int) -> None:
        self.model, self.room = model, room
        self.name, self.revision, self.device, self.precision = model.name, None, "cuda:0", "fp32"
        self.fingerprint = model.fingerprint
        self.window = model.window
        self.batches: list[int] = []

    def largest_batch(self) -> int:
        return 8

    def __call__(self, frames1: npt.NDArray[np.uint8], frames2: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        if len(frames1) > self.room:
            raise OutOfMemoryError("out of memory")
        self.batches.append(len(frames1))
        return self.model(frames1, frames2)


def test_running_out_of_memory_halves_the_batch_and_goes_on(
    model: FlowModel, pairs: list[tuple[Frame, Frame]], alone: list[Flow]
) -> None:
    cramped = Cramped(model, room=3)
    flows = list(FlowEstimator(cramped, overlap=6).estimate_pairs(pairs))
    for flow, expected in zip(flows, alone, strict=True):
        np.testing.assert_allclose(flow, expected, rtol=0, atol=1e-4)
    assert max(cramped.batches) == 2  # 8 and 4 did not fit
    assert sum(cramped.batches) == 17


def test_not_even_one_window_fits(model: FlowModel, pairs: list[tuple[Frame, Frame]]) -> None:
    with pytest.raises(DeviceError, match="cuda:0 has too little free memory"):
        FlowEstimator(Cramped(model, room=0)).estimate(*pairs[0])


def test_frames_of_different_sizes_are_refused(model: FlowModel, scene: Scene) -> None:
    with pytest.raises(InputError, match="160 x 120 but frame 2 is 159 x 120"):
        FlowEstimator(model).estimate(scene.frame1, scene.frame2[:, 1:])


@pytest.mark.parametrize("scale", [0.5, 0.77, 2.0])
def test_scaled_flow_comes_back_in_the_size_and_pixels_of_the_frames(scale: float) -> None:
    scene = render_scene(240, 320)
    flow = load_estimator("dis", scale=scale).estimate(scene.frame1, scene.frame2)
    assert flow.shape == (240, 320, 2)
    error = np.hypot(*(flow - scene.flow).transpose(2, 0, 1))
    assert np.median(error) < 0.25


@pytest.mark.parametrize(
    "arguments", [{"overlap": -1}, {"scale": 0.0}, {"scale": float("nan")}, {"scale": 17.0}, {"batch_size": 0}]
)
def test_values_out_of_range_are_refused(arguments: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        FlowEstimator(DisFlow(), **arguments)  # type: ignore[arg-type]
