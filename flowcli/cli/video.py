"""``flowcli video``: estimates the flow of a whole video."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..choices import Layout
from ..places import file_only, place
from .console import console
from .estimator_options import EstimatorOptions, note_if_plain
from .options import (
    AdoptOption,
    ColorOptions,
    ConsoleOptions,
    FlowFileOptions,
    FlowFormatOption,
    ForceOption,
    FrameOptions,
    JsonOption,
    SelectionOptions,
    SequenceOptions,
    takes_options,
)
from .reports import ReportOptions

if TYPE_CHECKING:
    from ..results import PairResult, Result


@takes_options
def video(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="IN", parser=place, help="A video, a folder of frames, or a pattern such as f_%04d.png."
        ),
    ],
    estimator_options: EstimatorOptions,
    selection_options: SelectionOptions,
    frame_options: FrameOptions,
    sequence_options: SequenceOptions,
    color_options: ColorOptions,
    file_options: FlowFileOptions,
    report_options: ReportOptions,
    console_options: ConsoleOptions,  # noqa: ARG001  (only its side effect is needed)
    out: Annotated[
        Path | None,
        typer.Option(metavar="OUT.mp4", parser=file_only, help="Output video: .mp4, .mov, .mkv, .webm or .gif."),
    ] = None,
    flow_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", parser=file_only, help="Output folder for flow files; finished ones are skipped."),
    ] = None,
    flow_format: FlowFormatOption = None,
    layout: Annotated[
        Layout,
        typer.Option(help="Flow alone, next to the frame, as a tint of the frame, or as arrows over it."),
    ] = "flow",
    json: JsonOption = False,
    force: ForceOption = False,
    adopt: AdoptOption = False,
) -> Result:
    """Estimate the flow of a video or of a folder of frames.

    N frames give N - 1 flows, each shown at the time of its first frame, all with the same colour scale.
    """
    from ..run.pairing import Plan
    from ..run.video import estimate_video
    from ..run.video_outputs import VideoOutputs
    from .render import show

    outputs = VideoOutputs(
        video=out,
        flow_dir=flow_dir,
        flow_format=flow_format,
        options=file_options.options(),
        layout=layout,
        style=color_options.style(),
        force=force,
        adopt=adopt,
        names=sequence_options.names,
        pairing=sequence_options.pairing(),
        consistency=sequence_options.checked(),
    )
    selection = selection_options.selection()
    outputs.check(source)
    frames = selection_options.open(source, selection, frame_options.reading())
    outputs.check(frames)
    report = report_options.of_run(
        f"Video {source} in {' and '.join(map(str, outputs.paths))}",
        folder=flow_dir,
        options=outputs.options,
        inputs=[source],
        force=force,
    )
    estimator = estimator_options.load()
    if outputs.style.max_flow is None and outputs.has_pictures and estimator.model.window is not None:
        console.note("estimating a few pairs to choose the colour scale; --max-flow PIXELS avoids that")
    total = Plan(outputs.pairing).total(frames.count) if frames.count else None
    with console.progress("estimating", total, "pairs") as advance:

        def on_pair(result: PairResult) -> None:
            advance(1)
            if json:
                show(result, as_json=True)
            elif result.loss is not None:
                console.once(result.loss)

        summary = estimate_video(estimator, frames, outputs, on_pair=on_pair, wants_statistics=json, report=report)
    note_if_plain(estimator)
    return summary
