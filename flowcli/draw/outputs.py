"""Writes flow to files, as numbers or as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays import Flow, Frame, Mask
from ..choices import FlowFormatName
from ..errors import OutputError
from ..flows.formats import FlowOptions
from ..flows.io import encode_flow, files_of, form_for, loss
from ..frames.jpeg import LONGEST_SIDE
from ..frames.opencv import encode_image
from ..places import place
from ..storage import write_bytes, write_files
from .style import Style, draw_flow


def write_output(
    path: Path,
    flow: Flow,
    *,
    flow_format: FlowFormatName | None = None,
    style: Style = Style(),
    frame: Frame | None = None,
    made_from: str | None = None,
    options: FlowOptions = FlowOptions(),
    back: Flow | None = None,
    arrays: Mapping[str, npt.NDArray[Any]] | None = None,
) -> str | None:
    """Write a flow to ``path``, completely or not at all; the suffix selects the format.

    Args:
        path: the output; its suffix is that of a flow format. ``.png`` and ``.jpg`` are pictures unless ``flow_format``
            is ``kitti`` or ``jpg``. See :func:`flowcli.flows.io.files_of` for the files that are written.
        flow: ``(H, W, 2)`` float32 in pixels; NaN where unknown.
        flow_format: see :func:`flowcli.flows.io.form_for`.
        style: how pictures are drawn.
        frame: frame 1, ``(H, W, 3)`` uint8 RGB, if the style needs it.
        made_from: identifies the frames; stored with the file for :func:`flowcli.storage.noted_made_from`.
        options: how formats with options are written.
        back: the flow from frame 2 to frame 1, for formats that store both.
        arrays: what else ``.npz`` files hold, by name.

    Returns:
        One line that says what the format cannot store of this flow, or ``None`` if it stores everything.

    Raises:
        OutputError: the format is unknown or the file cannot be written.
    """
    form = form_for(path, flow_format, options)
    if form is None:
        contents: tuple[bytes, ...] = (_encode_picture(draw_flow(flow, style, frame), path),)
    elif arrays and form.encode_with is not None:
        contents = (form.encode_with(flow, arrays),)
    else:
        contents = encode_flow(flow, form, back)
    write_files(dict(zip(files_of(path, form), contents, strict=True)), made_from)
    return loss(flow, form)


def _encode_picture(picture: Frame, path: Path) -> bytes:
    height, width = picture.shape[:2]
    if path.suffix.lower() != ".png" and max(height, width) > LONGEST_SIDE:
        raise OutputError(f"cannot write {path}: a JPEG has at most {LONGEST_SIDE} pixels in height and width")
    return encode_image(picture, path.suffix)


def write_flow(
    path: str | Path,
    flow: Flow,
    *,
    flow_format: FlowFormatName | None = None,
    max_flow: float | None = None,
    options: FlowOptions = FlowOptions(),
) -> None:
    """Write ``flow`` to ``path``, completely or not at all; the suffix selects the format.

    Args:
        path: ``.flo``, ``.pfm``, ``.npy``, ``.npz``, ``.flo5``, ``.exr`` or ``.tif`` for the numbers, ``.png`` or
            ``.jpg`` for the colours of :func:`flowcli.colorize`.
        flow: ``(H, W, 2)`` float32 in pixels; NaN where unknown.
        flow_format: ``kitti`` writes KITTI's 16-bit numbers to a ``.png``; vectors outside its range become unknown.
            ``jpg`` writes ``OUT_x.jpg`` and ``OUT_y.jpg``, a pair of grey pictures, for ``OUT.jpg``.
        max_flow: for colours, the flow length in pixels that gets full colour; ``None`` uses the longest vector in
            ``flow``.
        options: how ``jpg`` and ``.exr`` are written.

    Raises:
        OutputError: the format is unknown or the file cannot be written.
    """
    write_output(place(path), flow, flow_format=flow_format, style=Style(max_flow), options=options)


def write_mask(path: Path, mask: Mask, made_from: str | None = None) -> None:
    """Write an ``(H, W)`` bool mask as a picture, white where true; raises ``OutputError`` if that fails."""
    picture = np.repeat(mask[..., None], 3, axis=-1).astype(np.uint8) * np.uint8(255)
    write_bytes(path, encode_image(picture, path.suffix), made_from)
