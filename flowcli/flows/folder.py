"""Finds the flow files in a folder."""

from __future__ import annotations

from pathlib import Path

from ..choices import ERROR_NAMES
from ..errors import InputError
from ..frames.files import natural_key
from ..places import listed
from ..storage import why
from .formats import formats
from .io import files_to_read, is_flow_file, name_of

_DISTANCE = ERROR_NAMES.removeprefix("{flow}")


def flow_files(folder: Path, *, with_subfolders: bool = False) -> dict[str, Path]:
    """Find the flow files in a folder; pictures of flow are none.

    Args:
        folder: the folder.
        with_subfolders: whether to look into its subfolders as well.

    Returns:
        The files, in natural order, by their path in the folder without suffix; of a pair of JPEGs the first.

    Raises:
        InputError: the folder cannot be read, or has two flows of the same name.
    """
    folder = listed(folder)
    try:
        there = folder.rglob("*") if with_subfolders else folder.iterdir()
        files = sorted(path for path in there if path.suffix.lower() in formats() and path.is_file())
    except OSError as error:
        raise InputError(f"cannot read {folder}: {why(error)}") from error
    found: dict[str, Path] = {}
    for path in files:
        if path.name.startswith(".") or not is_flow_file(path) or _is_distance(path):
            continue
        name = str(name_of(path.relative_to(folder)))
        if name in found and path in files_to_read(found[name]):
            continue  # the other half of a pair
        if name in found:
            raise InputError(f"{found[name]} and {path} differ only in their suffix; remove one")
        found[name] = path
    return {name: found[name] for name in sorted(found, key=lambda name: natural_key(Path(name)))}


def _is_distance(path: Path) -> bool:
    """Whether a file is what ``--consistency`` stores beside a flow."""
    name = path.name.removesuffix(_DISTANCE)
    return name != path.name and any(path.with_name(f"{name}{suffix}").exists() for suffix in formats())
