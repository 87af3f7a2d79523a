"""The flow of a sequence as an iterator, for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..arrays import Flow, Mask, check_same_size, size_of
from ..choices import ABSOLUTE, DEFAULT_MODEL, RELATIVE, Pad
from ..estimator import FlowEstimator, load_estimator
from ..frames.opening import open_source
from ..frames.reading import Reading
from ..frames.selection import EVERYTHING, Selection
from ..frames.source import FrameSource, TimedFrame
from ..places import is_name, place
from .background import ReadAhead
from .consistency import Consistency
from .pairing import Pairing
from .runner import Work, estimate_both
from .sequence import FlowPair, no_pairs, pairs
from .tasks import Task

_QUEUE_DEPTH = 4  # pairs


@dataclass(frozen=True)
class SequenceFlow:
    """A flow of a sequence. It unpacks into ``frame, frame2, flow, mask``."""

    frame: TimedFrame
    """The frame that the flow leads from."""

    frame2: TimedFrame
    """The frame that it leads to."""

    flow: Flow
    """``(H, W, 2)`` float32 in pixels."""

    mask: Mask | None
    """Where both directions agree, ``(H, W)`` bool; ``None`` without ``masks``."""

    gap: int
    """The gap that it belongs to."""

    belongs_to: TimedFrame
    """The frame whose flow it is; another than ``frame`` where the flow of the nearest frame is repeated."""

    def __iter__(self) -> Iterator[Any]:
        """The frame, the other frame, the flow and the mask."""
        return iter((self.frame, self.frame2, self.flow, self.mask))


@dataclass(frozen=True)
class _Work(Work):
    """Work that remembers its pair."""

    pair: FlowPair | None = None


def sequence(
    source: Path | str | FrameSource,
    *,
    estimator: FlowEstimator | None = None,
    gaps: Sequence[int] | Literal["all"] | None = None,
    reference: int | None = None,
    to_reference: int | None = None,
    pad: Pad = "none",
    masks: bool = False,
    mask_relative: float = RELATIVE,
    mask_absolute: float = ABSOLUTE,
    selection: Selection = EVERYTHING,
    reading: Reading = Reading(),
) -> Iterator[SequenceFlow]:
    """Estimate the flows of a sequence one after the other, as ``flowcli video`` does.

    Frames are read ahead in a thread, which ends when the iterator does, or is closed or forgotten. Memory does not
    grow with the length of the sequence.

    Args:
        source: a video, a folder of frames, a pattern, or what :func:`flowcli.frames.opening.open_source` returns.
        estimator: computes the flow; by default that of the default model.
        gaps: pairs (i, i + g) for every frame i and every g, 1 by default; ``all``: every ordered pair.
        reference: pairs (N, i) instead; N is the frame's number in the input.
        to_reference: pairs (i, N) instead.
        pad: what frames without a partner get; see :class:`flowcli.run.pairing.Pairing`.
        masks: whether to estimate both directions and compare them.
        mask_relative: a part of the threshold; see :func:`flowcli.occluded`.
        mask_absolute: the other part.
        selection: the frames to use of a path.
        reading: how the frames of a path are read.

    Yields:
        The flows, with their frames.

    Raises:
        InputError: a frame cannot be read (``DamagedError``), the frames differ in size, or there are no pairs.
        UsageError: the arguments exclude each other.
        DeviceError: the device's memory cannot hold even one window.
    """
    pairing = Pairing.chosen(gaps, reference, to_reference, pad)
    checked = Consistency(mask=masks, relative=mask_relative, absolute=mask_absolute)
    opened = open_source(place(source), None, selection, reading) if is_name(source) else source
    opened.reading = opened.reading.settled(opened.sample_values)
    model = estimator or load_estimator(DEFAULT_MODEL)
    return _flows(model, opened, pairing, checked)


def _flows(
    estimator: FlowEstimator, source: FrameSource, pairing: Pairing, checked: Consistency
) -> Iterator[SequenceFlow]:
    def finished(pair: FlowPair, flow: Flow, back: Flow | None) -> SequenceFlow:
        mask = checked.arrays(flow, flow if back is None else back).get("mask")
        return SequenceFlow(pair.first, pair.second, flow, mask, pair.index.gap, pair.frame)

    is_empty = True
    with ReadAhead(_works(source, pairing, checked.mask), depth=_QUEUE_DEPTH) as reader:
        for estimated in estimate_both(estimator, reader):
            work, flow, back = estimated.work, estimated.flow, estimated.back
            is_empty = False
            assert isinstance(work, _Work)
            assert work.pair is not None
            known = work.flow if flow is None else flow
            assert known is not None
            yield finished(work.pair, known, back)
            if work.pair.opposite is not None and back is not None:
                yield finished(work.pair.opposite, back, known)
    if is_empty:
        raise no_pairs(source, pairing)


def _works(source: FrameSource, pairing: Pairing, masks: bool) -> Iterator[_Work]:
    for number, pair in enumerate(pairs(source, pairing)):
        first, second = pair.first, pair.second
        check_same_size(f"frame {first.name}", first.image.shape, f"frame {second.name}", second.image.shape)
        flow = np.zeros((*size_of(first.image), 2), np.float32) if pair.index.is_zero else None
        is_mutual = (masks or pair.opposite is not None) and flow is None
        task = Task(number, Path(first.name), Path(second.name))
        yield _Work(task, (first.image, second.image), flow=flow, is_mutual=is_mutual, pair=pair)
