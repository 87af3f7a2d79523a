"""``flowcli chain``: composes flows to the flow between frames that are further apart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError
from ..places import file_only, place
from .console import console
from .options import (
    STDOUT,
    AmbiguousFormatOption,
    ColorOptions,
    ConsoleOptions,
    FlowFileOptions,
    ForceOption,
    JsonOption,
    takes_options,
)

if TYPE_CHECKING:
    from ..results import ChainResult


@takes_options
def chain(
    flows: Annotated[
        list[Path],
        typer.Argument(metavar="FLOW...", parser=place, help="Flow files in order, or a folder of them."),
    ],
    color_options: ColorOptions,
    file_options: FlowFileOptions,
    console_options: ConsoleOptions,  # noqa: ARG001  (only its side effect is needed)
    output: Annotated[
        list[str],
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="Output, as of estimate; - for .flo on stdout. With --every a folder, or a name with the fields "
            "{frame} and {frame2}; repeatable.",
        ),
    ],
    start: Annotated[
        int | None, typer.Option("--from", min=0, metavar="N", help="First frame, if FLOW is a folder; from 0.")
    ] = None,
    end: Annotated[
        int | None, typer.Option("--to", min=0, metavar="M", help="Last frame, if FLOW is a folder: where to lead.")
    ] = None,
    every: Annotated[bool, typer.Option("--every", help="Write the flow from the first frame to every other.")] = False,
    no_mask: Annotated[
        bool,
        typer.Option(
            "--no-mask", help="Take flow as known where its .npz, or NAME_mask.png, says that it does not hold."
        ),
    ] = False,
    flow_format: AmbiguousFormatOption = None,
    json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Compose flows: from frame to frame, to the flow from the first frame to the last.

    Flow is unknown where one of the flows is unknown, masked or outside the frame on the way.
    """
    from ..run.chain import ChainOutputs, chain_files
    from .render import show

    if STDOUT in output and (json or every):
        raise UsageError(f"-o - writes one flow to stdout; leave out {'--json' if json else '--every'}")
    outputs = ChainOutputs(
        paths=tuple(file_only(name) for name in output if name != STDOUT),
        every=every,
        flow_format=flow_format,
        options=file_options.options(),
        style=color_options.style(),
        force=force,
    )
    links = _links(flows, start, end)

    def on_result(result: ChainResult) -> None:
        if json or not every:
            show(result, as_json=json)
        elif result.loss is not None:
            console.once(result.loss)

    with console.progress("composing", len(links), "flows") as advance:
        result, flow = chain_files(
            links, outputs, start=start or 0, uses_masks=not no_mask, on_link=advance, on_result=on_result
        )
    if every and not json:
        console.note(
            f"wrote the flow from frame {result.start} to each of {len(links)} frames, up to {result.outputs[0]}"
        )
    if STDOUT in output:
        from ..flows.formats.flo import encode

        console.output(encode(flow))


def _links(flows: list[Path], start: int | None, end: int | None) -> list[Path]:
    """The files to compose."""
    from ..frames.files import first_gap
    from ..run.chain import links_between, whole_flows

    if len(flows) != 1 or not flows[0].is_dir():
        if start is not None or end is not None:
            raise UsageError("--from and --to are frames of a folder of flows; give one folder")
        return whole_flows(flows)
    links = links_between(flows[0], start, end)
    if (gap := first_gap(links)) is not None:
        console.note(
            f"{gap[0].name} is followed by {gap[1].name}: a flow seems to be missing; these are composed as they are"
        )
    return links
