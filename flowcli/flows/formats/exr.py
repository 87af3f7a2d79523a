"""OpenEXR as compositing programs read motion: ``forward.u`` and ``forward.v`` in pixels, v positive upwards.

``forward`` and ``backward`` are Nuke's layers for motion to the next and to the previous frame (Foundry's guides,
"VectorGenerator" and "VectorBlur"). Compositing programs count rows from the bottom, so v points up. Files are written
as 32-bit floats with ZIP compression; NaN marks unknown flow. An attribute of the file says where v points, and is
believed.

Blender's ``Vector`` pass has four channels. Cycles (``kernel/geom/primitive.h``, ``primitive_motion_vector``) fills
them with ``motion_pre - center`` and ``center - motion_post``, as (X, Y) and (Z, W): (X, Y) leads to where the point
was in the previous frame, and (Z, W) is MINUS the motion to the next frame. Both are in raster space, which begins at
the bottom of the view (``Camera::update``: screen to NDC translates by ``-viewplane.bottom``), so Y and W point up.
Hence u = -Z, and v, downwards, = W. BlenderProc (``FlowRendererUtility``) and Kubric (``get_render_layers_from_exr``)
convert the motion to the next frame in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ...arrays import Flow
from ...choices import VerticalAxis
from ...errors import InputError
from ...frames.exr import check_library, encode_channels, listed, read_channels
from ...frames.exr_header import Part, read_header
from ...frames.levels import Values
from ...limits import LARGEST_RATIO
from . import FlowFormat, FlowOptions
from .npy import as_flow

_FORWARD, _BACKWARD = ("forward.u", "forward.v"), ("backward.u", "backward.v")
_PLAIN = (_FORWARD, ("u", "v"), ("R", "G"))  # names of u and v, the best first
_AXIS = "flowcliVerticalAxis"  # our attribute: where v points
# Blender calls the channels X, Y, Z and W; its compositor, which knows only colours, calls them R, G, B and A.
_VECTOR = re.compile(r"(?P<layer>(?:.*\.)?Vector)\.(?P<last>[ZB])")
_VECTOR_PART = re.compile(r"(?:.*\.)?Vector")
_LAST = {"Z": "W", "B": "A"}
_BYTES = 8  # of a flow vector in memory


@dataclass(frozen=True)
class _Source:
    """Where in a file the flow is."""

    part: int
    channels: tuple[str, str]
    signs: tuple[int, int]
    """What the channels are multiplied by to become u to the right and v downwards."""


def encode(flow: Flow, axis: VerticalAxis = "up") -> bytes:
    """Encode a flow as ``forward.u`` and ``forward.v``; raises ``OutputError`` without the OpenEXR package."""
    return _encode({_FORWARD: flow}, axis)


def encode_both(flow: Flow, back: Flow, axis: VerticalAxis = "up") -> bytes:
    """As :func:`encode`, with the flow from frame 2 to frame 1 as ``backward.u`` and ``backward.v``."""
    return _encode({_FORWARD: flow, _BACKWARD: back}, axis)


def _encode(flows: dict[tuple[str, str], Flow], axis: VerticalAxis) -> bytes:
    sign = np.float32(_sign(axis))
    channels: dict[str, Values] = {}
    for (u, v), flow in flows.items():
        values = as_flow(flow)  # unknown in both components
        channels |= {u: values[..., 0], v: values[..., 1] * sign}
    return encode_channels(channels, {_AXIS: axis})


def decode(data: bytes, name: object, axis: VerticalAxis = "up") -> Flow:
    """Decode the flow to the next frame.

    Args:
        data: the bytes of the file.
        name: what errors call it.
        axis: where v points where it is positive, in files that do not say so.

    Returns:
        ``(H, W, 2)`` float32 in pixels: of ``forward.u`` and ``forward.v``, or Blender's ``Vector``, or ``u`` and
        ``v``, or R and G. NaN where it is not finite, and outside the data window.

    Raises:
        InputError: the file is damaged, has no such channels, or the OpenEXR package is missing.
    """
    parts = read_header(data, name, nothing_follows=True)
    source = _source(parts, axis)
    if source is None:
        raise InputError(
            f"{name} has no flow: neither forward.u and forward.v, Blender's Vector, u and v, nor R and G, "
            f"but {listed(parts)}"
        )
    height, width = parts[source.part].display.size
    if height * width * _BYTES > len(data) * LARGEST_RATIO:
        raise InputError(f"{name} is damaged: its {len(data)} bytes claim {width} x {height} pixels")
    values = read_channels(data, name, parts, source.part, source.channels, fill=np.nan)
    values *= np.array(source.signs, np.float32)
    return as_flow(values)


def _source(parts: Sequence[Part], axis: VerticalAxis) -> _Source | None:
    """The best flow in the file, or ``None``."""
    plain = [
        (rank, _Source(index, (u, v), (1, _sign(_axis(part, axis)))))
        for index, part in enumerate(parts)
        for rank, (u, v) in zip((0, 2, 3), _PLAIN, strict=True)
        if {u, v} <= part.channels.keys()
    ]
    found = plain + [(1, source) for index, part in enumerate(parts) for source in _vectors(index, part)]
    return min(found, key=lambda each: each[0])[1] if found else None


def _vectors(index: int, part: Part) -> list[_Source]:
    """Blender's passes in a part: the half that is minus the motion to the next frame, v upwards."""
    matches = [match for match in map(_VECTOR.fullmatch, part.channels) if match is not None]
    pairs = [(match[0], f"{match['layer']}.{_LAST[match['last']]}") for match in matches]
    if _VECTOR_PART.fullmatch(part.texts.get("name", "")):  # a part of its own, whose channels are not named after it
        pairs += [(u, v) for u, v in _LAST.items() if u in part.channels]
    return [_Source(index, (u, v), (-1, 1)) for u, v in pairs if v in part.channels]


def _axis(part: Part, axis: VerticalAxis) -> str:
    return part.texts.get(_AXIS, axis)


def _sign(axis: str) -> int:
    """What v is multiplied by to point downwards."""
    return 1 if axis == "down" else -1


def configure(options: FlowOptions) -> FlowFormat:
    """The format with v pointing where the options say."""
    return replace(
        FORMAT,
        encode=partial(encode, axis=options.exr_v),
        encode_both=partial(encode_both, axis=options.exr_v),
        decode=partial(decode, axis=options.exr_v),
    )


FORMAT = FlowFormat(
    "exr",
    ".exr",
    encode,
    decode,
    None,
    encode_both=encode_both,
    options=("exr_v",),
    configure=configure,
    check_writing=check_library,
)
