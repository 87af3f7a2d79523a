"""What both directions with masks cost beyond the flows themselves.

``python -m benchmarks.sequences VIDEO`` compares ``video --gap 1,-1 --mask`` with two plain runs of the model alone
over the same frames, one in each direction; several rounds, side by side in one process.
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
from flowcli.run.video import VideoOutputs, estimate_video

from .throughput import seconds


def both_directions(path: Path, model: str, rounds: int) -> str:
    """All of the command except its start-up and reading the video, compared with the model alone."""
    frames = [frame.image for frame in open_source(path).frames()]
    estimator = load_estimator(model)

    def plain() -> None:
        for first, second in itertools.pairwise(frames):
            estimator.estimate(first, second)
        for first, second in itertools.pairwise(frames):
            estimator.estimate(second, first)

    def masked() -> None:
        with tempfile.TemporaryDirectory() as folder:
            options = {"pairing": Pairing((1, -1)), "consistency": Consistency(mask=True)}
            outputs = VideoOutputs(flow_dir=Path(folder) / "flows", flow_format="npz", **options)  # type: ignore[arg-type]
            estimate_video(estimator, open_source(path), outputs)

    whole, alone = [], []
    for _ in range(rounds):
        whole.append(seconds(masked))
        alone.append(seconds(plain))
    ratios = [a / b for a, b in zip(whole, alone, strict=True)]
    return (
        f"{path.name}, {len(frames)} frames, {model}: both directions alone {median(alone):.2f} s, with masks, "
        f"reading and writing {median(whole):.2f} s, "
        f"{median(ratios):.2f} times as long ({min(ratios):.2f} to {max(ratios):.2f})"
    )


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
