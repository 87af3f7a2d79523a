"""The list of a batch's videos whose outputs are complete, so that a later run need not decode them to know that."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from pathlib import Path

from ..errors import OutputError
from ..storage import guarded, write_bytes
from .lines import append_line, entry_of, lines_of
from .tasks import Completion, VideoTask

COMPLETED = ".flowcli-videos.jsonl"


def identity(task: VideoTask) -> str:
    """A short text that identifies a video and the frames that are asked for."""
    assert task.video is not None
    chosen = task.selection
    return f"{'/'.join(task.video.absolute().parts[-2:])} {chosen.start}:{chosen.end}:{chosen.stride}"


def completed(folder: Path) -> dict[str, Completion]:
    """What is noted in an output folder, by name; what has been noted last counts."""
    found = {}
    for line in lines_of(folder / COMPLETED):
        try:
            completion = Completion(**(entry_of(line) or {}))
        except TypeError:  # cut off, or of another version
            continue
        found[completion.out] = completion
    return found


class Completions:
    """Adds to the list of an output folder. Used as a context manager: at the end, the list is put in order."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._has_noted = False

    def __enter__(self) -> Completions:
        """Start."""
        return self

    def __exit__(self, *_: object) -> None:
        """Put the list in order: by name, each once."""
        path = self._folder / COMPLETED
        if not self._has_noted:
            return
        with contextlib.suppress(OutputError, OSError), guarded(path):
            noted = completed(self._folder)
            lines = [json.dumps(asdict(noted[out])) + "\n" for out in sorted(noted)]
            write_bytes(path, "".join(lines).encode())

    def note(self, completion: Completion) -> None:
        """Add an entry; raises ``OutputError``."""
        self._has_noted = True
        append_line(self._folder / COMPLETED, asdict(completion))
