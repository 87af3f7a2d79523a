"""A plain reimplementation of the published procedure around the stock module in float64."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from transformers import PerceiverForOpticalFlow

Array = npt.NDArray[np.float64]


def load_stock(folder: Path) -> PerceiverForOpticalFlow:
    return PerceiverForOpticalFlow.from_pretrained(folder).eval().double()


def patches(window: npt.NDArray[np.uint8]) -> Array:
    """``(h, w, 3)`` to ``(27, h, w)``: values in [-1, 1], a border of zeros, row, column, channel."""
    height, width, _ = window.shape
    padded = np.zeros((height + 2, width + 2, 3))
    padded[1:-1, 1:-1] = window / 255 * 2 - 1
    planes = [padded[ky : ky + height, kx : kx + width, c] for ky in range(3) for kx in range(3) for c in range(3)]
    return np.stack(planes)


def window_flow(
    stock: PerceiverForOpticalFlow, window1: npt.NDArray[np.uint8], window2: npt.NDArray[np.uint8]
) -> Array:
    """The flow of one window in pixels, ``(h, w, 2)``."""
    inputs = torch.from_numpy(np.stack([patches(window1), patches(window2)])[None]).to(stock.dtype)
    with torch.inference_mode():
        flow: Array = stock(inputs=inputs).logits[0].double().numpy() * 20
    return flow


def even_starts(length: int, window: int, overlap: int) -> list[int]:
    """Try 1, 2, 3, ... evenly spread windows until neighbours overlap enough."""
    if length <= window:
        return [0]
    count = 2
    while True:
        starts = [int(np.floor(i * (length - window) / (count - 1))) for i in range(count)]
        if all(a + window - b >= overlap for a, b in itertools.pairwise(starts)):
            return starts
        count += 1


def published_starts(length: int, window: int, overlap: int) -> list[int]:
    """The notebook's starts, including duplicates."""
    starts = list(range(0, length, window - overlap))
    starts[-1] = length - window
    return starts


def tiled_flow(
    stock: PerceiverForOpticalFlow,
    frame1: npt.NDArray[np.uint8],
    frame2: npt.NDArray[np.uint8],
    rows: list[int],
    columns: list[int],
) -> Array:
    """The weighted mean of the windows' flows, ``(H, W, 2)`` in pixels."""
    height, width = stock.config.train_size
    tall, wide = max(frame1.shape[0], height), max(frame1.shape[1], width)
    extended = [
        np.pad(frame, ((0, tall - frame.shape[0]), (0, wide - frame.shape[1]), (0, 0)), mode="edge")
        for frame in (frame1, frame2)
    ]
    y, x = np.mgrid[:height, :width]
    weights = np.minimum(np.minimum(x + 1, width - x), np.minimum(y + 1, height - y))[..., None]
    total, mass = np.zeros((tall, wide, 2)), np.zeros((tall, wide, 1))
    for row in rows:
        for column in columns:
            part = slice(row, row + height), slice(column, column + width)
            total[part] += window_flow(stock, extended[0][part], extended[1][part]) * weights
            mass[part] += weights
    return np.asarray((total / mass)[: frame1.shape[0], : frame1.shape[1]])
