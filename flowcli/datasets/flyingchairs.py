"""FlyingChairs: rendered chairs before photographs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..choices import SplitName
from ..errors import InputError
from .shared.dataset import Dataset, Sample, Subset
from .shared.finding import files

_LIST = "FlyingChairs_train_val.txt"
_FLOW = "_flow.flo"
_KINDS: dict[SplitName, str] = {"train": "1", "val": "2"}


def find(root: Path, split: SplitName | None) -> list[Sample]:
    """Find the samples; see :attr:`flowcli.datasets.shared.dataset.Dataset.find`."""
    folder = root if not (root / "data").is_dir() and any(root.glob(f"*{_FLOW}")) else root / "data"
    truths = files(folder, f"[0-9]*{_FLOW}")
    if split is not None:
        kinds, path = _read_list(root)
        truths = [truth for truth in truths if _kind(kinds, truth, path) == _KINDS[split]]
    return [_pair(truth) for truth in truths]


def _pair(truth: Path) -> Sample:
    number = truth.name.removesuffix(_FLOW)
    frame1, frame2 = (truth.with_name(f"{number}_img{index}.ppm") for index in (1, 2))
    return Sample(f"data/{truth.stem}", frame1, frame2, (Subset("all", truth, is_main=True),), scene=number)


def _read_list(root: Path) -> tuple[Sequence[str], Path]:
    """The lines of the authors' list: the n-th says whether pair n, counted from 1, is for training or validation."""
    places = (root / _LIST, root.parent / _LIST)
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise InputError(
            f"{places[0]} is missing: the authors' list of pairs for training and validation; "
            "get it from https://lmb.informatik.uni-freiburg.de/data/FlyingChairs/ and put it there, or leave out "
            "`split` for all pairs"
        )
    return path.read_bytes().decode("ascii", "replace").split(), path


def _kind(kinds: Sequence[str], truth: Path, path: Path) -> str:
    number = int(truth.name.removesuffix(_FLOW))
    if not 1 <= number <= len(kinds):
        raise InputError(f"{path} has {len(kinds)} lines, none for {truth}; get the complete list")
    return kinds[number - 1]


DATASET = Dataset(
    "flyingchairs",
    "FlyingChairs (Dosovitskiy et al., FlowNet, ICCV 2015)",
    "https://lmb.informatik.uni-freiburg.de/resources/datasets/FlyingChairs.en.html",
    (
        "data/00001_img1.ppm, data/00001_img2.ppm, data/00001_flow.flo ...",
        f"{_LIST} there or beside it, for --split: line n is 1 (train) or 2 (val) for pair n",
    ),
    ("train", "val"),
    "End-point error over all pixels; the authors' validation list has 640 pairs.",
    find,
    pairs={"train": 22232, "val": 640},
)
