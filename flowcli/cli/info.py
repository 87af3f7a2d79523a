"""``flowcli info``: what is in flow files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from .console import console
from .options import ConsoleOptions, JsonOption, takes_options


@takes_options
def info(
    files: Annotated[list[Path], typer.Argument(metavar="FLOW...", readable=False, help="Flow files.")],
    console_options: ConsoleOptions,  # noqa: ARG001  (has told the console already)
    json: JsonOption = False,
) -> None:
    """Print the size, the range and the statistics of flow files, and how much of them is unknown."""
    from ..flows.io import read_flow
    from ..flows.metrics import flow_statistics

    damaged = 0
    for path in files:
        try:
            flow = read_flow(path)
        except InputError as error:
            console.error(str(error))
            damaged += 1
            continue
        height, width = flow.shape[:2]
        statistics = flow_statistics(flow)
        share = statistics.pop("known") or 0.0
        if json:
            console.result({"file": path, "width": width, "height": height, "unknown": 1 - share, **statistics})
        else:
            console.output(_text(path, width, height, 1 - share, statistics))
    if damaged:
        raise typer.Exit(InputError.exit_code)


def _text(path: Path, width: int, height: int, unknown: float, statistics: dict[str, float | None]) -> str:
    lines = [f"{path}: {width} x {height}, {unknown:.2%} unknown\n"]
    for name in ("u", "v", "length"):
        values = [statistics[f"{name}_{statistic}"] for statistic in ("min", "mean", "max")]
        texts = ["-" if value is None else f"{value:.3f}" for value in values]
        lines.append(f"  {name + ':':<8} {texts[0]} to {texts[2]} px, mean {texts[1]} px\n")
    return "".join(lines)
