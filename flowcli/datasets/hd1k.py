"""HD1K: streets in high resolution, with true flow that was measured."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from ..choices import SplitName
from .shared.dataset import Dataset, Sample, Submission, Subset
from .shared.finding import files, need, number_of, numbered
from .shared.kitti import FIRST, SECOND


def find(root: Path, split: SplitName | None) -> list[Sample]:
    """Find the samples; see :attr:`flowcli.datasets.shared.dataset.Dataset.find`."""
    return _test(root) if split == "test" else _train(root)


def _train(root: Path) -> list[Sample]:
    frames = need(root / "hd1k_input" / "image_2")
    truths = files(root / "hd1k_flow_gt" / "flow_occ", "*_[0-9]*.png")
    samples = []
    for scene, sequence in groupby(truths, key=_scene):
        of_scene = list(sequence)
        for truth in of_scene:
            frame = frames / truth.name
            following = numbered(frame, number_of(frame) + 1)
            if truth is of_scene[-1] and not following.is_file():
                continue  # the frame after the last one is not published
            samples.append(
                Sample(
                    f"hd1k_flow_gt/flow_occ/{truth.stem}",
                    frame,
                    following,
                    (Subset("all", truth, is_main=True),),
                    scene=scene,
                )
            )
    return samples


def _test(root: Path) -> list[Sample]:
    return [
        Sample(
            f"hd1k_challenge/{frame.stem}",
            frame,
            frame.with_name(frame.name.removesuffix(FIRST) + SECOND),
            scene=_scene(frame),
            submitted=f"flow/{frame.name}",
        )
        for frame in files(root / "hd1k_challenge" / "image_2", f"*{FIRST}")
    ]


def _scene(path: Path) -> str:
    return path.stem.rpartition("_")[0]


DATASET = Dataset(
    "hd1k",
    "HD1K (Kondermann et al., The HCI Benchmark Suite, CVPR Workshops 2016)",
    "http://hci-benchmark.iwr.uni-heidelberg.de",
    (
        "hd1k_input/image_2/000000_0000.png ...",
        "hd1k_flow_gt/flow_occ/000000_0000.png ... (KITTI's format)",
        "test: hd1k_challenge/image_2/000000_10.png, 000000_11.png ...",
    ),
    ("train", "test"),
    "No program of the authors was found: flowcli prints its general figures over the pixels with true flow. The "
    "submission is that of the Robust Vision Challenge's development kit: KITTI's.",
    find,
    submission=Submission(
        "kitti", "upload {target} at http://hci-benchmark.iwr.uni-heidelberg.de", archive="hd1k-flow.zip"
    ),
)
