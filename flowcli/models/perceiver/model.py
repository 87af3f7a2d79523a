"""The Perceiver as a flow model: chooses device, precision and batch size; takes and returns arrays or tensors."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from ...choices import Precision
from ...errors import DeviceError
from .. import OutOfMemoryError
from .checkpoint import Checkpoint
from .device import choose_device, choose_precision, free_memory, tf32
from .network import FlowNetwork
from .refusals import refusals
from .weights import Sizes, read_weights

_LARGEST_BATCH = {"cpu": 1, "mps": 8, "cuda": 32}  # windows; larger batches are not faster
_USABLE_SHARE = 0.8  # of the free memory; the rest is for fragmentation and other processes
_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class PerceiverFlow:
    """A loaded checkpoint, ready to run. A :class:`flowcli.models.TorchModel`.

    Args:
        checkpoint: the checkpoint to load.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        precision: ``fp32``, ``tf32``, ``bf16``, ``fp16``, or ``auto``: tf32 on GPUs that have it, else fp32.

    Raises:
        UsageError: the device or the precision is not available on this machine.
        ModelError: the checkpoint is damaged.
        DeviceError: the device fails, or its memory cannot hold the network.
    """

    def __init__(self, checkpoint: Checkpoint, device: str = "auto", precision: Precision = "auto") -> None:
        with refusals(device):
            self._device = choose_device(device)
            self.precision: str = choose_precision(precision, self._device)
        sizes = Sizes.of(checkpoint)
        network = FlowNetwork(read_weights(checkpoint, sizes), sizes, _DTYPES.get(self.precision, torch.float32))
        try:
            with refusals(self._device):
                self._network = network.to(self._device)
        except OutOfMemoryError as error:
            raise DeviceError(
                f"{self._device} has too little free memory for the model; set `device` to cpu"
            ) from error
        self.name = checkpoint.name
        self.revision = checkpoint.revision
        self.fingerprint = checkpoint.fingerprint()
        self.window: tuple[int, int] = checkpoint.window
        self.device = str(self._device)

    def largest_batch(self) -> int:
        """The number of windows that fit into the free memory, at least 1 and at most what is useful on the device."""
        with refusals(self._device):
            fits = int(free_memory(self._device) * _USABLE_SHARE) // self._network.bytes_per_window()
        return max(1, min(fits, _LARGEST_BATCH[self._device.type]))

    def __call__(self, frames1: npt.NDArray[np.uint8], frames2: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Estimate the flows of ``(N, h, w, 3)`` uint8 RGB windows: ``(N, h, w, 2)`` float32 in pixels.

        Raises:
            OutOfMemoryError: the batch does not fit into the device's memory.
            DeviceError: the device fails.
        """
        with refusals(self._device):
            first, second = (torch.from_numpy(frames).to(self._device) for frames in (frames1, frames2))
        flow = self.estimate_tensors(first, second)
        with refusals(self._device):
            return flow.cpu().numpy()

    def estimate_tensors(self, frames1: torch.Tensor, frames2: torch.Tensor) -> torch.Tensor:
        """Estimate as a call does, with all tensors on the device. Of a :class:`flowcli.models.TorchModel`."""
        try:
            with refusals(self._device), torch.inference_mode(), tf32(self.precision == "tf32"):
                flow: torch.Tensor = self._network(frames1, frames2)
        except OutOfMemoryError:
            if self._device.type == "cuda":
                with refusals(self._device):
                    torch.cuda.empty_cache()
            raise
        return flow
