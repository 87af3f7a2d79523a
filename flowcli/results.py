"""The results that commands and the Python API return, and that ``--json`` prints.

A key means the same in every object. ``docs/reference/json.md`` is generated from these classes, with the text beside
each field as its description. :data:`SCHEMA` increases when a key is removed or changes its meaning, not when one is
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

from .choices import SplitName, Status
from .errors import FlowcliError

SCHEMA = 1
"""The version of the JSON format, which every object contains as ``schema``."""


@dataclass(frozen=True, kw_only=True)
class FlowStatistics:
    """Statistics of a flow over its known pixels; null if no flow is known."""

    u_min: Annotated[float | None, "smallest motion to the right, in pixels"]
    u_mean: Annotated[float | None, "mean motion to the right, in pixels"]
    u_max: Annotated[float | None, "largest motion to the right, in pixels"]
    v_min: Annotated[float | None, "smallest motion downwards, in pixels"]
    v_mean: Annotated[float | None, "mean motion downwards, in pixels"]
    v_max: Annotated[float | None, "largest motion downwards, in pixels"]
    length_min: Annotated[float | None, "length of the shortest vector, in pixels"]
    length_mean: Annotated[float | None, "mean length of the vectors, in pixels"]
    length_max: Annotated[float | None, "length of the longest vector, in pixels"]
    known: Annotated[float, "fraction of pixels whose flow is known, 0 to 1"]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The errors of estimated flow, over the pixels where both the estimate and the true flow are known.

    For the sources of the formulas see :class:`flowcli.flows.metrics.Scores`. A figure is null if no pixel counts.
    """

    epe: Annotated[float | None, "mean end-point error, in pixels"]
    epe_image_mean: Annotated[float | None, "mean of the images' own `epe`, in pixels"]
    outliers_1px: Annotated[float | None, "percentage of pixels with an end-point error above 1 px"]
    outliers_3px: Annotated[float | None, "percentage of pixels with an end-point error above 3 px"]
    outliers_5px: Annotated[float | None, "percentage of pixels with an end-point error above 5 px"]
    fl_all: Annotated[float | None, "percentage of pixels with an error above 3 px and above 5 % of the true length"]
    angular_error: Annotated[float | None, "mean angle between (u, v, 1) and the true (u, v, 1), in degrees"]
    s0_10: Annotated[float | None, "`epe` where the true flow is shorter than 10 px"]
    s10_40: Annotated[float | None, "`epe` where the true flow is 10 to 40 px long"]
    s40: Annotated[float | None, "`epe` where the true flow is 40 px long or longer"]
    pixels: Annotated[int, "number of pixels compared"]
    missing: Annotated[int, "number of pixels with true flow but no estimate"]
    images: Annotated[int, "number of images with true flow"]


BenchmarkFigures = Mapping[str, Mapping[str, Mapping[str, float | None]]]
"""Authors' figures: by the name of their set, then by row, then by the key of the column."""

HEADINGS = {
    "epe": "EPE",
    "epe_image_mean": "EPE/image",
    "outliers_1px": ">1px %",
    "outliers_3px": ">3px %",
    "outliers_5px": ">5px %",
    "fl_all": "Fl-all %",
    "angular_error": "angle deg",
    "s0_10": "s0-10",
    "s10_40": "s10-40",
    "s40": "s40+",
    "pixels": "pixels",
    "missing": "missing",
    "images": "images",
}
"""What tables call the figures."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """The keys of every JSON object."""

    type: Annotated[str, "kind of object"]
    schema: Annotated[int, "version of the JSON format"] = SCHEMA

    @property
    def problem(self) -> FlowcliError | None:
        """The error that the command ends with despite this result, or ``None``; not part of the JSON."""
        return None


@dataclass(frozen=True, kw_only=True)
class EstimatorUse:
    """The model that estimated the flow, and its settings."""

    model: Annotated[str, "hub id, folder or name of the model"]
    revision: Annotated[str | None, "commit on the hub; null for folders and built-in models"]
    device: Annotated[str, "device, such as cpu or cuda:0"]
    precision: Annotated[str, "fp32, tf32, bf16 or fp16"]
    batch_size: Annotated[int, "windows per forward pass"]
    overlap: Annotated[int, "minimum overlap of neighbouring windows, in pixels"]
    grid: Annotated[str, "even or reference"]
    scale: Annotated[float, "size at which flow was estimated, as a multiple of the frames' size"]
    coarse_to_fine: Annotated[bool, "whether windows followed motion that is larger than they are"] = False


@dataclass(frozen=True, kw_only=True)
class PairResult(Result):
    """One pair of frames, from `estimate`, `video` or `batch`."""

    type: Annotated[str, "always pair"] = "pair"
    pair: Annotated[int, "number of the pair in the input, from 0"]
    status: Annotated[Status, "done, skipped (valid outputs of an earlier run exist) or failed"]
    error: Annotated[str | None, "why it failed"] = None
    frame1: Annotated[Path | None, "frame that the flow leads from: a file, or a frame number of a video"]
    frame2: Annotated[Path | None, "frame that the flow leads to"]
    time: Annotated[float | None, "time of frame 1, in seconds since the input's first frame"] = None
    origin: Annotated[str | None, "source of the pair in a batch: line of the manifest, or first frame"] = None
    outputs: Annotated[tuple[Path, ...], "files written for this pair, or kept from an earlier run"] = ()
    windows: Annotated[int, "windows estimated"] = 0
    loss: Annotated[str | None, "part of the flow that the output format cannot store"] = None
    flow: Annotated[FlowStatistics | None, "statistics of the flow, if it was estimated or read back"] = None


@dataclass(frozen=True, kw_only=True)
class VideoResult(Result):
    """One video of `batch`; its pairs are counted, not listed."""

    type: Annotated[str, "always video"] = "video"
    item: Annotated[int, "number of the item in the input, from 0"]
    status: Annotated[Status, "done, skipped (valid outputs of all pairs exist) or failed"]
    error: Annotated[str | None, "why it failed"] = None
    video: Annotated[Path | None, "the video"]
    origin: Annotated[str | None, "source of the item in a batch: line of the manifest, or the video"] = None
    outputs: Annotated[tuple[Path, ...], "flow video and folder of flow, which may be incomplete if it failed"] = ()
    pairs: Annotated[int, "pairs processed: done and skipped"] = 0
    done: Annotated[int, "pairs estimated"] = 0
    skipped: Annotated[int, "pairs with valid outputs of an earlier run"] = 0
    windows: Annotated[int, "windows estimated"] = 0
    loss: Annotated[str | None, "part of the flow that the output format cannot store"] = None
    largest_flow: Annotated[float, "length of the longest vector of all its flows, in pixels"] = 0.0
    max_flow: Annotated[float | None, "its colour scale in pixels; null if there is none"] = None
    levels: Annotated[str | None, "frame values that became 0 and 255, as LOW:HIGH; null without --levels"] = None
    width: Annotated[int | None, "width of the flow, in pixels; null if there is none"] = None
    height: Annotated[int | None, "height of the flow, in pixels; null if there is none"] = None


@dataclass(frozen=True, kw_only=True)
class EstimateResult(EstimatorUse, PairResult):
    """The object of `estimate`."""

    width: Annotated[int, "width of the flow, in pixels"]
    height: Annotated[int, "height of the flow, in pixels"]
    seconds: Annotated[float, "time taken, without loading the model"]
    levels: Annotated[str | None, "frame values that became 0 and 255, as LOW:HIGH; null without --levels"] = None
    backward: Annotated[bool, "whether the flow leads from the second given frame to the first"]
    occluded: Annotated[float | None, "fraction of pixels hidden in frame 2, 0 to 1; null without --occlusion"] = None


@dataclass(frozen=True, kw_only=True)
class RunSummary(EstimatorUse, Result):
    """The last line of a run over many pairs."""

    type: Annotated[str, "always summary"] = "summary"
    input: Annotated[str, "the given video, folder, pattern, manifest or data set"]
    outputs: Annotated[tuple[Path, ...], "the output video and folders"]
    pairs: Annotated[int, "pairs processed: done, skipped and failed"]
    done: Annotated[int, "pairs estimated"]
    skipped: Annotated[int, "pairs with valid outputs of an earlier run"]
    failed: Annotated[int, "pairs that failed; in a batch, videos that failed count as one each"]
    windows: Annotated[int, "windows estimated"]
    seconds: Annotated[float, "time taken, without loading the model"]
    max_flow: Annotated[float | None, "the common colour scale in pixels; null if there is none"]
    largest_flow: Annotated[float, "length of the longest vector of all flows, in pixels"]
    levels: Annotated[str | None, "frame values that became 0 and 255, as LOW:HIGH; null without --levels"] = None
    error: Annotated[str | None, "why the run is incomplete"] = None
    report: Annotated[Path | None, "page about all pairs; null without --report"] = None
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
    padded: Annotated[bool, "whether the output video repeats a row or column to make its sides even"]


@dataclass(frozen=True, kw_only=True)
class BatchSummary(RunSummary):
    """The last line of `batch`."""

    shard: Annotated[str, "the part of the items that was processed, as I/N"]
    videos: Annotated[int, "videos processed; their pairs are among the pairs above"] = 0


@dataclass(frozen=True, kw_only=True)
class ComparisonResult(Result, Figures):
    """One flow of `eval`, compared with the true flow; the only object if two files are given."""

    type: Annotated[str, "always pair"] = "pair"
    variant: Annotated[str | None, "model or variant that estimated it; null unless several are compared"] = None
    status: Annotated[Status, "always done: a pair that cannot be compared is an error"] = "done"
    error: Annotated[str | None, "always null"] = None
    name: Annotated[str, "common name of both flows"]
    flow_file: Annotated[Path, "estimated flow"]
    truth_file: Annotated[Path, "true flow"]
    outputs: Annotated[tuple[Path, ...], "error map and, of two files, the report, as far as requested"] = ()
    benchmark: Annotated[BenchmarkFigures, "authors' figures of the pair, by their set, row and column"] = field(
        default_factory=dict
    )


@dataclass(frozen=True, kw_only=True)
class SubsetFigures:
    """What an evaluation found."""

    subsets: Annotated[Mapping[str, Figures], "figures by the pixels or frames that they are over"]
    worst_epe: Annotated[float | None, "largest `epe` of the subsets of all pixels; null if one has none"]
    missing: Annotated[int, "pixels with a truth but no estimate"]
    benchmark: Annotated[BenchmarkFigures, "authors' figures, by their set, row and column"] = field(
        default_factory=dict
    )


@dataclass(frozen=True, kw_only=True)
class EvaluationSummary(SubsetFigures, Result):
    """The last line of `eval` for two folders."""

    type: Annotated[str, "always summary"] = "summary"
    input: Annotated[str, "estimated flow: a folder or a file"]
    truth: Annotated[str, "true flow: a folder or a file"]
    outputs: Annotated[tuple[Path, ...], "where the error maps are"]
    report: Annotated[Path | None, "page about all pairs; null without --report"] = None
    pairs: Annotated[int, "pairs of flows compared"]
    done: Annotated[int, "the same: a pair that cannot be compared is an error"]
    skipped: Annotated[int, "always 0"] = 0
    failed: Annotated[int, "always 0"] = 0


@dataclass(frozen=True, kw_only=True)
class DatasetSummary(SubsetFigures, RunSummary):
    """The last line of `eval --dataset`."""

    dataset: Annotated[str, "name of the data set"]
    variant: Annotated[str | None, "model or variant; null unless several are compared"] = None
    split: Annotated[SplitName | None, "split; null for everything with true flow"] = None
    published: Annotated[int | None, "pairs that its authors publish of that; null if unknown"] = None
    submission: Annotated[Path | None, "ZIP file or folder for the authors' server; null without --submission"] = None
    clipped: Annotated[int, "vectors of the submission that were out of the format's range and are clipped"] = 0
    next_step: Annotated[str | None, "what to do with the submission"] = None


@dataclass(frozen=True, kw_only=True)
class TableColumn:
    """A figure that models are compared by."""

    row: Annotated[str, "pixels or frames that it is over, as in `subsets` or `benchmark`; may be empty"]
    key: Annotated[str, "its key there"]
    heading: Annotated[str, "what tables call it"]
    larger_is_better: Annotated[bool, "whether larger values are better"] = False


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """The figures of a model."""

    name: Annotated[str, "model or variant"]
    values: Annotated[tuple[float | None, ...], "a value for each column; null where there is none"]
    source: Annotated[str | None, "where they are published; null for those that were computed"] = None


@dataclass(frozen=True, kw_only=True)
class FigureTable(Result):
    """The last line of `eval --dataset` for several models, or with --published."""

    type: Annotated[str, "always table"] = "table"
    dataset: Annotated[str, "name of the data set"]
    columns: Annotated[tuple[TableColumn, ...], "figures"]
    rows: Annotated[tuple[TableRow, ...], "models"]

    def best(self, number: int) -> float | None:
        """The best value of a column; ``None`` unless there are two to compare."""
        known = [row.values[number] for row in self.rows if row.values[number] is not None]
        if len(known) < 2:
            return None
        return (max if self.columns[number].larger_is_better else min)(value for value in known if value is not None)


@dataclass(frozen=True, kw_only=True)
class DatasetInfo(Result):
    """One data set of `datasets`."""

    type: Annotated[str, "always dataset"] = "dataset"
    name: Annotated[str, "what `eval --dataset` takes"]
    title: Annotated[str, "what its authors call it, and their paper"]
    url: Annotated[str, "where to get it"]
    layout: Annotated[tuple[str, ...], "files that are expected below its folder"]
    splits: Annotated[tuple[str, ...], "what --split takes"]
    labels: Annotated[tuple[str, ...], "what --subset takes"]
    pairs: Annotated[Mapping[str, int], "pairs that its authors publish, by split, as far as known"]
    figures: Annotated[tuple[str, ...], "sets of its authors' figures"]
    rules: Annotated[str, "how its authors evaluate"]
    submission: Annotated[str | None, "what to do with what --submission writes; null if there is no server"]
    _is_one_of_many: bool = field(default=False, repr=False)

    @property
    def is_one_of_many(self) -> bool:
        """Whether it is shown in a list; not part of the JSON."""
        return self._is_one_of_many


@dataclass(frozen=True, kw_only=True)
class FlowInfo(Result):
    """One flow file of `info`."""

    type: Annotated[str, "always info"] = "info"
    flow_file: Annotated[Path, "the flow file"]
    width: Annotated[int, "width of the flow, in pixels"]
    height: Annotated[int, "height of the flow, in pixels"]
    flow: Annotated[FlowStatistics, "statistics of the flow"]


@dataclass(frozen=True, kw_only=True)
class Conversion(Result):
    """The object of `convert`."""

    type: Annotated[str, "always conversion"] = "conversion"
    flow_file: Annotated[Path, "the flow file that was converted"]
    outputs: Annotated[tuple[Path, ...], "files written: one, or two for a pair of .jpg"]
    width: Annotated[int, "width of the flow, in pixels"]
    height: Annotated[int, "height of the flow, in pixels"]
    loss: Annotated[str | None, "part of the flow that the output format cannot store"]


@dataclass(frozen=True, kw_only=True)
class ChainResult(Result):
    """One composed flow of `chain`."""

    type: Annotated[str, "always chain"] = "chain"
    flow_files: Annotated[tuple[Path, ...], "flow files that were composed, in order"]
    masked: Annotated[int, "number of them that have a mask, which was applied"]
    start: Annotated[int, "number of the frame that the flow leads from, counted from 0"]
    end: Annotated[int, "number of the frame that the flow leads to"]
    outputs: Annotated[tuple[Path, ...], "files written"]
    width: Annotated[int, "width of the flow, in pixels"]
    height: Annotated[int, "height of the flow, in pixels"]
    loss: Annotated[str | None, "part of the flow that an output format cannot store"]
    flow: Annotated[FlowStatistics, "statistics of the composed flow"]


@dataclass(frozen=True, kw_only=True)
class WarpResult(Result):
    """One warped frame of `warp`."""

    type: Annotated[str, "always warp"] = "warp"
    pair: Annotated[int | None, "number of the pair in the sequence, from 0; null for a single frame"] = None
    frame1: Annotated[Path | None, "frame that the warped frame is compared with"]
    frame2: Annotated[Path, "frame that was warped"]
    flow_file: Annotated[Path, "flow file that it was warped with"]
    outputs: Annotated[tuple[Path, ...], "picture written"]
    share: Annotated[float, "fraction of pixels whose flow is known and stays inside the frame, 0 to 1"]
    photometric_error: Annotated[float | None, "mean difference of frame 1 and warped frame 2, in grey levels"]
    photometric_error_unwarped: Annotated[float | None, "the same for the original frame 2"]


@dataclass(frozen=True, kw_only=True)
class WarpSummary(Result):
    """The last line of `warp` for a sequence."""

    type: Annotated[str, "always summary"] = "summary"
    input: Annotated[str, "the given video, folder or pattern"]
    flows: Annotated[str, "the given folder of flows"]
    outputs: Annotated[tuple[Path, ...], "the output video or folder, and the table of errors"]
    pairs: Annotated[int, "pairs whose frame 2 was warped to frame 1"]
    done: Annotated[int, "the same: a pair that cannot be warped ends the run"]
    skipped: Annotated[int, "always 0"] = 0
    failed: Annotated[int, "always 0"] = 0
    seconds: Annotated[float, "time taken"]
    levels: Annotated[str | None, "frame values that became 0 and 255, as LOW:HIGH; null without --levels"] = None
    width: Annotated[int, "width of the frames, in pixels"]
    height: Annotated[int, "height of the frames, in pixels"]
    padded: Annotated[bool, "whether the output video repeats a row or column to make its sides even"]
    photometric_error: Annotated[float | None, "mean over the pairs that have one, in grey levels"]
    photometric_error_unwarped: Annotated[float | None, "the same for the original frames 2"]
    error: Annotated[str | None, "why the run is incomplete"] = None
    _worst_first: tuple[WarpResult, ...] = field(default=(), repr=False)
    _problem: FlowcliError | None = field(default=None, repr=False)

    @property
    def worst_first(self) -> tuple[WarpResult, ...]:
        """The pairs, those that cannot be measured first, then by falling photometric error; their own JSON lines."""
        return self._worst_first

    @property
    def problem(self) -> FlowcliError | None:
        """See :attr:`Result.problem`."""
        return self._problem


@dataclass(frozen=True, kw_only=True)
class ViewResult(Result):
    """The object of `view`."""

    type: Annotated[str, "always view"] = "view"
    outputs: Annotated[tuple[Path, ...], "page and still picture"]
    flows: Annotated[tuple[str, ...], "names of the flows that are compared"]
    pairs: Annotated[int, "pairs that were looked at: one, or those of a sequence"]
    shown: Annotated[int, "pairs that the page has room for"]
    width: Annotated[int, "width of the flow, in pixels"]
    height: Annotated[int, "height of the flow, in pixels"]
    error: Annotated[str | None, "why the page is incomplete"] = None
    _problem: FlowcliError | None = field(default=None, repr=False)

    @property
    def problem(self) -> FlowcliError | None:
        """See :attr:`Result.problem`."""
        return self._problem


@dataclass(frozen=True, kw_only=True)
class DemoResult(EstimatorUse, Result):
    """The object of `demo`."""

    type: Annotated[str, "always demo"] = "demo"
    outputs: Annotated[tuple[Path, ...], "files written"]
    seconds: Annotated[float, "time taken, without loading the model"]
    epe: Annotated[float, "mean end-point error, in pixels"]
    epe_visible: Annotated[float, "the same over pixels that are visible in both frames"]


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


def to_json(result: Result) -> str:
    """The result as one line of JSON, without a newline; NaN and infinity, which JSON lacks, become null."""
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
