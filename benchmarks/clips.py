"""A folder of many short clips: the whole command beside DIS alone on all their frames.

``python -m benchmarks.clips`` makes 200 clips of 20 frames and times both, in turns, each in a process of its own.
"""

from __future__ import annotations

import itertools
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

from flowcli.draw.video_writer import written_video
from flowcli.frames.opening import open_source
from flowcli.models.dis import DisFlow
from support.videos import moving_frames

CLIPS, FRAMES, HEIGHT, WIDTH = 200, 20, 240, 320
ROUNDS = 3


def main() -> None:
    """Measure and print; or, given a folder, time DIS alone over its clips."""
    if len(sys.argv) > 1:
        sys.stdout.write(f"{alone(Path(sys.argv[1]))}\n")
        return
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "in").mkdir()
        frames = moving_frames(FRAMES, HEIGHT, WIDTH)
        with written_video(folder / "in" / "000.mp4", Fraction(25), Fraction(1, 25)) as writer:
            for number, frame in enumerate(frames):
                writer.write(frame, Fraction(number, 25))
        for number in range(1, CLIPS):
            shutil.copyfile(folder / "in" / "000.mp4", folder / "in" / f"{number:03d}.mp4")
        ratios = []
        for _ in range(ROUNDS):
            command = [sys.executable, "-m", "benchmarks.clips", str(folder / "in")]
            model = float(subprocess.run(command, check=True, capture_output=True).stdout)
            whole = batch(folder)
            ratios.append(whole / model)
            sys.stdout.write(f"dis alone {model:.1f} s, batch {whole:.1f} s: {whole / model:.2f}\n")
        sys.stdout.write(f"median: {statistics.median(ratios):.2f}\n")


def alone(folder: Path) -> float:
    """Seconds that DIS takes over the frames of all clips, which are decoded before."""
    model, seconds = DisFlow(), 0.0
    for clip in sorted(folder.iterdir()):
        frames = [frame.image[None] for frame in open_source(clip).frames()]
        started = time.monotonic()
        for first, second in itertools.pairwise(frames):
            model(first, second)
        seconds += time.monotonic() - started
    return seconds


def batch(folder: Path) -> float:
    """Seconds of the whole command, start-up included."""
    shutil.rmtree(folder / "out", ignore_errors=True)
    program = str(Path(sys.executable).with_name("flowcli"))
    started = time.monotonic()
    subprocess.run([program, "batch", "in", "--out-dir", "out", "-m", "dis", "-q"], cwd=folder, check=True)
    return time.monotonic() - started


if __name__ == "__main__":
    main()
