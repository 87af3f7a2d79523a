"""Finds and reads the masks that say where flows hold: in their files, or in pictures beside them."""

from __future__ import annotations

from pathlib import Path

from ..arrays import Mask
from ..errors import InputError
from ..frames.images import read_image
from ..storage import why
from .formats import npz
from .io import name_of

_ENDING = "_mask.png"  # added to the name of a flow; as `estimate --occlusion` writes it, white is hidden
_WHITE = 128  # grey levels from which a pixel counts as white


def mask_picture(flow_file: Path) -> Path:
    """The picture that masks a flow, whether it is there or not: ``NAME_mask.png`` beside ``NAME.flo``."""
    name = name_of(flow_file)
    return name.with_name(name.name + _ENDING)


def read_mask(flow_file: Path) -> Mask | None:
    """Read the mask of a flow.

    Args:
        flow_file: the flow. Its mask is the array ``mask`` of a ``.npz``, true where the flow holds, or else a picture,
            :func:`mask_picture`, white where it does not.

    Returns:
        ``(H, W)`` bool, true where the flow holds; ``None`` if it has no mask.

    Raises:
        InputError: the mask cannot be read.
    """
    if flow_file.suffix.lower() == npz.FORMAT.suffix:
        try:
            mask = npz.decode_mask(flow_file.read_bytes(), flow_file)
        except OSError as error:
            raise InputError(f"cannot read {flow_file}: {why(error)}") from error
        if mask is not None:
            return mask
    picture = mask_picture(flow_file)
    return read_image(picture).max(axis=-1) < _WHITE if picture.exists() else None
