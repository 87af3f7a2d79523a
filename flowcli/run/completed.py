"""The list of a batch's videos whose outputs are complete, so that a later run need not decode them to know that."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

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


def note_completion(folder: Path, completion: Completion) -> None:
    """Add to the list of an output folder; raises ``OutputError``."""
    append_line(folder / COMPLETED, asdict(completion))
