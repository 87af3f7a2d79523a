"""The output folder of a batch: what its record says, and what there is of its items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..flows.io import files_of, suffix_of
from ..frames.images import image_size
from ..frames.reading import Reading
from ..storage import RECORD
from .batch_outputs import BatchOutputs
from .completed import completed
from .flow_folder import FlowFolder
from .record import Kind, settings_of
from .tasks import Item, Task, VideoTask


class BatchFolder:
    """The output folder of a batch.

    Args:
        outputs: the outputs.
        settings: the settings of the estimator, as for :meth:`flowcli.estimator.FlowEstimator.settings`.
        reading: how frames are read, as it was asked for.
        holds_arrays: whether files of flow hold masks and distances themselves; ``None``: as far as names tell.
    """

    def __init__(
        self,
        outputs: BatchOutputs,
        settings: Mapping[str, object],
        reading: Reading,
        holds_arrays: bool | None = None,
    ) -> None:
        self.outputs = outputs
        self.files = outputs.sequence
        self.flows = FlowFolder(outputs.folder, self.files, outputs.style, force=outputs.force, adopt=outputs.adopt)
        self.record = self.flows.record
        self.completed = {} if outputs.force else completed(outputs.folder)
        """What earlier runs, or others, have noted of videos that they have completed, by their outputs."""

        self.holds_arrays = holds_arrays is not False
        self._estimator_settings = settings
        self._asked = reading.settings()

    def expect(self, items: Iterable[Item] | None, survey: tuple[set[str], bool] | None = None) -> None:
        """Declare how all outputs are made, before any is written.

        Args:
            items: the items, which are gone through several times; ``None`` if they come one by one.
            survey: the suffixes of the outputs of pairs, and whether there are videos, if that is known.

        Raises:
            UsageError: the folder contains outputs made with other settings, or that no run has recorded.
            OutputError: the record cannot be written.
        """
        suffixes, has_videos = _survey(items or ()) if survey is None else survey
        names = [Path(f"x{suffix}") for suffix in sorted(suffixes)]
        if has_videos and self.outputs.keeps_flow:
            names.append(Path(f"x{Path(self.files.template.text).suffix}"))
        if items is not None and self.files.consistency.is_wanted:
            self.holds_arrays = not names or any(map(self.files.holds_arrays, names))
        if items is None:  # settings that differ are an error before any work all the same
            names = [Path(f"x{suffix_of(self.outputs.flow_format or 'flo')}")]
        is_empty = not self.flows.has_outputs()
        for kind in dict.fromkeys(map(self.flows.kind, names)):
            existing = () if is_empty or items is None else _Existing(self, items, kind)
            self.record.expect(kind, self.settings(kind), existing)
        if has_videos and self.outputs.video_format is not None:
            existing = () if is_empty or items is None else _Existing(self, items, "video")
            self.record.expect("video", self.settings("video"), existing)
        for beside in self.files.consistency.kinds():
            self.record.expect(beside, self.settings(beside))

    def expect_also(self, kind: Kind) -> None:
        """Declare how outputs of a kind are made, if that was not known in advance; errors as for :meth:`expect`."""
        if not self.record.is_expected(kind):
            self.record.expect(kind, self.settings(kind))

    def settings(self, kind: Kind) -> dict[str, object]:
        """What determines outputs of a kind, for the record."""
        outputs = self.outputs
        common = {**self._estimator_settings, **self._asked}
        if kind == "video":
            shown = {"max_flow": outputs.style.max_flow or "auto", "gap": outputs.pairing.single_gap}
            return {**common, **outputs.style.settings(), **shown, "pad": outputs.pairing.pad}
        style = outputs.style.settings() if kind == "picture" else {}
        named = self.files.settings(kind, holds_arrays=self.holds_arrays)
        return {**common, **style, **settings_of(kind, outputs.options), **named}

    def check_room(self, tasks: Iterable[Item]) -> None:
        """Say if the flows of these pairs take much of the free space; raises ``OutputError`` if they do not fit."""
        sizes: dict[Path, int] = {}
        count = pixels = 0
        for task in tasks:
            if isinstance(task, Task) and task.frame1 is not None:
                folder = task.frame1.parent
                if folder not in sizes:  # frames of one folder are of one size
                    height, width = image_size(task.frame1) or (0, 0)
                    sizes[folder] = height * width
                count += 1
                pixels += sizes[folder]
        if count:
            self.flows.check_room(count, pixels)


def _survey(items: Iterable[Item]) -> tuple[set[str], bool]:
    """The suffixes of the outputs of pairs, and whether there are videos."""
    suffixes: set[str] = set()
    has_videos = False
    for item in items:
        if isinstance(item, VideoTask):
            has_videos = True
        elif item.out is not None:
            suffixes.add(item.out.suffix)
    return suffixes, has_videos


@dataclass(frozen=True)
class _Existing:
    """The files that outputs of a kind have, or would have, gone through as often as needed."""

    folder: BatchFolder
    items: Iterable[Item]
    kind: Kind

    def __iter__(self) -> Iterator[Path]:
        folder, outputs = self.folder, self.folder.outputs
        for item in self.items:
            if item.out is None:
                continue
            if isinstance(item, VideoTask):
                if self.kind == "video":
                    yield from outputs.files_of(item)
                elif outputs.keeps_flow and not (outputs.folder / item.out / RECORD).exists():
                    yield from folder.flows.flows_in(item.out)  # else its own record says how they were made
            elif folder.flows.kind(item.out) == self.kind:
                yield from files_of(outputs.folder / item.out, folder.files.form_of(item.out))
