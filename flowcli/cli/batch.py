"""``flowcli batch``: the flow of many pairs or videos, resumable."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..choices import FlowVideoFormat
from ..places import place, shown
from .console import console
from .estimator_options import EstimatorOptions
from .options import (
    AdoptOption,
    ColorOptions,
    ConsoleOptions,
    FlowFileOptions,
    FlowFormatOption,
    ForceOption,
    FrameOptions,
    JsonOption,
    SequenceOptions,
    takes_options,
)
from .reports import ReportOptions
from .workers import WorkerOptions

if TYPE_CHECKING:
    from ..results import PairResult, Result, VideoResult


def _shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise typer.BadParameter(f"{text!r} is not I/N, such as 1/4 to 4/4")
    return int(match[1]), int(match[2])


@takes_options
def batch(
    source: Annotated[
        str,
        typer.Argument(
            metavar="MANIFEST|FOLDER|-",
            help="CSV or JSON Lines with frame1,frame2[,out] or video[,out][,start][,end][,stride]; a list of videos, "
            "one a line; a folder of frames and videos; or - for a manifest on stdin.",
        ),
    ],
    estimator_options: EstimatorOptions,
    frame_options: FrameOptions,
    sequence_options: SequenceOptions,
    color_options: ColorOptions,
    file_options: FlowFileOptions,
    report_options: ReportOptions,
    worker_options: WorkerOptions,
    console_options: ConsoleOptions,  # noqa: ARG001  (only its side effect is needed)
    out_dir: Annotated[
        Path, typer.Option(metavar="DIR", parser=place, help="Output folder; finished outputs are skipped.")
    ],
    flow_format: FlowFormatOption = None,
    video_out: Annotated[
        FlowVideoFormat | None,
        typer.Option(help="Write a flow video for each video; and flow files only with --flow-format or --names."),
    ] = None,
    shard: Annotated[
        Any, typer.Option(parser=_shard, metavar="I/N", help="Process only part I of N, counted from 1.")
    ] = "1/1",
    json: JsonOption = False,
    force: ForceOption = False,
    adopt: AdoptOption = False,
) -> Result:
    """Estimate the flow of many pairs of frames, or of many videos.

    In a folder, consecutive frames in natural order form pairs; subfolders are paired separately. The flow of a video
    goes to DIR/NAME/000000.flo and so on, a flow video to DIR/NAME.mp4.
    Finished outputs of an earlier run are skipped. Failures are listed in DIR/failures.jsonl.
    """
    from ..run.batch import Shard, estimate_batch
    from ..run.batch_outputs import BatchOutputs
    from ..run.items import Items, open_tasks
    from ..storage import check_writable
    from .render import show

    outputs = BatchOutputs(
        out_dir,
        flow_format=flow_format,
        options=file_options.options(),
        style=color_options.style(),
        force=force,
        adopt=adopt,
        names=sequence_options.names,
        pairing=sequence_options.pairing(),
        consistency=sequence_options.checked(),
        video_format=video_out,
    )
    check_writable(out_dir)
    with open_tasks(source, outputs.flow_format, out_dir, console.note, outputs.sequence) as tasks:
        part = Shard(*shard)
        total = part.size(len(tasks)) if isinstance(tasks, Items) else None
        unit = "items" if isinstance(tasks, Items) and tasks.has_videos else "pairs"
        reading = frame_options.reading()
        report = report_options.of_run(
            f"Batch {shown(source)} in {out_dir}{'' if part == Shard() else f', part {part.index}/{part.count}'}",
            folder=out_dir,
            options=outputs.options,
            inputs=[] if source == "-" else [place(source)],
            force=force,
        )
        with (
            worker_options.engine(estimator_options, reading.max_pixels) as engine,
            console.progress("estimating", total, unit) as advance,
        ):

            def on_item(result: PairResult | VideoResult) -> None:
                advance(1)
                show(result, as_json=json)

            return estimate_batch(
                engine,
                tasks,
                outputs,
                reading=reading,
                name=shown(source),
                shard=part,
                on_pair=on_item,
                on_video=on_item,
                wants_statistics=json,
                report=report,
            )
