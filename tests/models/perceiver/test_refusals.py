"""What devices refuse, injected where no GPU is: one line with cause and remedy, and what is finished is kept."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from flowcli import load_estimator
from flowcli.errors import DeviceError, UsageError
from flowcli.frames.images import write_image
from flowcli.models import OutOfMemoryError
from flowcli.models.perceiver import refusals as module
from flowcli.models.perceiver.device import choose_device
from flowcli.models.perceiver.network import FlowNetwork
from flowcli.models.perceiver.refusals import gpu_available, refusals
from flowcli.scene import Scene
from support.videos import moving_frames

from ...conftest import Run

NO_KERNEL = """CUDA error: no kernel image is available for execution on the device
CUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be incorrect.
For debugging consider passing CUDA_LAUNCH_BLOCKING=1
"""
LOST = (
    "CUDA error: unspecified launch failure\nSearch for `cudaErrorLaunchFailure' in https://docs.nvidia.com for more."
)
OLD = "The NVIDIA driver on your system is too old (found version 11040). Please update your GPU driver."
NO_BLAS = "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"
FAULTY = """
import torch
from flowcli.models.perceiver.network import FlowNetwork

whole, count = FlowNetwork.forward, 0

def forward(self, *arguments):
    global count
    count += 1
    if count > {after}:
        raise torch.AcceleratorError({text!r})
    return whole(self, *arguments)

FlowNetwork.forward = forward
"""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (torch.AcceleratorError(NO_KERNEL), ("has no code for that GPU", "https://pytorch.org")),
        (RuntimeError(OLD), ("the NVIDIA driver is missing, or too old", "update the driver")),
        (torch.AcceleratorError(LOST), ("unspecified launch failure", "nvidia-smi", "what is finished is kept")),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), ("CUDNN_STATUS_EXECUTION_FAILED", "nvidia-smi")),
        (torch.AcceleratorError(""), ("no reason given", "nvidia-smi")),
    ],
)
def test_the_cause_and_the_remedy_are_in_one_line(error: RuntimeError, words: tuple[str, ...]) -> None:
    with pytest.raises(DeviceError) as raised, refusals("cuda:1"):
        raise error
    text = str(raised.value)
    assert text.startswith("cuda:1 failed: ")
    assert "\n" not in text
    for word in (*words, "device to cpu"):
        assert word in text


@pytest.mark.parametrize(
    "text",
    [
        NO_BLAS,
        "CUDA error: out of memory",
        "[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory",
    ],
)
def test_memory_by_any_name_is_memory(text: str) -> None:
    with pytest.raises(OutOfMemoryError), refusals("cuda"):
        raise RuntimeError(text)


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="shape"), refusals("cpu"):
        raise RuntimeError("shape '[2]' is invalid for input of size 3")


def fail(monkeypatch: pytest.MonkeyPatch, error: Callable[[int], Exception | None]) -> None:
    """Have the network fail where ``error`` says so, by the number of windows in a batch."""
    whole = FlowNetwork.forward

    def forward(self: FlowNetwork, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        fault = error(len(first))
        if fault is not None:
            raise fault
        return whole(self, first, second)

    monkeypatch.setattr(FlowNetwork, "forward", forward)


def test_a_library_without_memory_halves_the_batch(
    checkpoint: Path, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    estimator = load_estimator(str(checkpoint), device="cpu", batch_size=8)
    expected = estimator.estimate(scene.frame1, scene.frame2)
    fail(monkeypatch, lambda count: RuntimeError(NO_BLAS) if count > 2 else None)
    np.testing.assert_allclose(estimator.estimate(scene.frame1, scene.frame2), expected, atol=1e-3)
    assert estimator.batch_size == 2
    fail(monkeypatch, lambda _: RuntimeError(NO_BLAS))
    with pytest.raises(DeviceError, match="too little free memory for one window"):
        estimator.estimate(scene.frame1, scene.frame2)


def test_a_network_that_does_not_fit(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")

    monkeypatch.setattr(FlowNetwork, "to", refuse)
    with pytest.raises(DeviceError, match="too little free memory for the model"):
        load_estimator(str(checkpoint), device="cpu")


@pytest.mark.parametrize(("command", "after"), [("estimate", 0), ("batch", 40)])
def test_finished_outputs_are_kept(
    flowcli: Run, checkpoint: Path, tmp_path: Path, environment: dict[str, str], command: str, after: int
) -> None:
    for index, frame in enumerate(moving_frames(9, 48, 80)):
        write_image(tmp_path / "frames" / f"{index}.png", frame)
    patch = tmp_path / "patch"
    patch.mkdir()
    (patch / "sitecustomize.py").write_text(FAULTY.format(after=after, text=LOST))
    path = os.pathsep.join([str(patch), *filter(None, [environment.get("PYTHONPATH")])])
    arguments = {
        "estimate": ("frames/0.png", "frames/1.png", "-o", "out.flo"),
        "batch": ("frames", "--out-dir", "out", "--json"),
    }[command]
    model = ("-m", checkpoint, "--device", "cpu", "--batch-size", "4")
    done = flowcli(command, *arguments, *model, PYTHONPATH=path)
    assert done.returncode == 7, done.stderr
    last = done.stderr.decode().splitlines()[-1]
    assert last.startswith("flowcli: error: cpu failed: unspecified launch failure; see nvidia-smi")
    assert "fault in flowcli" not in done.stderr.decode()
    if command == "estimate":
        assert not (tmp_path / "out.flo").exists()
        return
    kept = sorted(path.name for path in (tmp_path / "out").glob("*.flo"))
    assert 0 < len(kept) < 8
    again = flowcli(command, *arguments, *model)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout.splitlines()[-1])["skipped"] == len(kept)


class TestGpuThatIsNotUsed:
    @pytest.fixture(autouse=True)
    def no_gpu(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A machine of which nothing is known, where torch has no GPU."""
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        for name in ("_DRIVER", "_WINDOWS_SUBSYSTEM", "_BUS"):
            monkeypatch.setattr(module, name, tmp_path / name)

    def plug_in(self, tmp_path: Path, vendor: str = "0x10de", kind: str = "0x030000") -> None:
        card = tmp_path / "_BUS" / "0000:01:00.0"
        card.mkdir(parents=True)
        (card / "vendor").write_text(f"{vendor}\n")
        (card / "class").write_text(f"{kind}\n")

    def test_nothing_is_said_without_one(self, tmp_path: Path) -> None:
        assert gpu_available() == (False, None)
        self.plug_in(tmp_path, vendor="0x8086")
        assert gpu_available() == (False, None)

    def test_a_torch_without_cuda(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "_DRIVER" / "0000:01:00.0").mkdir(parents=True)
        monkeypatch.setattr(torch.version, "cuda", None)
        with caplog.at_level(logging.INFO, "flowcli"):
            assert choose_device("auto").type == "cpu"
        (said,) = caplog.messages
        assert said.startswith("running on the cpu although there is an NVIDIA GPU: this PyTorch is built without CUDA")
        with pytest.raises(UsageError, match="built without CUDA"):
            choose_device("cuda")

    def test_a_driver_that_is_too_old(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.plug_in(tmp_path)
        monkeypatch.setattr(torch.version, "cuda", "13.0")

        def refuse() -> None:
            raise RuntimeError(OLD)

        monkeypatch.setattr(torch.cuda, "init", refuse)
        _, why = gpu_available()
        assert why is not None
        assert why.startswith("the NVIDIA driver is missing, or too old for this PyTorch; update the driver")

    @pytest.mark.parametrize("hidden", ["", "-1"])
    def test_one_that_is_hidden_on_purpose(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hidden: str) -> None:
        self.plug_in(tmp_path)
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
        assert gpu_available() == (False, None)
