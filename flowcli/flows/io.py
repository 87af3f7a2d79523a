"""Flow files by suffix: reading them, and what each format can hold. The formats themselves are in ``formats/``."""

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
_SHORT = 500  # pixels; every format holds whatever is shorter


def suffix_of(flow_format: FlowFormatName) -> str:
    """The suffix of files in a format."""
    return next((form.suffix for form in formats().values() if form.name == flow_format), f".{flow_format}")


def form_for(path: Path, flow_format: FlowFormatName | None = None) -> FlowFormat | None:
    """How flow is to be written to ``path``: a format, or ``None`` for a picture.

    Args:
        path: the output; its suffix decides.
        flow_format: where the suffix has two meanings (``.png``), naming the format makes it that one; otherwise it
            is a picture.

    Raises:
        OutputError: flowcli has no format for that suffix.
    """
    check_suffix(path, formats())
    form = formats()[path.suffix.lower()]
    return None if form.is_ambiguous and flow_format != form.name else form


def is_flow_file(path: Path) -> bool:
    """Whether ``path`` looks like flow rather than a picture, by its suffix or, if need be, its header."""
    form = formats().get(path.suffix.lower())
    return form is not None and (form.recognizes is None or form.recognizes(path))


def read_flow(path: str | Path) -> Flow:
    """Read a flow file; its suffix says the format.

    Returns:
        ``(H, W, 2)`` float32 in pixels, u then v; NaN where unknown.

    Raises:
        InputError: the file is missing, unreadable, damaged, or of a format that flowcli does not read.
    """
    path = Path(path)
    form = formats().get(path.suffix.lower())
    if form is None:
        raise InputError(f"cannot read {path}: not a flow format that flowcli knows ({', '.join(formats())})")
    try:
        if form.size is not None and path.is_file():
            _whole_size(form, path)  # before all of a file is read that may be something else altogether
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {why(error)}") from error
    return form.decode(data, path)


def output_size(path: Path) -> tuple[int, int]:
    """Height and width of an output of flowcli, flow or picture, which is checked for being whole.

    Raises:
        InputError: it is missing, unreadable or not whole.
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
    """What of ``flow`` a format (``None``: a picture) cannot hold, as a line for the user; ``None`` if it holds all."""
    if form is None:
        return None if np.isfinite(flow).all() else "unknown flow is one plain colour in a picture"
    if form.holds is None or max(flow.max(), -flow.min()) < _SHORT:  # false if any is unknown
        return None
    lost = known(flow) & ~form.holds(flow)
    return f"vectors outside {form.range} are marked unknown: {form.suffix} cannot hold them" if lost.any() else None
