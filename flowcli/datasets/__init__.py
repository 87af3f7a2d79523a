"""Published data sets with true flow: one module each, found by listing this folder.

Each module of this package is a data set: it has the data set's name and defines a ``DATASET``. What they share is in
``shared/``. Listing the names imports none of them.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

from ..errors import UsageError

if TYPE_CHECKING:
    from .shared.dataset import Dataset


def dataset_names() -> list[str]:
    """The names of the data sets, in alphabetical order; nothing is imported for them."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg)


def check_dataset(name: str) -> str:
    """Return ``name`` if it is a data set's; raises ``UsageError`` with the names that there are if not."""
    if name not in dataset_names():
        raise UsageError(f"{name!r} is no data set that flowcli knows; choose one of {', '.join(dataset_names())}")
    return name


def find_dataset(name: str) -> Dataset:
    """The data set of that name; raises ``UsageError`` if there is none."""
    found: Dataset = importlib.import_module(f".{check_dataset(name)}", __name__).DATASET
    return found
