"""Runs the networks of a checkpoint one after the other on the same frames, and measures what they take."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..arrays import Flow, Frame
from ..choices import Precision
from ..estimator import FlowEstimator
from ..models.perceiver.memory import PeakMemory
from ..pairs import FramePair

if TYPE_CHECKING:
    import torch

    from ..models.perceiver.checkpoint import Checkpoint

Estimate = Callable[[Frame, Frame], Flow]
"""Estimates the flow of one window."""

OnPass = Callable[[int], None]
"""Called with 1 whenever a network has run."""


@dataclass(frozen=True)
class Measured:
    """What a network said, and what it took. Plain data."""

    flows: tuple[Flow, ...]
    """Of each pair of frames that it was given, ``(h, w, 2)`` float32 in pixels."""

    seconds: float
    """Of the first pair's forward pass; on a GPU after a pass that does not count, in which it gets ready."""

    peak_bytes: int | None
    """The most memory from before it was loaded; see :class:`flowcli.models.perceiver.memory.PeakMemory`."""


@dataclass(frozen=True)
class Measurements:
    """All networks of a checkpoint. Plain data."""

    ours: Mapping[Precision, Measured]
    """flowcli's, in each precision that the device has; the one in fp32 on all pairs, the others on the first."""

    stock: Measured
    """That of transformers in float32, on the first pair."""

    exact: Flow | None
    """The flow of that in float64, on the first pair, if it was asked for."""


def measure(
    checkpoint: Checkpoint,
    device: torch.device,
    pairs: Sequence[FramePair],
    *,
    float64: bool = False,
    on_pass: OnPass | None = None,
) -> Measurements:
    """Run all networks; each is dropped before the next one is loaded.

    Args:
        checkpoint: the checkpoint.
        device: where to run them.
        pairs: frames as large as its window.
        float64: whether to run the stock module in float64 too.
        on_pass: called whenever a network has run.

    Returns:
        What they said, and what they took.

    Raises:
        ModelError: the checkpoint is damaged.
        DeviceError: the device's memory does not suffice.
    """
    import torch

    from ..models.perceiver.device import precisions
    from ..models.perceiver.stock import StockFlow

    # Ours come first: they say what is wrong with a damaged checkpoint, and transformers is not in their memory yet.
    ours = {}
    for precision in precisions(device):
        load = functools.partial(_our_network, checkpoint, device, precision)
        ours[precision] = _measure(load, device, pairs if precision == "fp32" else pairs[:1], on_pass)
    stock = _measure(functools.partial(StockFlow, checkpoint, device), device, pairs[:1], on_pass)
    exact = None
    if float64:
        exact = StockFlow(checkpoint, device, torch.float64)(*pairs[0])
        _tell(on_pass)
    return Measurements(ours, stock, exact)


def _our_network(checkpoint: Checkpoint, device: torch.device, precision: Precision) -> Estimate:
    from ..models.perceiver.model import PerceiverFlow

    return FlowEstimator(PerceiverFlow(checkpoint, str(device), precision), batch_size=1).estimate


def _measure(
    load: Callable[[], Estimate], device: torch.device, pairs: Sequence[FramePair], on_pass: OnPass | None
) -> Measured:
    peak = PeakMemory(device)
    estimate = load()
    if device.type != "cpu":
        estimate(*pairs[0])
    started = time.perf_counter()
    flows = [estimate(*pairs[0])]
    seconds = time.perf_counter() - started
    _tell(on_pass)
    for pair in pairs[1:]:
        flows.append(estimate(*pair))
        _tell(on_pass)
    return Measured(tuple(flows), seconds, peak.bytes())


def _tell(on_pass: OnPass | None) -> None:
    if on_pass is not None:
        on_pass(1)
