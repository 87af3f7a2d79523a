"""The options that choose a model and how it is run, each declared once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..choices import DEFAULT_MODEL, GridKind, Precision
from ..places import go_offline
from . import parsers
from .console import console
from .download import download_progress

if TYPE_CHECKING:
    from ..estimator import FlowEstimator
    from ..models import ModelRequest, Progress

MODEL_VARIABLE = "FLOWCLI_MODEL"
"""The environment variable with the default of ``--model``."""


@dataclass(frozen=True)
class _OneModel:
    """The name of a model."""

    model: Annotated[
        str, typer.Option("--model", "-m", envvar=MODEL_VARIABLE, help="Hub id, checkpoint folder, or dis (built in).")
    ] = DEFAULT_MODEL


@dataclass(frozen=True)
class _HubOptions:
    """Where models come from."""

    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit on the hub.")] = None
    offline: Annotated[
        bool,
        typer.Option("--offline", is_eager=True, callback=go_offline, help="Never use the network, nor open URLs."),
    ] = False


@dataclass(frozen=True)
class ModelOptions(_HubOptions, _OneModel):
    """The model."""

    def request(self, progress: Progress | None = None) -> ModelRequest:
        """The request for the model of these options."""
        from ..models import ModelRequest

        return ModelRequest(self.model, self.revision, self.offline, progress=progress)


@dataclass(frozen=True)
class _DeviceSettings(_HubOptions):
    """Where to run models."""

    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto"


@dataclass(frozen=True)
class DeviceOptions(_DeviceSettings, ModelOptions):
    """The model, and where to run it."""


@dataclass(frozen=True)
class EstimatorSettings(_DeviceSettings):
    """How to run models."""

    precision: Annotated[
        Precision,
        typer.Option(help="Arithmetic; auto is tf32 on GPUs that have it, else fp32."),
    ] = "auto"
    batch_size: Annotated[
        Any, typer.Option(parser=parsers.batch_size, metavar="auto|N", help="Windows per forward pass.")
    ] = "auto"
    overlap: Annotated[int, typer.Option(min=0, metavar="PIXELS", help="Minimum overlap of neighbouring windows.")] = 20
    grid: Annotated[GridKind, typer.Option(help="Windows: evenly spread, or as in the reference procedure.")] = "even"
    scale: Annotated[float, typer.Option(metavar="FACTOR", help="Estimate at FACTOR times the frames' size.")] = 1.0
    coarse_to_fine: Annotated[
        bool, typer.Option("--coarse-to-fine", help="Let windows follow motion that is larger than they are.")
    ] = False


@dataclass(frozen=True)
class EstimatorOptions(EstimatorSettings, DeviceOptions):
    """The model, and how to run it."""

    def recipe(self) -> dict[str, Any]:
        """The arguments of :func:`flowcli.estimator.load_estimator`."""
        return {field.name: getattr(self, field.name) for field in fields(EstimatorOptions)}

    def load(self) -> FlowEstimator:
        """Load the estimator and show download progress; raises ``ModelError``, ``UsageError`` or ``OutputError``."""
        from ..estimator import load_estimator

        with download_progress() as progress:
            estimator = load_estimator(**self.recipe(), progress=progress)
        model = estimator.model
        console.detail(
            f"model {model.name}, revision {model.revision}, {model.precision} on {model.device}, "
            f"batches of {estimator.batch_size}"
        )
        return estimator


def note_if_plain(estimator: FlowEstimator) -> None:
    """Say so if `--coarse-to-fine` has changed nothing."""
    if estimator.coarse_to_fine and estimator.most_levels == 1:
        is_whole = estimator.model.window is None
        why = f"{estimator.model.name} takes whole frames" if is_whole else "every frame fits into one window"
        console.note(f"--coarse-to-fine has changed nothing: {why}")
