"""``flowcli datasets``: lists the data sets that ``eval`` knows, and describes one."""

from __future__ import annotations

from typing import Annotated

import typer

from ..datasets import dataset_names
from . import parsers
from .options import ConsoleOptions, JsonOption, takes_options


@takes_options
def datasets(
    console_options: ConsoleOptions,  # noqa: ARG001  (only its side effect is needed)
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", parser=parsers.dataset, autocompletion=dataset_names, help="Describe this data set."
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """List the data sets that eval knows; with NAME, show its folders, splits, rules, and where to get it."""
    from ..datasets import find_dataset
    from ..datasets.shared.dataset import Dataset
    from ..results import DatasetInfo
    from .render import show

    def info(dataset: Dataset) -> DatasetInfo:
        submission = dataset.submission
        return DatasetInfo(
            name=dataset.name,
            title=dataset.title,
            url=dataset.url,
            layout=dataset.layout,
            splits=dataset.splits,
            labels=dataset.labels,
            pairs={str(split): count for split, count in dataset.pairs.items()},
            figures=dataset.figures,
            rules=dataset.rules,
            submission=None if submission is None else submission.next_step.format(target="DIR"),
            _is_one_of_many=name is None,
        )

    for each in [name] if name is not None else dataset_names():
        show(info(find_dataset(each)), as_json=json)
