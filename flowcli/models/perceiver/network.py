"""The network that runs: for now transformers' own module behind the interface of a window's two frames.

Input and output follow DeepMind's published procedure: frames in [-1, 1], one pixel of zeros around each window, a
3 x 3 patch around every pixel with its 27 values ordered row, column, channel; pixels are the logits times 20.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

PIXELS_PER_LOGIT = 20.0


def frames_to_patches(frames: torch.Tensor) -> torch.Tensor:
    """``(B, h, w, 3)`` uint8 RGB to ``(B, 27, h, w)`` float32, 27 being ``(ky * 3 + kx) * 3 + channel``."""
    batch, height, width, _ = frames.shape
    scaled = frames.permute(0, 3, 1, 2).float() / 255 * 2 - 1
    patches = F.unfold(scaled, kernel_size=3, padding=1).view(batch, 3, 9, height, width)
    return patches.transpose(1, 2).reshape(batch, 27, height, width)


class FlowNetwork(nn.Module):
    """Flow of a batch of windows.

    Args:
        stock: a ``transformers.PerceiverForOpticalFlow`` in evaluation mode.
    """

    def __init__(self, stock: nn.Module) -> None:
        super().__init__()
        self.stock = stock
        self.config: Any = stock.config

    def forward(self, frames1: torch.Tensor, frames2: torch.Tensor) -> torch.Tensor:
        """``(B, h, w, 3)`` uint8 RGB twice to the flow ``(B, h, w, 2)`` in pixels, float32."""
        patches = torch.stack([frames_to_patches(frames1), frames_to_patches(frames2)], dim=1)
        logits: torch.Tensor = self.stock(inputs=patches).logits
        return logits.float() * PIXELS_PER_LOGIT

    def bytes_per_window(self) -> int:
        """About how much memory one window takes during a forward pass."""
        height, width = self.config.train_size
        # Two attention maps (scores and probabilities) of latents x pixels, and a dozen tensors of pixels x 322.
        return 4 * int(height * width) * (2 * int(self.config.num_latents) + 12 * 322)
