"""What commands and the Python API return: plain, typed data, and the JSON that ``--json`` prints.

One word means one thing everywhere. ``docs/reference/json.md`` is generated from these classes; the text beside a
field is its description there. :data:`SCHEMA` grows when a key changes its meaning or goes away, not when one is
added.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from .choices import Status
from .errors import FlowcliError

SCHEMA = 1
"""The version of the vocabulary, which every JSON object carries as ``schema``."""


@dataclass(frozen=True, kw_only=True)
class FlowStatistics:
    """What a flow is like; unknown flow is left out, and a figure is null where no flow is known."""

    u_min: Annotated[float | None, "smallest motion to the right, in pixels"]
    u_mean: Annotated[float | None, "mean motion to the right, in pixels"]
    u_max: Annotated[float | None, "largest motion to the right, in pixels"]
    v_min: Annotated[float | None, "smallest motion downwards, in pixels"]
    v_mean: Annotated[float | None, "mean motion downwards, in pixels"]
    v_max: Annotated[float | None, "largest motion downwards, in pixels"]
    length_min: Annotated[float | None, "length of the shortest vector, in pixels"]
    length_mean: Annotated[float | None, "mean length, in pixels"]
    length_max: Annotated[float | None, "length of the longest vector, in pixels"]
    known: Annotated[float, "share of the pixels whose flow is known, 0 to 1"]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """How far estimated flow is from the truth, over the pixels where both are known.

    Sources of the formulas: :class:`flowcli.flows.metrics.Scores`. A figure is null where no pixel counts.
    """

    epe: Annotated[float | None, "mean end-point error, in pixels"]
    epe_image_mean: Annotated[float | None, "mean over images of their `epe`, in pixels"]
    outliers_1px: Annotated[float | None, "percentage of pixels with an end-point error above 1 px"]
    outliers_3px: Annotated[float | None, "percentage of pixels with an end-point error above 3 px"]
    outliers_5px: Annotated[float | None, "percentage of pixels with an end-point error above 5 px"]
    fl_all: Annotated[float | None, "percentage of pixels with an error above 3 px and above 5 % of the true flow"]
    angular_error: Annotated[float | None, "mean angle between (u, v, 1) and the true (u, v, 1), in degrees"]
    s0_10: Annotated[float | None, "`epe` where the true flow is shorter than 10 px"]
    s10_40: Annotated[float | None, "`epe` where the true flow is 10 to 40 px long"]
    s40: Annotated[float | None, "`epe` where the true flow is 40 px long or longer"]
    pixels: Annotated[int, "pixels that count"]
    missing: Annotated[int, "pixels with a truth but no estimate"]
    images: Annotated[int, "images with a truth"]


@dataclass(frozen=True, kw_only=True)
class Result:
    """What every JSON object says."""

    type: Annotated[str, "what the object is about"]
    schema: Annotated[int, "version of this vocabulary"] = SCHEMA

    @property
    def problem(self) -> FlowcliError | None:
        """Why the command ends with an error although it has this result; not part of the JSON."""
        return None


@dataclass(frozen=True, kw_only=True)
class EstimatorUse:
    """What estimated the flow, and how."""

    model: Annotated[str, "hub id, folder or name of the model"]
    revision: Annotated[str | None, "commit on the hub; null for folders and built-in models"]
    device: Annotated[str, "where it ran, such as cpu or cuda:0"]
    precision: Annotated[str, "fp32, tf32, bf16 or fp16"]
    batch_size: Annotated[int, "windows per forward pass"]
    overlap: Annotated[int, "least overlap of neighbouring windows, in pixels"]
    grid: Annotated[str, "even or reference"]
    scale: Annotated[float, "size at which the flow was estimated, as a multiple of the frames'"]


@dataclass(frozen=True, kw_only=True)
class PairResult(Result):
    """One pair of frames of `estimate`, `video` or `batch`."""

    type: Annotated[str, "always pair"] = "pair"
    pair: Annotated[int, "number of the pair in the input, from 0"]
    status: Annotated[Status, "done, skipped (an earlier run has made the outputs) or failed"]
    error: Annotated[str | None, "why it failed"] = None
    frame1: Annotated[Path | None, "frame that the flow leads from: a file, or the number of a video's frame"]
    frame2: Annotated[Path | None, "frame that it leads to"]
    time: Annotated[float | None, "when frame 1 is shown, in seconds since the input's first frame"] = None
    origin: Annotated[str | None, "where a batch names the pair: line of the manifest, or frame"] = None
    outputs: Annotated[tuple[Path, ...], "files written for this pair, or found whole"] = ()
    windows: Annotated[int, "windows estimated"] = 0
    loss: Annotated[str | None, "what the output's format cannot hold of the flow"] = None
    flow: Annotated[FlowStatistics | None, "statistics of the flow, where it was estimated or read back"] = None


@dataclass(frozen=True, kw_only=True)
class EstimateResult(EstimatorUse, PairResult):
    """The one object of `estimate`."""

    width: Annotated[int, "width of the flow, in pixels"]
    height: Annotated[int, "height of the flow, in pixels"]
    seconds: Annotated[float, "time taken, without loading the model"]
    backward: Annotated[bool, "whether the flow leads from the second frame given to the first"]
    occluded: Annotated[float | None, "share of the pixels hidden in frame 2, 0 to 1; null without --occlusion"] = None


@dataclass(frozen=True, kw_only=True)
class RunSummary(EstimatorUse, Result):
    """The last line of a run over many pairs."""

    type: Annotated[str, "always summary"] = "summary"
    input: Annotated[str, "video, folder, pattern, manifest or data set given"]
    outputs: Annotated[tuple[Path, ...], "video, folders written"]
    pairs: Annotated[int, "pairs looked at"]
    done: Annotated[int, "pairs estimated"]
    skipped: Annotated[int, "pairs whose outputs an earlier run has made"]
    failed: Annotated[int, "pairs that failed"]
    windows: Annotated[int, "windows estimated"]
    seconds: Annotated[float, "time taken, without loading the model"]
    max_flow: Annotated[float | None, "the one colour scale in pixels; null where there is none"]
    largest_flow: Annotated[float, "length of the longest vector seen, in pixels"]
    error: Annotated[str | None, "why the run did not do all of it"] = None
    _problem: FlowcliError | None = field(default=None, repr=False)

    @property
    def problem(self) -> FlowcliError | None:
        """See :attr:`Result.problem`."""
        return self._problem


@dataclass(frozen=True, kw_only=True)
class VideoSummary(RunSummary):
    """The last line of `video`."""

    width: Annotated[int, "width of the flow, in pixels"]
    height: Annotated[int, "height of the flow, in pixels"]
    padded: Annotated[bool, "whether the written video repeats an edge to make its sides even"]


@dataclass(frozen=True, kw_only=True)
class BatchSummary(RunSummary):
    """The last line of `batch`."""

    shard: Annotated[str, "which part of the items, as I/N"]


@dataclass(frozen=True, kw_only=True)
class ComparisonResult(Result, Figures):
    """One flow of `eval`, compared with the truth; the only object where two files are given."""

    type: Annotated[str, "always pair"] = "pair"
    name: Annotated[str, "what both flows are called"]
    flow_file: Annotated[Path, "estimated flow"]
    truth_file: Annotated[Path, "true flow"]
    outputs: Annotated[tuple[Path, ...], "error map, if one was asked for"] = ()


@dataclass(frozen=True, kw_only=True)
class SubsetFigures:
    """What an evaluation found."""

    subsets: Annotated[Mapping[str, Figures], "figures by the pixels or frames that they are over"]
    worst_epe: Annotated[float | None, "largest `epe` of the subsets of all pixels; null if one has none"]
    missing: Annotated[int, "pixels with a truth but no estimate"]


@dataclass(frozen=True, kw_only=True)
class EvaluationSummary(SubsetFigures, Result):
    """The last line of `eval` for two folders."""

    type: Annotated[str, "always summary"] = "summary"
    input: Annotated[str, "estimated flow: a folder or a file"]
    truth: Annotated[str, "true flow: a folder or a file"]
    outputs: Annotated[tuple[Path, ...], "where the error maps are"]


@dataclass(frozen=True, kw_only=True)
class DatasetSummary(SubsetFigures, RunSummary):
    """The last line of `eval --dataset`."""

    dataset: Annotated[str, "name of the data set"]


@dataclass(frozen=True, kw_only=True)
class FlowInfo(Result):
    """One flow file of `info`."""

    type: Annotated[str, "always info"] = "info"
    flow_file: Annotated[Path, "flow file that was read"]
    width: Annotated[int, "width of the flow, in pixels"]
    height: Annotated[int, "height of the flow, in pixels"]
    flow: Annotated[FlowStatistics, "statistics of the flow"]


@dataclass(frozen=True, kw_only=True)
class Conversion(Result):
    """The object of `convert`."""

    type: Annotated[str, "always conversion"] = "conversion"
    flow_file: Annotated[Path, "flow file that was read"]
    outputs: Annotated[tuple[Path, ...], "file written"]
    width: Annotated[int, "width of the flow, in pixels"]
    height: Annotated[int, "height of the flow, in pixels"]
    loss: Annotated[str | None, "what the output's format cannot hold of the flow"]


@dataclass(frozen=True, kw_only=True)
class WarpResult(Result):
    """The object of `warp`."""

    type: Annotated[str, "always warp"] = "warp"
    frame1: Annotated[Path | None, "frame compared with"]
    frame2: Annotated[Path, "frame that was warped"]
    flow_file: Annotated[Path, "flow file that was read"]
    outputs: Annotated[tuple[Path, ...], "picture written"]
    share: Annotated[float, "share of the pixels whose flow stays in the frame, 0 to 1"]
    photometric_error: Annotated[float | None, "mean difference of frame 1 and warped frame 2, in grey levels"]
    photometric_error_unwarped: Annotated[float | None, "the same without the flow"]


@dataclass(frozen=True, kw_only=True)
class DemoResult(EstimatorUse, Result):
    """The object of `demo`."""

    type: Annotated[str, "always demo"] = "demo"
    outputs: Annotated[tuple[Path, ...], "files written"]
    seconds: Annotated[float, "time taken, without loading the model"]
    epe: Annotated[float, "mean end-point error, in pixels"]
    epe_visible: Annotated[float, "the same where both frames show the point"]


@dataclass(frozen=True, kw_only=True)
class ModelInfo(Result):
    """The object of `model info`; of built-in models only `model` and `kind` are known."""

    type: Annotated[str, "always model"] = "model"
    model: Annotated[str, "hub id, folder or name of the model"]
    kind: Annotated[str, "what sort of model it is"]
    revision: Annotated[str | None, "commit on the hub"] = None
    folder: Annotated[Path | None, "where its files are"] = None
    weights: Annotated[str | None, "its weight file, or the index of its parts"] = None
    bytes: Annotated[int | None, "size of the weight files"] = None
    window: Annotated[str | None, "height and width of its windows, in pixels"] = None
    latents: Annotated[str | None, "number and width of its latents"] = None
    layers: Annotated[int | None, "self-attention layers"] = None


def to_json(result: Result) -> str:
    """One line of JSON, without the line's end; numbers that JSON lacks (NaN, infinity) become null."""
    return json.dumps(_plain(result), allow_nan=False)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [entry.name for entry in dataclasses.fields(value) if not entry.name.startswith("_")]
        first = [name for name in ("schema", "type") if name in names]
        return {name: _plain(getattr(value, name)) for name in [*first, *(n for n in names if n not in first)]}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, int | str | None) else str(value)
