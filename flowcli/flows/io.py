"""Flow files by suffix: reading them, and what each format can hold. The formats themselves are in ``formats/``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from ..arrays import Flow, known
from ..errors import InputError
from ..frames.images import whole_png_size
from ..storage import check_suffix, why
from .formats import HEAD_BYTES, FlowFormat, flo, kitti
from .formats.flo import FLO
from .formats.flo5 import FLO5
from .formats.kitti import KITTI
from .formats.npy import NPY
from .formats.npz import NPZ
from .formats.pfm import PFM

FormatName = Literal["flo", "png", "kitti", "npy", "npz", "pfm", "flo5"]
"""What a flow can be written as; ``png`` is its colours."""

FORMATS: dict[str, FlowFormat] = {form.suffix: form for form in (FLO, KITTI, PFM, NPY, NPZ, FLO5)}
"""The formats that hold flow itself, by suffix. ``.png`` is KITTI's when it is read, or when that is asked for."""

_PNG = ".png"
_SHORT = 500  # pixels; every format holds whatever is shorter


def suffix_of(flow_format: FormatName) -> str:
    """The suffix of files in a format."""
    return _PNG if flow_format == "kitti" else f".{flow_format}"


def form_for(path: Path, flow_format: FormatName | None = None) -> FlowFormat | None:
    """How flow is to be written to ``path``: a format, or ``None`` for colours.

    Args:
        path: the output; its suffix decides.
        flow_format: ``kitti`` makes a ``.png`` KITTI's; anything else leaves it the colours.

    Raises:
        OutputError: flowcli has no format for that suffix.
    """
    check_suffix(path, FORMATS)
    suffix = path.suffix.lower()
    return None if suffix == _PNG and flow_format != "kitti" else FORMATS[suffix]


def read_flow(path: str | Path) -> Flow:
    """Read a flow file; its suffix says the format.

    Returns:
        ``(H, W, 2)`` float32 in pixels, u then v; NaN where unknown.

    Raises:
        InputError: the file is missing, unreadable, damaged, or of a format that flowcli does not read.
    """
    path = Path(path)
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise InputError(f"cannot read {path}: not a flow format that flowcli knows ({', '.join(FORMATS)})")
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
    form = FORMATS.get(path.suffix.lower())
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
    """What of ``flow`` a format (``None``: colours) cannot hold, as a line for the user; ``None`` if it holds all."""
    if form is None:
        return None if np.isfinite(flow).all() else "unknown flow is one plain colour in a picture"
    if form is KITTI:
        held, scope = kitti.in_range, kitti.RANGE
    elif form is FLO:
        held, scope = flo.in_range, flo.RANGE
    else:
        return None
    if max(flow.max(), -flow.min()) < _SHORT:  # false if any is unknown
        return None
    lost = known(flow) & ~held(flow)
    return f"vectors outside {scope} are marked unknown: {form.suffix} cannot hold them" if lost.any() else None
