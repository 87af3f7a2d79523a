"""Estimates a single pair of frames and writes its outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ..arrays import Flow, check_same_size, size_of
from ..choices import FlowFormatName
from ..draw.outputs import write_mask, write_output
from ..draw.style import Style
from ..estimator import FlowEstimator
from ..flows.formats import FlowOptions
from ..flows.io import files_of, form_for
from ..flows.metrics import flow_statistics
from ..flows.occlusion import occluded
from ..frames.reading import Reading
from ..pairs import FramePair
from ..results import EstimateResult
from ..storage import check_outputs, check_suffix
from .runner import Totals, Work, run
from .tasks import Task


@dataclass(frozen=True)
class PairOutputs:
    """The outputs of a pair. Plain data."""

    flows: tuple[Path, ...] = ()
    """Files for the flow; the suffix of each selects its format."""

    occlusion: Path | None = None
    """A ``.png`` for the occlusion mask, white where frame 1 is hidden in frame 2; also estimates the backward flow."""

    flow_format: FlowFormatName | None = None
    """``kitti`` makes ``.png`` outputs KITTI files, and ``jpg`` makes ``.jpg`` outputs pairs of grey JPEGs, not
    pictures."""

    options: FlowOptions = FlowOptions()
    """How formats with options are written."""

    style: Style = Style()
    """How pictures are drawn."""

    force: bool = False
    """Whether to overwrite existing outputs."""

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files to write."""
        flows = [file for path in self.flows for file in files_of(path, form_for(path, self.flow_format))]
        return (*flows, *([self.occlusion] if self.occlusion else []))

    def check(self, inputs: Iterable[Path]) -> None:
        """Check, before anything is computed, that all outputs can be written.

        Args:
            inputs: the files that are read; none of them may be an output.

        Raises:
            UsageError: an output exists and ``force`` is false, is given twice, or is one of ``inputs``.
            OutputError: an output cannot be written, or has an unknown suffix.
        """
        if self.occlusion is not None:
            check_suffix(self.occlusion, [".png"])
        check_outputs(list(self.paths), force=self.force, inputs=list(inputs))


def read_pair(frame1: Path, frame2: Path, reading: Reading = Reading()) -> tuple[FramePair, Reading]:
    """Read two frames.

    Args:
        frame1: an image file.
        frame2: an image file of the same size.
        reading: how they are read.

    Returns:
        Both as ``(H, W, 3)`` uint8 RGB, and how they were read, with the levels that were chosen.

    Raises:
        InputError: a frame cannot be read, or they differ in size.
    """
    (first, second), reading = reading.read_all([frame1, frame2])
    check_same_size(frame1, first.shape, frame2, second.shape)
    return (first, second), reading


def estimate_pair(
    estimator: FlowEstimator,
    names: tuple[Path, Path],
    frames: FramePair,
    outputs: PairOutputs,
    *,
    reading: Reading = Reading(),
    backward: bool = False,
    on_window: Callable[[int], None] | None = None,
) -> tuple[EstimateResult, Flow]:
    """Estimate the flow of one pair and write it.

    Args:
        estimator: computes the flow.
        names: the names of the frames in the result.
        frames: the two frames, each ``(H, W, 3)`` uint8 RGB, of the same size.
        outputs: what to write.
        reading: how the frames were read, for the result.
        backward: whether to estimate from the second frame to the first.
        on_window: called after each forward pass with the number of windows in it.

    Returns:
        The result, and the flow, ``(H, W, 2)`` float32 in pixels.

    Raises:
        InputError: the frames differ in size.
        UsageError: the windows cannot cover frames of this size.
        OutputError: an output cannot be written.
        DeviceError: the device's memory cannot hold even one window.
    """
    if backward:
        names, frames = names[::-1], frames[::-1]
    job = _PairJob(outputs, names, frames)
    totals = run(estimator, [job.work()], job.write, on_window=on_window)
    assert job.flow is not None  # the run has ended without an error
    return job.result(estimator, job.flow, totals, reading, backward), job.flow


class _PairJob:
    """A pair in progress."""

    def __init__(self, outputs: PairOutputs, names: tuple[Path, Path], frames: FramePair) -> None:
        self._outputs = outputs
        self._names = names
        self._frames = frames
        self.flow: Flow | None = None
        self._loss: str | None = None
        self._occluded: float | None = None

    def work(self) -> list[Work]:
        """The requested flow and, for occlusion, the opposite one; their windows share batches."""
        return [Work(Task(0, *self._names), self._frames, is_mutual=self._outputs.occlusion is not None)]

    def write(self, _work: Work, flow: Flow, back: Flow | None) -> str | None:
        """Write all outputs; see :data:`flowcli.run.runner.Write`."""
        self.flow = flow
        outputs = self._outputs
        for path in outputs.flows:
            loss = write_output(
                path,
                flow,
                flow_format=outputs.flow_format,
                style=outputs.style,
                frame=self._frames[0],
                options=outputs.options,
                back=back,
            )
            self._loss = loss or self._loss
        if outputs.occlusion is not None and back is not None:
            mask = occluded(flow, back)
            self._occluded = float(mask.mean())
            write_mask(outputs.occlusion, mask)
        return self._loss

    def result(
        self, estimator: FlowEstimator, flow: Flow, totals: Totals, reading: Reading, backward: bool
    ) -> EstimateResult:
        """The result for the caller."""
        height, width = size_of(flow)
        return EstimateResult(
            pair=0,
            status="done",
            frame1=self._names[0],
            frame2=self._names[1],
            outputs=self._outputs.paths,
            windows=totals.windows,
            loss=self._loss,
            flow=flow_statistics(flow),
            width=width,
            height=height,
            seconds=round(totals.seconds, 3),
            backward=backward,
            levels=str(reading) or None,
            occluded=self._occluded,
            **estimator.use(),
        )
