"""Finds frame files and puts them in order."""

from __future__ import annotations

import re
from pathlib import Path

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".ppm", ".pgm", ".pnm", ".avif"})
"""The suffixes of files that count as frames in a folder."""


def natural_key(path: Path) -> tuple[list[tuple[int, str]], str]:
    """A sort key for natural order: ``frame_9`` comes before ``frame_10``."""
    parts = re.split(r"([0-9]+)", str(path))
    return [(int(part), "") if part.isdecimal() else (-1, part.casefold()) for part in parts], str(path)


def image_files(path: Path) -> list[Path] | None:
    """The image files in a folder, or that match a glob or printf pattern, unsorted; ``None`` if ``path`` is neither.

    Raises:
        OSError: the folder cannot be read.
    """
    if path.is_dir():
        files = list(path.iterdir())
    elif path.exists():
        return None
    elif re.search(r"%\d*d", path.name):
        files = _printf_files(path)
    elif re.search(r"[*?\[]", str(path)):
        anchor = Path(path.anchor)  # of Windows' C:\\x, C:x and \\x as well
        files = list(anchor.glob(str(path.relative_to(anchor))))
    else:
        return None
    return [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES and not file.name.startswith(".")]


def _printf_files(pattern: Path) -> list[Path]:
    """The files that match a pattern such as ``%04d.png``; the numbers may start anywhere."""
    before, width, after = re.split(r"%(\d*)d", pattern.name, maxsplit=1)
    digits = rf"\d{{{int(width)},}}" if width else r"\d+"
    name = re.compile(re.escape(before) + digits + re.escape(after))
    if not pattern.parent.is_dir():
        return []
    return [file for file in pattern.parent.iterdir() if name.fullmatch(file.name)]
