"""The list of a batch's videos whose outputs are complete, so that a later run need not decode them to know that."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import cast

from ..errors import OutputError
from ..places import is_remote, recorded_place
from ..storage import guarded, write_bytes
from .lines import append_line, entry_of, lines_of
from .tasks import Completion, VideoTask

COMPLETED = ".flowcli-videos.jsonl"
_BEGINNING = ".flowcli-videos-"  # of the names of lists in a bucket
_SECONDS = 5.0  # between two versions of a list in a bucket


def identity(task: VideoTask) -> str:
    """A short text that identifies a video, by its place, and the frames that are asked for."""
    assert task.video is not None
    chosen = task.selection
    digest = hashlib.sha256(os.fsencode(recorded_place(task.video))).hexdigest()[:12]
    return f"{task.video.name} {digest} {chosen.start}:{chosen.end}:{chosen.stride}"


def completed(folder: Path) -> dict[str, Completion]:
    """What is noted in an output folder, by name; what has been noted last counts."""
    found = {}
    for path in _lists(folder):
        for line in lines_of(path):
            try:
                completion = Completion(**(entry_of(line) or {}))
            except TypeError:  # cut off, or of another version
                continue
            found[completion.out] = completion
    return found


def _lists(folder: Path) -> list[Path]:
    """The lists in a folder: one, or in a bucket one of each run."""
    return cast(list[Path], folder.beginning_with(_BEGINNING)) if is_remote(folder) else [folder / COMPLETED]


class Completions:
    """Adds to the list of an output folder. Used as a context manager: at the end, the list is put in order.

    In a bucket, where nothing can be appended to, it is a list of its own, which is written again not more often than
    every 5 s, and in which those of earlier runs are contained at the end.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / (f"{_BEGINNING}{secrets.token_hex(6)}.jsonl" if is_remote(folder) else COMPLETED)
        self._noted: dict[str, Completion] = {}
        self._written: float | None = None

    def __enter__(self) -> Completions:
        """Start."""
        return self

    def __exit__(self, *_: object) -> None:
        """Put the list in order: by name, each once."""
        if not self._noted:
            return
        with contextlib.suppress(OutputError, OSError), self._guarded():
            earlier = [path for path in _lists(self._folder) if path != self._path]
            self._write({**completed(self._folder), **self._noted})
            for path in earlier:
                path.unlink(missing_ok=True)

    def _guarded(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext() if is_remote(self._folder) else guarded(self._path)

    def note(self, completion: Completion) -> None:
        """Add an entry; raises ``OutputError``."""
        self._noted[completion.out] = completion
        if not is_remote(self._folder):
            append_line(self._path, asdict(completion))
        elif self._written is None or time.monotonic() - self._written >= _SECONDS:
            self._write(self._noted)

    def _write(self, noted: Mapping[str, Completion]) -> None:
        lines = [json.dumps(asdict(noted[out])) + "\n" for out in sorted(noted)]
        write_bytes(self._path, "".join(lines).encode())
        self._written = time.monotonic()
