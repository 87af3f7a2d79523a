"""``flowcli estimate``: estimates the flow between two frames."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError
from ..places import place
from .console import console
from .estimator_options import EstimatorOptions, note_if_plain
from .options import (
    STDOUT,
    AmbiguousFormatOption,
    ConsoleOptions,
    FlowFileOptions,
    ForceOption,
    FrameOptions,
    JsonOption,
    PictureOptions,
    takes_options,
)

if TYPE_CHECKING:
    from ..results import Result


@takes_options
def estimate(
    frame1: Annotated[Path, typer.Argument(metavar="FRAME1", parser=place, help="The frame that the flow leads from.")],
    frame2: Annotated[Path, typer.Argument(metavar="FRAME2", parser=place, help="The frame that the flow leads to.")],
    estimator_options: EstimatorOptions,
    frame_options: FrameOptions,
    picture_options: PictureOptions,
    file_options: FlowFileOptions,
    console_options: ConsoleOptions,  # noqa: ARG001  (only its side effect is needed)
    output: Annotated[
        list[str],
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="Output: .flo, .png or .jpg (picture), .pfm, .npy, .npz, .flo5, .exr, .tif, or - for .flo on stdout; "
            "repeatable.",
        ),
    ],
    backward: Annotated[bool, typer.Option("--backward", help="Estimate the flow from FRAME2 to FRAME1.")] = False,
    occlusion: Annotated[
        Path | None,
        typer.Option(metavar="MASK.png", parser=place, help="Mask, white where occluded; also estimates backward."),
    ] = None,
    flow_format: AmbiguousFormatOption = None,
    json: JsonOption = False,
    force: ForceOption = False,
) -> Result:
    """Estimate the flow between two frames."""
    from ..run.estimate import PairOutputs, estimate_pair, read_pair

    if STDOUT in output and json:
        raise UsageError("-o - and --json both write to stdout; give -o a file")
    outputs = PairOutputs(
        flows=tuple(place(name) for name in output if name != STDOUT),
        occlusion=occlusion,
        flow_format=flow_format,
        options=file_options.options(),
        style=picture_options.style(),
        force=force,
    )
    outputs.check([frame1, frame2])
    frames, reading = read_pair(frame1, frame2, frame_options.reading())
    estimator = estimator_options.load()
    windows = estimator.windows_for((frames[0].shape[0], frames[0].shape[1])) * (2 if occlusion else 1)
    with console.progress("estimating", windows, "windows") as advance:
        result, flow = estimate_pair(
            estimator, (frame1, frame2), frames, outputs, reading=reading, backward=backward, on_window=advance
        )
    note_if_plain(estimator)
    if STDOUT in output:
        from ..flows.formats.flo import encode

        console.output(encode(flow))
    return result
