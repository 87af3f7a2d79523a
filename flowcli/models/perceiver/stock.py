"""The stock module of transformers, to compare our network with; nothing else runs it.

The frames are prepared as in the published procedure, by code that shares nothing with our network's.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ...arrays import Flow, Frame
from ...errors import DeviceError
from .. import OutOfMemoryError
from .checkpoint import Checkpoint
from .device import tf32
from .refusals import refusals
from .weights import load_stock_module

_PIXELS_PER_LOGIT = 20.0


class StockFlow:
    """``PerceiverForOpticalFlow`` as its authors use it: one window, without batches or reduced precision.

    Args:
        checkpoint: the checkpoint to load.
        device: where it runs.
        dtype: float32, or float64 to see how far float32 itself is from exact.

    Raises:
        ModelError: the checkpoint is damaged.
    """

    def __init__(self, checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype = torch.float32) -> None:
        self._device = device
        if device.type == "mps" and dtype == torch.float64:
            self._device = torch.device("cpu")  # Apple GPUs have no float64
        self._dtype = dtype
        self._module = load_stock_module(checkpoint).eval().to(self._device, dtype)

    def __call__(self, frame1: Frame, frame2: Frame) -> Flow:
        """Estimate the flow of a window.

        Args:
            frame1: ``(h, w, 3)`` uint8 RGB, as large as the checkpoint's window.
            frame2: ``(h, w, 3)`` uint8 RGB.

        Returns:
            ``(h, w, 2)`` float32 in pixels.

        Raises:
            DeviceError: the device fails, or its memory does not suffice.
        """
        try:
            with refusals(self._device), torch.inference_mode(), tf32(False):
                inputs = torch.stack([self._patches(frame) for frame in (frame1, frame2)])[None]
                flow: Flow = (self._module(inputs=inputs).logits[0] * _PIXELS_PER_LOGIT).float().cpu().numpy()
        except OutOfMemoryError as error:
            raise DeviceError(
                f"{self._device} has too little free memory for the module of transformers; set `device` to cpu"
            ) from error
        return flow

    def _patches(self, frame: Frame) -> torch.Tensor:
        """``(27, h, w)``: the values around each pixel, from -1 to 1 and 0 outside; row, then column, then channel."""
        values = torch.from_numpy(frame).to(self._device).to(self._dtype) / 255 * 2 - 1
        padded = F.pad(values.permute(2, 0, 1), (1, 1, 1, 1))
        around = padded.unfold(1, 3, 1).unfold(2, 3, 1)  # (3, h, w, 3, 3): channel, y, x, row, column
        return around.permute(3, 4, 0, 1, 2).flatten(0, 2)
