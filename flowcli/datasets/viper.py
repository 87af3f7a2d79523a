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
    for name, following in _evaluated(root):
        scene = name.partition("_")[0]
        frame = base / scene / f"{name}{frames_of(base / scene)[0]}"
        second = numbered(frame, number_of(frame) + 1) if following is None else frame.with_stem(following)
        samples.append(Sample(f"test/flow/{scene}/{name}", frame, second, scene=scene, submitted=f"{name}.flo"))
    return samples


def _evaluated(root: Path) -> list[tuple[str, str | None]]:
    """The frames of the pairs that the server evaluates, from the authors' list; ``None`` for the frame that follows.

    A line has the first frame, and may have the second one and the name of the result.
    """
    places = (root / _LIST, root.parent / _LIST)
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise InputError(
            f"{places[0]} is missing: the authors' list of the pairs that the server evaluates; "
            "get it from https://github.com/srrichter/viper and put it there"
        )
    lines = path.read_bytes().decode("utf-8", "replace").splitlines()
    rows = [[Path(field).stem for field in line.replace(",", " ").split()] for line in lines if line.strip()]
    return [(row[0], row[1] if len(row) > 1 else None) for row in rows]


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
        "in the folder of the authors' toolkit: python prepare_submission.py flow {target}; then upload its "
        "flow_submission.bin at https://playing-for-benchmarks.org",
    ),
)
