"""Finds out what a user wants to look at: by what files contain, not by options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import UsageError
from ..flows.folder import flow_files
from ..flows.io import files_to_read, is_flow_file
from ..frames.files import IMAGE_SUFFIXES

_Kind = Literal["flow", "folder of flow", "frame", "sequence"]


@dataclass(frozen=True)
class Given:
    """What is to be looked at; one of the fields is filled."""

    flows: tuple[Path, ...] = ()
    """Flow files of the same two frames."""

    folders: tuple[Path, ...] = ()
    """Folders with the flow of the same sequence."""

    pair: tuple[Path, Path] | None = None
    """Two frames, whose flow is estimated."""

    sequence: Path | None = None
    """A video, a folder of frames or a pattern, whose flow is estimated."""


def what_is_given(paths: Sequence[Path]) -> Given:
    """Find out what paths are.

    What reads as flow is flow (a 16-bit PNG is KITTI's), two pictures are a pair of frames, a folder is one of flow if
    it has any, else one of frames, and all else is a video or a pattern of frames.

    Args:
        paths: files or folders, at least one.

    Raises:
        InputError: a folder cannot be read.
        UsageError: they do not belong together.
    """
    kinds = [_kind_of(path) for path in paths]
    if set(kinds) == {"flow"}:
        return Given(flows=tuple(paths))
    if set(kinds) == {"folder of flow"}:
        return Given(folders=tuple(paths))
    if kinds == ["frame", "frame"]:
        return Given(pair=(paths[0], paths[1]))
    if len(paths) == 1:
        return Given(sequence=paths[0])
    if set(kinds) == {"flow", "frame"}:
        raise UsageError("flow and frames are mixed; give the frames of a flow with `frame1` and `frame2`")
    if set(kinds) == {"frame"}:
        raise UsageError(f"{len(paths)} frames are neither a pair nor a sequence; give two, a folder or a pattern")
    described = ", ".join(f"{path} (a {kind})" for path, kind in zip(paths, kinds, strict=True))
    raise UsageError(f"these do not belong together: {described}; give flow of the same frames, two frames, or a video")


def _kind_of(path: Path) -> _Kind:
    if path.is_dir():
        return "folder of flow" if flow_files(path) else "sequence"
    files = files_to_read(path)
    if any(file.exists() for file in files) and is_flow_file(files[0]):
        return "flow"
    return "frame" if path.suffix.lower() in IMAGE_SUFFIXES else "sequence"


@dataclass(frozen=True)
class Extras:
    """What else is shown, or estimated."""

    frame1: Path | None = None
    """The frame that given flow leads from; or the frames of a folder of flow."""

    frame2: Path | None = None
    """The frame that given flow leads to."""

    gt: Path | None = None
    """The true flow, or a folder of it."""

    back: Path | None = None
    """The flow from frame 2 to frame 1."""

    occlusion: bool | None = None
    """Whether the opposite flow is estimated as well; ``None`` does so for two frames only."""

    def check(self, given: Given) -> None:
        """Check that they fit to what is given; raises ``UsageError``."""
        is_flow = bool(given.flows)
        for name, path in {"frame1": self.frame1, "frame2": self.frame2, "back": self.back}.items():
            if is_flow and path is not None and path.is_dir():
                raise UsageError(f"`{name}` {path} is a folder; for flow files, give a file")
        if not is_flow and not given.folders and self.frame1 is not None:
            raise UsageError("`frame1` is for given flow; leave it out")
        if not is_flow and self.frame2 is not None:
            hint = "; `frame1` takes all frames of a folder of flow" if given.folders else ""
            raise UsageError(f"`frame2` is for flow files; leave it out{hint}")
        if self.back is not None and len(given.flows) != 1:
            raise UsageError("`back` is for a single flow file; leave it out")
        if self.occlusion and (is_flow or given.folders):
            raise UsageError("`occlusion` is for frames, whose flow is estimated; give `back`, or leave it out")
        is_sequence = not is_flow and given.pair is None
        if self.gt is not None and self.gt.is_dir() != is_sequence:
            wanted = "a folder with the true flow of each pair" if is_sequence else "a flow file"
            raise UsageError(f"`gt` {self.gt} does not fit; give {wanted}")
