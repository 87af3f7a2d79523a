"""What a Ray cluster costs and gains: ``python -m benchmarks.cluster``.

Figures of this machine: what one worker costs over a plain run of 400 pairs; two workers over one on one thread each,
with outputs in files and, where Linux has it, in memory, since both workers flush each output to the one disk; what two
processes gain that do nothing but DIS, since two cores that share their caches, or that others use as well, are less
than twice one; and for workers that do nothing, how many outcomes a second the driver takes and how much memory it
needs. The first ones are ratios of runs that follow each other, in turns; their medians count. Each run is a process of
its own.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import itertools
import json
import multiprocessing
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2

from flowcli.cluster.options import ClusterOptions
from flowcli.frames.images import read_image, write_image
from flowcli.models.dis import DisFlow
from flowcli.run.batch import estimate_batch
from flowcli.run.batch_outputs import BatchOutputs
from flowcli.run.cluster_engine import ClusterEngine
from flowcli.run.cluster_worker import PairReply, Reply
from support.videos import moving_frames

from .window import peak_memory

PAIRS, HEIGHT, WIDTH = 400, 240, 320
ITEMS = 100_000
MEMORY = Path("/dev/shm")
READY = 5.0  # seconds after which all processes have started


def main() -> None:
    """Measure and print, or be the driver of workers that do nothing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--drive", type=Path)
    options = parser.parse_args()
    if options.drive is not None:
        drive(options.drive, options.items)
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), options.rounds, options.items)


def measure(folder: Path, rounds: int, items: int) -> None:
    """Print the figures."""
    for index, frame in enumerate(moving_frames(PAIRS + 1, HEIGHT, WIDTH)):
        write_image(folder / "in" / f"{index:04d}.png", frame)
    places = {"files": folder}
    if MEMORY.is_dir():
        places["memory"] = Path(tempfile.mkdtemp(dir=MEMORY))
    try:
        compare(folder, places, rounds)
    finally:
        if "memory" in places:
            shutil.rmtree(places["memory"])
    manifest = folder / "many.csv"
    with manifest.open("w") as file:
        file.write("frame1,frame2,out\n")
        file.writelines(f"frames/{n}.png,frames/{n + 1}.png,{n // 1000}/{n}.flo\n" for n in range(items))
    command = [sys.executable, "-m", "benchmarks.cluster", "--drive", str(manifest), "--items", str(items)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    sys.stdout.write(done.stdout)


def compare(folder: Path, places: dict[str, Path], rounds: int) -> None:
    """Print what workers cost and gain with outputs in each of some folders."""
    one = ("--ray", "local", "--workers", "1")
    kinds: dict[str, tuple[Path, tuple[str, ...]]] = {"plain": (folder, ()), "one": (folder, one)}
    for place, out in places.items():
        kinds[f"one thread, {place}"] = (out, (*one, "--cpus-per-worker", "1"))
        kinds[f"two of them, {place}"] = (out, ("--ray", "local", "--workers", "2", "--cpus-per-worker", "1"))
    runs: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
    bare: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds):
        for kind, (out, given) in kinds.items():
            runs[kind].append(run(folder, out / "out", given))
            shutil.rmtree(out / "out")
        for processes, found in bare.items():
            found.append(seconds_of_dis(sorted((folder / "in").iterdir()), processes))
    seconds = {kind: statistics.median(inside for inside, _ in found) for kind, found in runs.items()}
    outside = {kind: statistics.median(whole - inside for inside, whole in found) for kind, found in runs.items()}
    say(f"{PAIRS} pairs of {WIDTH} x {HEIGHT} with dis, medians of {rounds}:")
    for kind in kinds:
        say(f"  {kind:<20} {seconds[kind]:6.2f} s, and {outside[kind]:.1f} s to start and end")
    say(f"one worker over a plain run: {seconds['one'] / seconds['plain']:.2f}")
    for place in places:
        gain = seconds[f"one thread, {place}"] / seconds[f"two of them, {place}"]
        say(f"two workers over one, a thread each, outputs in {place}: {gain:.2f} times")
    gain = statistics.median(bare[1]) / statistics.median(bare[2])
    say(f"two processes over one, a thread each, with nothing but DIS: {gain:.2f} times")


def run(folder: Path, out: Path, options: Sequence[str]) -> tuple[float, float]:
    """Seconds of a run over all pairs: as it says itself, and of the whole process."""
    program = str(Path(sys.executable).with_name("flowcli"))
    started = time.monotonic()
    done = subprocess.run(
        [program, "batch", "in", "--out-dir", str(out), "-m", "dis", "--json", "-q", *options],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    whole = time.monotonic() - started
    return json.loads(done.stdout.splitlines()[-1])["seconds"], whole


def seconds_of_dis(frames: Sequence[Path], processes: int) -> float:
    """Seconds that the slowest of some processes needs for its share of the flows of all pairs, on one thread each."""
    share = (len(frames) - 1) // processes
    context = multiprocessing.get_context("spawn")  # OpenCV's threads do not survive a fork
    parts = [frames[n * share : (n + 1) * share + 1] for n in range(processes)]
    with concurrent.futures.ProcessPoolExecutor(processes, context, cv2.setNumThreads, (1,)) as pool:
        return max(pool.map(only_dis, parts, [time.monotonic() + READY] * processes))


def only_dis(paths: Sequence[Path], start: float) -> float:
    """Estimate the flows between frames that follow each other, from a moment on, and say how long it took."""
    model = DisFlow()
    frames = [read_image(path) for path in paths]
    time.sleep(max(0.0, start - time.monotonic()))
    started = time.monotonic()
    for frame1, frame2 in itertools.pairwise(frames):
        model(frame1[None], frame2[None])
    return time.monotonic() - started


class Idle:
    """Does nothing. A :class:`flowcli.cluster.options.Runner`."""

    def __init__(self, threads: int) -> None:
        self._threads = threads

    def about(self) -> dict[str, Any]:
        """What a real one would say."""
        use = {"model": "idle", "revision": None, "device": "cpu", "precision": "fp32", "batch_size": 1}
        return {"settings": {"model": "idle"}, "use": {**use, "overlap": 20, "grid": "even", "scale": 1.0}}

    def run(self, items: list[Any]) -> list[Reply]:
        """Say that all is there already."""
        return [Reply(PairReply("skipped"))] * len(items)


class IdleEngine(ClusterEngine):
    """A cluster whose workers do nothing."""

    def start(self, inputs: Sequence[Path], folder: Path) -> None:  # noqa: ARG002  (of the class above)
        """Make the first workers."""
        self._about = self._cluster.start(Idle)


def drive(manifest: Path, items: int) -> None:
    """Have a manifest done by workers that do nothing, and print the figures of this process."""
    with (
        tempfile.TemporaryDirectory() as out,
        IdleEngine(ClusterOptions("local", workers=2), {"model": "dis"}, max_pixels=1 << 30) as engine,
    ):
        started = time.monotonic()
        summary = estimate_batch(engine, manifest, BatchOutputs(Path(out)))
        whole = time.monotonic() - started
    assert summary.skipped == items
    peak = peak_memory() / 1024**2
    say(f"{items} items of a manifest, workers that do nothing:")
    say(f"  {items / summary.seconds:.0f} outcomes a second once it runs; {whole - summary.seconds:.1f} s before that")
    say(f"  {peak:.0f} MiB at most in the driver")


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
