"""The overhead of the pipeline: colours compared with flow-vis, and a whole video compared with DIS alone.

``python -m benchmarks.throughput VIDEO`` prints both; several rounds, side by side in one process.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import cv2
import flow_vis
import numpy as np

from flowcli import colorize, load_estimator
from flowcli.frames.opening import open_source
from flowcli.run.video import estimate_video
from flowcli.run.video_outputs import VideoOutputs


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def colours(rounds: int) -> str:
    """A smooth flow of 1080 x 1920, coloured by flow-vis and by us."""
    coarse = np.random.default_rng(0).standard_normal((20, 36, 2)).astype(np.float32)
    flow = np.asarray(cv2.resize(coarse, (1920, 1080), interpolation=cv2.INTER_CUBIC), np.float32) * 8
    difference = np.abs(colorize(flow).astype(int) - flow_vis.flow_to_color(flow)).max()
    theirs, ours = [], []
    for _ in range(rounds):
        theirs.append(seconds(lambda: flow_vis.flow_to_color(flow)))
        ours.append(seconds(lambda: colorize(flow)))
    ratios = [a / b for a, b in zip(theirs, ours, strict=True)]
    return (
        f"Colours, 1080 x 1920: flow-vis {1000 * median(theirs):.0f} ms, flowcli {1000 * median(ours):.1f} ms, "
        f"{median(ratios):.1f} times faster ({min(ratios):.1f} to {max(ratios):.1f}), {difference} grey level apart"
    )


def video(path: Path, rounds: int) -> str:
    """All of ``flowcli video`` except its start-up, compared with DIS on the same decoded frames."""
    frames = [frame.image for frame in open_source(path).frames()]
    estimator = load_estimator("dis")

    def alone() -> None:
        for first, second in itertools.pairwise(frames):
            estimator.model(first[None], second[None])

    whole, dis = [], []
    with tempfile.TemporaryDirectory() as folder:
        outputs = VideoOutputs(video=Path(folder) / "out.mp4")
        for _ in range(rounds):
            whole.append(seconds(lambda: estimate_video(estimator, open_source(path), outputs)))
            dis.append(seconds(alone))
    ratios = [a / b for a, b in zip(whole, dis, strict=True)]
    return (
        f"{path.name}, {len(frames)} frames: DIS alone {median(dis):.2f} s, the whole video {median(whole):.2f} s, "
        f"{median(ratios):.2f} times as long ({min(ratios):.2f} to {max(ratios):.2f})"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    sys.stdout.write(colours(4 * options.rounds) + "\n")
    if options.video:
        sys.stdout.write(video(options.video, options.rounds) + "\n")


if __name__ == "__main__":
    main()
