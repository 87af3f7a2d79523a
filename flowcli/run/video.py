"""A video from frames to flow: reading, estimating and writing run beside one another, through bounded queues."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from ..arrays import Flow, check_same_size
from ..draw.color import largest_flow
from ..draw.outputs import png_settings
from ..draw.style import Layout, Style, lay_out
from ..draw.video_writer import VideoWriter
from ..errors import InputError, UsageError
from ..estimator import FlowEstimator, FramePair
from ..flows.io import FormatName
from ..frames.selection import EVERYTHING
from ..frames.sequence import DamagedError, FrameSource, ImageSequence, TimedFrame
from ..storage import atomic_output
from ..tiling import cut, make_grid
from .background import ReadAhead, WriteBehind
from .flow_dir import FlowDir

_QUEUE_DEPTH = 4  # pairs; enough that no stage waits for another's hiccup, little enough to hold in memory
_SAMPLES = 8  # pairs that are looked at to choose the colour scale
_SAMPLE_SCALE = 0.5  # of the size that the video is estimated at
_SAMPLE_WINDOW = (184, 248)  # of which this much, where the model itself takes whole frames
_HEADROOM = 1.25  # colour scale over the fastest sampled motion: pairs between the samples may be faster


@dataclass(frozen=True)
class VideoPair:
    """Two frames of a video and where their flow belongs."""

    index: int
    first: TimedFrame
    second: TimedFrame
    resumed: bool
    """Whether an earlier run has left what is to be written of it."""

    ready: Flow | None = None
    """Its flow, if that could be read back."""


@dataclass
class VideoOutputs:
    """What becomes of a video's flows."""

    video: Path | None = None
    """The video to write."""

    flow_dir: Path | None = None
    """The folder for one file per flow."""

    flow_format: FormatName = "flo"
    layout: Layout = "flow"
    style: Style = field(default_factory=Style)
    """How flow is drawn; without a ``max_flow``, one is chosen for the whole video."""

    force: bool = False
    """Whether flows that are in ``flow_dir`` already are replaced instead of taken over."""

    @property
    def has_pictures(self) -> bool:
        """Whether any flow is coloured."""
        return self.video is not None or (self.flow_dir is not None and self.flow_format == "png")


@dataclass
class VideoSummary:
    """What became of a video."""

    pairs: int = 0
    resumed: int = 0
    """Pairs whose flow was there from an earlier run."""

    start: Fraction | None = None
    """When the first pair's first frame is shown, in seconds since the input's first frame."""

    windows: int = 0
    width: int = 0
    height: int = 0
    max_flow: float | None = None
    """The colour scale in pixels."""

    largest_flow: float = 0.0
    """The length in pixels of the longest vector of all."""

    padded: bool = False
    """Whether the written video repeats an edge to make its sides even."""

    loss: str | None = None
    """What the flow files cannot hold of some flow."""

    seconds: float = 0.0
    damage: DamagedError | None = field(default=None, repr=False)
    """Why the input ended early, if it did; the outputs hold everything before."""


def estimate_video(
    estimator: FlowEstimator,
    source: FrameSource,
    outputs: VideoOutputs,
    *,
    on_pair: Callable[[VideoPair, Flow | None], None] | None = None,
) -> VideoSummary:
    """Estimate the flow of all consecutive frames: N frames give N - 1 flows, each shown at its first frame's time.

    Memory does not grow with the video's length. If a frame in the middle is damaged, the outputs are completed with
    what came before and the error stands in the summary.

    Args:
        estimator: estimates.
        source: the frames.
        outputs: what to write.
        on_pair: called, in the writing thread, when everything about a pair has been written; the flow is ``None``
            where a picture of an earlier run made it unnecessary.

    Raises:
        InputError: there are fewer than two frames, or they differ in size.
        UsageError: the flow folder holds flows that were made differently.
        OutputError: an output cannot be written.
    """
    started = time.monotonic()
    summary = VideoSummary(max_flow=outputs.style.max_flow)
    flows = _open_flow_dir(estimator, source, outputs)
    if summary.max_flow is None and outputs.has_pictures:
        recorded = flows.max_flow if flows else None
        summary.max_flow = choose_max_flow(estimator, source) if recorded is None else recorded
    if flows is not None:
        notes = {"model": estimator.model.name, "revision": estimator.model.revision, "max_flow": summary.max_flow}
        flows.begin(notes)
    pending: deque[VideoPair] = deque()
    with contextlib.ExitStack() as stack:
        video = stack.enter_context(_open_video(outputs.video, source)) if outputs.video else None

        def write(item: tuple[VideoPair, Flow | None]) -> None:
            _write_pair(*item, outputs, flows, video, summary)
            if on_pair is not None:
                on_pair(*item)

        writer = stack.enter_context(WriteBehind(write, _QUEUE_DEPTH))
        pairs = stack.enter_context(ReadAhead(_read_pairs(source, flows, outputs), _QUEUE_DEPTH))
        stream = _until_damage(iter(pairs), pending, summary, writer)
        for flow in estimator.estimate_pairs(stream):
            writer.put((pending.popleft(), flow))
    if video is not None:
        summary.padded = video.padded
    summary.windows = (summary.pairs - summary.resumed) * len(estimator.grid_for((summary.height, summary.width)))
    summary.seconds = time.monotonic() - started
    return summary


def choose_max_flow(estimator: FlowEstimator, source: FrameSource) -> float:
    """One colour scale for a whole video, in pixels, without estimating all of it first.

    A few pairs spread over the video are looked at at half the size, one window of each, walking over the frame; the
    fastest of their motions (the 99th percentile of each) is given some headroom.
    """
    # Windows of one's own choosing suit the even grid, whatever the frames are cut into.
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
    return max(1.0, round(max(fastest) * _HEADROOM, 1))


def _open_flow_dir(estimator: FlowEstimator, source: FrameSource, outputs: VideoOutputs) -> FlowDir | None:
    if outputs.flow_dir is None:
        return None
    if isinstance(source, ImageSequence) and outputs.flow_format == "png":
        folders = {file.resolve().parent for file in source.files}
        if outputs.flow_dir.resolve() in folders:
            raise UsageError(f"{outputs.flow_dir} holds the input's frames; choose another folder for the flows")
    made_by: dict[str, object] = {
        **estimator.settings(),
        "input": str(source.path.resolve()),
        "stride": source.selection.stride,
    }
    made_by |= png_settings(outputs.flow_format, outputs.style)
    return FlowDir(outputs.flow_dir, outputs.flow_format, made_by, force=outputs.force)


@contextlib.contextmanager
def _open_video(path: Path, source: FrameSource) -> Iterator[VideoWriter]:
    with atomic_output(path) as temporary, contextlib.ExitStack() as unfinished:
        video = VideoWriter(temporary, path, source.rate / source.selection.stride, source.time_base)
        unfinished.callback(video.abandon)
        yield video
        unfinished.pop_all()  # all has gone well: nothing to abandon
        video.close()


def _read_pairs(source: FrameSource, flows: FlowDir | None, outputs: VideoOutputs) -> Iterator[VideoPair]:
    """The source's consecutive frames as pairs; raises ``InputError``."""
    first: TimedFrame | None = None
    index = 0
    for second in source.frames():
        if first is not None:
            names = f"{source.path}: frame {first.name}", f"frame {second.name}"
            try:
                check_same_size(names[0], first.image.shape, names[1], second.image.shape)
            except InputError as error:
                raise DamagedError(str(error)) from error
            yield _pair(index, first, second, flows, outputs)
            index += 1
        first = second
    if index == 0:
        count = "one frame" if first else "no frame"
        where = "" if source.selection == EVERYTHING else " among those that --start, --end and --stride select"
        raise InputError(f"{source.path} has {count}{where}; flow needs at least two")


def _pair(index: int, first: TimedFrame, second: TimedFrame, flows: FlowDir | None, outputs: VideoOutputs) -> VideoPair:
    if flows is None or not flows.has(first, second):
        return VideoPair(index, first, second, resumed=False)
    flow = flows.read(first.name)
    # Without the flow, a video cannot be drawn.
    return VideoPair(index, first, second, resumed=flow is not None or outputs.video is None, ready=flow)


def _until_damage(
    pairs: Iterator[VideoPair],
    pending: deque[VideoPair],
    summary: VideoSummary,
    writer: WriteBehind[tuple[VideoPair, Flow | None]],
) -> Iterator[FramePair | Flow]:
    """What the estimator is to do, noting each pair in ``pending``; ends at damage that comes after the first pair.

    Pairs of which nothing is to be done go straight to the writer.
    """
    while True:
        try:
            pair = next(pairs, None)
        except DamagedError as error:
            if not summary.width:
                raise
            summary.damage = error
            return
        if pair is None:
            return
        summary.height, summary.width = pair.first.image.shape[:2]
        if pair.resumed and pair.ready is None:
            writer.put((pair, None))
            continue
        pending.append(pair)
        yield (pair.first.image, pair.second.image) if pair.ready is None else pair.ready


def _write_pair(
    pair: VideoPair,
    flow: Flow | None,
    outputs: VideoOutputs,
    flows: FlowDir | None,
    video: VideoWriter | None,
    summary: VideoSummary,
) -> None:
    summary.pairs += 1
    summary.resumed += pair.resumed
    if summary.start is None:
        summary.start = pair.first.time
    if flow is None:
        return
    style = replace(outputs.style, max_flow=summary.max_flow)
    if flows is not None and not pair.resumed:
        summary.loss = flows.write(pair.first, pair.second, flow, style) or summary.loss
    if video is not None:
        video.write(lay_out(pair.first.image, flow, outputs.layout, style), pair.first.time - summary.start)
    summary.largest_flow = max(summary.largest_flow, largest_flow(flow))
