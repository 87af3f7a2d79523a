"""Chooses one colour scale for a whole video before its flow is known."""

from __future__ import annotations

import numpy as np

from ..estimator import FlowEstimator
from ..frames.source import FrameSource
from ..tiling import cut, make_grid

_SAMPLES = 8  # pairs
_SAMPLE_SCALE = 0.5  # relative to the scale of the run
_SAMPLE_WINDOW = (184, 248)  # pixels at that scale, if the model itself takes whole frames
_HEADROOM = 1.25  # pairs between the samples may be faster
_SMALLEST = 1.0  # pixels


def choose_max_flow(estimator: FlowEstimator, source: FrameSource, distance: int = 1) -> float:
    """Choose a colour scale for a whole video from a few pairs spread over it.

    Each pair is estimated at half the size, in a single window at a different place of the frame each time. The scale
    is the largest 99th percentile of the flow lengths of these pairs, times 1.25.

    Args:
        estimator: computes the flow.
        source: the video.
        distance: how far apart the frames of a pair are.

    Returns:
        The flow length that gets full colour, in pixels; at least 1.

    Raises:
        DeviceError: the device's memory cannot hold even one window.
    """
    # The windows of the samples are chosen below, independently of the estimator's own grid.
    sampler = estimator.variant(overlap=0, scale=estimator.scale * _SAMPLE_SCALE, batch_size=1)
    window = estimator.model.window or _SAMPLE_WINDOW
    fastest = [0.0]
    for index, (frame1, frame2) in enumerate(source.sample_pairs(_SAMPLES, distance)):
        if frame1.shape != frame2.shape:
            continue  # the run reports it later
        size = frame1.shape[0], frame1.shape[1]
        crop = min(size[0], round(window[0] / sampler.scale)), min(size[1], round(window[1] / sampler.scale))
        positions = make_grid(size, crop, overlap=0).positions
        position = positions[index * (len(positions) + 1) // 2 % len(positions)]
        flow = sampler.estimate(cut(frame1, position, crop), cut(frame2, position, crop))
        fastest.append(float(np.nanpercentile(np.hypot(flow[..., 0], flow[..., 1]), 99)))
    return max(_SMALLEST, round(max(fastest) * _HEADROOM, 1))
