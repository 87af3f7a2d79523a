"""The models and settings that ``eval`` compares, and the options that name them."""

from __future__ import annotations

import os
import re
import shlex
from collections import Counter
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from ..choices import DEFAULT_MODEL
from ..errors import UsageError
from .estimator_options import MODEL_VARIABLE, EstimatorOptions, EstimatorSettings
from .options import takes_options

_NAME = re.compile(r"\w[\w.+=,-]*")


@dataclass(frozen=True)
class Variant:
    """A model with its settings."""

    name: str
    """What tables call it."""

    folder: str
    """The name of its folder below those for flow, error maps and submissions."""

    options: EstimatorOptions


@dataclass(frozen=True)
class _Models:
    """The names of models."""

    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="MODEL",
            show_default=DEFAULT_MODEL,
            help="Hub id, checkpoint folder, or dis (built in); with --dataset, several are compared. "
            f"Environment variable: {MODEL_VARIABLE}.",
        ),
    ] = None


@dataclass(frozen=True)
class VariantOptions(EstimatorSettings, _Models):
    """Models and settings to compare."""

    variant: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME='OPTIONS'",
            help="With --dataset: compare this as well, such as half='-m dis --scale 0.5'; repeatable. It has the "
            "other options of the command where it does not change them.",
        ),
    ] = None

    def variants(self) -> list[Variant]:
        """All that is asked for, at least one; with distinct names and folders.

        Raises:
            UsageError: a variant cannot be understood, does not say which model, or has the name of another.
        """
        models = self.model or ([] if self.variant else [_default_model()])
        found = [Variant(model, Path(model).name or model, self._options(model)) for model in models]
        for text in self.variant or ():
            name, equals, options = text.partition("=")
            if not equals or not _NAME.fullmatch(name):
                raise UsageError(f"`variant` {text!r} is not NAME='OPTIONS', such as half='--scale 0.5'")
            given = _given(name, options)
            if len(models) > 1 and "model" not in given:
                raise UsageError(f"`variant` {name} does not say which of the models it is of; add -m MODEL to it")
            base = self._options(models[0] if models else _default_model())
            found.append(Variant(name, name, replace(base, **given)))
        counts = Counter(variant.folder.casefold() for variant in found)
        for variant in found:
            if counts[variant.folder.casefold()] > 1:
                raise UsageError(
                    f"two variants would share the folder {variant.folder}; name one with `variant` NAME='-m MODEL'"
                )
        return found

    @property
    def are_several(self) -> bool:
        """Whether there is something to compare, or a variant that has a name."""
        return len(self.model or ()) > 1 or bool(self.variant)

    def single(self) -> EstimatorOptions:
        """The only model with its settings; raises ``UsageError`` if there are several."""
        if self.are_several:
            raise UsageError("several models and `variant` are only for --dataset; give one model")
        return self._options(self.model[0] if self.model else _default_model())

    def _options(self, model: str) -> EstimatorOptions:
        settings = {field.name: getattr(self, field.name) for field in fields(EstimatorSettings)}
        return EstimatorOptions(model=model, **settings)


def _default_model() -> str:
    return os.environ.get(MODEL_VARIABLE) or DEFAULT_MODEL


def _given(name: str, text: str) -> dict[str, Any]:
    """The fields of :class:`EstimatorOptions` that options on one line give; raises ``UsageError``."""
    found: list[EstimatorOptions] = []

    @takes_options
    def variant(options: EstimatorOptions) -> None:
        found.append(options)

    app = typer.Typer(add_completion=False, context_settings={"help_option_names": []})
    app.command()(variant)
    command = typer.main.get_command(app)
    try:
        with command.make_context(name, shlex.split(text)) as context:
            command.invoke(context)
            sources = {field.name: context.get_parameter_source(field.name) for field in fields(EstimatorOptions)}
    except (typer.TyperException, ValueError) as error:
        message = error.format_message() if isinstance(error, typer.TyperException) else str(error)
        raise UsageError(f"`variant` {name}: {message.rstrip('.')}") from error
    return {
        field: getattr(found[0], field)
        for field, source in sources.items()
        if source is not None and source.name == "COMMANDLINE"
    }
