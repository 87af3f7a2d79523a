"""VIPER: drives through a game's city."""

from __future__ import annotations

import functools
from pathlib import Path

from ..choices import SplitName
from ..errors import InputError
from .shared.dataset import Dataset, Sample, Submission, Subset
from .shared.finding import MissingError, files, need, number_of, numbered

_LIST = "flow_frames.txt"


def find(root: Path, split: SplitName | None) -> list[Sample]:
    """Find the samples; see :attr:`flowcli.datasets.shared.dataset.Dataset.find`."""
    if split == "test":
        return _test(root)
    splits = [name for name in ("train", "val") if split == name or (split is None and (root / name).is_dir())]
    if not splits:
        raise MissingError(root / "train")
    return [sample for name in splits for sample in _train(root / name)]


def _train(base: Path) -> list[Sample]:
    frames_of = functools.cache(_frames)
    samples = []
    for truth in files(need(base / "flow"), "*/*_[0-9]*.npz"):
        suffix, last = frames_of(base / "img" / truth.parent.name)
        frame = base / "img" / truth.parent.name / f"{truth.stem}{suffix}"
        if number_of(frame) < last:
            samples.append(
                Sample(
                    f"{base.name}/flow/{truth.parent.name}/{truth.stem}",
                    frame,
                    numbered(frame, number_of(frame) + 1),
                    (Subset("all", truth, is_main=True),),
                    scene=truth.parent.name,
                    figures="viper",
                )
            )
    return samples


def _frames(folder: Path) -> tuple[str, int]:
    """The suffix of the frames in a folder, and the last one's number."""
    frames = files(folder, "*_[0-9]*")
    return frames[0].suffix, max(map(number_of, frames))


def _test(root: Path) -> list[Sample]:
    base = need(root / "test" / "img")
    frames_of = functools.cache(_frames)
    samples = []
    for name in _evaluated(root):
        scene = name.partition("_")[0]
        frame = base / scene / f"{name}{frames_of(base / scene)[0]}"
        number = number_of(frame) + 1
        samples.append(
            Sample(f"test/flow/{scene}/{name}", frame, numbered(frame, number), scene=scene, submitted=f"{name}.flo")
        )
    return samples


def _evaluated(root: Path) -> list[str]:
    """The names of the first frames of the pairs that the server evaluates, from the authors' list."""
    places = (root / _LIST, root.parent / _LIST)
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise InputError(
            f"{places[0]} is missing: the authors' list of the pairs that the server evaluates; "
            "get it from https://github.com/srrichter/viper and put it there"
        )
    lines = path.read_bytes().decode("utf-8", "replace").splitlines()
    return [line.replace(",", " ").split()[0].partition(".")[0] for line in lines if line.strip()]


DATASET = Dataset(
    "viper",
    "VIPER (Richter, Hayder and Koltun, Playing for Benchmarks, ICCV 2017)",
    "https://playing-for-benchmarks.org",
    (
        "train/img/001/001_00001.png ... (or .jpg), and val",
        "train/flow/001/001_00001.npz ... (arrays u and v), and val",
        f"test: test/img/001/001_00001.png ..., and {_LIST} of the authors' toolkit there or beside it",
    ),
    ("train", "val", "test"),
    "WAUC: the share of pixels with an error of at most i/20 px, i = 1 to 100, weighted by 1 - (i-1)/100. The "
    "authors' own program is not published; the formula is the one that Spring's program names after them.",
    find,
    figures=("viper",),
    submission=Submission(
        "flo",
        "run the authors' toolkit: python prepare_submission.py flow {target}; then upload its submission.bin at "
        "https://playing-for-benchmarks.org",
    ),
)
