"""Estimates the flow of a video and writes a flow video, a folder of flow files, or both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..estimator import FlowEstimator
from ..frames.opening import open_source
from ..frames.reading import Reading
from ..frames.source import FrameSource
from ..places import is_name, place
from ..results import PairResult, VideoSummary
from .runner import Work, run
from .tasks import Outcome
from .video_job import VideoJob
from .video_outputs import VideoOutputs


def estimate_video(
    estimator: FlowEstimator,
    source: FrameSource | Path | str,
    outputs: VideoOutputs,
    *,
    reading: Reading = Reading(),
    on_pair: Callable[[PairResult], None] | None = None,
    wants_statistics: bool = False,
) -> VideoSummary:
    """Estimate the flow of all consecutive frames: N frames give N - 1 flows, each shown at the time of its frame 1.

    Memory does not grow with the length of the video. If the video is damaged after the first pair, the outputs are
    completed with the pairs before the damage, and the summary's ``problem`` is an ``InputError``.

    Args:
        estimator: computes the flow.
        source: a video, or its path as for :func:`flowcli.frames.opening.open_source`.
        outputs: what to write.
        reading: how the frames of a path are read; a source that is open has its own.
        on_pair: called in the writing thread after each pair.
        wants_statistics: whether ``on_pair`` gets statistics of the flow.

    Returns:
        The counts of done and skipped pairs, and the settings.

    Raises:
        InputError: there are fewer than two frames, or the first two cannot be read or differ in size.
        UsageError: an output exists, or the flow folder contains flow made with other settings, or that no run has
            recorded.
        OutputError: an output cannot be written.
        DeviceError: the device's memory cannot hold even one window.
    """
    frames = open_source(place(source), reading=reading) if is_name(source) else source
    outputs.check(frames)
    job = VideoJob(estimator, frames, outputs)

    def report(_: Work, outcome: Outcome) -> None:
        if on_pair is not None:
            on_pair(outcome.result())

    with job.opened():
        totals = run(estimator, [job.work()], job.write, on_outcome=report, wants_statistics=wants_statistics)
    return job.summary(totals)
