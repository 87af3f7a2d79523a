"""What is written of the flow of a video."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from ..choices import FlowFormatName, Layout
from ..draw.style import Style
from ..draw.video_writer import VIDEO_SUFFIXES
from ..errors import UsageError
from ..flows.formats import FlowOptions
from ..frames.files import IMAGE_SUFFIXES
from ..frames.sequence import ImageSequence
from ..frames.source import FrameSource
from ..places import file_only, is_name, place
from ..storage import check_outputs, check_suffix, check_writable
from .consistency import Consistency
from .flow_folder import FlowFiles
from .pairing import Pairing


@dataclass(frozen=True)
class VideoOutputs:
    """The outputs of a video. Plain data."""

    video: Path | None = None
    """The video to write; its suffix is one of ``VIDEO_SUFFIXES``."""

    flow_dir: Path | None = None
    """A folder for the flow files, one per pair."""

    flow_format: FlowFormatName | None = None
    """The format of the flow files; ``None`` for the one that ``names`` says, or ``flo``."""

    options: FlowOptions = FlowOptions()
    """How flow files of formats with options are written."""

    layout: Layout = "flow"
    """What each frame of the video shows."""

    style: Style = Style()
    """How flow is drawn; without a ``max_flow``, one is chosen for the whole video."""

    force: bool = False
    """Whether to overwrite existing outputs."""

    adopt: bool = False
    """Whether to keep complete flow files of the right size that no run has recorded."""

    names: str | None = None
    """A template for names in ``flow_dir``, such as ``{frame:05d}_{direction}.npz``; see
    :data:`flowcli.run.names.FIELDS`."""

    pairing: Pairing = Pairing()
    """Which frames are paired."""

    consistency: Consistency = Consistency()
    """What is stored of the forward-backward check."""

    def __post_init__(self) -> None:
        """Take the names of files as well."""
        for name in ("video", "flow_dir"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, place(value))

    @property
    def has_pictures(self) -> bool:
        """Whether any output shows flow as colours."""
        return self.video is not None or (self.flow_dir is not None and self.files.kind == "picture")

    @functools.cached_property
    def files(self) -> FlowFiles:
        """Which files ``flow_dir`` gets."""
        return FlowFiles(self.flow_format, self.names, self.pairing, self.consistency, self.options)

    @property
    def paths(self) -> tuple[Path, ...]:
        """The output video and folder, as far as requested."""
        return tuple(path for path in (self.video, self.flow_dir) if path is not None)

    def check(self, source: FrameSource | Path) -> None:
        """Check, before anything is computed, that all outputs can be written.

        Args:
            source: the input, which is never overwritten.

        Raises:
            UsageError: there is no output, the video exists and ``force`` is false, an output is the input, or the
                arguments exclude each other.
            OutputError: an output cannot be written, or has an unknown suffix.
        """
        if not self.paths:
            raise UsageError("nothing to write: give `out`, `flow_dir`, or both")
        files = self.files
        if self.video is not None and self.pairing.single_gap is None:
            raise UsageError("`out` shows the flow of one gap; give `flow_dir` alone, or a single `gap`")
        if self.flow_dir is None and (self.names is not None or self.consistency.is_wanted):
            raise UsageError("`names`, `mask` and `consistency` are for files; give `flow_dir`")
        for target in self.paths:
            file_only(target)
        path = source if is_name(source) else source.path
        if self.video is not None:
            check_suffix(self.video, VIDEO_SUFFIXES)
            if self.flow_dir is not None and self.flow_dir.resolve() == self.video.resolve():
                raise UsageError(f"`out` and `flow_dir` are both {self.video}; give them different names")
            check_outputs([self.video], force=self.force, inputs=[path])
        if self.flow_dir is not None:
            check_writable(self.flow_dir)
            suffix = Path(files.template.text).suffix.lower()
            if isinstance(source, ImageSequence) and (suffix in IMAGE_SUFFIXES or suffix == ".exr"):
                folders = {file.resolve().parent for file in source.files}
                if self.flow_dir.resolve() in folders:
                    raise UsageError(f"{self.flow_dir} contains the input's frames; choose another `flow_dir`")
        if not is_name(source) and self.flow_dir is not None:
            files.check_distinct(source)
