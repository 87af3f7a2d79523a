"""Results about models."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from ..errors import FlowcliError
from .base import Result


@dataclass(frozen=True, kw_only=True)
class ModelInfo(Result):
    """The object of `model info`; built-in models have only `model` and `kind`."""

    type: Annotated[str, "always model"] = "model"
    model: Annotated[str, "hub id, folder or name of the model"]
    kind: Annotated[str, "description of the model"]
    revision: Annotated[str | None, "commit on the hub"] = None
    folder: Annotated[Path | None, "folder of its files"] = None
    weights: Annotated[str | None, "weight file, or index of the shards"] = None
    bytes: Annotated[int | None, "total size of the weight files"] = None
    window: Annotated[str | None, "height x width of its windows, in pixels"] = None
    latents: Annotated[str | None, "number x width of its latents"] = None
    layers: Annotated[int | None, "number of self-attention layers"] = None


@dataclass(frozen=True, kw_only=True)
class PrecisionCheck:
    """flowcli's network in one precision, compared with the stock module of transformers on the same window.

    A difference is the length of the vector between two flows. It is null if one of them is not finite.
    """

    precision: Annotated[str, "fp32, tf32, bf16 or fp16"]
    max_difference: Annotated[float, "largest difference to the stock module in float32, in pixels; null if not finite"]
    mean_difference: Annotated[float, "mean difference to it, in pixels"]
    max_difference_float64: Annotated[
        float | None, "largest difference to the stock module in float64; null without --float64"
    ]
    mean_difference_float64: Annotated[float | None, "mean difference to it"]
    seconds: Annotated[float, "time of one forward pass; on a GPU, of the second one"]
    stock_seconds: Annotated[float, "the same of the stock module in float32"]
    peak_bytes: Annotated[
        int | None, "most memory while it was loaded and ran: of the process on a CPU, of the tensors on a CUDA GPU"
    ]


@dataclass(frozen=True, kw_only=True)
class StockCheck:
    """The stock module itself, in float32."""

    seconds: Annotated[float, "time of one forward pass; on a GPU, of the second one"]
    peak_bytes: Annotated[int | None, "most memory, as in `checks`"]
    max_difference_float64: Annotated[float | None, "largest difference to itself in float64; null without --float64"]
    mean_difference_float64: Annotated[float | None, "mean difference to itself in float64"]


@dataclass(frozen=True, kw_only=True)
class SceneCheck:
    """End-point errors on a window of the rendered scene, whose flow is known exactly."""

    epe: Annotated[float, "that of the model in fp32, in pixels; null if its flow is not finite"]
    epe_zero: Annotated[float, "that of zero flow"]
    epe_dis: Annotated[float, "that of dis"]


@dataclass(frozen=True, kw_only=True)
class ModelCheck(Result):
    """The object of `model check`."""

    type: Annotated[str, "always check"] = "check"
    model: Annotated[str, "hub id or folder of the model"]
    revision: Annotated[str | None, "commit on the hub; null for folders"]
    device: Annotated[str, "device, such as cpu or cuda:0"]
    window: Annotated[str, "height x width of its windows, in pixels"]
    frame1: Annotated[Path | None, "frame of the window on which the networks are compared; null for the scene's"]
    frame2: Annotated[Path | None, "frame that the flow leads to"]
    checks: Annotated[tuple[PrecisionCheck, ...], "each precision that the device has"]
    stock: Annotated[StockCheck, "the module that they are compared with"]
    scene: Annotated[SceneCheck, "end-point errors"]
    ok: Annotated[bool, "whether the networks agree and the model is better than zero flow"]
    error: Annotated[str | None, "why not"]
    _problem: FlowcliError | None = field(default=None, repr=False)

    @property
    def problem(self) -> FlowcliError | None:
        """See :attr:`Result.problem`."""
        return self._problem
