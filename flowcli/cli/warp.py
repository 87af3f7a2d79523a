"""``flowcli warp``: warps frame 2 to frame 1, and measures the photometric error, which needs no true flow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError
from .options import ConsoleOptions, FlowFileOptions, ForceOption, FrameOptions, JsonOption, takes_options

if TYPE_CHECKING:
    from ..results import Result


@takes_options
def warp(
    frame2: Annotated[Path, typer.Argument(metavar="FRAME2", readable=False, help="The frame that the flow leads to.")],
    flow_file: Annotated[
        Path, typer.Argument(metavar="FLOW", readable=False, help="The flow from frame 1 to frame 2.")
    ],
    frame_options: FrameOptions,
    file_options: FlowFileOptions,
    console_options: ConsoleOptions,  # noqa: ARG001  (only its side effect is needed)
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="OUT", readable=False, help="Output picture of the warped frame."),
    ] = None,
    frame1: Annotated[
        Path | None,
        typer.Option(metavar="FRAME1", readable=False, help="Print the photometric error against this frame."),
    ] = None,
    json: JsonOption = False,  # noqa: ARG001  (read by takes_options)
    force: ForceOption = False,
) -> Result:
    """Warp frame 2 to frame 1 by a flow, and print the photometric error, that is, its difference from frame 1."""
    from ..arrays import check_same_size
    from ..flows.io import files_to_read, read_flow
    from ..flows.warp import photometric_error
    from ..flows.warp import warp as warp_frame
    from ..frames.images import WRITTEN_SUFFIXES, write_image
    from ..results import WarpResult
    from ..storage import check_outputs, check_suffix

    if output is None and frame1 is None:
        raise UsageError("nothing to do: give -o OUT, --frame1 FRAME1, or both")
    if output is not None:
        check_suffix(output, WRITTEN_SUFFIXES)
        check_outputs([output], force=force, inputs=[frame2, *files_to_read(flow_file), *([frame1] if frame1 else [])])
    flow = read_flow(flow_file, file_options.options())
    paths = [path for path in (frame2, frame1) if path is not None]
    frames = dict(zip(paths, frame_options.reading().read_all(paths)[0], strict=True))
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
