"""Options that several commands share, each declared once.

A command asks for a group by taking a parameter of that class::

    @takes_options
    def command(frame: Path, model: ModelOptions, console: ConsoleOptions) -> None: ...
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer

from ..models import DEFAULT_MODEL
from .console import console
from .download import download_progress

if TYPE_CHECKING:
    from ..estimator import FlowEstimator


def _batch_size(text: str) -> int | Literal["auto"]:
    if text == "auto":
        return "auto"
    if not text.isdecimal() or int(text) < 1:
        raise typer.BadParameter(f"{text!r} is neither auto nor a whole number above 0")
    return int(text)


@dataclass(frozen=True)
class ModelOptions:
    """Which model."""

    model: Annotated[
        str, typer.Option("--model", "-m", envvar="FLOWCLI_MODEL", help="Hub id, checkpoint folder, or dis.")
    ] = DEFAULT_MODEL
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit on the hub.")] = None
    offline: Annotated[bool, typer.Option("--offline", help="Never use the network.")] = False


@dataclass(frozen=True)
class EstimatorOptions(ModelOptions):
    """Which model, and how it is run."""

    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto"
    precision: Annotated[
        Literal["auto", "fp32", "tf32", "bf16", "fp16"],
        typer.Option(help="auto is tf32 on a GPU that has it, else fp32."),
    ] = "auto"
    batch_size: Annotated[Any, typer.Option(parser=_batch_size, metavar="auto|N", help="Windows per forward pass.")] = (
        "auto"
    )
    overlap: Annotated[int, typer.Option(min=0, metavar="PIXELS", help="Least overlap of neighbouring windows.")] = 20
    grid: Annotated[
        Literal["even", "reference"], typer.Option(help="reference: the published procedure's windows.")
    ] = "even"
    scale: Annotated[float, typer.Option(metavar="FACTOR", help="Estimate at FACTOR times the frames' size.")] = 1.0

    def load(self) -> FlowEstimator:
        """The estimator that these options describe; raises ``ModelError`` or ``UsageError``."""
        from ..estimator import load_estimator

        with download_progress() as progress:
            estimator = load_estimator(
                self.model,
                revision=self.revision,
                offline=self.offline,
                device=self.device,
                precision=self.precision,
                batch_size=self.batch_size,
                overlap=self.overlap,
                grid=self.grid,
                scale=self.scale,
                progress=progress,
            )
        model = estimator.model
        console.detail(
            f"model {model.name}, revision {model.revision}, {model.precision} on {model.device}, "
            f"batches of {estimator.batch_size}"
        )
        return estimator


@dataclass(frozen=True)
class ConsoleOptions:
    """How much is said."""

    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more; show tracebacks.")] = False

    def __post_init__(self) -> None:
        """Tell the console."""
        console.quiet, console.verbose = self.quiet, self.verbose


JsonOption = Annotated[bool, typer.Option("--json", help="Print a machine-readable account on stdout.")]
ForceOption = Annotated[bool, typer.Option("--force", "-f", help="Replace outputs that exist.")]


def positive_pixels(value: float | None) -> float | None:
    """Check an option that is a length in pixels."""
    if value is not None and not 1e-3 <= value <= 1e6:
        raise typer.BadParameter(f"{value} is not between 0.001 and 1000000 pixels")
    return value


def takes_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give ``command`` the options of its dataclass parameters, and hand it the dataclasses filled in."""
    signature = inspect.signature(command, eval_str=True)
    groups: dict[str, Any] = {
        name: p.annotation for name, p in signature.parameters.items() if is_dataclass(p.annotation)
    }
    parameters = [p for name, p in signature.parameters.items() if name not in groups]
    for group in groups.values():
        hints = get_type_hints(group, include_extras=True)
        parameters += [
            inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=hints[f.name])
            for f in fields(group)
        ]

    @functools.wraps(command)
    def run(**values: Any) -> None:
        filled = {
            name: group(**{field.name: values.pop(field.name) for field in fields(group)})
            for name, group in groups.items()
        }
        command(**values, **filled)

    keyword = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    run.__signature__ = signature.replace(parameters=keyword)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in keyword}
    return run
