"""Estimates the flow of a video and writes a flow video, a folder of flow files, or both."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from ..errors import InputError
from ..estimator import FlowEstimator
from ..frames.opening import open_source
from ..frames.reading import Reading
from ..frames.source import FrameSource
from ..pairs import FramePair
from ..places import is_name, place
from ..results import PairResult, VideoSummary
from .pairing import Pairing
from .report_motion import MotionReport
from .runner import Work, run
from .sequence import pairs
from .tasks import Outcome, Task
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
    report: MotionReport | None = None,
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
        report: the report that gets every pair, and is written at the end.

    Returns:
        The counts of done and skipped pairs, and the settings.

    Raises:
        InputError: there are fewer than two frames, or the first two cannot be read or differ in size.
        UsageError: an output exists, or the flow folder contains flow made with other settings, or that no run has
            recorded.
        OutputError: an output or the report cannot be written.
        DeviceError: the device's memory cannot hold even one window.
    """
    frames = open_source(place(source), reading=reading) if is_name(source) else source
    outputs.check(frames)
    job = VideoJob(estimator, frames, outputs)

    def note(work: Work, outcome: Outcome) -> None:
        if report is not None:
            report.add(outcome, _name(outcome.task), work.seen)
        if on_pair is not None:
            on_pair(outcome.result())

    with job.opened():
        totals = run(
            estimator,
            [job.work()],
            job.write,
            on_outcome=note,
            wants_statistics=wants_statistics,
            wants_glance=report is not None,
        )
    summary = job.summary(totals)
    if report is None:
        return summary
    again = functools.partial(_frames_again, frames, outputs.pairing)
    return dataclasses.replace(summary, report=report.write(summary, again))


def _name(task: Task) -> str:
    """What a report calls a pair."""
    assert task.frame1 is not None
    assert task.frame2 is not None
    return f"{task.frame1.name} → {task.frame2.name}"


def _frames_again(
    source: FrameSource, pairing: Pairing, numbers: Collection[int]
) -> Iterator[tuple[int, FramePair | None]]:
    """The frames of the pairs with some numbers, by a second pass over the video; up to where it is damaged."""
    number = 0
    with contextlib.suppress(InputError):
        for pair in pairs(source, pairing):
            for each in (pair, pair.opposite):
                if each is None:
                    continue
                if number in numbers:
                    yield number, (each.first.image, each.second.image)
                number += 1
            if number > max(numbers, default=-1):
                return
