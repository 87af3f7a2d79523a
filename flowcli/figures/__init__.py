"""The figures by which authors of data sets judge flow: one module for each set, found by listing this folder.

Each module of this package defines ``FIGURES``. What they share is in ``shared/``. Listing the names imports none.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

from ..errors import UsageError

if TYPE_CHECKING:
    from .shared.figure_set import FigureSet


def figure_names() -> list[str]:
    """The names of the sets of figures, in alphabetical order; nothing is imported for them."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg)


def check_figures(name: str) -> str:
    """Return ``name`` if it is a set of figures; raises ``UsageError`` with the names that there are if not."""
    if name not in figure_names():
        raise UsageError(f"{name!r} are no figures that flowcli knows; choose one of {', '.join(figure_names())}")
    return name


def find_figures(name: str) -> FigureSet:
    """The set of figures of that name; raises ``UsageError`` if there is none."""
    found: FigureSet = importlib.import_module(f".{check_figures(name)}", __name__).FIGURES
    return found
