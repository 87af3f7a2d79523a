"""KITTI's 16-bit PNG (Menze and Geiger, "Object Scene Flow for Autonomous Vehicles", CVPR 2015, and its devkit).

Three channels: ``u * 64 + 2**15`` and ``v * 64 + 2**15``, both truncated to integers, and 1 where the flow is valid.
The range is -512 to 511.98 pixels in steps of 1/64.
"""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np

from ...arrays import Flow, Mask, both, known
from ...errors import InputError
from ...frames.opencv import decode_image
from ...frames.png import SIGNATURE, critical_chunks
from . import FlowFormat, check_size, check_unpacked

_UNIT = 64  # steps per pixel
_ZERO = 1 << 15  # the value of zero flow


def encode(flow: Flow) -> bytes:
    """Encode a flow as a KITTI file; vectors that are unknown or out of range are marked invalid."""
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
    """Which vectors the format can store: ``(H, W)`` bool."""
    with np.errstate(invalid="ignore", over="ignore"):
        steps = flow * np.float32(_UNIT) + np.float32(_ZERO)
        return both((steps >= 0) & (steps < 1 << 16))


def clipped(flow: Flow) -> tuple[Flow, int]:
    """Bring known vectors into the range of the format, component by component; returns how many were outside of it."""
    outside = known(flow) & ~in_range(flow)
    largest = np.float32((1 << 16) - 1 - _ZERO) / np.float32(_UNIT)
    return np.where(outside[..., None], np.clip(flow, -_ZERO / _UNIT, largest), flow), int(outside.sum())


def decode(data: bytes, name: object) -> Flow:
    """Decode a KITTI file; NaN where it marks flow as invalid. Raises ``InputError`` if it is damaged."""
    _check_header(data, name)
    values = decode_image(critical_chunks(data, name), cv2.IMREAD_UNCHANGED, name)
    if values.ndim != 3 or values.shape[2] != 3 or values.dtype != np.uint16:
        raise InputError(f"{name} is damaged: it does not contain three channels of 16 bits")
    flow = (values[..., :0:-1].astype(np.float32) - np.float32(_ZERO)) / np.float32(_UNIT)
    flow[values[..., 0] == 0] = np.nan
    return np.ascontiguousarray(flow)


def looks_like_kitti(path: Path) -> bool:
    """Whether the header of a ``.png`` says three channels of 16 bits; also true if it cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(26)
    except OSError:
        return True  # reading the file will raise the error
    return head.startswith(SIGNATURE) and head[24:26] == b"\x10\x02"


def _check_header(data: bytes, name: object) -> None:
    if len(data) < 33 or not data.startswith(SIGNATURE) or data[12:16] != b"IHDR":
        raise InputError(f"{name} is damaged, or not a PNG file")
    width, height, depth, color = struct.unpack_from(">IIBB", data, 16)
    if (depth, color) != (16, 2):
        raise InputError(
            f"{name} is a picture, not flow, and colours cannot be converted back to flow; "
            "give a KITTI file, with three channels of 16 bits"
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
    is_rounded=True,
)
