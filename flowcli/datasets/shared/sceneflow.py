"""The folders of FlyingThings3D, Monkaa and Driving, which are one publication."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path

from ...errors import InputError
from .dataset import Sample, Subset
from .finding import files, first_of, need, number_of

PASSES = ("clean", "final")
SIDES = ("left", "right")
DIRECTIONS = ("into_future", "into_past")

SUBSETS = (PASSES, SIDES, DIRECTIONS)
"""The labels of their samples."""

URL = "https://lmb.informatik.uni-freiburg.de/resources/datasets/SceneFlowDatasets.en.html"

RULES = (
    "No figures of their own: flowcli prints its general figures. Flow into a frame that is not published, which the "
    "first and the last frame of a scene have, is left out."
)

_STEPS = {"into_future": 1, "into_past": -1}
_NAME = re.compile(r"OpticalFlowInto(?:Future|Past)_(\d+)_[LR]$")


def find_scene_flow(root: Path, below: str = "**") -> Iterator[Sample]:
    """Find samples.

    Args:
        root: the folder that has ``optical_flow`` and ``frames_cleanpass``, ``frames_finalpass`` or both.
        below: a pattern for the folders between ``optical_flow`` and ``into_future``.

    Returns:
        The samples of each rendering, in natural order.

    Raises:
        InputError: a folder is missing or empty, or a name has no number.
    """
    truths = files(need(root / "optical_flow"), f"{below}/into_*/*/OpticalFlowInto*.pfm")
    first_of(*(place for rendering in PASSES for place in _frames(root, rendering)))
    for rendering in PASSES:
        base = next((place for place in _frames(root, rendering) if place.is_dir()), None)
        if base is None:
            continue
        last_of = functools.cache(_range)  # asked for every flow
        for truth in truths:
            relative = truth.relative_to(root / "optical_flow")
            direction, side = relative.parts[-3:-1]
            scene = relative.parents[2]
            number = _number(truth)
            folder = base / scene / side
            first, last, suffix = last_of(folder)
            other = number + _STEPS[direction]
            if not first <= other <= last:
                continue
            yield Sample(
                f"{rendering}/optical_flow/{relative.with_suffix('').as_posix()}",
                folder / f"{number:04d}{suffix}",
                folder / f"{other:04d}{suffix}",
                (Subset(rendering, truth, is_main=True),),
                scene=scene.as_posix(),
                labels=frozenset({rendering, side, direction}),
            )


def _frames(root: Path, rendering: str) -> tuple[Path, Path]:
    """Where the frames of a rendering may be."""
    return root / f"frames_{rendering}pass", root / f"frames_{rendering}pass_webp"


def _range(folder: Path) -> tuple[int, int, str]:
    """The first and the last number of the frames in a folder, and their suffix."""
    frames = files(folder, "[0-9]*")
    numbers = [number_of(frame) for frame in frames]
    return min(numbers), max(numbers), frames[0].suffix


def _number(truth: Path) -> int:
    found = _NAME.search(truth.stem)
    if found is None:
        raise InputError(f"the name of {truth} has no number of a frame; restore the published name")
    return int(found[1])
