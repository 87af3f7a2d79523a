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
    KittiOption,
    MaxPixelsOption,
    PictureOptions,
    takes_options,
)

if TYPE_CHECKING:
    from ..arrays import Flow, Frame
    from ..estimator import FlowEstimator

STDOUT = "-"


@takes_options
def estimate(
    frame1: Annotated[
        Path, typer.Argument(metavar="FRAME1", readable=False, help="The frame that the flow leads from.")
    ],
    frame2: Annotated[Path, typer.Argument(metavar="FRAME2", readable=False, help="The frame that it leads to.")],
    estimator_options: EstimatorOptions,
    picture_options: PictureOptions,
    console_options: ConsoleOptions,  # noqa: ARG001  (has told the console already)
    output: Annotated[
        list[str],
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help=".flo, .png (picture), .pfm, .npy, .npz, .flo5, or - for .flo on stdout; repeatable.",
        ),
    ],
    backward: Annotated[bool, typer.Option("--backward", help="Estimate from frame 2 to frame 1.")] = False,
    occlusion: Annotated[
        Path | None,
        typer.Option(metavar="MASK.png", readable=False, help="Also estimate backward; white where both contradict."),
    ] = None,
    flow_format: KittiOption = None,
    max_pixels: MaxPixelsOption = MAX_PIXELS,
    json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Estimate the flow between two frames."""
    from ..arrays import check_same_size
    from ..draw.outputs import write_mask, write_output
    from ..flows.formats.flo import FLO
    from ..flows.io import form_for
    from ..flows.occlusion import occluded
    from ..frames.images import read_image
    from ..storage import check_outputs, check_suffix

    files = [Path(name) for name in output if name != STDOUT]
    if STDOUT in output and json:
        raise UsageError("-o - and --json both write to stdout; give -o a file")
    for file in files:
        form_for(file, flow_format)
    if occlusion is not None:
        check_suffix(occlusion, [".png"])
    check_outputs([*files, *([occlusion] if occlusion else [])], force=force, inputs=[frame1, frame2])
    frames = [read_image(frame, max_pixels=max_pixels) for frame in (frame1, frame2)]
    check_same_size(frame1, frames[0].shape, frame2, frames[1].shape)
    if backward:
        frames.reverse()

    estimator = estimator_options.load()
    started = time.monotonic()
    flows, windows = _estimate(estimator, frames, both=occlusion is not None)
    seconds = time.monotonic() - started

    flow = flows[0]
    for file in files:
        lost = write_output(file, flow, flow_format=flow_format, style=picture_options.style(), frame=frames[0])
        if lost is not None:
            console.once(lost)
    report = _report(estimator, flow, windows, seconds)
    if occlusion is not None:
        mask = occluded(flows[0], flows[1])
        write_mask(occlusion, mask)
        report |= {"occlusion": occlusion, "occluded": float(mask.mean())}
    if STDOUT in output:
        console.output(FLO.encode(flow))
    if json:
        console.result({"frame1": frame1, "frame2": frame2, "backward": backward, "outputs": files, **report})
    elif files:
        written = [*files, *([occlusion] if occlusion else [])]
        console.note(f"wrote {', '.join(map(str, written))} ({windows} windows, {seconds:.1f} s)")


def _estimate(estimator: FlowEstimator, frames: list[Frame], *, both: bool) -> tuple[list[Flow], int]:
    """The flow, and with ``both`` the backward flow too, whose windows share its batches; and how many windows."""
    pairs = [(frames[0], frames[1]), *([(frames[1], frames[0])] if both else [])]
    windows = len(pairs) * len(estimator.grid_for((frames[0].shape[0], frames[0].shape[1])))
    with console.progress("estimating", windows, "windows") as advance:
        return list(estimator.estimate_pairs(pairs, on_window=advance)), windows


def _report(estimator: FlowEstimator, flow: Flow, windows: int, seconds: float) -> dict[str, object]:
    from ..flows.metrics import flow_statistics

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
