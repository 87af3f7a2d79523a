"""TartanAir: flights through rendered worlds, version 1 and version 2."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ..arrays import Flow, check_same_size
from ..choices import SplitName
from ..errors import InputError
from ..flows.formats import FlowOptions, npy
from ..flows.io import read_flow
from ..frames.opencv import decode_image
from ..storage import why
from .shared.dataset import Dataset, Sample, Subset
from .shared.finding import MissingError, anywhere

_FLOW, _MASK = "_flow.npy", "_mask.npy"
_FLOW_2, _FOLDER_2 = "_flow.png", "flow_lcam_front"
_LEVELS = ("easy", "hard")


def find(root: Path, split: SplitName | None) -> list[Sample]:  # noqa: ARG001  (there is one split)
    """Find the samples; see :attr:`flowcli.datasets.shared.dataset.Dataset.find`."""
    first = anywhere(root, f"**/flow/*{_FLOW}")
    second = anywhere(root, f"**/{_FOLDER_2}/*{_FLOW_2}")
    if not first and not second:
        raise MissingError(root / "ENVIRONMENT/Easy/P000/flow")
    return [*(_version_1(root, truth) for truth in first), *(_version_2(root, truth) for truth in second)]


def _version_1(root: Path, truth: Path) -> Sample:
    numbers = truth.name.removesuffix(_FLOW).split("_")
    frames = [truth.parent.parent / "image_left" / f"{number}_left.png" for number in numbers[:2]]
    mask = truth.with_name(truth.name.removesuffix(_FLOW) + _MASK)
    return _sample(root, truth, frames, {"mask": mask}, is_second=False)


def _version_2(root: Path, truth: Path) -> Sample:
    numbers = truth.name.removesuffix(_FLOW_2).split("_")
    frames = [truth.parent.parent / "image_lcam_front" / f"{number}_lcam_front.png" for number in numbers[:2]]
    return _sample(root, truth, frames, {}, is_second=True)


def _sample(root: Path, truth: Path, frames: list[Path], maps: dict[str, Path], *, is_second: bool) -> Sample:
    relative = truth.relative_to(root)
    if len(frames) != 2:
        raise InputError(f"the name of {truth} has not the numbers of two frames; restore the published name")
    scene = relative.parents[1].as_posix()
    return Sample(
        relative.with_suffix("").as_posix(),
        frames[0],
        frames[1],
        (Subset("all", truth, is_main=True),),
        scene=scene,
        labels=frozenset(level for level in _LEVELS if level in scene.lower()),
        maps=maps,
        read_truth=read_png if is_second else read_masked,
    )


def read_masked(path: Path, options: FlowOptions) -> Flow:
    """Read the flow of version 1 and the mask beside it: unknown where the mask is not 0.

    Returns:
        ``(H, W, 2)`` float32 in pixels.

    Raises:
        InputError: a file is unreadable or damaged, or they differ in size.
    """
    flow = read_flow(path, options)
    mask_file = path.with_name(path.name.removesuffix(_FLOW) + _MASK)
    mask = npy.decode_mask(_bytes(mask_file), mask_file)
    check_same_size(path, flow.shape, mask_file, mask.shape)
    flow[mask] = np.nan
    return flow


def read_png(path: Path, options: FlowOptions) -> Flow:  # noqa: ARG001  (as for other readers)
    """Read the 16-bit PNG of version 2: OpenCV's channels are ``u * 64 + 2**15``, ``v * 64 + 2**15`` and the mask.

    Returns:
        ``(H, W, 2)`` float32 in pixels; NaN where the mask is not 0.

    Raises:
        InputError: the file is unreadable or damaged.
    """
    values = decode_image(_bytes(path), cv2.IMREAD_UNCHANGED, path)
    if values.ndim != 3 or values.shape[2] != 3 or values.dtype != np.uint16:
        raise InputError(f"{path} is damaged: it does not contain three channels of 16 bits")
    flow = (values[..., :2].astype(np.float32) - np.float32(1 << 15)) / np.float32(64)
    flow[values[..., 2] != 0] = np.nan
    return flow


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {why(error)}") from error


DATASET = Dataset(
    "tartanair",
    "TartanAir (Wang et al., TartanAir: A Dataset to Push the Limits of Visual SLAM, IROS 2020)",
    "https://tartanair.org",
    (
        "ENVIRONMENT/Easy/P000/image_left/000000_left.png ... (and Hard)",
        "ENVIRONMENT/Easy/P000/flow/000000_000001_flow.npy, 000000_000001_mask.npy ...",
        "version 2: ENVIRONMENT/Data_easy/P000/image_lcam_front/000000_lcam_front.png ...",
        "version 2: ENVIRONMENT/Data_easy/P000/flow_lcam_front/000000_000001_flow.png ...",
    ),
    ("train",),
    "No figures of their own: flowcli prints its general figures. Pixels that the authors mask (moving things, "
    "occlusions, flow out of the view or out of the format's range) are left out.",
    find,
    subsets=(_LEVELS,),
)
