"""``flowcli model``: download a checkpoint ahead of time, say where it is and what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..models import DIS
from .console import console
from .download import download_progress
from .options import ConsoleOptions, JsonOption, ModelOptions, takes_options

if TYPE_CHECKING:
    from ..models.perceiver.checkpoint import Checkpoint

app = typer.Typer(no_args_is_help=True, help="Download, find and describe checkpoints.")


@app.command()
@takes_options
def fetch(
    model_options: ModelOptions,
    console_options: ConsoleOptions,  # noqa: ARG001  (has told the console already)
    force: Annotated[bool, typer.Option("--force", "-f", help="Download again what is there.")] = False,
) -> None:
    """Download the model, or bring it up to date, and print where it is."""
    from ..models.perceiver.checkpoint import fetch_checkpoint

    if model_options.model == DIS:
        console.note("dis is built in; there is nothing to download")
        return
    with download_progress() as progress:
        checkpoint = fetch_checkpoint(
            model_options.model,
            revision=model_options.revision,
            offline=model_options.offline,
            progress=progress,
            force=force,
        )
    console.output(f"{checkpoint.folder}\n")


@app.command()
@takes_options
def path(
    model_options: ModelOptions,
    console_options: ConsoleOptions,  # noqa: ARG001  (has told the console already)
) -> None:
    """Print the folder of the model; fail if it is not on this machine. Never uses the network."""
    if model_options.model == DIS:
        console.note("dis is built in; it has no folder")
        return
    console.output(f"{_find(model_options).folder}\n")


@app.command()
@takes_options
def info(
    model_options: ModelOptions,
    console_options: ConsoleOptions,  # noqa: ARG001  (has told the console already)
    json: JsonOption = False,
) -> None:
    """Print what the model is. Never uses the network."""
    if model_options.model == DIS:
        facts: dict[str, object] = {
            "model": DIS,
            "kind": "OpenCV DISOpticalFlow, medium preset, finest scale 0, 5 variational refinements",
        }
    else:
        facts = _facts(_find(model_options))
    if json:
        console.result(facts)
        return
    lines = [f"{name.replace('_', ' ') + ':':<10} {'-' if value is None else value}\n" for name, value in facts.items()]
    console.output("".join(lines))


def _find(options: ModelOptions) -> Checkpoint:
    from ..models.perceiver.checkpoint import find_checkpoint

    return find_checkpoint(options.model, revision=options.revision, offline=True)


def _facts(checkpoint: Checkpoint) -> dict[str, object]:
    config = checkpoint.config
    height, width = checkpoint.window
    return {
        "model": checkpoint.name,
        "kind": "Perceiver IO for optical flow",
        "revision": checkpoint.revision,
        "folder": checkpoint.folder,
        "weights": checkpoint.weights.name,
        "bytes": checkpoint.size,
        "window": f"{height} x {width}",
        "latents": f"{config.get('num_latents')} x {config.get('d_latents')}",
        "layers": config.get("num_self_attends_per_block"),
    }
