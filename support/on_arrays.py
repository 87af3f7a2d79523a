"""A model of tensors as one of arrays, the oracle of what is done on devices."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from flowcli.models import FlowModel


class OnArrays:
    """A model without its tensors. A :class:`flowcli.models.FlowModel`."""

    def __init__(self, model: FlowModel) -> None:
        self._model = model
        self.name, self.revision, self.fingerprint = model.name, model.revision, model.fingerprint
        self.device, self.precision, self.window = model.device, model.precision, model.window

    def largest_batch(self) -> int:
        return self._model.largest_batch()

    def __call__(self, frames1: npt.NDArray[np.uint8], frames2: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        return self._model(frames1, frames2)
