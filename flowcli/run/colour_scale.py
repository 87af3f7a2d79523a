"""One colour scale for a whole video, chosen before its flow is known."""

from __future__ import annotations

import numpy as np

from ..estimator import FlowEstimator
from ..frames.source import FrameSource
from ..tiling import cut, make_grid

_SAMPLES = 8  # pairs that are looked at
_SAMPLE_SCALE = 0.5  # of the size that the video is estimated at
_SAMPLE_WINDOW = (184, 248)  # of which this much, where the model itself takes whole frames
_HEADROOM = 1.25  # over the fastest sampled motion: pairs between the samples may be faster
_SMALLEST = 1.0  # pixels


def choose_max_flow(estimator: FlowEstimator, source: FrameSource) -> float:
    """A colour scale for a whole video, from a few pairs spread over it.

    Each is estimated at half the size, in one window that wanders over the frame from pair to pair; the fastest of
    their motions (the 99th percentile of each) is given some headroom.

    Args:
        estimator: makes the flow.
        source: the video.

    Returns:
        The flow that gets full colour, in pixels; at least 1.
    """
    # The samples' windows are chosen here, so the published grid has no say in them.
    sampler = FlowEstimator(estimator.model, overlap=0, scale=estimator.scale * _SAMPLE_SCALE, batch_size=1)
    window = estimator.model.window or _SAMPLE_WINDOW
    fastest = [0.0]
    for index, (frame1, frame2) in enumerate(source.sample_pairs(_SAMPLES)):
        if frame1.shape != frame2.shape:
            continue  # estimating will come to it and say so
        size = frame1.shape[0], frame1.shape[1]
        crop = min(size[0], round(window[0] / sampler.scale)), min(size[1], round(window[1] / sampler.scale))
        positions = make_grid(size, crop, overlap=0).positions
        position = positions[index * (len(positions) + 1) // 2 % len(positions)]
        flow = sampler.estimate(cut(frame1, position, crop), cut(frame2, position, crop))
        fastest.append(float(np.nanpercentile(np.hypot(flow[..., 0], flow[..., 1]), 99)))
    return max(_SMALLEST, round(max(fastest) * _HEADROOM, 1))
