"""KITTI's 16-bit PNG (Menze and Geiger, "Object Scene Flow for Autonomous Vehicles", CVPR 2015, and its devkit).

Three channels: ``u * 64 + 2**15``, ``v * 64 + 2**15``, both cut off to whole numbers, and 1 where the flow is valid.
It holds -512 to 511.98 pixels in steps of 1/64.
"""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np

from ...arrays import Flow, Mask
from ...errors import InputError
from ...frames.images import decode_image
from ...frames.png import SIGNATURE, critical_chunks
from . import FlowFormat, check_size, check_unpacked

_UNIT = 64  # steps per pixel
_ZERO = 1 << 15  # what no motion is written as


def encode(flow: Flow) -> bytes:
    """The bytes of a KITTI file; flow that is unknown or out of range is marked invalid."""
    valid = in_range(flow)
    values = np.zeros((*flow.shape[:2], 3), np.uint16)  # valid, v, u: OpenCV's order
    steps = np.where(valid[..., None], flow, np.float32(0)) * np.float32(_UNIT) + np.float32(_ZERO)
    values[..., :0:-1] = steps.astype(np.uint16)
    values[..., 0] = valid
    done, data = cv2.imencode(".png", values)
    if not done:
        raise ValueError("OpenCV cannot encode a 16-bit PNG")
    return data.tobytes()


def in_range(flow: Flow) -> Mask:
    """Which vectors the format can hold."""
    with np.errstate(invalid="ignore", over="ignore"):
        steps = flow * np.float32(_UNIT) + np.float32(_ZERO)
        return np.asarray(((steps >= 0) & (steps < 1 << 16)).all(axis=-1))


def decode(data: bytes, name: object) -> Flow:
    """The flow in a KITTI file; NaN where it says invalid."""
    _check_header(data, name)
    values = decode_image(critical_chunks(data, name), cv2.IMREAD_UNCHANGED, name)
    if values.ndim != 3 or values.shape[2] != 3 or values.dtype != np.uint16:
        raise InputError(f"{name} is damaged: it does not decode to three channels of 16 bits")
    flow = (values[..., :0:-1].astype(np.float32) - np.float32(_ZERO)) / np.float32(_UNIT)
    flow[values[..., 0] == 0] = np.nan
    return np.ascontiguousarray(flow)


def looks_like_kitti(path: Path) -> bool:
    """Whether a ``.png`` has KITTI's three channels of 16 bits, by its header alone."""
    try:
        with path.open("rb") as file:
            head = file.read(26)
    except OSError:
        return True  # it is said when the file is read
    return head.startswith(SIGNATURE) and head[24:26] == b"\x10\x02"


def _check_header(data: bytes, name: object) -> None:
    if len(data) < 33 or not data.startswith(SIGNATURE) or data[12:16] != b"IHDR":
        raise InputError(f"{name} is not a PNG file, or damaged")
    width, height, depth, color = struct.unpack_from(">IIBB", data, 16)
    if (depth, color) != (16, 2):
        raise InputError(
            f"{name} is a picture, not flow: KITTI's PNG files have three channels of 16 bits; "
            "colours cannot be turned back into flow"
        )
    check_size(height, width, name)
    check_unpacked(height * width * 6, len(data), name)


FORMAT = FlowFormat(
    "kitti",
    ".png",
    encode,
    decode,
    None,
    holds=in_range,
    range="-512 to 511.98 px",
    recognizes=looks_like_kitti,
)
