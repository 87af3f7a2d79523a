"""``flowcli warp``: brings frames to the ones before, and measures the photometric error, which needs no true flow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError, UsageError
from ..places import file_only, place
from .console import console
from .options import (
    ConsoleOptions,
    FlowFileOptions,
    ForceOption,
    FrameOptions,
    JsonOption,
    SelectionOptions,
    takes_options,
)

if TYPE_CHECKING:
    from ..flows.formats import FlowOptions
    from ..frames.reading import Reading
    from ..results import Result
    from ..run.warp import WarpOutputs


@takes_options
def warp(
    frames: Annotated[
        Path,
        typer.Argument(
            metavar="FRAME2|IN",
            parser=place,
            help="The frame that the flow leads to; or a video, a folder of frames or a pattern.",
        ),
    ],
    flow: Annotated[
        Path,
        typer.Argument(
            metavar="FLOW|FLOWS",
            parser=place,
            help="The flow from frame 1 to frame 2; or a folder of the flows of IN, such as of video --flow-dir.",
        ),
    ],
    selection_options: SelectionOptions,
    frame_options: FrameOptions,
    file_options: FlowFileOptions,
    console_options: ConsoleOptions,  # noqa: ARG001  (only its side effect is needed)
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "--out",
            "-o",
            metavar="OUT",
            parser=file_only,
            help="The warped frame as a picture; of IN a video, or a folder for a picture of each.",
        ),
    ] = None,
    frame1: Annotated[
        Path | None,
        typer.Option(metavar="FRAME1", parser=place, help="Print the photometric error against this frame."),
    ] = None,
    errors: Annotated[
        Path | None,
        typer.Option(
            metavar="ERRORS.csv", parser=file_only, help="Table of the photometric errors of IN, worst first."
        ),
    ] = None,
    json: JsonOption = False,
    force: ForceOption = False,
) -> Result:
    """Warp frame 2 to frame 1 by a flow, and print the photometric error, that is, its difference from frame 1.

    With a folder of flows, do so for every frame of a video or of a folder of frames, and print the worst pairs first.
    """
    from ..run.warp import WarpOutputs

    reading, options = frame_options.reading(), file_options.options()
    if flow.is_dir():
        if frame1 is not None:
            raise UsageError("--frame1 is for a single flow; with a folder of flows every frame is compared")
        return _sequence(frames, flow, selection_options, WarpOutputs(output, errors, force), reading, options, json)
    if errors is not None or not selection_options.is_everything:
        raise UsageError(
            f"--errors, --start, --end, --stride, --fps and --stream are for a folder of flows; {flow} is not one"
        )
    return _frame(frames, flow, output, frame1, reading, options, force)


def _sequence(
    source: Path,
    flows: Path,
    selection_options: SelectionOptions,
    outputs: WarpOutputs,
    reading: Reading,
    options: FlowOptions,
    json: bool,
) -> Result:
    """Warp every frame of a sequence; with ``json`` show the pairs."""
    from ..run.warp import warp_sequence
    from .render import show

    frames = selection_options.open(source, selection_options.selection(), reading)
    total = max(0, frames.count - 1) if frames.count else None
    with console.progress("warping", total, "pairs") as advance:
        summary = warp_sequence(frames, flows, outputs, options=options, on_pair=lambda _: advance(1))
    for pair in summary.worst_first if json else ():
        show(pair, as_json=True)
    return summary


def _frame(
    frame2: Path,
    flow_file: Path,
    output: Path | None,
    frame1: Path | None,
    reading: Reading,
    options: FlowOptions,
    force: bool,
) -> Result:
    """Warp a single frame."""
    from ..arrays import check_same_size
    from ..flows.io import files_to_read, read_flow
    from ..flows.warp import photometric_error
    from ..flows.warp import warp as warp_frame
    from ..frames.images import WRITTEN_SUFFIXES, write_image
    from ..results import WarpResult
    from ..storage import check_outputs, check_suffix

    flow_files = files_to_read(flow_file)
    if not any(file.exists() for file in flow_files):
        raise InputError(f"cannot read {flow_file}: no such file or directory; check the path")
    if frame2.is_dir():
        raise InputError(f"{frame2} is a folder but {flow_file} is a single flow; give a frame, or a folder of flows")
    if output is None and frame1 is None:
        raise UsageError("nothing to do: give -o OUT, --frame1 FRAME1, or both")
    if output is not None:
        check_suffix(output, WRITTEN_SUFFIXES)
        check_outputs([output], force=force, inputs=[frame2, *flow_files, *([frame1] if frame1 else [])])
    flow = read_flow(flow_file, options)
    paths = [path for path in (frame2, frame1) if path is not None]
    frames = dict(zip(paths, reading.read_all(paths)[0], strict=True))
    for path, image in frames.items():
        check_same_size(path, image.shape, flow_file, flow.shape)
    warped, inside = warp_frame(frames[frame2], flow)
    if output is not None:
        write_image(output, warped)
    error = None if frame1 is None else photometric_error(frames[frame1], frames[frame2], warped, inside)
    return WarpResult(
        frame1=frame1,
        frame2=frame2,
        flow_file=flow_file,
        outputs=(output,) if output is not None else (),
        share=float(inside.mean()),
        photometric_error=None if error is None else error.warped,
        photometric_error_unwarped=None if error is None else error.unwarped,
    )
