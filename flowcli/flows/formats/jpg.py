"""The pair of grey JPEGs that action recognition reads, such as ``flow_x_00001.jpg`` and ``flow_y_00001.jpg``.

Each component is mapped linearly from [-bound, bound] to [0, 255], clipped and rounded, as by ``convertFlowToImage`` in
dense_flow (github.com/wanglimin/dense_flow, denseFlow.cpp). The names and the bound of 20 are those of Temporal Segment
Networks (Wang et al., ECCV 2016; ``tools/build_of.py``). Zero flow would be 127.5 and is stored as 128: it reads back
as half a step, ``bound / 255`` pixels. Unknown flow cannot be marked, and is stored like zero flow. The quality is
OpenCV's default, which these tools use as well.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from ...arrays import Flow, both, known
from ...errors import InputError, OutputError
from ...frames.jpeg import LONGEST_SIDE, jpeg_header
from ...frames.opencv import decode_image
from . import FlowFormat, FlowOptions, check_size, check_unpacked

_QUALITY = 95  # OpenCV's default
_LARGEST = 255  # the grey level of +bound
_DEFAULT = FlowOptions().bound
_HEAD = 1 << 16  # bytes; room for the headers of most files


def encode(component: Flow, bound: float = _DEFAULT) -> bytes:
    """Encode one component of a flow, ``(H, W, 1)`` in pixels, as a grey JPEG."""
    height, width = component.shape[:2]
    if max(height, width) > LONGEST_SIDE:
        raise OutputError(f"a JPEG cannot have {width} x {height} pixels; each side is at most {LONGEST_SIDE}")
    levels = (np.nan_to_num(component[..., 0].astype(np.float64), nan=0.0) + bound) * (_LARGEST / (2 * bound))
    done, data = cv2.imencode(
        ".jpg", np.rint(np.clip(levels, 0, _LARGEST)).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    )
    if not done:
        raise ValueError("OpenCV cannot encode a JPEG of this size")
    return data.tobytes()


def decode(data: bytes, name: object, bound: float = _DEFAULT) -> Flow:
    """Decode one component, ``(H, W, 1)`` in pixels; raises ``InputError`` if it is damaged or not a grey JPEG."""
    header = jpeg_header(data, name)
    if not header.is_grey:
        raise InputError(
            f"{name} is a picture, not flow, and colours cannot be converted back to flow; "
            "flow is a pair of grey JPEGs, NAME_x.jpg and NAME_y.jpg"
        )
    if not header.is_whole:
        raise InputError(f"{name} is damaged: it is truncated, or bytes follow the end of the image")
    check_size(header.height, header.width, name)
    check_unpacked(header.height * header.width, len(data), name)
    levels = decode_image(data, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION, name)
    if levels.shape != (header.height, header.width):
        raise InputError(f"{name} is damaged: it does not contain {header.width} x {header.height} pixels")
    flow = levels[..., None].astype(np.float64) * (2 * bound / _LARGEST) - bound
    return flow.astype(np.float32)


def loss(flow: Flow, bound: float = _DEFAULT) -> str | None:
    """Say how much of an ``(H, W, 2)`` flow is clipped, or unknown and stored as zero; ``None`` if nothing is."""
    there = known(flow)
    lines = []
    with np.errstate(invalid="ignore"):
        clipped = there & ~both(np.abs(flow) <= bound)
    if clipped.any():
        share = 100 * clipped.sum() / there.sum()
        lines.append(
            f"{share:.3g} % of the vectors have a component beyond {bound:g} px and are clipped; "
            "a larger bound keeps them"
        )
    if not there.all():
        lines.append("unknown flow is stored as zero: .jpg cannot mark it")
    return "; ".join(lines) or None


def looks_like_flow(path: Path) -> bool:
    """Whether a JPEG is half of a pair: by its name, and grey by its header; also true if it cannot be read."""
    if pair_of(path) is None:
        return False
    try:
        with path.open("rb") as file:
            return jpeg_header(file.read(_HEAD), path).is_grey
    except OSError:
        return True  # reading the file will raise the error
    except InputError:
        return False


_HALF = re.compile(r"(?P<before>.*_)[xy](?P<after>(?:_\d+)?)", re.DOTALL)  # OUT_x, flow_x_00001


def pair_of(path: Path) -> Path | None:
    """The name of the pair that a file is half of, with :data:`flowcli.flows.io.PLACEHOLDER`; ``None`` if of none."""
    match = _HALF.fullmatch(path.stem)
    return None if match is None else path.with_name(f"{match['before']}{{xy}}{match['after']}{path.suffix}")


def configure(options: FlowOptions) -> FlowFormat:
    """The format with the bound of the options."""
    bound = options.bound
    return replace(
        FORMAT,
        encode=partial(encode, bound=bound),
        decode=partial(decode, bound=bound),
        loss=partial(loss, bound=bound),
        range=f"-{bound:g} to {bound:g} px",
    )


FORMAT = FlowFormat(
    "jpg",
    ".jpg",
    encode,
    decode,
    None,
    range=f"-{_DEFAULT:g} to {_DEFAULT:g} px",
    recognizes=looks_like_flow,
    aliases=(".jpeg",),
    loss=loss,
    is_rounded=True,
    components=("x", "y"),
    options=("bound",),
    configure=configure,
)
