"""Reads and encodes flow files and selects formats by suffix; the formats themselves are in ``formats/``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..arrays import Flow, check_same_size, known
from ..choices import FlowFormatName
from ..errors import InputError
from ..frames.jpeg import whole_jpeg_size
from ..frames.png import whole_png_size
from ..places import is_remote, place
from ..storage import check_suffix, why
from .formats import HEAD_BYTES, FlowFormat, FlowOptions, formats, npy
from .formats.jpg import pair_of

PLACEHOLDER = "{xy}"
"""In the name of a flow that is one file for each component: where ``x`` and ``y`` stand."""

_PNG = ".png"
_JPEG = (".jpg", ".jpeg")
_SHORT = 500  # pixels; every format that marks flow as unknown can store shorter vectors


def suffix_of(flow_format: FlowFormatName) -> str:
    """The file suffix of a format, such as ``.flo``; ``.png`` for pictures."""
    return next((form.suffix for form in formats().values() if form.name == flow_format), f".{flow_format}")


def form_for(
    path: Path, flow_format: FlowFormatName | None = None, options: FlowOptions = FlowOptions()
) -> FlowFormat | None:
    """Select the format in which flow is written to ``path``.

    Args:
        path: the output; its suffix selects the format.
        flow_format: ``kitti`` makes a ``.png`` a KITTI file and ``jpg`` a ``.jpg`` a pair of grey JPEGs; otherwise they
            are pictures. Ignored for other suffixes.
        options: how formats with options are written.

    Returns:
        The format, or ``None`` for a picture.

    Raises:
        OutputError: no format has that suffix, or it needs a package that is missing.
    """
    suffix = path.suffix.lower()
    if suffix not in formats():
        check_suffix(path, formats())
    form = formats()[suffix]
    if form.is_ambiguous and flow_format != form.name:
        return None
    if form.check_writing is not None:
        form.check_writing()
    return form.configured(options)


def files_of(path: Path, form: FlowFormat | None) -> tuple[Path, ...]:
    """The files that a flow is stored in.

    Args:
        path: the name of the flow. Where each component is a file of its own, :data:`PLACEHOLDER` in the name becomes
            ``x`` and ``y``; without it, ``OUT.jpg`` stands for ``OUT_x.jpg`` and ``OUT_y.jpg``.
        form: the format; ``None`` for a picture.

    Returns:
        The paths, in the order of the components; ``path`` alone in most formats.
    """
    if form is None or not form.components:
        return (path,)
    pattern = path.name if PLACEHOLDER in path.name else f"{path.stem}_{PLACEHOLDER}{path.suffix}"
    return tuple(path.with_name(pattern.replace(PLACEHOLDER, component)) for component in form.components)


def files_to_read(path: Path) -> tuple[Path, ...]:
    """The files of the flow that a user calls ``path``: a file, a pair without ``_x``, or either file of a pair."""
    form = formats().get(path.suffix.lower())
    if form is None or not form.components:
        return (path,)
    halves = files_of(path, form)
    if PLACEHOLDER in path.name or (not path.exists() and any(half.exists() for half in halves)):
        return halves
    pair = pair_of(path)
    return (path,) if pair is None else files_of(pair, form)


def name_of(path: Path) -> Path:
    """The path of a flow file without its suffix, and without what tells the files of its components apart."""
    pair = pair_of(path) if path.suffix.lower() in _JPEG else None
    if pair is None:
        return path.with_suffix("")
    return pair.with_name(pair.stem.replace(f"_{PLACEHOLDER}", ""))


def is_flow_file(path: Path) -> bool:
    """Whether ``path`` is a flow file, by its suffix or, if the suffix is ambiguous, by its header."""
    form = formats().get(path.suffix.lower())
    return form is not None and (form.recognizes is None or form.recognizes(path))


def read_flow(path: str | Path, options: FlowOptions = FlowOptions()) -> Flow:
    """Read a flow file.

    Args:
        path: the file; its suffix selects the format. Of a pair of JPEGs, either file, or ``OUT.jpg`` for ``OUT_x.jpg``
            and ``OUT_y.jpg``.
        options: what the file does not say of itself.

    Returns:
        ``(H, W, 2)`` float32 in pixels, u then v; NaN where unknown.

    Raises:
        InputError: the file is missing, unreadable or damaged, or its format is unknown.
    """
    path = place(path)
    form = formats().get(path.suffix.lower())
    if form is None:
        raise InputError(f"cannot read {path}: not a flow format; flowcli reads {', '.join(formats())}")
    form = form.configured(options)
    files = files_to_read(path)
    if form.components and len(files) == 1 and path.exists():
        raise InputError(
            f"{path} is a picture, not flow, and pictures cannot be converted back to flow; "
            f"flow is a pair of {form.suffix}, NAME_x{form.suffix} and NAME_y{form.suffix}"
        )
    parts = [_read_file(file, form) for file in files]
    for file, part in zip(files, parts, strict=True):
        check_same_size(files[0], parts[0].shape, file, part.shape)
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)


def _read_file(path: Path, form: FlowFormat) -> Flow:
    try:
        if form.size is not None and not is_remote(path) and path.is_file():
            _size(form.size, path)  # reject other files before reading them completely
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {why(error)}") from error
    return form.decode(data, path)


def encode_flow(flow: Flow, form: FlowFormat, back: Flow | None = None) -> tuple[bytes, ...]:
    """Encode a flow.

    Args:
        flow: ``(H, W, 2)`` float32 in pixels; NaN where unknown.
        form: the format.
        back: the flow from frame 2 to frame 1, which some formats store as well.

    Returns:
        The bytes of its files, in the order of :func:`files_of`.

    Raises:
        OutputError: a package that the format needs is missing.
    """
    if back is not None and form.encode_both is not None:
        return (form.encode_both(flow, back),)
    if not form.components:
        return (form.encode(flow),)
    known_flow = np.where(known(flow)[..., None], flow, np.float32(np.nan))
    return tuple(form.encode(known_flow[..., [index]]) for index in range(len(form.components)))


def output_size(path: Path) -> tuple[int, int]:
    """Check that an output of flowcli is complete, and find its size.

    Args:
        path: a flow file, one of the files of a flow, or a picture.

    Returns:
        Height and width in pixels.

    Raises:
        InputError: the file is missing, unreadable, damaged or truncated.
    """
    suffix = path.suffix.lower()
    if suffix == _PNG:
        return whole_png_size(path)
    if suffix in _JPEG:
        return whole_jpeg_size(path)
    form = formats().get(suffix)
    if form is None or form.size is None:
        height, width = read_flow(path).shape[:2]
        return height, width
    return _size(form.size, path)


def plane_size(path: Path) -> tuple[int, int]:
    """Height and width of a whole ``.npy`` of one value for each pixel; raises ``InputError``."""
    return _size(npy.plane_size, path)


def _size(of_head: Callable[[bytes, int, object], tuple[int, int]], path: Path) -> tuple[int, int]:
    try:
        with path.open("rb") as file:
            return of_head(file.read(HEAD_BYTES), path.stat().st_size, path)
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
    if form.loss is not None:
        return form.loss(flow)
    if form.holds is None or max(flow.max(), -flow.min()) < _SHORT:  # false if any vector is unknown
        return None
    lost = known(flow) & ~form.holds(flow)
    return f"vectors outside {form.range} are marked unknown: {form.suffix} cannot store them" if lost.any() else None
