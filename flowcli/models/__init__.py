"""Flow models with a common interface, found by name.

Each module of this package is a built-in model: it has the model's name and defines a ``FAMILY``. Other installed
packages add models as entry points of the group ``flowcli.models``: a family, or just a function that takes a
:class:`ModelRequest` and returns the model. Any other name is a Perceiver checkpoint: a folder or a hub id.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeGuard

from ..choices import DEFAULT_MODEL, Precision
from ..errors import ModelError
from ..results import ModelInfo

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch

ENTRY_POINTS = "flowcli.models"
"""The group of entry points through which other packages add models."""

_CHECKPOINTS = "perceiver"  # the family of all other names

Progress = Callable[[str, int, int | None], None]
"""Called as a download progresses with the file name, the bytes so far and the total bytes (``None`` if unknown)."""


class OutOfMemoryError(Exception):
    """A forward pass does not fit into the device's memory; a smaller batch may fit."""


class FlowModel(Protocol):
    """The interface of models."""

    @property
    def name(self) -> str:
        """The name that the user gave: a hub id, a folder, or that of a built-in or installed model."""

    @property
    def revision(self) -> str | None:
        """The commit of a hub checkpoint; ``None`` for other models."""

    @property
    def fingerprint(self) -> str:
        """Identifies the model by its content, independent of its name; stored in records."""

    @property
    def device(self) -> str:
        """The device it runs on, in torch's notation, such as ``cpu`` or ``cuda:0``."""

    @property
    def precision(self) -> str:
        """The arithmetic it runs in: ``fp32``, ``tf32``, ``bf16`` or ``fp16``."""

    @property
    def window(self) -> tuple[int, int] | None:
        """Height and width of its windows in pixels; ``None`` if it takes whole frames of any size."""

    def largest_batch(self) -> int:
        """A suitable number of windows per forward pass for the device and its free memory; at least 1."""

    def __call__(self, frames1: npt.NDArray[np.uint8], frames2: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Estimate the flows of a batch.

        Args:
            frames1: ``(N, h, w, 3)`` uint8 RGB.
            frames2: ``(N, h, w, 3)`` uint8 RGB.

        Returns:
            The flow from ``frames1`` to ``frames2``: ``(N, h, w, 2)`` float32 in pixels, u then v.

        Raises:
            OutOfMemoryError: the batch does not fit into the device's memory.
        """


class TorchModel(FlowModel, Protocol):
    """A model of windows that also takes tensors: frames are then cut, and flows stitched, on its device."""

    def estimate_tensors(self, frames1: torch.Tensor, frames2: torch.Tensor) -> torch.Tensor:
        """Estimate as a call does, with all tensors on the device, which may still compute when this returns."""


def takes_tensors(model: FlowModel) -> TypeGuard[TorchModel]:
    """Whether the model is a :class:`TorchModel`; it is its class that says so."""
    return model.window is not None and hasattr(type(model), "estimate_tensors")


@dataclass(frozen=True)
class ModelRequest:
    """The model to load, and how to run it."""

    name: str = DEFAULT_MODEL
    """A hub id, a checkpoint folder, or the name of a built-in or installed model."""

    revision: str | None = None
    """Branch, tag or commit on the hub; ``None`` for the main branch."""

    offline: bool = False
    """Whether to never use the network."""

    device: str = "auto"
    """``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``."""

    precision: Precision = "auto"
    """``auto``, ``fp32``, ``tf32``, ``bf16`` or ``fp16``."""

    progress: Progress | None = None
    """Called as a download progresses."""


class ModelFamily(Protocol):
    """Loads models of one kind and, if they are downloaded, manages their files."""

    def load(self, request: ModelRequest) -> FlowModel:
        """Load the model; raises ``ModelError`` or ``UsageError``."""

    def fetch(self, request: ModelRequest, *, force: bool) -> Path | None:
        """Download or update the model.

        Args:
            request: the model.
            force: whether to download files again that exist.

        Returns:
            The folder of the model; ``None`` if it is built in.

        Raises:
            ModelError: the model is unavailable.
        """

    def path(self, request: ModelRequest) -> Path | None:
        """The folder of the model, without using the network; ``None`` if it is built in. Raises ``ModelError``."""

    def info(self, request: ModelRequest) -> ModelInfo:
        """A description of the model, without using the network; raises ``ModelError``."""


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
    """The family of the model ``name``; raises ``ModelError`` if an installed model cannot be imported."""
    if name in built_in():
        return _family(name)
    import importlib.metadata

    for entry in importlib.metadata.entry_points(group=ENTRY_POINTS, name=name):
        try:
            found = entry.load()
        except Exception as error:  # whatever another package does when it is imported is not our fault
            raise ModelError(f"cannot import model {name} from {entry.value}: {error}") from error
        family: ModelFamily = found if hasattr(found, "load") else BuiltIn(found, kind=entry.value)
        return family
    return _family(_CHECKPOINTS)


def built_in() -> list[str]:
    """The names of the built-in models."""
    return [module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg]


def _family(module: str) -> ModelFamily:
    family: ModelFamily = importlib.import_module(f".{module}", __name__).FAMILY
    return family


def load_model(request: ModelRequest) -> FlowModel:
    """Load a model by name.

    Args:
        request: the model, and how to run it.

    Returns:
        The model, ready to run.

    Raises:
        ModelError: the model is unavailable or damaged.
        UsageError: the device or the precision is not available on this machine.
        OutputError: a download cannot be written to the cache.
    """
    return find_family(request.name).load(request)
