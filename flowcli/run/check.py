"""Checks a checkpoint: does flowcli's network compute what transformers does, and is that good flow?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..arrays import Flow
from ..choices import DEFAULT_MODEL, FALLBACK_MODEL, Precision
from ..errors import BatchError, UsageError
from ..estimator import FlowEstimator
from ..flows.metrics import endpoint_error
from ..frames.reading import Reading
from ..models import ModelRequest, Progress, find_family, load_model
from ..models.perceiver import PerceiverFamily, prepare_torch
from ..pairs import FramePair
from ..places import place
from ..results import ModelCheck, PrecisionCheck, SceneCheck, StockCheck
from ..scene import Scene, render_scene
from ..tiling import Size, cut, fill_window
from .estimate import read_pair
from .side_by_side import Measured, Measurements, OnPass, measure

if TYPE_CHECKING:
    from ..models.perceiver.checkpoint import Checkpoint

LARGEST_DIFFERENCE = 0.01
"""How far flowcli's network in fp32 may be from the stock module in float32 anywhere, in pixels."""

_SMALLEST_SCENE = 32  # pixels in height and width


@dataclass(frozen=True)
class NamedPair:
    """Two frames of the same size, and the files that they are from. Plain data."""

    names: tuple[Path, Path]
    frames: FramePair


def check_model(
    model: str = DEFAULT_MODEL,
    *,
    frames: tuple[str | Path, str | Path] | None = None,
    revision: str | None = None,
    offline: bool = False,
    device: str = "auto",
    float64: bool = False,
    reading: Reading = Reading(),
    progress: Progress | None = None,
    on_pass: OnPass | None = None,
) -> ModelCheck:
    """Compare flowcli's network with the stock module of transformers on one window, and its flow with the truth.

    Args:
        model: a hub id or a local checkpoint folder.
        frames: two image files, whose middle is the window on which the networks are compared; without them it is a
            rendered scene, which is also where the truth is known.
        revision: branch, tag or commit on the hub.
        offline: never use the network.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        float64: whether to compare with the stock module in float64 too, which needs twice its memory.
        reading: how the frames are read.
        progress: called as a download progresses (file name, bytes so far, total bytes or ``None``).
        on_pass: called with 1 whenever a network has run.

    Returns:
        What was found. Its ``problem`` is set if the networks disagree or the model is no better than zero flow.

    Raises:
        UsageError: the model is no Perceiver checkpoint, or the device is not available on this machine.
        InputError: a frame cannot be read, or they differ in size.
        ModelError: the model is unavailable or damaged.
        OutputError: a download cannot be written to the cache.
        DeviceError: the device's memory does not suffice.
    """
    family = checkpoint_family(model)
    pair = None if frames is None else read_named_pair(place(frames[0]), place(frames[1]), reading)
    checkpoint = family.find(ModelRequest(model, revision, offline, progress=progress))
    return check_checkpoint(checkpoint, pair, device=device, float64=float64, on_pass=on_pass)


def checkpoint_family(model: str) -> PerceiverFamily:
    """The family of Perceiver checkpoints; raises ``UsageError`` if ``model`` is the name of another model."""
    family = find_family(model)
    if not isinstance(family, PerceiverFamily):
        raise UsageError(
            f"{model} is no Perceiver checkpoint, so there is no stock module to check it against; "
            "set `model` to a hub id or a checkpoint folder"
        )
    return family


def read_named_pair(frame1: Path, frame2: Path, reading: Reading = Reading()) -> NamedPair:
    """Read two frames; raises ``InputError`` if one cannot be read or they differ in size."""
    return NamedPair((frame1, frame2), read_pair(frame1, frame2, reading)[0])


def check_checkpoint(
    checkpoint: Checkpoint,
    pair: NamedPair | None = None,
    *,
    device: str = "auto",
    float64: bool = False,
    on_pass: OnPass | None = None,
) -> ModelCheck:
    """Check a checkpoint that is on this machine.

    Args:
        checkpoint: the checkpoint.
        pair: the frames whose middle is the window; ``None`` for the rendered scene.
        device: as for :func:`check_model`.
        float64: as for :func:`check_model`.
        on_pass: as for :func:`check_model`.

    Returns:
        As for :func:`check_model`.

    Raises:
        UsageError, ModelError, DeviceError: as for :func:`check_model`.
    """
    prepare_torch()
    from ..models.perceiver.device import choose_device

    scene = scene_window(checkpoint.window)
    pairs = [central_window(pair.frames, checkpoint.window)] if pair else []
    pairs.append((scene.frame1, scene.frame2))
    where = choose_device(device)
    measured = measure(checkpoint, where, pairs, float64=float64, on_pass=on_pass)
    checks = [_compare(precision, network, measured) for precision, network in measured.ours.items()]
    errors = _scene_errors(scene, measured.ours["fp32"].flows[-1])
    problem = _problem(checks, errors, float64)
    return ModelCheck(
        model=checkpoint.name,
        revision=checkpoint.revision,
        device=str(where),
        window=f"{checkpoint.window[0]} x {checkpoint.window[1]}",
        frame1=pair.names[0] if pair else None,
        frame2=pair.names[1] if pair else None,
        checks=tuple(checks),
        stock=_stock(measured),
        scene=errors,
        ok=problem is None,
        error=None if problem is None else str(problem),
        _problem=problem,
    )


def scene_window(window: Size) -> Scene:
    """The rendered scene as large as a window; where that is smaller than any scene, the top left of one."""
    scene = render_scene(*(max(_SMALLEST_SCENE, side) for side in window))
    frame1, frame2 = (np.ascontiguousarray(cut(frame, (0, 0), window)) for frame in (scene.frame1, scene.frame2))
    return Scene(frame1, frame2, cut(scene.flow, (0, 0), window), scene.visible[: window[0], : window[1]])


def central_window(frames: FramePair, window: Size) -> FramePair:
    """The window in the middle of two frames; smaller frames are padded by repeating their edge pixels."""
    first, second = (fill_window(frame, window) for frame in frames)
    position = (first.shape[0] - window[0]) // 2, (first.shape[1] - window[1]) // 2
    return np.ascontiguousarray(cut(first, position, window)), np.ascontiguousarray(cut(second, position, window))


def _compare(precision: Precision, network: Measured, measured: Measurements) -> PrecisionCheck:
    largest, mean = _difference(network.flows[0], measured.stock.flows[0])
    exact = (None, None) if measured.exact is None else _difference(network.flows[0], measured.exact)
    return PrecisionCheck(
        precision=precision,
        max_difference=largest,
        mean_difference=mean,
        max_difference_float64=exact[0],
        mean_difference_float64=exact[1],
        seconds=round(network.seconds, 3),
        stock_seconds=round(measured.stock.seconds, 3),
        peak_bytes=network.peak_bytes,
    )


def _stock(measured: Measurements) -> StockCheck:
    stock = measured.stock
    exact = (None, None) if measured.exact is None else _difference(stock.flows[0], measured.exact)
    return StockCheck(
        seconds=round(stock.seconds, 3),
        peak_bytes=stock.peak_bytes,
        max_difference_float64=exact[0],
        mean_difference_float64=exact[1],
    )


def _difference(flow: Flow, other: Flow) -> tuple[float, float]:
    """The largest and the mean length of the difference in pixels; NaN if either flow is not finite everywhere."""
    lengths = endpoint_error(flow, other)
    return float(lengths.max()), float(lengths.mean(dtype=np.float64))


def _scene_errors(scene: Scene, flow: Flow) -> SceneCheck:
    dis = FlowEstimator(load_model(ModelRequest(FALLBACK_MODEL)))
    flows = flow, np.zeros_like(scene.flow), dis.estimate(scene.frame1, scene.frame2)
    epe, epe_zero, epe_dis = (_difference(each, scene.flow)[1] for each in flows)
    return SceneCheck(epe=epe, epe_zero=epe_zero, epe_dis=epe_dis)


def _problem(checks: Sequence[PrecisionCheck], scene: SceneCheck, float64: bool) -> BatchError | None:
    """What is wrong, if anything is. NaN is never within a limit."""
    problems = [fault for check in checks if (fault := _disagreement(check, float64))]
    if not scene.epe < scene.epe_zero:
        problems.append(
            f"the model is no better than zero flow (end-point error on the rendered scene {_pixels(scene.epe, 3)}, "
            f"not below {_pixels(scene.epe_zero, 3)}); its weights are untrained or damaged"
        )
    return BatchError("; ".join(problems)) if problems else None


def _disagreement(check: PrecisionCheck, float64: bool) -> str | None:
    largest = check.max_difference
    if not math.isfinite(largest):
        return f"in {check.precision}, the flow of flowcli's network or of the stock module is not finite"
    if check.precision != "fp32" or largest <= LARGEST_DIFFERENCE:
        return None
    hint = "" if float64 else "; `float64` tells which of them is off"
    return (
        f"in fp32, flowcli's network is up to {_pixels(largest)} from the stock module, "
        f"more than {LARGEST_DIFFERENCE:g} px{hint}"
    )


def _pixels(length: float, decimals: int | None = None) -> str:
    if not math.isfinite(length):
        return "NaN"
    return f"{length:.2g} px" if decimals is None else f"{length:.{decimals}f} px"
