"""``flowcli warp``: frame 2 brought back to frame 1 by a flow, which tells how good the flow is without any truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..limits import MAX_PIXELS
from .console import console
from .options import ConsoleOptions, ForceOption, JsonOption, MaxPixelsOption, takes_options

if TYPE_CHECKING:
    from ..flows.occlusion import PhotometricError


@takes_options
def warp(
    frame2: Annotated[Path, typer.Argument(metavar="FRAME2", readable=False, help="The frame that the flow leads to.")],
    flow_file: Annotated[Path, typer.Argument(metavar="FLOW", readable=False, help="The flow from frame 1 to it.")],
    console_options: ConsoleOptions,  # noqa: ARG001  (has told the console already)
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="OUT", readable=False, help="The picture to write."),
    ] = None,
    frame1: Annotated[
        Path | None,
        typer.Option(metavar="FRAME1", readable=False, help="Compare with this frame: the photometric error."),
    ] = None,
    max_pixels: MaxPixelsOption = MAX_PIXELS,
    json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Bring frame 2 back to frame 1 by a flow, and print how far it then is from frame 1."""
    from ..arrays import check_same_size
    from ..errors import UsageError
    from ..flows.io import read_flow
    from ..flows.occlusion import photometric_error
    from ..flows.occlusion import warp as warp_frame
    from ..frames.images import WRITTEN_SUFFIXES, read_image, write_image
    from ..storage import check_outputs, check_suffix

    if output is None and frame1 is None:
        raise UsageError("nothing to do: give -o OUT, --frame1 FRAME1, or both")
    if output is not None:
        check_suffix(output, WRITTEN_SUFFIXES)
        inputs = [frame2, flow_file, *([frame1] if frame1 else [])]
        check_outputs([output], force=force, inputs=inputs)
    flow = read_flow(flow_file)
    frames = {path: read_image(path, max_pixels=max_pixels) for path in (frame2, frame1) if path is not None}
    for path, image in frames.items():
        check_same_size(path, image.shape, flow_file, flow.shape)
    warped, inside = warp_frame(frames[frame2], flow)
    if output is not None:
        write_image(output, warped)
    report: dict[str, object] = {"frame2": frame2, "flow": flow_file, "output": output, "share": float(inside.mean())}
    if frame1 is not None:
        error = photometric_error(frames[frame1], frames[frame2], warped, inside)
        report |= {
            "frame1": frame1,
            "photometric_error": None if error is None else error.warped,
            "photometric_error_unwarped": None if error is None else error.unwarped,
        }
        if not json:
            console.output(_text(error))
    elif not json:
        console.note("give --frame1 FRAME1 to see the photometric error")
    if json:
        console.result(report)
    elif output is not None:
        console.note(f"wrote {output}")


def _text(error: PhotometricError | None) -> str:
    if error is None:
        return "no photometric error: the flow is unknown or leads out of the frame everywhere\n"
    return (
        f"photometric error: {error.warped:.3f} grey levels, {error.unwarped:.3f} without the flow, "
        f"over {error.share:.1%} of the pixels\n"
    )
