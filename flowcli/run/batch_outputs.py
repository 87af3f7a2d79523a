"""What is written of a batch."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path

from ..choices import FlowFormatName, FlowVideoFormat
from ..draw.style import Style
from ..errors import UsageError
from ..flows.formats import FlowOptions
from ..places import place
from .consistency import Consistency
from .flow_folder import FlowFiles
from .manifest import with_suffix
from .pairing import Pairing
from .tasks import Item, VideoTask
from .video_outputs import VideoOutputs


@dataclass(frozen=True)
class BatchOutputs:
    """The outputs of a batch. Plain data.

    Raises:
        UsageError: the arguments exclude each other.
    """

    folder: Path
    """The output folder."""

    flow_format: FlowFormatName | None = None
    """The format of outputs without a suffix, ``flo`` by default; ``kitti`` also makes ``.png`` outputs KITTI files,
    not pictures, and ``jpg`` makes ``.jpg`` outputs pairs of grey JPEGs."""

    options: FlowOptions = FlowOptions()
    """How formats with options are written."""

    style: Style = Style()
    """How pictures are drawn; without a ``max_flow``, each pair of frames, and each video, has its own colour scale."""

    force: bool = False
    """Whether to overwrite existing outputs."""

    adopt: bool = False
    """Whether to keep complete outputs of the right size that no run has recorded."""

    names: str | None = None
    """A template for the outputs of a folder of frames or of a video, relative to its folder; see
    :data:`flowcli.run.names.FIELDS`."""

    pairing: Pairing = Pairing()
    """Which frames of a folder or of a video are paired."""

    consistency: Consistency = Consistency()
    """What is stored of the forward-backward check."""

    video_format: FlowVideoFormat | None = None
    """The format of the flow video that each video gets. Then it gets files of flow only if their format, their names
    or what is stored of the forward-backward check are given."""

    def __post_init__(self) -> None:
        """Take the name of a folder as well, and check the values."""
        object.__setattr__(self, "folder", place(self.folder))
        if self.video_format is not None and self.pairing.single_gap is None:
            raise UsageError("`video_out` shows the flow of one gap; leave it out, or give a single `gap`")
        _ = self.sequence

    @functools.cached_property
    def sequence(self) -> FlowFiles:
        """Which files the flow of a folder of frames, or of a video, is stored in."""
        return FlowFiles(self.flow_format, self.names, self.pairing, self.consistency, self.options)

    @property
    def keeps_flow(self) -> bool:
        """Whether videos get files of flow."""
        is_asked = self.flow_format is not None or self.names is not None or self.consistency.is_wanted
        return self.video_format is None or is_asked

    def files(self, out: Path) -> tuple[Path, ...]:
        """The files of a pair's output with that name, which is relative to the folder; first those of the flow."""
        return tuple(self.folder / file for file in self.sequence.of(out))

    def video_file(self, task: VideoTask) -> Path | None:
        """The flow video of a video, if it gets one."""
        if self.video_format is None or task.out is None:
            return None
        return self.folder / with_suffix(task.out, f".{self.video_format}")

    def files_of(self, item: Item) -> tuple[Path, ...]:
        """The files of an item's outputs, as far as they are known in advance."""
        if item.out is None:
            return ()
        if not isinstance(item, VideoTask):
            return self.files(item.out)
        video = self.video_file(item)
        return () if video is None else (video,)

    def folder_of(self, item: Item) -> str | None:
        """The folder that all of :meth:`files_of` are in, relative to the output folder, where the name tells it."""
        if item.out is None or isinstance(item, VideoTask) or self.consistency.is_wanted:
            return None
        return os.path.dirname(item.out)  # noqa: PTH120  (much faster)

    def video(self, task: VideoTask) -> VideoOutputs:
        """The outputs of a video that has a name."""
        assert task.out is not None
        return VideoOutputs(
            video=self.video_file(task),
            flow_dir=self.folder / task.out if self.keeps_flow else None,
            flow_format=self.flow_format,
            options=self.options,
            style=self.style,
            force=self.force,
            adopt=self.adopt,
            names=self.names,
            pairing=self.pairing,
            consistency=self.consistency,
        )
