"""Chained flows compared with direct estimates, by the gap between the frames.

``python -m benchmarks.chain`` measures DIS on rendered sequences whose flow is known; with a video, by the photometric
error, since there is no true flow.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from statistics import fmean
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from flowcli import endpoint_error, load_estimator, occluded, warp
from flowcli.arrays import Flow, Frame, Mask
from flowcli.estimator import FlowEstimator
from flowcli.flows.chain import prefixes
from flowcli.frames.opening import open_source
from flowcli.scene import render_scene

Made = TypeVar("Made")
Errors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sequence:
    """Frames, and where it is known the flow from the first one to each other, with what stays visible."""

    frames: list[Frame]
    truths: list[tuple[Flow, Mask]] | None


@dataclass(frozen=True)
class Row:
    """Figures of one gap in one sequence: errors, over the pixels that both ways know, and the share of those."""

    direct: float
    chained: float
    share: float
    direct_where_masked: float
    masked: float
    share_masked: float
    seconds_direct: float
    seconds_chained: float


def rendered(gaps: int, count: int) -> Iterator[Sequence]:
    """Scenes of one motion and several textures."""
    for seed in range(count):
        scenes = [render_scene(seed=seed, steps=steps) for steps in range(1, gaps + 1)]
        frames = [scenes[0].frame1, *(scene.frame2 for scene in scenes)]
        yield Sequence(frames, [(scene.flow, scene.visible) for scene in scenes])


def of_video(path: Path, gaps: int, count: int) -> Iterator[Sequence]:
    """Parts of a video, one after the other."""
    frames = (frame.image for frame in open_source(path).frames())
    for _ in range(count):
        part = list(itertools.islice(frames, gaps + 1))
        if len(part) > gaps:
            yield Sequence(part, None)


def timed(make: Callable[[], Made]) -> tuple[Made, float]:
    started = time.perf_counter()
    made = make()
    return made, time.perf_counter() - started


def rows(sequence: Sequence, estimator: FlowEstimator) -> Iterator[Row]:
    """The figures of gap 1, 2, 3, ..."""
    pairs = list(itertools.pairwise(sequence.frames))
    links, seconds = timed(lambda: list(estimator.estimate_pairs(pairs)))
    back = estimator.estimate_pairs([(second, first) for first, second in pairs])
    masks = [~occluded(forward, backward) for forward, backward in zip(links, back, strict=True)]
    chained, composing = timed(lambda: list(prefixes(links)))
    masked = list(prefixes(links, masks))
    first = sequence.frames[0]
    for gap, frame in enumerate(sequence.frames[1:], 1):
        direct, seconds_direct = timed(lambda frame=frame: estimator.estimate(first, frame))  # type: ignore[misc]
        own = error_map(sequence, gap, direct)
        yield Row(
            *compared(own, error_map(sequence, gap, chained[gap - 1])),
            *compared(own, error_map(sequence, gap, masked[gap - 1])),
            seconds_direct,
            (seconds + composing) * gap / len(pairs),
        )


def compared(direct: Errors, chained: Errors) -> tuple[float, float, float]:
    """The mean errors over the pixels that both know, and the share of those."""
    both = np.isfinite(direct) & np.isfinite(chained)
    return float(direct[both].mean()), float(chained[both].mean()), float(both.mean())


def error_map(sequence: Sequence, gap: int, flow: Flow) -> Errors:
    """The end-point error where the truth is known and the point visible, else the photometric error; or NaN."""
    if sequence.truths is not None:
        truth, visible = sequence.truths[gap - 1]
        return np.where(visible, endpoint_error(flow, truth), np.float32(np.nan))
    warped, inside = warp(sequence.frames[gap], flow)
    error = np.abs(warped.astype(np.float32) - sequence.frames[0]).mean(axis=-1)
    return np.where(inside, error, np.float32(np.nan))


def table(sequences: Iterator[Sequence], estimator: FlowEstimator, unit: str) -> str:
    """The means over the sequences as Markdown."""
    gaps = list(zip(*(list(rows(sequence, estimator)) for sequence in sequences), strict=True))
    lines = [
        f"| gap | direct, {unit} | chained | share | direct | chained with masks | share | direct, s | chained, s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for gap, found in enumerate(gaps, 1):
        mean = Row(*(fmean(values) for values in zip(*(astuple(row) for row in found), strict=True)))
        lines.append(
            f"| {gap} | {mean.direct:.2f} | {mean.chained:.2f} | {mean.share:.0%} | {mean.direct_where_masked:.2f} "
            f"| {mean.masked:.2f} | {mean.share_masked:.0%} | {mean.seconds_direct:.2f} | {mean.seconds_chained:.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path, nargs="?")
    parser.add_argument("--gaps", type=int, default=8, help="the largest distance between frames")
    parser.add_argument("--sequences", type=int, default=5, help="how many sequences are averaged")
    parser.add_argument("--model", default="dis")
    options = parser.parse_args()
    estimator = load_estimator(options.model)
    if options.video:
        sequences, unit = of_video(options.video, options.gaps, options.sequences), "grey levels"
    else:
        sequences, unit = rendered(options.gaps, options.sequences), "px"
    sys.stdout.write(table(sequences, estimator, unit) + "\n")


if __name__ == "__main__":
    main()
