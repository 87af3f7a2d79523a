"""The options of ``eval`` that choose a data set, a part of it, and what is made of it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..choices import FlowFormatName, SplitName, TableFormat
from ..datasets import dataset_names
from ..errors import UsageError
from ..places import file_only, place
from . import parsers

if TYPE_CHECKING:
    from ..datasets.shared.search import SampleChoice


@dataclass(frozen=True)
class DatasetOptions:
    """A data set, a part of it, and where its flow goes."""

    dataset: Annotated[
        str | None,
        typer.Option(
            parser=parsers.dataset,
            metavar="NAME",
            autocompletion=dataset_names,
            help="Estimate and evaluate this data set, in its published layout in ROOT; flowcli datasets lists them.",
        ),
    ] = None
    split: Annotated[
        SplitName | None, typer.Option(help="With --dataset: this split; else everything with true flow.")
    ] = None
    subset: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL", help="With --dataset: only pairs of this kind, such as clean or left."),
    ] = None
    scenes: Annotated[
        str | None, typer.Option(metavar="GLOB", help="With --dataset: only scenes whose name matches, such as 'a*'.")
    ] = None
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="With --dataset: only the first N pairs.")] = (
        None
    )
    out_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            parser=place,
            help="With --dataset: output folder; finished outputs are skipped (eval-NAME).",
        ),
    ] = None
    flow_format: Annotated[
        FlowFormatName | None, typer.Option(help="With --dataset: format of the flow in --out-dir (flo).")
    ] = None
    submission: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            parser=file_only,
            help="With --dataset and --split test: write what the authors' server takes.",
        ),
    ] = None
    table: Annotated[
        TableFormat | None,
        typer.Option(help="With --dataset: one line for each model, as text or for a paper; the best are marked."),
    ] = None
    published: Annotated[
        bool, typer.Option("--published", help="With --dataset: put published figures of the Perceiver into the table.")
    ] = False

    def check_unused(self) -> None:
        """Raise ``UsageError`` if there is no data set, but an option that is only for one."""
        for field in fields(self):
            if getattr(self, field.name):
                raise UsageError(f"`{field.name}` is only for --dataset; leave it out")

    @property
    def is_chosen(self) -> bool:
        """Whether only some of the pairs of a split are asked for."""
        return any(value is not None for value in (self.subset, self.scenes, self.limit))

    @property
    def is_part(self) -> bool:
        """Whether only a part of the data set is asked for."""
        return self.split is not None or self.is_chosen

    def choice(self) -> SampleChoice:
        """The samples to take; raises ``UsageError``."""
        from ..datasets.shared.search import SampleChoice

        return SampleChoice(self.split, tuple(self.subset or ()), self.scenes, self.limit)
