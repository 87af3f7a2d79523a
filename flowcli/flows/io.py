"""Reads flow files and selects formats by suffix; the formats themselves are in ``formats/``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..arrays import Flow, known
from ..choices import FlowFormatName
from ..errors import InputError
from ..frames.png import whole_png_size
from ..storage import check_suffix, why
from .formats import HEAD_BYTES, FlowFormat, formats

_PNG = ".png"
_SHORT = 500  # pixels; every format can store shorter vectors


def suffix_of(flow_format: FlowFormatName) -> str:
    """The file suffix of a format, such as ``.flo``; ``.png`` for pictures."""
    return next((form.suffix for form in formats().values() if form.name == flow_format), f".{flow_format}")


def form_for(path: Path, flow_format: FlowFormatName | None = None) -> FlowFormat | None:
    """Select the format in which flow is written to ``path``.

    Args:
        path: the output; its suffix selects the format.
        flow_format: ``kitti`` makes a ``.png`` a KITTI file; otherwise it is a picture. Ignored for other suffixes.

    Returns:
        The format, or ``None`` for a picture.

    Raises:
        OutputError: no format has that suffix.
    """
    check_suffix(path, formats())
    form = formats()[path.suffix.lower()]
    return None if form.is_ambiguous and flow_format != form.name else form


def is_flow_file(path: Path) -> bool:
    """Whether ``path`` is a flow file, by its suffix or, if the suffix is ambiguous, by its header."""
    form = formats().get(path.suffix.lower())
    return form is not None and (form.recognizes is None or form.recognizes(path))


def read_flow(path: str | Path) -> Flow:
    """Read a flow file.

    Args:
        path: the file; its suffix selects the format.

    Returns:
        ``(H, W, 2)`` float32 in pixels, u then v; NaN where unknown.

    Raises:
        InputError: the file is missing, unreadable or damaged, or its format is unknown.
    """
    path = Path(path)
    form = formats().get(path.suffix.lower())
    if form is None:
        raise InputError(f"cannot read {path}: not a flow format; flowcli reads {', '.join(formats())}")
    try:
        if form.size is not None and path.is_file():
            _whole_size(form, path)  # reject other files before reading them completely
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {why(error)}") from error
    return form.decode(data, path)


def output_size(path: Path) -> tuple[int, int]:
    """Check that an output of flowcli is complete, and find its size.

    Args:
        path: a flow file, or a picture.

    Returns:
        Height and width in pixels.

    Raises:
        InputError: the file is missing, unreadable, damaged or truncated.
    """
    if path.suffix.lower() == _PNG:
        return whole_png_size(path)
    form = formats().get(path.suffix.lower())
    if form is None or form.size is None:
        height, width = read_flow(path).shape[:2]
        return height, width
    return _whole_size(form, path)


def _whole_size(form: FlowFormat, path: Path) -> tuple[int, int]:
    assert form.size is not None
    try:
        with path.open("rb") as file:
            return form.size(file.read(HEAD_BYTES), path.stat().st_size, path)
    except OSError as error:
        raise InputError(f"cannot read {path}: {why(error)}") from error


def loss(flow: Flow, form: FlowFormat | None) -> str | None:
    """Say what a format cannot store of a flow.

    Args:
        flow: ``(H, W, 2)`` float32 in pixels.
        form: the format, or ``None`` for a picture.

    Returns:
        One line for the user, or ``None`` if the format stores everything.
    """
    if form is None:
        return None if np.isfinite(flow).all() else "unknown flow is drawn in one plain colour"
    if form.holds is None or max(flow.max(), -flow.min()) < _SHORT:  # false if any vector is unknown
        return None
    lost = known(flow) & ~form.holds(flow)
    return f"vectors outside {form.range} are marked unknown: {form.suffix} cannot store them" if lost.any() else None
