"""``flowcli estimate``: the flow between two frames."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError
from ..limits import MAX_PIXELS
from .console import console
from .options import (
    ConsoleOptions,
    EstimatorOptions,
    ForceOption,
    JsonOption,
    MaxPixelsOption,
    positive_pixels,
    takes_options,
)

if TYPE_CHECKING:
    from ..arrays import Flow
    from ..estimator import FlowEstimator

STDOUT = "-"


@takes_options
def estimate(
    frame1: Annotated[
        Path, typer.Argument(metavar="FRAME1", readable=False, help="The frame that the flow leads from.")
    ],
    frame2: Annotated[Path, typer.Argument(metavar="FRAME2", readable=False, help="The frame that it leads to.")],
    estimator_options: EstimatorOptions,
    console_options: ConsoleOptions,  # noqa: ARG001  (has told the console already)
    output: Annotated[
        list[str],
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help=".flo, .png (colours), .npy, .pfm, or - for .flo on stdout; repeatable.",
        ),
    ],
    backward: Annotated[bool, typer.Option("--backward", help="Estimate from frame 2 to frame 1.")] = False,
    max_flow: Annotated[
        float | None,
        typer.Option(metavar="PIXELS", callback=positive_pixels, help="The flow that gets full colour in a .png."),
    ] = None,
    max_pixels: MaxPixelsOption = MAX_PIXELS,
    json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Estimate the flow between two frames."""
    from ..files import check_outputs
    from ..flow_io import check_suffix, write_flow
    from ..formats.flo import FLO
    from ..images import read_image

    files = [Path(name) for name in output if name != STDOUT]
    if STDOUT in output and json:
        raise UsageError("-o - and --json both write to stdout; give -o a file")
    for file in files:
        check_suffix(file)
    check_outputs(files, force=force, inputs=[frame1, frame2])
    frames = [read_image(frame, max_pixels=max_pixels) for frame in (frame1, frame2)]
    _check_sizes(frame1, frame2, frames[0].shape, frames[1].shape)
    if backward:
        frames.reverse()

    estimator = estimator_options.load()
    windows = len(estimator.grid_for((frames[0].shape[0], frames[0].shape[1])))
    started = time.monotonic()
    with console.progress("estimating", windows, "windows") as advance:
        flow = estimator.estimate(frames[0], frames[1], on_window=advance)
    seconds = time.monotonic() - started

    for file in files:
        write_flow(file, flow, max_flow=max_flow)
    if STDOUT in output:
        console.output(FLO.encode(flow))
    if json:
        report = _report(estimator, flow, windows, seconds)
        console.result({"frame1": frame1, "frame2": frame2, "backward": backward, "outputs": files, **report})
    elif files:
        console.note(f"wrote {', '.join(map(str, files))} ({windows} windows, {seconds:.1f} s)")


def _check_sizes(frame1: Path, frame2: Path, shape1: tuple[int, ...], shape2: tuple[int, ...]) -> None:
    from ..errors import InputError

    if shape1 != shape2:
        raise InputError(
            f"{frame1} is {shape1[1]} x {shape1[0]} but {frame2} is {shape2[1]} x {shape2[0]}; "
            "the two frames must be of one size"
        )


def _report(estimator: FlowEstimator, flow: Flow, windows: int, seconds: float) -> dict[str, object]:
    from ..metrics import flow_statistics

    return {
        **describe(estimator),
        "width": flow.shape[1],
        "height": flow.shape[0],
        "windows": windows,
        "seconds": round(seconds, 3),
        "flow": flow_statistics(flow),
    }


def describe(estimator: FlowEstimator) -> dict[str, object]:
    """What ran, for ``--json``."""
    model = estimator.model
    return {
        "model": model.name,
        "revision": model.revision,
        "device": model.device,
        "precision": model.precision,
        "batch_size": estimator.batch_size,
        "overlap": estimator.overlap,
        "grid": estimator.grid_kind,
        "scale": estimator.scale,
    }
