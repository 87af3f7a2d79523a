"""``flowcli info``: prints statistics of flow files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from ..places import place
from .console import console
from .options import ConsoleOptions, FlowFileOptions, JsonOption, takes_options


@takes_options
def info(
    files: Annotated[list[Path], typer.Argument(metavar="FLOW...", parser=place, help="Flow files.")],
    file_options: FlowFileOptions,
    console_options: ConsoleOptions,  # noqa: ARG001  (only its side effect is needed)
    json: JsonOption = False,
) -> None:
    """Print the size of flow files, statistics of their vectors, and how much of the flow is unknown."""
    from ..flows.io import read_flow
    from ..flows.metrics import flow_statistics
    from ..results import FlowInfo
    from .render import show

    options = file_options.options()
    damaged = 0
    for path in files:
        try:
            flow = read_flow(path, options)
        except InputError as error:
            console.error(error.with_flags())
            damaged += 1
            continue
        height, width = flow.shape[:2]
        show(FlowInfo(flow_file=path, width=width, height=height, flow=flow_statistics(flow)), as_json=json)
    if damaged:
        raise typer.Exit(InputError.exit_code)
