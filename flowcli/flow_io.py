"""Flow files: reading and writing, by suffix. The formats themselves are in ``formats/``."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Literal

from .arrays import Flow
from .errors import InputError, OutputError
from .files import why, write_bytes
from .formats import HEAD_BYTES, FlowFormat
from .formats.flo import FLO
from .formats.npy import NPY
from .formats.pfm import PFM

FormatName = Literal["flo", "png", "npy", "pfm"]
"""What a flow can be written as: a format of ``FORMATS``, or ``png`` for colours."""

FORMATS: dict[str, FlowFormat] = {form.suffix: form for form in (FLO, PFM, NPY)}
"""The formats that hold flow itself, by suffix."""

PICTURE_SUFFIXES = (".png",)
"""Formats that hold the colours of :func:`flowcli.colorize`; these are only written."""


def check_suffix(path: Path) -> None:
    """Raise ``OutputError`` if flowcli has no format for the suffix of ``path``."""
    known = (*FORMATS, *PICTURE_SUFFIXES)
    if path.suffix.lower() not in known:
        raise OutputError(
            f"cannot write {path}: unknown format {path.suffix or '(no suffix)'}; use one of {', '.join(known)}"
        )


def read_flow(path: str | Path) -> Flow:
    """Read a flow file; its suffix says the format.

    Returns:
        ``(H, W, 2)`` float32 in pixels, u then v; NaN where unknown.

    Raises:
        InputError: the file is missing, unreadable, damaged, or of a format that flowcli does not read.
    """
    path = Path(path)
    form = _format_of(path)
    try:
        if stat.S_ISREG(path.stat().st_mode):
            flow_size(path)  # before all of a file is read that may be something else altogether
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {why(error)}") from error
    return form.decode(data, path)


def flow_size(path: Path) -> tuple[int, int]:
    """Height and width of the flow in a regular file, which is checked for being whole without reading all of it.

    Raises:
        InputError: as for :func:`read_flow`.
    """
    form = _format_of(path)
    try:
        with path.open("rb") as file:
            return form.size(file.read(HEAD_BYTES), path.stat().st_size, path)
    except OSError as error:
        raise InputError(f"cannot read {path}: {why(error)}") from error


def output_size(path: Path) -> tuple[int, int]:
    """Height and width of an output of flowcli, flow or picture, which is checked for being whole.

    Raises:
        InputError: it is missing, unreadable or not whole.
    """
    if path.suffix.lower() in PICTURE_SUFFIXES:
        from .images import whole_png_size

        return whole_png_size(path)
    return flow_size(path)


def _format_of(path: Path) -> FlowFormat:
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise InputError(f"cannot read {path}: not a flow format that flowcli knows ({', '.join(FORMATS)})")
    return form


def write_flow(path: str | Path, flow: Flow, *, max_flow: float | None = None) -> None:
    """Write ``flow`` to ``path``, whole or not at all; the suffix says the format.

    Args:
        path: a suffix of ``FORMATS`` for the numbers, ``.png`` for the colours of :func:`flowcli.colorize`.
        flow: ``(H, W, 2)`` float32 in pixels; NaN where unknown.
        max_flow: for ``.png``, the flow in pixels that gets full colour; ``None`` takes the largest in ``flow``.

    Raises:
        OutputError: the format is unknown or the file cannot be written.
    """
    path = Path(path)
    check_suffix(path)
    if path.suffix.lower() in PICTURE_SUFFIXES:
        from .color import colorize
        from .images import write_image

        write_image(path, colorize(flow, max_flow))
    else:
        write_bytes(path, FORMATS[path.suffix.lower()].encode(flow))
