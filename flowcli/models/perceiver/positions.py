"""The Fourier position features of a window, split into what depends on y and what depends on x.

Every pixel carries 258 of them: ``[y, x, sin(pi f y), sin(pi f x), cos(pi f y), cos(pi f x)]`` with y and x from -1 to
1 over the window and 64 frequencies per axis, spaced evenly from 1 to half the window's side. Each depends on y alone
or on x alone, so two small tables say all there is to say about ``height * width`` positions.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from .weights import IMAGE_CHANNELS

BANDS = 64

# Where in the 322 channels of a pixel (64 of the image, then the positions) each axis has its features.
_SINE_Y = IMAGE_CHANNELS + 2
Y_CHANNELS = [IMAGE_CHANNELS, *range(_SINE_Y, _SINE_Y + BANDS), *range(_SINE_Y + 2 * BANDS, _SINE_Y + 3 * BANDS)]
X_CHANNELS = [
    IMAGE_CHANNELS + 1,
    *range(_SINE_Y + BANDS, _SINE_Y + 2 * BANDS),
    *range(_SINE_Y + 3 * BANDS, _SINE_Y + 4 * BANDS),
]


def axis_features(length: int) -> torch.Tensor:
    """``(length, 129)`` float32: position, sines and cosines along one axis, in the stock module's arithmetic."""
    position = torch.linspace(-1.0, 1.0, length)
    angles = torch.pi * (position[:, None] * torch.linspace(1.0, length / 2, BANDS)[None, :])
    return torch.cat([position[:, None], torch.sin(angles), torch.cos(angles)], dim=-1)


@dataclass(frozen=True)
class Positions:
    """The position features of a window."""

    y: torch.Tensor
    """``(h, 129)``"""

    x: torch.Tensor
    """``(w, 129)``"""

    @classmethod
    def of(cls, window: tuple[int, int]) -> Positions:
        """The features of a window of that height and width, in float64."""
        return cls(axis_features(window[0]).double(), axis_features(window[1]).double())

    def sums(self, power: int) -> torch.Tensor:
        """``(h, w)``: for each pixel the sum over its 258 features, each to the given power."""
        return (self.y**power).sum(-1)[:, None] + (self.x**power).sum(-1)[None, :]
