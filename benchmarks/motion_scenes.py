"""Coarse to fine on many small scenes: where it harms, and where it falls short of the better of windows and frames.

``python -m benchmarks.motion_scenes FOLDER`` cuts random scenes from Middlebury's frames, ``FOLDER/NAME/frame10.png``
(pans, and things that move over still, panned and plain grounds, in part with noise and another exposure), renders
others (layers, zoom, rotation), and takes the real ones, which ``--enlarge 2 3`` enlarges as well, with their motion.
Each is estimated with DIS restricted to windows of three sizes: alone, and coarse to fine; and with DIS on the whole
frame.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import multiprocessing
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from flowcli import FlowEstimator, read_flow
from flowcli.arrays import Flow, Frame
from flowcli.flows.metrics import Scores
from flowcli.frames.images import read_image
from flowcli.models import FlowModel
from flowcli.models.dis import DisFlow
from flowcli.scene import Disc, Motion, render_scene
from flowcli.tiling import Size
from support.windowed import WindowedDis

WINDOWS: tuple[Size, ...] = ((46, 62), (60, 80), (92, 124))
SIZE = (240, 320)

HARM = 1.03
"""The most that the error may be, as a multiple of that of windows alone."""

SHORT = 1.2
"""The same of the better of windows and whole frame, where motion is beyond a quarter of the window."""


@dataclass(frozen=True)
class Sample:
    """A pair of frames with its true flow."""

    name: str
    frame1: Frame
    frame2: Frame
    flow: Flow


@dataclass(frozen=True)
class Case:
    """The end-point errors in pixels of a scene with one size of windows, and the windows that it took."""

    name: str
    window: Size
    longest: float
    alone: float
    ours: float
    whole: float
    cost: float

    @property
    def harm(self) -> float:
        """The error beside that of windows alone."""
        return self.ours / max(self.alone, 1e-3)

    @property
    def shortfall(self) -> float:
        """The error beside the better of windows alone and the whole frame; 0 where motion is small."""
        is_large = self.longest > min(self.window) / 4
        return self.ours / max(min(self.alone, self.whole), 1e-3) if is_large else 0.0


def main() -> None:
    """Measure and print what is beyond a bound, and the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=60, help="random scenes of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--enlarge", type=float, nargs="*", default=[], help="real scenes so much larger, too")
    parser.add_argument("--all", action="store_true", help="print all cases")
    options = parser.parse_args()
    scenes = [*real(options.folder)]
    larger = [enlarged(scene, times) for times in options.enlarge for scene in scenes]
    samples = [*scenes, *larger, *random_samples(options.folder, options.count, options.seed)]
    cases: list[Case] = []
    context = multiprocessing.get_context("spawn")  # OpenCV's threads do not survive a fork
    with concurrent.futures.ProcessPoolExecutor(
        mp_context=context, initializer=cv2.setNumThreads, initargs=(1,)
    ) as pool:
        for found in pool.map(judge, samples):
            cases += found
            for case in found:
                if options.all or case.harm > HARM or case.shortfall > SHORT:
                    say(line(case))
    summarize(cases)


def summarize(cases: list[Case]) -> None:
    """Print how many cases are beyond a bound."""
    large = [case for case in cases if case.shortfall]
    harmed, short = [case for case in cases if case.harm > HARM], [case for case in large if case.shortfall > SHORT]
    say(f"{len(cases)} cases: {len(harmed)} with more than {HARM} times the error of windows alone")
    say(f"{len(large)} with large motion: {len(short)} with more than {SHORT} times the better one's")
    say(f"geometric mean beside the better one: {statistics.geometric_mean(case.shortfall for case in large):.3f}")
    say(f"windows beside those of windows alone: {statistics.fmean(case.cost for case in cases):.2f} times")


def line(case: Case) -> str:
    """A case in one line."""
    marks = ("HARM " if case.harm > HARM else "") + ("SHORT" if case.shortfall > SHORT else "")
    errors = f"alone {case.alone:7.3f}  ours {case.ours:7.3f}  whole {case.whole:7.3f}"
    beside = f"{case.harm:5.2f} {case.shortfall:5.2f}  x{case.cost:.2f} {marks}"
    return f"{case.name:44s} {case.window[0]:3d}  {errors}  {beside}"


def judge(sample: Sample) -> list[Case]:
    """All cases of a scene."""
    whole, _ = scored(sample, DisFlow())
    longest = float(np.nanmax(np.hypot(sample.flow[..., 0], sample.flow[..., 1])))
    cases = []
    for window in WINDOWS:
        model = WindowedDis(window)
        alone, windows = scored(sample, model)
        model = WindowedDis(window)
        ours, more = scored(sample, model, coarse_to_fine=True)
        cases.append(Case(sample.name, window, longest, alone, ours, whole, more / windows))
    return cases


def scored(sample: Sample, model: FlowModel, *, coarse_to_fine: bool = False) -> tuple[float, int]:
    """The mean end-point error in pixels, and the windows that were estimated."""
    flow = FlowEstimator(model, coarse_to_fine=coarse_to_fine).estimate(sample.frame1, sample.frame2)
    scores = Scores()
    scores.add(flow, sample.flow)
    return scores.figures().epe or 0.0, getattr(model, "windows", 1)


def real(folder: Path) -> Iterator[Sample]:
    """The real scenes with their true flow."""
    for place in sorted(folder.iterdir()):
        frames = [read_image(place / f"frame{number}.png") for number in (10, 11)]
        yield Sample(place.name, frames[0], frames[1], read_flow(place / "flow10.flo"))


def enlarged(sample: Sample, times: float) -> Sample:
    """A scene with frames and motion so many times as large."""
    height, width = (round(side * times) for side in sample.flow.shape[:2])
    frame1, frame2 = (
        np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
        for frame in (sample.frame1, sample.frame2)
    )
    flow = cv2.resize(sample.flow, (width, height), interpolation=cv2.INTER_NEAREST) * np.float32(times)
    return Sample(f"{sample.name} x {times:g}", frame1, frame2, np.asarray(flow, np.float32))


def random_samples(folder: Path, count: int, seed: int) -> Iterator[Sample]:
    """Random scenes, so many of each kind."""
    textures = [read_image(place / "frame10.png") for place in sorted(folder.iterdir())]
    for make in (pan, moving_things, over_plain_ground, rendered):
        for number in range(count):
            random = np.random.default_rng([seed, number])
            yield disturbed(make(random, textures, f"{make.__name__} {number}"), random)


Make = Callable[[np.random.Generator, list[Frame], str], Sample]


def pan(random: np.random.Generator, textures: list[Frame], name: str) -> Sample:
    """The camera turns: a part of a picture, and another part of it."""
    motion = vector(random, 8, 90)
    frame1, frame2 = panned(random, textures, motion)
    return Sample(f"{name} by {motion}", frame1, frame2, constant(motion))


def moving_things(random: np.random.Generator, textures: list[Frame], name: str) -> Sample:
    """One to three things over a ground that is still or panned."""
    motion = vector(random, 4, 40) if random.random() < 0.5 else (0, 0)
    frame1, frame2 = panned(random, textures, motion)
    flow = constant(motion)
    named = []
    for _ in range(int(random.integers(1, 4))):
        named.append(put_thing(random, textures, frame1, frame2, flow))
    return Sample(f"{name} {', '.join(named)} over {motion}", frame1, frame2, flow)


def over_plain_ground(random: np.random.Generator, textures: list[Frame], name: str) -> Sample:
    """A thing over a ground without any texture."""
    colour = random.integers(30, 226, 3).astype(np.uint8)
    frame1, frame2 = (np.broadcast_to(colour, (*SIZE, 3)).copy() for _ in range(2))
    flow = constant((0, 0))
    return Sample(f"{name} {put_thing(random, textures, frame1, frame2, flow)}", frame1, frame2, flow)


def rendered(random: np.random.Generator, textures: list[Frame], name: str) -> Sample:  # noqa: ARG001  (a Make)
    """Rendered layers over a ground that zooms or turns."""
    ground = Motion(vector(random, 0, 20), float(random.uniform(-4, 4)), float(random.uniform(0.92, 1.08)))
    discs = [
        Disc(
            (float(random.uniform(0.2, 0.8)), float(random.uniform(0.2, 0.8))),
            float(random.uniform(0.1, 0.35)),
            Motion(vector(random, 4, 50)),
            float(random.random()),
        )
        for _ in range(int(random.integers(0, 4)))
    ]
    scene = render_scene(*SIZE, seed=int(random.integers(1 << 30)), background=ground, discs=discs)
    return Sample(name, scene.frame1, scene.frame2, scene.flow)


def disturbed(sample: Sample, random: np.random.Generator) -> Sample:
    """The scene, in a third of the cases with noise, and in a fifth of them with another exposure."""
    frame1, frame2, name = sample.frame1, sample.frame2, sample.name
    if random.random() < 1 / 3:
        name += " noise"
        noise = random.normal(0, random.uniform(1, 5), (2, *frame1.shape))
        frame1, frame2 = (
            np.clip(frame + each, 0, 255).astype(np.uint8) for frame, each in zip((frame1, frame2), noise, strict=True)
        )
    if random.random() < 1 / 5:
        name += " exposure"
        frame2 = np.clip(frame2 * random.uniform(0.85, 1.15), 0, 255).astype(np.uint8)
    return Sample(name, frame1, frame2, sample.flow)


def vector(random: np.random.Generator, least: float, most: float) -> tuple[int, int]:
    """A motion in any direction, in whole pixels right and down."""
    length, angle = random.uniform(least, most), random.uniform(0, 2 * np.pi)
    return round(length * np.cos(angle)), round(length * np.sin(angle))


def constant(motion: tuple[int, int]) -> Flow:
    """The flow of a pan."""
    return np.broadcast_to(np.array(motion, np.float32), (*SIZE, 2)).copy()


def panned(random: np.random.Generator, textures: list[Frame], motion: tuple[int, int]) -> tuple[Frame, Frame]:
    """Two parts of a picture, the second of which shows what the first does, moved."""
    texture = textures[random.integers(len(textures))]
    u, v = motion
    top = int(random.integers(max(0, v), texture.shape[0] - SIZE[0] + min(0, v) + 1))
    left = int(random.integers(max(0, u), texture.shape[1] - SIZE[1] + min(0, u) + 1))
    first, second = ((top, left), (top - v, left - u))
    frame1, frame2 = (texture[y : y + SIZE[0], x : x + SIZE[1]].copy() for y, x in (first, second))
    return frame1, frame2


def put_thing(random: np.random.Generator, textures: list[Frame], frame1: Frame, frame2: Frame, flow: Flow) -> str:
    """Draw a rectangle or an ellipse of another picture into both frames; returns what it is."""
    height, width = (int(side) for side in random.integers(24, 111, 2))
    texture = textures[random.integers(len(textures))]
    y, x = (int(random.integers(length - side)) for length, side in zip(texture.shape, (height, width), strict=False))
    thing = texture[y : y + height, x : x + width]
    u, v = vector(random, 4, 60)
    top, left = (int(random.integers(length - side)) for length, side in zip(SIZE, (height, width), strict=True))
    rows, columns = np.mgrid[:height, :width]
    is_ellipse = random.random() < 0.5
    inside = np.hypot((rows + 0.5) / height - 0.5, (columns + 0.5) / width - 0.5) < 0.5 if is_ellipse else rows >= 0
    for frame, (down, right) in ((frame1, (top, left)), (frame2, (top + v, left + u))):
        there = (rows + down >= 0) & (rows + down < SIZE[0]) & (columns + right >= 0) & (columns + right < SIZE[1])
        frame[(rows + down)[inside & there], (columns + right)[inside & there]] = thing[inside & there]
    flow[(rows + top)[inside], (columns + left)[inside]] = u, v
    return f"{height}x{width} by {u},{v}"


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
