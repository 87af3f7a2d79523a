"""Turns a stream of frame pairs into a stream of flows: cut into windows, batch, infer, stitch."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, Literal, TypeVar

import numpy as np

from .arrays import Flow, Frame, check_same_size, size_of
from .choices import DEFAULT_MODEL, GridKind, Precision
from .errors import DeviceError, UsageError
from .geometry import resize_flow, resize_frame
from .models import FlowModel, ModelRequest, OutOfMemoryError, Progress, load_model
from .tiling import Grid, Size, Stitcher, cut, fill_window, make_grid

FramePair = tuple[Frame, Frame]
"""Frame 1 and frame 2, each ``(H, W, 3)`` uint8 RGB; the flow leads from the first to the second."""

BatchSize = int | Literal["auto"]

Key = TypeVar("Key")
"""The caller's label for a pair; it is returned with the flow."""


class _Job(Generic[Key]):
    """An entry of the stream that waits to be returned in order; one without frames has no flow."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.missing = 0  # windows

    def flow(self) -> Flow | None:
        """The flow, as soon as no window is missing."""
        return None


class _Windows(_Job[Key]):
    """A pair in progress: its frames, scaled to the grid, and the flow stitched so far."""

    def __init__(self, key: Key, pair: FramePair, size: Size, grid: Grid) -> None:
        super().__init__(key)
        self.frame1, self.frame2 = (fill_window(resize_frame(frame, *grid.frame), grid.window) for frame in pair)
        self.grid = grid
        self.missing = len(grid)
        self._size = size  # of the flow that the caller gets
        self._stitcher = Stitcher(grid)

    def add(self, position: tuple[int, int], flow: Flow) -> None:
        """Add the flow of the window at ``position``."""
        self._stitcher.add(position, flow)
        self.missing -= 1

    def flow(self) -> Flow | None:
        """The stitched flow, ``(H, W, 2)`` at the frames' original size."""
        return resize_flow(self._stitcher.flow(), *self._size)


class FlowEstimator:
    """Estimates flow for pairs of frames of any size with a given model.

    The windows of one pair, and of consecutive pairs, share forward passes. A pair's flow depends neither on the batch
    size nor on the other pairs in a batch.

    Args:
        model: the model; see :func:`load_estimator` to get one by name.
        overlap: minimum overlap of neighbouring windows in pixels, at least 0.
        grid: ``even`` spreads as few windows as possible evenly; ``reference`` uses those of the published procedure.
        scale: estimate at this multiple of the frames' size, above 0 and at most 16; the flow is returned at the
            original size and in its pixels.
        batch_size: windows per forward pass, at least 1; ``auto`` chooses by the free memory.

    Raises:
        UsageError: a value is out of range.
    """

    def __init__(
        self,
        model: FlowModel,
        *,
        overlap: int = 20,
        grid: GridKind = "even",
        scale: float = 1.0,
        batch_size: BatchSize = "auto",
    ) -> None:
        if overlap < 0:
            raise UsageError(f"`overlap` must be at least 0, not {overlap}")
        if not 0 < scale <= 16:
            raise UsageError(f"`scale` must be above 0 and at most 16, not {scale}")
        if batch_size != "auto" and batch_size < 1:
            raise UsageError(f"`batch_size` must be at least 1 or auto, not {batch_size}")
        self.model = model
        self.overlap = overlap
        self.grid_kind = grid
        self.scale = scale
        self.batch_size = model.largest_batch() if batch_size == "auto" else batch_size
        self._turn = threading.Lock()  # models need not be made for several threads

    def variant(self, *, overlap: int, scale: float, batch_size: int) -> FlowEstimator:
        """An estimator with the same model and other settings, which another thread may use at the same time."""
        other = FlowEstimator(self.model, overlap=overlap, scale=scale, batch_size=batch_size)
        other._turn = self._turn
        return other

    def settings(self) -> dict[str, object]:
        """The settings that determine the values of the flow, for records; JSON types only."""
        return {
            "model": self.model.fingerprint,
            "precision": self.model.precision,
            "overlap": self.overlap,
            "grid": self.grid_kind,
            "scale": self.scale,
        }

    def use(self) -> dict[str, Any]:
        """The model and its settings, as the fields of :class:`flowcli.results.EstimatorUse`."""
        model = self.model
        return {
            "model": model.name,
            "revision": model.revision,
            "device": model.device,
            "precision": model.precision,
            "batch_size": self.batch_size,
            "overlap": self.overlap,
            "grid": self.grid_kind,
            "scale": self.scale,
        }

    def grid_for(self, size: Size) -> Grid:
        """The windows for frames of ``size`` (height, width); raises ``UsageError`` if they cannot cover it."""
        height, width = (max(1, round(side * self.scale)) for side in size)
        if self.model.window is None:
            return Grid((height, width), (height, width), (0,), (0,))
        return make_grid((height, width), self.model.window, self.overlap, self.grid_kind)

    def estimate(self, frame1: Frame, frame2: Frame, *, on_window: Callable[[int], None] | None = None) -> Flow:
        """Estimate the flow from ``frame1`` to ``frame2``.

        Args:
            frame1: ``(H, W, 3)`` uint8 RGB.
            frame2: ``(H, W, 3)`` uint8 RGB, of the same size.
            on_window: called after each forward pass with the number of windows in it.

        Returns:
            ``(H, W, 2)`` float32 in pixels, u then v: ``frame1[y, x]`` is found at ``frame2[y + v, x + u]``.

        Raises:
            ValueError: a frame is not ``(H, W, 3)`` uint8.
            InputError: the frames differ in size.
            UsageError: the windows cannot cover frames of this size.
            DeviceError: the device's memory cannot hold even one window.
        """
        return next(self.estimate_pairs([(frame1, frame2)], on_window=on_window))

    def estimate_pairs(
        self, pairs: Iterable[FramePair], *, on_window: Callable[[int], None] | None = None
    ) -> Iterator[Flow]:
        """Estimate the flows of a stream of pairs, in order.

        Args:
            pairs: consumed only as needed; different pairs may have different sizes.
            on_window: as for :meth:`estimate`.

        Yields:
            One flow per pair, as from :meth:`estimate`.

        Raises:
            ValueError, InputError, UsageError, DeviceError: as for :meth:`estimate`.
        """
        for _, flow in self.estimate_stream(((None, pair) for pair in pairs), on_window=on_window):
            assert flow is not None
            yield flow

    def estimate_stream(
        self, work: Iterable[tuple[Key, FramePair | None]], *, on_window: Callable[[int], None] | None = None
    ) -> Iterator[tuple[Key, Flow | None]]:
        """Estimate the flows of a stream of labelled pairs, in order.

        Args:
            work: keys, each with a pair of frames, or with ``None`` if there is nothing to estimate for it; consumed
                only as needed.
            on_window: as for :meth:`estimate`.

        Yields:
            Each key with its flow, as from :meth:`estimate`, or with ``None`` if it came without a pair.

        Raises:
            ValueError, InputError, UsageError, DeviceError: as for :meth:`estimate`.
        """
        jobs: deque[_Job[Key]] = deque()
        batch: list[tuple[_Windows[Key], tuple[int, int]]] = []
        for key, pair in work:
            if pair is None:
                jobs.append(_Job(key))
                if len(jobs) > self.batch_size:  # do not hold many entries back for a batch that is not full
                    self._run(batch, on_window)
                    batch = []
            else:
                job = self._job(key, pair)
                jobs.append(job)
                for position in job.grid.positions:
                    batch.append((job, position))
                    # Whole frames may differ in size, so they cannot be stacked like windows.
                    if self.model.window is None or len(batch) >= self.batch_size:
                        self._run(batch, on_window)
                        batch = []
            while jobs and not jobs[0].missing:
                yield _finished(jobs.popleft())
        self._run(batch, on_window)
        while jobs:
            yield _finished(jobs.popleft())

    def _job(self, key: Key, pair: FramePair) -> _Windows[Key]:
        for frame in pair:
            if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
                raise ValueError(f"a frame must be (H, W, 3) uint8, not {frame.shape} {frame.dtype}")
        check_same_size("frame 1", pair[0].shape, "frame 2", pair[1].shape)
        size = size_of(pair[0])
        return _Windows(key, pair, size, self.grid_for(size))

    def _run(self, batch: list[tuple[_Windows[Key], tuple[int, int]]], on_window: Callable[[int], None] | None) -> None:
        """Estimate the windows in ``batch``, in several forward passes if memory runs out."""
        start = 0
        while start < len(batch):
            part = batch[start : start + self.batch_size]
            first, second = (
                np.stack([cut(getattr(job, name), position, job.grid.window) for job, position in part])
                for name in ("frame1", "frame2")
            )
            try:
                with self._turn:
                    flows = self.model(first, second)
            except OutOfMemoryError as error:
                if len(part) == 1:
                    raise DeviceError(
                        f"{self.model.device} has too little free memory for one window; "
                        "set `device` to cpu, or choose a lower `precision`"
                    ) from error
                self.batch_size = len(part) // 2
                continue
            for (job, position), flow in zip(part, flows, strict=True):
                job.add(position, flow)
            start += len(part)
            if on_window is not None:
                on_window(len(part))


def _finished(job: _Job[Key]) -> tuple[Key, Flow | None]:
    return job.key, job.flow()


def load_estimator(
    model: str = DEFAULT_MODEL,
    *,
    revision: str | None = None,
    offline: bool = False,
    device: str = "auto",
    precision: Precision = "auto",
    batch_size: BatchSize = "auto",
    overlap: int = 20,
    grid: GridKind = "even",
    scale: float = 1.0,
    progress: Progress | None = None,
) -> FlowEstimator:
    """Load a model by name and return an estimator that uses it.

    Args:
        model: a hub id, a local checkpoint folder, or the name of a built-in or installed model such as ``dis``.
        revision: branch, tag or commit on the hub.
        offline: never use the network.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        precision: ``auto``, ``fp32``, ``tf32``, ``bf16`` or ``fp16``.
        batch_size: windows per forward pass, or ``auto``.
        overlap: minimum overlap of neighbouring windows in pixels.
        grid: ``even`` or ``reference``.
        scale: estimate at this multiple of the frames' size, above 0 and at most 16.
        progress: called as a download progresses (file name, bytes so far, total bytes or ``None``).

    Returns:
        The estimator, ready to use.

    Raises:
        ModelError: the model is unavailable or damaged.
        UsageError: a value is out of range, or the device or precision is not available on this machine.
        OutputError: a download cannot be written to the cache.
    """
    flow_model = load_model(ModelRequest(model, revision, offline, device, precision, progress))
    return FlowEstimator(flow_model, overlap=overlap, grid=grid, scale=scale, batch_size=batch_size)
