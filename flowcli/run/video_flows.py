"""The folder of a video's flows, and whether all of them are there, as can be told before the video is opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..estimator import FlowEstimator
from ..frames.reading import Reading
from ..frames.selection import Selection
from ..frames.source import FrameSource
from ..places import recorded_place
from .flow_folder import FlowFolder
from .names import Named
from .pairing import Plan
from .tasks import Completion
from .video_outputs import VideoOutputs


@dataclass(frozen=True)
class Unopened:
    """What is known of a video of a batch before it is opened."""

    path: Path
    selection: Selection
    reading: Reading
    stream: int | None = None
    count: int | None = None


def open_folder(estimator: FlowEstimator, source: FrameSource | Unopened, outputs: VideoOutputs) -> FlowFolder | None:
    """The folder of a video's flows, if it gets one.

    Raises:
        UsageError: it contains flow made with other settings, or that no run has recorded.
    """
    if outputs.flow_dir is None:
        return None
    settings = {**estimator.settings(), "input": recorded_place(source.path), "stride": source.selection.stride}
    settings |= {} if source.stream is None else {"stream": source.stream}
    settings |= source.reading.settings()
    if outputs.files.counts and source.selection.start:
        settings["start"] = str(source.selection.start)
    if outputs.pairing.pad != "none":  # which depends on where the sequence ends
        settings |= {"end": str(source.selection.end), "frames": source.count}
    folder = FlowFolder(outputs.flow_dir, outputs.files, outputs.style, force=outputs.force, adopt=outputs.adopt)
    folder.expect(settings)
    return folder


def flows_there(folder: FlowFolder, stride: int, changed: int, noted: Completion) -> int | None:
    """How many flows there are if all that an earlier run has noted are valid, else ``None``; reads no frames.

    Args:
        folder: their folder.
        stride: the distance of the video's frames that are used.
        changed: when the video was changed, in nanoseconds since the epoch.
        noted: what an earlier run has noted.
    """
    files = folder.files
    anchor = files.pairing.anchor
    plan = Plan(files.pairing, None if anchor is None else (anchor - noted.first) // stride)
    found = 0
    for found, pair in enumerate(plan.of(noted.frames), 1):
        frame, first, second = (noted.first + stride * place for place in (pair.frame, pair.first, pair.second))
        out = files.name(Named(frame, second, pair.gap, f"{frame:06d}", f"{second:06d}", found - 1))
        made_from, size = f"{first:06d} -> {second:06d}", (noted.height, noted.width)
        if not folder.is_there(out, size, changed, made_from, is_completed=True):
            return None
    return found
