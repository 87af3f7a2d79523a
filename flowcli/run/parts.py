"""Long videos in parts, which different workers do at the same time, and the files of their pictures."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from ..frames.source import FrameSource
from ..frames.video import VideoFile
from ..places import unlisted
from .completed import identity
from .pairing import Pairing
from .tasks import Part, VideoTask

FRAMES = 128
"""How many frames a part has: long against the time to begin one, short against a video that keeps a worker busy."""

_BEGINNING, _SUFFIX = ".flowcli-", ".part"  # of the names of files with pictures


def parts_of(source: FrameSource, pairing: Pairing) -> tuple[Part, ...]:
    """The parts of a video; none if it is short, or has pairs that need all of it, or cannot be begun in its middle.

    The parts begin where all parts together read every frame about once, apart from those that lead to a part's first.
    """
    gap, selection = pairing.single_gap, source.selection
    if not isinstance(source, VideoFile) or gap is None or pairing.pad != "none" or abs(gap) > FRAMES:
        return ()
    if (source.count or 2 * FRAMES) < 2 * FRAMES or not isinstance(selection.start, int):
        return ()
    entries = source.entries()
    numbers = range(0) if entries is None else selection.indices(len(entries), source.rate)
    if entries is None or len(numbers) < 2 * FRAMES:
        return ()
    starts = range(0, len(numbers), FRAMES)
    stops = [*starts[1:], None]
    return tuple(
        Part(start, stop, entries.before(numbers[max(0, start + min(0, gap))]))
        for start, stop in zip(starts, stops, strict=True)
    )


def picture_file(folder: Path, task: VideoTask, part: Part, settings: Mapping[str, object]) -> Path:
    """Where the pictures of a part are until they are joined.

    Args:
        folder: the output folder of the batch.
        task: the video.
        part: the part.
        settings: what determines the pictures.
    """
    assert task.video is not None
    changed = task.video.stat().st_mtime_ns // 1_000_000_000  # not all servers always say more than seconds
    made_from = [str(task.out), identity(task), changed, part.start, part.stop, dict(settings)]
    digest = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()
    return unlisted(folder / f"{_BEGINNING}{_mark(task.out)}-{digest[:24]}{_SUFFIX}")


def _mark(out: Path | None) -> str:
    """What tells in the names of files whose pictures they have: whatever the settings, and wherever it is cut."""
    return hashlib.sha256(os.fsencode(str(out))).hexdigest()[:12]


class LeftPictures:
    """The pictures of parts that earlier runs have left in a folder, which is listed once, when first asked for.

    A run that is killed leaves those of the videos that it was at. They are of no use if a later run does such a video
    in one piece, or with other settings.

    Args:
        folder: the output folder of the batch.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, list[Path]] | None = None

    def remove(self, out: Path | None) -> None:
        """Remove those of the video with that output, which is finished."""
        if self._files is None:
            self._files = self._found()
        for file in self._files.pop(_mark(out), ()):
            with contextlib.suppress(OSError):
                file.unlink(missing_ok=True)

    def _found(self) -> dict[str, list[Path]]:
        files: dict[str, list[Path]] = {}
        with contextlib.suppress(OSError):
            for file in self._folder.glob(f"{_BEGINNING}*-*{_SUFFIX}"):
                files.setdefault(file.name.removeprefix(_BEGINNING).partition("-")[0], []).append(file)
        return files
