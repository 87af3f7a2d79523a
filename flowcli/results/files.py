"""Results of commands that read flow files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from ..errors import FlowcliError
from .base import FlowStatistics, Result


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
