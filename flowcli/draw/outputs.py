"""Writes flow to files, as numbers or as a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..arrays import Flow, Frame, Mask
from ..choices import FlowFormatName
from ..flows.io import form_for, loss
from ..frames.images import write_image
from ..frames.opencv import encode_image
from ..storage import write_bytes
from .style import Style, draw_flow


def write_output(
    path: Path,
    flow: Flow,
    *,
    flow_format: FlowFormatName | None = None,
    style: Style = Style(),
    frame: Frame | None = None,
    made_from: str | None = None,
) -> str | None:
    """Write a flow to ``path``, completely or not at all; the suffix selects the format.

    Args:
        path: the output; its suffix is that of a flow format. ``.png`` is a picture unless ``flow_format`` is
            ``kitti``.
        flow: ``(H, W, 2)`` float32 in pixels; NaN where unknown.
        flow_format: see :func:`flowcli.flows.io.form_for`.
        style: how pictures are drawn.
        frame: frame 1, ``(H, W, 3)`` uint8 RGB, if the style needs it.
        made_from: identifies the frames; stored with the file for :func:`flowcli.storage.is_made_from`.

    Returns:
        One line that says what the format cannot store of this flow, or ``None`` if it stores everything.

    Raises:
        OutputError: the format is unknown or the file cannot be written.
    """
    form = form_for(path, flow_format)
    data = encode_image(draw_flow(flow, style, frame), path.suffix) if form is None else form.encode(flow)
    write_bytes(path, data, made_from)
    return loss(flow, form)


def write_flow(
    path: str | Path, flow: Flow, *, flow_format: FlowFormatName | None = None, max_flow: float | None = None
) -> None:
    """Write ``flow`` to ``path``, completely or not at all; the suffix selects the format.

    Args:
        path: ``.flo``, ``.pfm``, ``.npy``, ``.npz`` or ``.flo5`` for the numbers, ``.png`` for the colours of
            :func:`flowcli.colorize`.
        flow: ``(H, W, 2)`` float32 in pixels; NaN where unknown.
        flow_format: ``kitti`` writes KITTI's 16-bit numbers to a ``.png``; vectors outside its range become unknown.
        max_flow: for colours, the flow length in pixels that gets full colour; ``None`` uses the longest vector in
            ``flow``.

    Raises:
        OutputError: the format is unknown or the file cannot be written.
    """
    write_output(Path(path), flow, flow_format=flow_format, style=Style(max_flow))


def write_mask(path: Path, mask: Mask) -> None:
    """Write an ``(H, W)`` bool mask as a picture, white where true; raises ``OutputError`` if that fails."""
    write_image(path, np.repeat(mask[..., None], 3, axis=-1).astype(np.uint8) * np.uint8(255))
