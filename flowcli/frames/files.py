"""Finds frame files and puts them in order."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ..places import is_remote

_SUFFIXES = (
    ".png .apng .jpg .jpeg .jpe .jfif .jp2 .webp .avif .tif .tiff .bmp .dib .gif .pbm .pgm .ppm .pnm .pam .sr .ras "
    ".pfm .hdr .pic .exr"
)

IMAGE_SUFFIXES = frozenset(_SUFFIXES.split())
"""The suffixes of files that count as frames in a folder: those of all formats that are read."""

_VIDEOS = (
    ".mp4 .m4v .mov .qt .mkv .webm .avi .divx .mpg .mpeg .mpe .m1v .m2v .mp2v .vob .ts .m2ts .mts .wmv .asf .flv .f4v "
    ".3gp .3g2 .ogv .ogm .rm .rmvb .mxf .dv .nut .y4m .h264 .264 .hevc .h265 .265 .mjpg .mjpeg .ivf .mj2"
)
_VIDEO_SUFFIXES = frozenset(_VIDEOS.split())

_WILDCARD = re.compile(r"[*?\[]")
_PRINTF = re.compile(r"%(\d*)d")


def natural_key(path: Path) -> tuple[list[tuple[int, str]], str]:
    """A sort key for natural order: ``frame_9`` comes before ``frame_10``."""
    parts = re.split(r"([0-9]+)", str(path))
    return [(int(part), "") if part.isdecimal() else (-1, part.casefold()) for part in parts], str(path)


def is_frame(path: Path) -> bool:
    """Whether a file in a folder counts as a frame, by its name."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def is_video(path: Path) -> bool:
    """Whether a file in a folder counts as a video, by its name; animated images count as frames there."""
    return path.suffix.lower() in _VIDEO_SUFFIXES and not path.name.startswith(".")


def image_files(path: Path) -> list[Path] | None:
    """The image files in a folder, or all files that match a pattern, unsorted; ``None`` if ``path`` is neither.

    Args:
        path: a folder, a glob pattern or a printf pattern. A part that exists as it is written is no pattern.

    Raises:
        OSError: the folder cannot be read.
    """
    if path.is_dir():
        return [file for file in path.iterdir() if is_frame(file)]
    if is_remote(path) and not _PRINTF.search(path.name) and not _WILDCARD.search(str(path)):
        return None  # without asking: it is read as a whole
    if path.exists():
        return None
    if _PRINTF.search(path.name):
        return _printf_files(path)
    if not _WILDCARD.search(str(path)):
        return None
    folder, pattern = _split(path)
    return [file for file in folder.glob(str(pattern)) if not file.is_dir()]


def _split(path: Path) -> tuple[Path, Path]:
    """The part of a glob pattern that exists as it is written, and the rest."""
    folder = path.parents[-1]
    parts = path.relative_to(folder).parts
    while len(parts) > 1 and (folder / parts[0]).is_dir():
        folder, parts = folder / parts[0], parts[1:]
    return folder, Path(*parts)


def _printf_files(pattern: Path) -> list[Path]:
    """The files that match a pattern such as ``%04d.png``; the numbers may start anywhere."""
    before, width, after = _PRINTF.split(pattern.name, maxsplit=1)
    digits = rf"\d{{{int(width)},}}" if width else r"\d+"
    name = re.compile(re.escape(before) + digits + re.escape(after))
    if not pattern.parent.is_dir():
        return []
    return [file for file in pattern.parent.iterdir() if name.fullmatch(file.name)]


def oddities(files: Sequence[Path]) -> list[str]:
    """What a user may not know of a sequence of frames, as lines.

    Args:
        files: the frames, in order.

    Returns:
        Lines about numbers that are missing, and about frames that are there in two formats; each at most once.
    """
    notes = []
    gap = first_gap(files)
    if gap is not None:
        notes.append(f"{gap[0].name} is followed by {gap[1].name}: frames seem to be missing; both are taken as a pair")
    twins = Counter((file.parent, file.stem) for file in files)
    first = next((file for file in files if twins[file.parent, file.stem] > 1), None)
    if first is not None:
        notes.append(f"{first.parent / first.stem} is there in several formats; each file counts as a frame of its own")
    return notes


def first_gap(files: Sequence[Path]) -> tuple[Path, Path] | None:
    """The first two files of a numbered sequence, in order, between which a number is missing; ``None`` if none is."""
    pairs = [(a, b, step) for a, b in itertools.pairwise(files) if (step := _step(a, b)) is not None]
    if not pairs:
        return None
    usual, _ = Counter(step for _, _, step in pairs).most_common(1)[0]  # every second frame may be meant
    return next(((a, b) for a, b, step in pairs if step > usual), None)


def _step(first: Path, second: Path) -> int | None:
    """By how much the last number in two names grows, if the names are the same otherwise."""
    split = [re.fullmatch(r"(.*?)(\d+)(\D*)", file.stem) for file in (first, second)]
    if split[0] is None or split[1] is None or split[0].group(1, 3) != split[1].group(1, 3):
        return None
    return int(split[1][2]) - int(split[0][2])
