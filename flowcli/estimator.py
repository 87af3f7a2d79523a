"""Turns a stream of frame pairs into a stream of flows: cut into windows, batch, infer, stitch."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

import numpy as np

from .arrays import Flow, Frame, check_same_size, size_of
from .choices import DEFAULT_MODEL, GridKind, Precision
from .coarse_to_fine.levels import levels
from .coarse_to_fine.pair import CoarseToFinePair
from .coarse_to_fine.photometric import LARGEST_SIDE
from .errors import DeviceError, UsageError
from .geometry import resize_frame
from .models import FlowModel, ModelRequest, OutOfMemoryError, Progress, TorchModel, load_model, takes_tensors
from .pairs import Entry, FramePair, Key, Pair, PlainPair
from .tiling import Grid, Size, make_grid

BatchSize = int | Literal["auto"]

_AHEAD = 2  # batches of windows that pairs in progress may have in all; enough that coarse levels fill some together


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
        coarse_to_fine: for motion larger than a window: estimate at a small scale first, and shift the windows of finer
            ones to follow; see :mod:`flowcli.coarse_to_fine`. It changes nothing where one window is enough.

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
        coarse_to_fine: bool = False,
    ) -> None:
        if overlap < 0:
            raise UsageError(f"`overlap` must be at least 0, not {overlap}")
        if not 0 < scale <= 16:
            raise UsageError(f"`scale` must be above 0 and at most 16, not {scale}")
        if batch_size != "auto" and batch_size < 1:
            raise UsageError(f"`batch_size` must be at least 1 or auto, not {batch_size}")
        if coarse_to_fine and grid != "even":
            raise UsageError(f"`coarse_to_fine` is no part of the published procedure: use `grid` even, not {grid}")
        self.model = model
        self.overlap = overlap
        self.grid_kind = grid
        self.scale = scale
        self.batch_size = model.largest_batch() if batch_size == "auto" else batch_size
        self.coarse_to_fine = coarse_to_fine
        self.most_levels = 0
        """The most scales at which a pair has been estimated so far; 1 if coarse to fine has changed nothing."""

        self._turn = threading.Lock()  # models need not be made for several threads

    def variant(self, *, overlap: int, scale: float, batch_size: int) -> FlowEstimator:
        """A plain estimator with the same model and other settings; another thread may use it at the same time."""
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
            **({"coarse_to_fine": True} if self.coarse_to_fine and self.model.window is not None else {}),
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
            "coarse_to_fine": self.coarse_to_fine,
        }

    def grid_for(self, size: Size) -> Grid:
        """The windows for frames of ``size`` (height, width); raises ``UsageError`` if they cannot cover it."""
        height, width = (max(1, round(side * self.scale)) for side in size)
        if self.model.window is None:
            return Grid((height, width), (height, width), (0,), (0,))
        grid = make_grid((height, width), self.model.window, self.overlap, self.grid_kind)
        if self.coarse_to_fine and len(grid) > 1 and max(grid.frame) > LARGEST_SIDE:
            most = f"frames of up to {LARGEST_SIDE} pixels on a side"
            raise UsageError(f"`coarse_to_fine` takes {most}, not {width} x {height}; choose a smaller `scale`")
        return grid

    def levels_for(self, size: Size) -> list[Grid]:
        """The windows for frames of ``size`` (height, width) at each scale, the coarsest first."""
        grid = self.grid_for(size)
        if not self.coarse_to_fine or len(grid) == 1:
            return [grid]
        return levels(grid.frame, grid.window, self.overlap)

    def windows_for(self, size: Size) -> int:
        """The number of windows for frames of ``size``; coarse to fine takes more where there are several motions."""
        return sum(map(len, self.levels_for(size)))

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
        for entry in self._finished(work, on_window):
            yield entry.key, entry.flow()

    def estimate_counted(
        self, work: Iterable[tuple[Key, FramePair | None]], *, on_window: Callable[[int], None] | None = None
    ) -> Iterator[tuple[Key, Flow | None, int]]:
        """Estimate as :meth:`estimate_stream` does; also yields the number of windows that each flow took."""
        for entry in self._finished(work, on_window):
            yield entry.key, entry.flow(), entry.windows

    def _finished(
        self, work: Iterable[tuple[Key, FramePair | None]], on_window: Callable[[int], None] | None
    ) -> Iterator[Entry[Key, Any]]:
        """The entries of the stream, in order, when all of their windows have been estimated."""
        entries: deque[Entry[Key, Any]] = deque()
        for key, frames in work:
            entries.append(Entry(key) if frames is None else self._entry(key, frames))
            while self._is_full(entries):
                self._run(entries, on_window)
            while entries and self._is_due(entries):
                yield entries.popleft()
        while entries:
            if self._is_due(entries) or not any(entry.waiting for entry in entries):
                yield entries.popleft()
            else:
                self._run(entries, on_window)

    @property
    def _on_device(self) -> TorchModel | None:
        """The model, if windows are cut and stitched on its device: not where OpenCV chooses between their flows."""
        return self.model if takes_tensors(self.model) and not self.coarse_to_fine else None

    def _is_due(self, entries: deque[Entry[Key, Any]]) -> bool:
        """Whether the first entry is to be returned now: the device has more to do while its flow is waited for."""
        first = entries[0]
        return first.is_done and (first.is_ready or first.is_followed or len(entries) > _AHEAD * self.batch_size)

    def _is_full(self, entries: deque[Entry[Key, Any]]) -> bool:
        """Whether a batch is to be run before another entry is read."""
        waiting = sum(len(entry.waiting) for entry in entries)
        if self.model.window is None or waiting >= self.batch_size:
            return waiting > 0
        if entries[0].is_done:
            return False
        if len(entries) > self.batch_size or not self.coarse_to_fine:
            return len(entries) > self.batch_size
        pairs = [entry.pair for entry in entries if entry.pair is not None]
        return len(pairs) > 1 and sum(len(pair.grid) for pair in pairs) >= _AHEAD * self.batch_size

    def _entry(self, key: Key, frames: FramePair) -> Entry[Key, Any]:
        for frame in frames:
            if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
                raise ValueError(f"a frame must be (H, W, 3) uint8, not {frame.shape} {frame.dtype}")
        check_same_size("frame 1", frames[0].shape, "frame 2", frames[1].shape)
        size = size_of(frames[0])
        grids = self.levels_for(size)
        self.most_levels = max(self.most_levels, len(grids))
        first, second = (resize_frame(frame, *grids[-1].frame) for frame in frames)
        return Entry(key, self._pair((first, second), grids), size)

    def _pair(self, frames: FramePair, grids: list[Grid]) -> Pair[Any]:
        if len(grids) > 1:
            return CoarseToFinePair(frames, grids)
        if self._on_device is None:
            return PlainPair(frames, grids[0])
        from .on_device import DevicePair

        return DevicePair(frames, grids[0], self.model.device)

    def _run(self, entries: deque[Entry[Key, Any]], on_window: Callable[[int], None] | None) -> None:
        """Estimate a batch of the windows that wait, those of the first entries first."""
        # Whole frames may differ in size, so they cannot be stacked like windows.
        room = 1 if self.model.window is None else self.batch_size
        batch = [(entry, window) for entry in entries for window in entry.waiting][:room]
        done = [entry for entry in entries if entry.is_done]
        try:
            with self._turn:
                flows = self._flows([entry.cut(window) for entry, window in batch])
        except OutOfMemoryError as error:
            if len(batch) == 1:
                raise DeviceError(
                    f"{self.model.device} has too little free memory for one window; "
                    "set `device` to cpu, or choose a lower `precision`"
                ) from error
            self.batch_size = len(batch) // 2
            return
        for (entry, window), flow in zip(batch, flows, strict=True):
            entry.waiting.popleft()
            entry.add(window, flow)
        for entry in done:
            entry.is_followed = True
        if on_window is not None:
            on_window(len(batch))

    def _flows(self, windows: list[tuple[Any, Any]]) -> Iterable[Any]:
        """The flows of windows in both frames."""
        model = self._on_device
        if model is None:
            return self.model(*map(np.stack, zip(*windows, strict=True)))
        from .on_device import estimate

        return estimate(model, windows)


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
    coarse_to_fine: bool = False,
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
        coarse_to_fine: whether windows follow motion that is larger than they are.
        progress: called as a download progresses (file name, bytes so far, total bytes or ``None``).

    Returns:
        The estimator, ready to use.

    Raises:
        ModelError: the model is unavailable or damaged.
        UsageError: a value is out of range, or the device or precision is not available on this machine.
        OutputError: a download cannot be written to the cache.
    """
    flow_model = load_model(ModelRequest(model, revision, offline, device, precision, progress))
    return FlowEstimator(
        flow_model,
        overlap=overlap,
        grid=grid,
        scale=scale,
        batch_size=batch_size,
        coarse_to_fine=coarse_to_fine,
    )
