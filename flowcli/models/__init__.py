"""Flow models behind one small interface, found by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

DEFAULT_MODEL = "deepmind/optical-flow-perceiver"
DIS = "dis"


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
        """Flows of a batch.

        Args:
            frames1: ``(N, h, w, 3)`` uint8 RGB.
            frames2: likewise; the flow leads from ``frames1`` to ``frames2``.

        Returns:
            ``(N, h, w, 2)`` float32 in pixels, u then v.

        Raises:
            OutOfMemoryError: the batch does not fit.
        """
