"""``flowcli model``: downloads, finds, describes and checks models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..places import place
from .console import console
from .download import download_progress
from .estimator_options import DeviceOptions, ModelOptions
from .options import ConsoleOptions, FrameOptions, JsonOption, help_without_command, takes_options

if TYPE_CHECKING:
    from ..results import Result

app = typer.Typer(help="Download, find, describe and check models.")


@app.callback(invoke_without_command=True)
def _model(context: typer.Context) -> None:
    help_without_command(context)


@app.command()
@takes_options
def fetch(
    model_options: ModelOptions,
    console_options: ConsoleOptions,  # noqa: ARG001  (only its side effect is needed)
    force: Annotated[bool, typer.Option("--force", "-f", help="Download again even if cached.")] = False,
) -> None:
    """Download or update the model, and print its folder."""
    from ..models import find_family

    with download_progress() as progress:
        folder = find_family(model_options.model).fetch(model_options.request(progress), force=force)
    if folder is None:
        console.note(f"{model_options.model} is built in; there is nothing to download")
    else:
        console.output(f"{folder}\n")


@app.command()
@takes_options
def path(
    model_options: ModelOptions,
    console_options: ConsoleOptions,  # noqa: ARG001  (only its side effect is needed)
) -> None:
    """Print the folder of the model, or fail if it is not on this machine. Never uses the network."""
    from ..models import find_family

    folder = find_family(model_options.model).path(model_options.request())
    if folder is None:
        console.note(f"{model_options.model} is built in; it has no folder")
    else:
        console.output(f"{folder}\n")


@app.command()
@takes_options
def info(
    model_options: ModelOptions,
    console_options: ConsoleOptions,  # noqa: ARG001  (only its side effect is needed)
    json: JsonOption = False,  # noqa: ARG001  (read by takes_options)
) -> Result:
    """Describe the model. Never uses the network."""
    from ..models import find_family

    return find_family(model_options.model).info(model_options.request())


@app.command()
@takes_options
def check(
    device_options: DeviceOptions,
    frame_options: FrameOptions,
    console_options: ConsoleOptions,  # noqa: ARG001  (only its side effect is needed)
    frames: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="F1 F2", parser=place, help="Compare on these frames' middle, not on the scene."),
    ] = None,
    float64: Annotated[
        bool, typer.Option("--float64", help="Compare with the stock module in float64 too: twice the time and memory.")
    ] = False,
    json: JsonOption = False,  # noqa: ARG001  (read by takes_options)
) -> Result:
    """Check that the model computes what it should, and that it gives good flow.

    Runs flowcli's network, in each precision of the device, and the stock module of transformers on one window: the
    difference, seconds and memory of each. Then the end-point error on a rendered scene, beside that of zero flow and
    of dis. Exit code 6 if fp32 is more than 0.01 px from the stock module anywhere, or the model is no better than
    zero flow. On a CPU it takes about a minute and 5 GB of memory.
    """
    from ..run.check import check_checkpoint, checkpoint_family, read_named_pair

    family = checkpoint_family(device_options.model)
    pair = None if frames is None else read_named_pair(*frames, frame_options.reading())
    with download_progress() as progress:
        checkpoint = family.find(device_options.request(progress))
    with console.progress("checking", None, "passes") as advance:
        return check_checkpoint(checkpoint, pair, device=device_options.device, float64=float64, on_pass=advance)
