"""``flowcli video``: the flow of a whole video."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..errors import InputError, UsageError
from ..limits import MAX_PIXELS
from .console import console
from .estimate import describe
from .options import (
    ColorOptions,
    ConsoleOptions,
    EstimatorOptions,
    FlowFormatOption,
    ForceOption,
    JsonOption,
    MaxPixelsOption,
    frame_rate,
    position,
    takes_options,
)

if TYPE_CHECKING:
    from ..arrays import Flow
    from ..frames.sequence import FrameSource
    from ..run.video import VideoOutputs, VideoPair, VideoSummary


@takes_options
def video(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="IN", readable=False, help="A video, a folder of frames, or a pattern such as f_%04d.png."
        ),
    ],
    estimator_options: EstimatorOptions,
    color_options: ColorOptions,
    console_options: ConsoleOptions,  # noqa: ARG001  (has told the console already)
    out: Annotated[
        Path | None,
        typer.Option(metavar="OUT.mp4", readable=False, help="The video to write: .mp4, .mov, .mkv, .webm or .gif."),
    ] = None,
    flow_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", readable=False, help="Keep every flow here; a second run goes on from what is there."
        ),
    ] = None,
    flow_format: FlowFormatOption = "flo",
    layout: Annotated[
        Literal["flow", "side-by-side", "overlay", "arrows"],
        typer.Option(help="The flow alone, the frame on its left, the frame tinted, or arrows over the frame."),
    ] = "flow",
    start: Annotated[
        Any, typer.Option(parser=position, metavar="PLACE", help="First frame: its number, or 12.5s, or 1:30.")
    ] = "0",
    end: Annotated[
        Any, typer.Option(parser=position, metavar="PLACE", help="End: the first frame that is left out.")
    ] = None,
    stride: Annotated[int, typer.Option(min=1, metavar="N", help="Use every N-th frame: pairs N frames apart.")] = 1,
    fps: Annotated[
        Any,
        typer.Option(parser=frame_rate, metavar="RATE", help="Frames per second of a folder or pattern (25)."),
    ] = None,
    max_pixels: MaxPixelsOption = MAX_PIXELS,
    json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Estimate the flow of a video or of a folder of frames.

    N frames give N - 1 flows, each shown at its first frame's time, all in one colour scale.
    """
    from ..frames.selection import Selection
    from ..frames.sequence import open_source
    from ..run.video import VideoOutputs, estimate_video

    selection = Selection(start, end, stride)
    _check_targets(source, out, flow_dir, force)
    frames = open_source(source, fps, selection, max_pixels)
    if fps is not None and frames.rate != fps:
        console.note(f"{source} has a frame rate of its own; --fps is for folders and patterns")
    estimator = estimator_options.load()
    outputs = VideoOutputs(
        video=out,
        flow_dir=flow_dir,
        flow_format=flow_format,
        layout=layout,
        style=color_options.style(),
        force=force,
    )
    if outputs.style.max_flow is None and outputs.has_pictures and estimator.model.window is not None:
        console.note("looking at a few pairs to choose the colour scale; --max-flow PIXELS saves that")
    total = max(0, frames.count - 1) if frames.count else None
    with console.progress("estimating", total, "pairs") as advance:

        def on_pair(pair: VideoPair, flow: Flow | None) -> None:
            advance(1)
            if json:
                console.result(_pair_report(pair, flow, outputs))

        summary = estimate_video(estimator, frames, outputs, on_pair=on_pair)
    if json:
        console.result({"type": "summary", "input": source, **describe(estimator), **_report(summary, outputs)})
    if summary.damage is not None:
        raise InputError(f"{summary.damage}; the outputs hold the {summary.pairs} pairs before that")
    _say_what_happened(frames, outputs, summary)


def _check_targets(source: Path, out: Path | None, flow_dir: Path | None, force: bool) -> None:
    """Refuse what could not be written at the end."""
    from ..draw.video_writer import VIDEO_SUFFIXES
    from ..storage import check_outputs, check_suffix, check_writable

    if out is None and flow_dir is None:
        raise UsageError("nothing to write: give --out OUT.mp4, --flow-dir DIR, or both")
    if out is not None:
        check_suffix(out, VIDEO_SUFFIXES)
        if flow_dir is not None and flow_dir.resolve() == out.resolve():
            raise UsageError(f"{out} is named for --out and for --flow-dir; give each a name of its own")
        check_outputs([out], force=force, inputs=[source])
    if flow_dir is not None:
        check_writable(flow_dir)


def _pair_report(pair: VideoPair, flow: Flow | None, outputs: VideoOutputs) -> dict[str, object]:
    from ..flows.io import suffix_of
    from ..flows.metrics import flow_statistics

    name = f"{pair.first.name}{suffix_of(outputs.flow_format)}"
    return {
        "type": "pair",
        "pair": pair.index,
        "frame1": pair.first.name,
        "frame2": pair.second.name,
        "time": float(pair.first.time),
        "flow_file": outputs.flow_dir / name if outputs.flow_dir else None,
        "resumed": pair.resumed,
        "flow": None if flow is None else flow_statistics(flow),
    }


def _report(summary: VideoSummary, outputs: VideoOutputs) -> dict[str, object]:
    return {
        "output": outputs.video,
        "flow_dir": outputs.flow_dir,
        "pairs": summary.pairs,
        "resumed": summary.resumed,
        "windows": summary.windows,
        "width": summary.width,
        "height": summary.height,
        "max_flow": summary.max_flow,
        "largest_flow": round(summary.largest_flow, 3),
        "seconds": round(summary.seconds, 3),
    }


def _say_what_happened(frames: FrameSource, outputs: VideoOutputs, summary: VideoSummary) -> None:
    if summary.padded:
        console.note(
            f"{frames.path} is {summary.width} x {summary.height}; the format needs even sides, "
            "so the video repeats one line or column at its edge"
        )
    if summary.loss is not None:
        console.note(summary.loss)
    if summary.max_flow is not None and summary.largest_flow > summary.max_flow * 1.5:
        console.note(
            f"some flow is longer than the colour scale of {summary.max_flow:g} px and shown darker; "
            f"--max-flow {summary.largest_flow:.0f} would cover all"
        )
    written = [str(target) for target in (outputs.video, outputs.flow_dir) if target is not None]
    resumed = f", {summary.resumed} of them from an earlier run" if summary.resumed else ""
    rate = summary.pairs / summary.seconds if summary.seconds else 0.0
    console.note(
        f"wrote {' and '.join(written)}: {summary.pairs} pairs{resumed} "
        f"in {summary.seconds:.1f} s, {rate:.2f} per second"
    )
