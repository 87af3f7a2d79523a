"""``flowcli model``: downloads, finds and describes models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .console import console
from .download import download_progress
from .options import ConsoleOptions, JsonOption, ModelOptions, help_without_command, takes_options

if TYPE_CHECKING:
    from ..results import Result

app = typer.Typer(help="Download, find and describe models.")


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
