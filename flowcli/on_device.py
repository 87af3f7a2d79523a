"""Pairs of frames on the device of a model that takes tensors.

Frames go up once; windows are cut, weighted and added up there; only the finished flow comes down. On CUDA, the
transfers have streams of their own, so that they run while the device computes for other pairs.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator

import numpy as np
import torch

from .arrays import Flow, Frame
from .errors import DeviceError
from .models import OutOfMemoryError, TorchModel
from .models.perceiver.refusals import refusals
from .pairs import FramePair
from .tiling import Grid, Size, Stitcher, Window, cut, fill_window, total_weights, window_weights

_HOST = torch.device("cpu")


class DevicePair:
    """A pair whose windows are all estimated where they are, on a device. A :class:`flowcli.pairs.Pair`.

    A pair that does not fit into the device's memory stays in this machine's, and its windows go up one by one.

    Args:
        frames: both frames, ``(H, W, 3)`` uint8 RGB, at the size of the grid.
        grid: the windows.
        device: the model's device, in torch's notation.

    Raises:
        DeviceError: the device fails.
    """

    def __init__(self, frames: FramePair, grid: Grid, device: str) -> None:
        self.grid = grid
        self._device = torch.device(device)
        self._missing = len(grid)
        self._finished: _Download | None = None
        filled = [fill_window(frame, grid.window) for frame in frames]
        try:
            with refusals(device):
                self._hold(filled, self._device)
        except OutOfMemoryError:
            self._hold(filled, _HOST)

    def _hold(self, frames: list[Frame], place: torch.device) -> None:
        self._frame1, self._frame2 = (_sent(frame, place) for frame in frames)
        self._stitcher = Stitcher(self.grid, _DeviceMemory(place))
        self._place = place

    def next_windows(self) -> list[Window]:
        """All windows, until they have been added."""
        return [Window(position) for position in self.grid.positions] if self._missing else []

    def cut(self, window: Window) -> tuple[torch.Tensor, torch.Tensor]:
        """The window in both frames, each ``(h, w, 3)`` uint8 RGB, on the device."""
        with _must(self._device):
            first, second = (cut(frame, window.position, self.grid.window) for frame in (self._frame1, self._frame2))
            return first.to(self._device), second.to(self._device)

    def add(self, window: Window, flow: torch.Tensor) -> None:
        """Add the flow of a window, ``(h, w, 2)`` in pixels, on the device; the last one sends the flow down."""
        with _must(self._device):
            self._stitcher.add(window.position, flow.to(self._place))
            self._missing -= 1
            if not self._missing:
                self._finished = _Download(self._stitcher.flow())

    @property
    def is_ready(self) -> bool:
        """Whether the flow is down."""
        with _must(self._device):
            return self._finished is not None and self._finished.is_ready

    def flow(self) -> Flow:
        """The flow, ``(H, W, 2)`` in pixels."""
        assert self._finished is not None
        with _must(self._device):
            return self._finished.array()


def estimate(model: TorchModel, windows: list[tuple[torch.Tensor, torch.Tensor]]) -> torch.Tensor:
    """Estimate the flows of a batch.

    Args:
        model: the model.
        windows: each in both frames, ``(h, w, 3)`` uint8 RGB, on the model's device.

    Returns:
        The flows, ``(N, h, w, 2)`` float32 in pixels; the device may still be computing them.

    Raises:
        OutOfMemoryError: the batch does not fit into the device's memory.
        DeviceError: the device fails.
    """
    with refusals(model.device):
        first, second = map(torch.stack, zip(*windows, strict=True))
    return model.estimate_tensors(first, second)


@contextlib.contextmanager
def _must(device: torch.device) -> Iterator[None]:
    """Raise ``DeviceError`` for what the device refuses."""
    try:
        with refusals(device):
            yield
    except OutOfMemoryError as error:
        raise DeviceError(
            f"{device} has too little free memory beside the model; choose a smaller `batch_size`, "
            "or set `device` to cpu"
        ) from error


class _DeviceMemory:
    """The memory of a device, as tensors. A :class:`flowcli.tiling.Store`."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def zeros(self, shape: tuple[int, ...]) -> torch.Tensor:
        return torch.zeros(shape, device=self._device)

    def window_weights(self, window: Size) -> torch.Tensor:
        return _window_weights(window, self._device)

    def total_weights(self, grid: Grid) -> torch.Tensor:
        return _total_weights(grid, self._device)


@functools.lru_cache(maxsize=2)
def _window_weights(window: Size, device: torch.device) -> torch.Tensor:
    return torch.from_numpy(window_weights(window)).to(device)


@functools.lru_cache(maxsize=2)
def _total_weights(grid: Grid, device: torch.device) -> torch.Tensor:
    return torch.from_numpy(total_weights(grid)).to(device)


@functools.cache
def _streams(device: torch.device) -> tuple[torch.cuda.Stream, torch.cuda.Stream]:
    """The streams for what goes up to a CUDA device and for what comes down."""
    return torch.cuda.Stream(device), torch.cuda.Stream(device)  # type: ignore[no-untyped-call]


def _sent(frame: Frame, device: torch.device) -> torch.Tensor:
    """The frame on the device; what the device is given to do from now on waits for it."""
    there = torch.from_numpy(np.require(frame, requirements=["C", "W"]))
    if device.type != "cuda":
        return there.to(device)
    up, computing = _streams(device)[0], torch.cuda.current_stream(device)
    pinned = there.pin_memory()  # torch keeps it until the copy is done
    with torch.cuda.stream(up):
        there = pinned.to(device, non_blocking=True)
    computing.wait_stream(up)
    there.record_stream(computing)
    return there


class _Download:
    """A tensor on its way to this machine.

    Args:
        values: the tensor, which the device may still be computing.
    """

    def __init__(self, values: torch.Tensor) -> None:
        self._done: torch.cuda.Event | None = None
        if values.device.type != "cuda":
            self._values = values.cpu()
            return
        down = _streams(values.device)[1]
        down.wait_stream(torch.cuda.current_stream(values.device))
        self._values = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
        with torch.cuda.stream(down):
            self._values.copy_(values, non_blocking=True)
            self._done = down.record_event()
        values.record_stream(down)

    @property
    def is_ready(self) -> bool:
        return self._done is None or bool(self._done.query())  # type: ignore[no-untyped-call]

    def array(self) -> Flow:
        """The values, waited for; not in pinned memory, which is scarce."""
        if self._done is None:
            return self._values.numpy()
        self._done.synchronize()
        return self._values.numpy().copy()
