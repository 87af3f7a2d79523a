"""``flowcli convert``: converts a flow file to another format, or draws it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError
from ..places import file_only, place
from .options import (
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
def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", parser=place, help="A flow file.")],
    target: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            parser=file_only,
            help="Its suffix selects the format; .png and .jpg are pictures, or see --flow-format.",
        ),
    ],
    picture_options: PictureOptions,
    frame_options: FrameOptions,
    file_options: FlowFileOptions,
    console_options: ConsoleOptions,  # noqa: ARG001  (only its side effect is needed)
    frame: Annotated[
        Path | None,
        typer.Option(metavar="FRAME1", parser=place, help="Frame 1, for --overlay and --arrows."),
    ] = None,
    flow_format: AmbiguousFormatOption = None,
    json: JsonOption = False,  # noqa: ARG001  (read by takes_options)
    force: ForceOption = False,
) -> Result:
    """Convert a flow file to another format, or draw it."""
    from ..arrays import check_same_size
    from ..draw.outputs import write_output
    from ..flows.io import files_of, files_to_read, form_for, read_flow, suffix_of
    from ..results import Conversion
    from ..storage import check_outputs

    options = file_options.options()
    form = form_for(target, flow_format, options)
    if flow_format is not None and (form is None or form.name != flow_format):
        raise UsageError(
            f"--flow-format {flow_format} needs the suffix {suffix_of(flow_format)}; {target} has another one"
        )
    style = picture_options.style()
    if form is None and style.needs_frame and frame is None:
        raise UsageError("--overlay and --arrows need frame 1; give --frame FRAME1")
    outputs = files_of(target, form)
    check_outputs(list(outputs), force=force, inputs=[*files_to_read(source), *([frame] if frame else [])])
    flow = read_flow(source, options)
    image = frame_options.reading().read_all([frame])[0][0] if frame is not None else None
    if image is not None:
        check_same_size(frame, image.shape, source, flow.shape)
    loss = write_output(target, flow, flow_format=flow_format, style=style, frame=image, options=options)
    height, width = flow.shape[:2]
    return Conversion(flow_file=source, outputs=outputs, width=width, height=height, loss=loss)
