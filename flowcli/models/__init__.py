"""Flow models behind one small interface, found by name.

Each module of this package is a model of the module's name, with a ``FAMILY`` that loads it. Packages that are
installed beside flowcli add theirs as entry points of the group ``flowcli.models``: a family, or just a function that
takes a :class:`ModelRequest` and returns the model. Any other name is a Perceiver checkpoint: a folder or a hub id.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..choices import DEFAULT_MODEL, Precision
from ..errors import ModelError
from ..results import ModelInfo

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

ENTRY_POINTS = "flowcli.models"
"""The group of entry points by which other packages add models."""

_CHECKPOINTS = "perceiver"  # the family of all names that are no family's

Progress = Callable[[str, int, int | None], None]
"""Called while a model downloads with the file's name, the bytes so far and the bytes in all (``None`` if unknown)."""


class OutOfMemoryError(Exception):
    """A forward pass did not fit into the device's memory; a smaller batch may."""


class FlowModel(Protocol):
    """What the estimator needs of a model."""

    @property
    def name(self) -> str:
        """What the user called it: a hub id, a folder, or ``dis``."""

    @property
    def revision(self) -> str | None:
        """The resolved revision (a commit hash) of a hub checkpoint."""

    @property
    def fingerprint(self) -> str:
        """Tells models apart by what they are, whatever they are called; part of what a record says."""

    @property
    def device(self) -> str:
        """Where it runs, as ``torch`` names devices."""

    @property
    def precision(self) -> str:
        """The arithmetic it runs in: ``fp32``, ``tf32``, ``bf16`` or ``fp16``."""

    @property
    def window(self) -> tuple[int, int] | None:
        """Height and width of its windows in pixels; ``None`` if it takes whole frames of any size."""

    def largest_batch(self) -> int:
        """How many windows per forward pass suit the device and its free memory."""

    def __call__(self, frames1: npt.NDArray[np.uint8], frames2: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Estimate the flows of a batch.

        Args:
            frames1: ``(N, h, w, 3)`` uint8 RGB.
            frames2: likewise; the flow leads from ``frames1`` to ``frames2``.

        Returns:
            ``(N, h, w, 2)`` float32 in pixels, u then v.

        Raises:
            OutOfMemoryError: the batch does not fit.
        """


@dataclass(frozen=True)
class ModelRequest:
    """Which model is wanted, and how it is to run."""

    name: str = DEFAULT_MODEL
    """A hub id, a checkpoint's folder, or the name of a family."""

    revision: str | None = None
    """Branch, tag or commit on the hub."""

    offline: bool = False
    """Whether the network is forbidden."""

    device: str = "auto"
    """``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``."""

    precision: Precision = "auto"
    progress: Progress | None = None
    """Told of every piece of a download that arrives."""


class ModelFamily(Protocol):
    """How models of one kind are loaded, and, if they are downloaded, where they are."""

    def load(self, request: ModelRequest) -> FlowModel:
        """Load the model; raises ``ModelError`` or ``UsageError``."""

    def fetch(self, request: ModelRequest, *, force: bool) -> Path | None:
        """Download the model or bring it up to date, again if forced; its folder, or ``None`` if it is built in."""

    def path(self, request: ModelRequest) -> Path | None:
        """The folder of the model, without the network; ``None`` if it is built in. Raises ``ModelError``."""

    def info(self, request: ModelRequest) -> ModelInfo:
        """What the model is, without the network; raises ``ModelError``."""


@dataclass(frozen=True)
class BuiltIn:
    """A model that is code alone, with nothing to download. A :class:`ModelFamily`."""

    load: Callable[[ModelRequest], FlowModel]
    """Makes the model; raises ``UsageError`` for a device or a precision that it does not have."""

    kind: str = "built in"
    """What sort of model it is, for ``model info``."""

    def fetch(self, request: ModelRequest, *, force: bool) -> Path | None:  # noqa: ARG002
        """Return ``None``: there is nothing to download."""
        return None

    def path(self, request: ModelRequest) -> Path | None:  # noqa: ARG002
        """Return ``None``: it has no folder."""
        return None

    def info(self, request: ModelRequest) -> ModelInfo:
        """Its name and kind."""
        return ModelInfo(model=request.name, kind=self.kind)


def find_family(name: str) -> ModelFamily:
    """The family of the model called ``name``; raises ``ModelError`` if another package's cannot be imported."""
    if name in built_in():
        return _family(name)
    import importlib.metadata

    for entry in importlib.metadata.entry_points(group=ENTRY_POINTS, name=name):
        try:
            found = entry.load()
        except (ImportError, AttributeError) as error:
            raise ModelError(f"model {name} ({entry.value}) cannot be imported: {error}") from error
        family: ModelFamily = found if hasattr(found, "load") else BuiltIn(found, kind=entry.value)
        return family
    return _family(_CHECKPOINTS)


def built_in() -> list[str]:
    """The names of the models that are modules of this package."""
    return [module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg]


def _family(module: str) -> ModelFamily:
    family: ModelFamily = importlib.import_module(f".{module}", __name__).FAMILY
    return family


def load_model(request: ModelRequest) -> FlowModel:
    """Load a model by name.

    Args:
        request: which model, and how it is to run.

    Raises:
        ModelError: the model cannot be had.
        UsageError: the device or the precision is not to be had here.
    """
    return find_family(request.name).load(request)
