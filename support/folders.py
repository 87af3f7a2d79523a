"""Folders of frames, and what is in a folder."""

from __future__ import annotations

from pathlib import Path

from flowcli.frames.images import write_image

from .videos import moving_frames


def files(folder: Path) -> dict[str, bytes]:
    """The content of every file in a folder, by its path there."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def write_two_scenes(folder: Path) -> Path:
    """Write two folders, s1 and s2, of four frames each, 8.png to 11.png, of different sizes."""
    for name, size in (("s1", (40, 60)), ("s2", (33, 71))):
        for index, image in enumerate(moving_frames(4, *size)):
            write_image(folder / name / f"{index + 8}.png", image)
    return folder
