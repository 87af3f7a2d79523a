"""What masks cost: both directions in one run, compared with a plain run for each, and with the model alone.

``python -m benchmarks.sequences VIDEO`` times ``video --gap 1,-1 --mask``, then ``video`` for each direction without
masks, then the model over the same frames in both directions; several rounds, side by side in one process.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from pathlib import Path
from statistics import median

from flowcli import load_estimator
from flowcli.frames.opening import open_source
from flowcli.run.consistency import Consistency
from flowcli.run.pairing import Pairing
from flowcli.run.video import estimate_video
from flowcli.run.video_outputs import VideoOutputs

from .throughput import seconds


def both_directions(path: Path, model: str, rounds: int) -> str:
    """All of the command except its start-up."""
    frames = [frame.image for frame in open_source(path).frames()]
    estimator = load_estimator(model)

    def alone() -> None:
        for first, second in itertools.pairwise(frames):
            estimator.estimate(first, second)
        for first, second in itertools.pairwise(frames):
            estimator.estimate(second, first)

    def run(gaps: tuple[int, ...], *, mask: bool) -> None:
        with tempfile.TemporaryDirectory() as folder:
            outputs = VideoOutputs(
                flow_dir=Path(folder) / "flows",
                flow_format="npz",
                pairing=Pairing(gaps),
                consistency=Consistency(mask=mask),
            )
            estimate_video(estimator, open_source(path), outputs)

    def plain() -> None:
        run((1,), mask=False)
        run((-1,), mask=False)

    times: dict[str, list[float]] = {"masked": [], "plain": [], "alone": []}
    for _ in range(rounds):
        times["masked"].append(seconds(lambda: run((1, -1), mask=True)))
        times["plain"].append(seconds(plain))
        times["alone"].append(seconds(alone))
    lines = [f"{path.name}, {len(frames)} frames, {model}: both directions with masks {median(times['masked']):.2f} s"]
    for name, what in (("plain", "two plain runs"), ("alone", "the model alone")):
        ratios = [a / b for a, b in zip(times["masked"], times[name], strict=True)]
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        lines.append(f"  {what} {median(times[name]):.2f} s: {median(ratios):.2f} times as long ({spread})")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("--model", default="dis")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    sys.stdout.write(both_directions(options.video, options.model, options.rounds) + "\n")


if __name__ == "__main__":
    main()
