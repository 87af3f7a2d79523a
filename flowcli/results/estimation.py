"""Results of estimated flow: of a pair, a video, and a whole run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from ..choices import Status
from ..errors import FlowcliError
from .base import EstimatorUse, FlowStatistics, Result


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
class DemoResult(EstimatorUse, Result):
    """The object of `demo`."""

    type: Annotated[str, "always demo"] = "demo"
    outputs: Annotated[tuple[Path, ...], "files written"]
    seconds: Annotated[float, "time taken, without loading the model"]
    epe: Annotated[float, "mean end-point error, in pixels"]
    epe_visible: Annotated[float, "the same over pixels that are visible in both frames"]
