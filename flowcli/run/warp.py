"""Brings every frame of a sequence to the one before, and measures the photometric errors."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from ..arrays import Frame, check_same_size, size_of
from ..draw.video_writer import VIDEO_SUFFIXES, VideoWriter, written_video
from ..errors import InputError, UsageError
from ..flows.formats import FlowOptions
from ..flows.io import files_to_read, read_flow
from ..flows.warp import photometric_error, warp
from ..frames.files import IMAGE_SUFFIXES
from ..frames.images import write_image
from ..frames.opening import open_source
from ..frames.reading import Reading
from ..frames.sequence import Images, ImageSequence
from ..frames.source import FrameSource, TimedFrame
from ..places import file_only, is_name, place
from ..results import WarpResult, WarpSummary
from ..storage import check_outputs, check_suffix, write_bytes
from .flow_folder import check_steps
from .flow_sequence import FlowSequence

_COLUMNS = ("frame", "frame2", "photometric_error", "photometric_error_unwarped", "share", "flow_file")
_OTHER_VIDEOS = frozenset({".avi", ".m4v", ".mpg", ".ts", ".wmv"})


@dataclass(frozen=True)
class WarpOutputs:
    """The outputs of a warped sequence. Plain data."""

    out: Path | None = None
    """A video, whose suffix is one of ``VIDEO_SUFFIXES``, or else a folder for pictures named as the flows."""

    errors: Path | None = None
    """A ``.csv`` for the photometric errors, the worst first."""

    force: bool = False
    """Whether to overwrite existing outputs."""

    def __post_init__(self) -> None:
        """Take the names of files as well."""
        for name in ("out", "errors"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, file_only(value))

    @property
    def video(self) -> Path | None:
        """The video, if ``out`` is one."""
        return self.out if self.out is not None and self.out.suffix.lower() in VIDEO_SUFFIXES else None

    @property
    def paths(self) -> tuple[Path, ...]:
        """What was asked for."""
        return tuple(path for path in (self.out, self.errors) if path is not None)

    def picture(self, name: str) -> Path | None:
        """The picture of the frame that was warped by the flow of that name, if ``out`` is a folder."""
        return None if self.out is None or self.video is not None else self.out / f"{name}.png"

    def check(self, source: FrameSource, flows: dict[str, Path]) -> None:
        """Check, before anything is computed, that all outputs can be written.

        Args:
            source: the frames, which are never overwritten.
            flows: the flow files by name, which are not either.

        Raises:
            UsageError: an output exists and ``force`` is false, or is an input.
            OutputError: an output cannot be written, or has an unknown suffix.
        """
        frames = source.files if isinstance(source, ImageSequence) else [source.path]
        targets = [picture for name in flows if (picture := self.picture(name)) is not None]
        if self.out is not None and self.video is None:
            if self.out.suffix.lower() in IMAGE_SUFFIXES | _OTHER_VIDEOS and not self.out.is_dir():
                check_suffix(self.out, [*VIDEO_SUFFIXES, "a folder"])
            if self.out.resolve() in {frame.resolve().parent for frame in frames}:
                raise UsageError(f"{self.out} contains the input's frames; choose another `out`")
        if self.video is not None:
            targets.append(self.video)
        if self.errors is not None:
            check_suffix(self.errors, [".csv"])
            targets.append(self.errors)
        inputs = [*frames, *(file for flow in flows.values() for file in files_to_read(flow))]
        check_outputs(targets, force=self.force, inputs=inputs)


def warp_sequence(
    source: FrameSource | Path | str,
    flows: Path | str,
    outputs: WarpOutputs = WarpOutputs(),
    *,
    reading: Reading = Reading(),
    options: FlowOptions = FlowOptions(),
    on_pair: Callable[[WarpResult], None] | None = None,
) -> WarpSummary:
    """Bring every frame but the first to the one before by its flow, and measure how far apart the two are.

    Memory for frames and flows does not grow with the length of the sequence. If a frame or a flow cannot be read after
    the first pair, the outputs are completed with the pairs before, and the summary's ``problem`` is an ``InputError``.

    Args:
        source: a video, or its path as for :func:`flowcli.frames.opening.open_source`.
        flows: a folder with the flow of each pair of consecutive frames, named after its first frame, as
            :func:`flowcli.run.video.estimate_video` writes them; or, if none is named after a frame, in natural order.
        outputs: what to write; nothing if only the errors are wanted.
        reading: how the frames of a path are read; a source that is open has its own.
        options: how flow files of formats with options are read.
        on_pair: called after each pair, in the order of the sequence.

    Returns:
        The mean errors; its ``worst_first`` has the pairs.

    Raises:
        InputError: there are fewer than two frames, flows are missing, or the first pair cannot be read.
        UsageError: an output exists and ``force`` is false, or is an input.
        OutputError: an output cannot be written.
    """
    started = time.monotonic()
    frames = open_source(place(source), reading=reading) if is_name(source) else source
    job = _WarpJob(frames, place(flows), outputs, options)
    with job.opened():
        for result in job.pairs():
            if on_pair is not None:
                on_pair(result)
    return job.summary(time.monotonic() - started)


class _WarpJob:
    """A sequence in progress."""

    def __init__(self, source: FrameSource, folder: Path, outputs: WarpOutputs, options: FlowOptions) -> None:
        self._source = source
        check_steps(folder, source.selection.stride)
        self._flows = FlowSequence(folder)
        if outputs.out is not None and outputs.out.resolve() == folder.resolve():
            raise UsageError(f"{outputs.out} contains the flows; choose another `out`")
        self._outputs = outputs
        self._options = options
        self._results: list[WarpResult] = []
        self._size = (0, 0)
        self._writer: VideoWriter | None = None
        self._problem: InputError | None = None
        if isinstance(source, Images):
            self._flows.check(source.names)
        outputs.check(source, self._flows.files)
        source.reading = source.reading.settled(source.sample_values)

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Keep the output video open while the block runs, and write the table of errors at its end."""
        if self._outputs.video is None:
            yield
        else:
            rate = self._source.rate / self._source.selection.stride
            with written_video(self._outputs.video, rate, self._source.time_base) as self._writer:
                yield
        if self._outputs.errors is not None:
            write_bytes(self._outputs.errors, _table(_worst_first(self._results)).encode(errors="surrogateescape"))

    def pairs(self) -> Iterator[WarpResult]:
        """Warp pair by pair; what cannot be read after the first one ends them and is reported in the summary."""
        start = None
        try:
            for number, (first, second) in enumerate(itertools.pairwise(self._source.frames())):
                start = first.time if start is None else start
                result, warped = self._warped(number, first, second)
                for picture in result.outputs:
                    write_image(picture, warped)
                if self._writer is not None:
                    self._writer.pixel_aspect = first.pixel_aspect
                    self._writer.write(warped, first.time - start)
                self._results.append(result)
                yield result
            if not self._results:
                raise InputError(f"{self._source.path} has fewer than two frames to warp")
            self._flows.check_used_up(len(self._results))
        except InputError as error:
            if not self._results:
                raise
            self._problem = InputError(
                f"{error.message}; the outputs contain the {len(self._results)} pairs before that"
            )

    def _warped(self, number: int, first: TimedFrame, second: TimedFrame) -> tuple[WarpResult, Frame]:
        name, flow_file = self._flows.of(number, first.name, second.name)
        flow = read_flow(flow_file, self._options)
        for frame in (first, second):
            check_same_size(f"{self._source.path}: frame {frame.name}", frame.image.shape, flow_file, flow.shape)
        self._size = size_of(flow)
        warped, inside = warp(second.image, flow)
        error = photometric_error(first.image, second.image, warped, inside)
        picture = self._outputs.picture(name)
        result = WarpResult(
            pair=number,
            frame1=first.file or Path(first.name),
            frame2=second.file or Path(second.name),
            flow_file=flow_file,
            outputs=() if picture is None else (picture,),
            share=float(inside.mean()),
            photometric_error=None if error is None else error.warped,
            photometric_error_unwarped=None if error is None else error.unwarped,
        )
        return result, warped

    def summary(self, seconds: float) -> WarpSummary:
        """The summary of the run."""
        worst = _worst_first(self._results)
        errors = [pair.photometric_error for pair in worst if pair.photometric_error is not None]
        unwarped = [pair.photometric_error_unwarped for pair in worst if pair.photometric_error_unwarped is not None]
        return WarpSummary(
            input=str(self._source.path),
            flows=str(self._flows.folder),
            outputs=self._outputs.paths,
            pairs=len(worst),
            done=len(worst),
            seconds=seconds,
            levels=str(self._source.reading) or None,
            width=self._size[1],
            height=self._size[0],
            padded=self._writer is not None and self._writer.padded,
            photometric_error=fmean(errors) if errors else None,
            photometric_error_unwarped=fmean(unwarped) if unwarped else None,
            error=None if self._problem is None else self._problem.with_flags(),
            _worst_first=worst,
            _problem=self._problem,
        )


def _worst_first(results: Sequence[WarpResult]) -> tuple[WarpResult, ...]:
    """Pairs without an error first, because nothing of their flow stays inside the frame; then by falling error."""

    def badness(result: WarpResult) -> float:
        return math.inf if result.photometric_error is None else result.photometric_error

    return tuple(sorted(results, key=badness, reverse=True))


def _table(results: Sequence[WarpResult]) -> str:
    """The errors as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for result in results:
        values = (result.photometric_error, result.photometric_error_unwarped, result.share)
        rounded = ["" if value is None else f"{value:.6g}" for value in values]
        writer.writerow([result.frame1, result.frame2, *rounded, result.flow_file])
    return text.getvalue()
