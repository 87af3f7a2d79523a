"""Writes what the server of a benchmark takes, from the flow of a run, and checks it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import Flow, known, size_of
from ..datasets.shared.dataset import Dataset, Sample
from ..errors import BatchError, InputError, UsageError
from ..flows.formats import FlowFormat, kitti
from ..flows.io import encode_flow, form_for, output_size, read_flow
from ..frames.images import image_size
from ..places import is_remote
from ..storage import atomic_output, check_writable, output_errors, why, write_bytes

_TIME = (1980, 1, 1, 0, 0, 0)  # of all files in a ZIP file, so that the same flow gives the same file


@dataclass(frozen=True)
class _Entry:
    """One flow of a submission."""

    flow: Path
    """The file of the flow that was estimated."""

    frame: Path
    """The first frame, whose size it must have."""

    name: str
    """Its name in the submission."""


class SubmissionWriter:
    """Writes the submission of a run.

    Args:
        dataset: the data set.
        samples: the pairs without true flow.
        flows: the files of their flow, which may not be there yet.
        folder: where the submission goes.
        force: whether an existing submission may be replaced. One that is newer than its flow counts as made from it:
            its files are kept, and a ZIP file is made again.

    Raises:
        UsageError: there is no server for the data set, or an output exists that this run has not made.
        OutputError: the folder cannot be written to.
    """

    def __init__(
        self, dataset: Dataset, samples: Sequence[Sample], flows: Sequence[Path], folder: Path, *, force: bool
    ) -> None:
        if dataset.submission is None:
            raise UsageError(f"flowcli knows no server for {dataset.name}; flowcli datasets {dataset.name} says more")
        self._what = dataset.submission
        self._folder = folder
        self._force = force
        self._entries = [
            _Entry(flow, sample.frame1, sample.submitted)
            for sample, flow in zip(samples, flows, strict=True)
            if sample.submitted is not None
        ]
        form = form_for(Path(self._entries[0].name), self._what.flow_format)
        assert form is not None
        self._form: FlowFormat = form
        self._clipped = 0
        check_writable(folder)
        self._check_room()

    @property
    def target(self) -> Path:
        """The ZIP file or the folder."""
        return self._folder if self._what.archive is None else self._folder / self._what.archive

    def _check_room(self) -> None:
        """Raise ``UsageError`` if there are files of the same names that are older than their flow, or have none."""
        if self._force:
            return
        if self._what.archive is not None:
            stale = self.target.exists() and not all(_is_newer(self.target, entry.flow) for entry in self._entries)
            foreign = [self.target] if stale else []
        else:
            targets = ((self._folder / entry.name, entry.flow) for entry in self._entries)
            foreign = [target for target, flow in targets if target.exists() and not _is_newer(target, flow)]
        if foreign:
            raise UsageError(f"{foreign[0]} exists and was not made from this run's flow; use `force` to overwrite it")

    def write(self) -> dict[str, Any]:
        """Write the submission, and check it.

        Returns:
            The fields ``submission``, ``clipped`` and ``next_step`` of :class:`flowcli.results.DatasetSummary`.

        Raises:
            InputError: a flow is missing or damaged.
            OutputError: a file cannot be written.
            BatchError: a flow has another size than its frame, or is unknown somewhere where the server needs it.
        """
        if self._what.archive is None:
            self._write_tree()
            self._check_tree()
        else:
            self._write_archive()
            self._check_archive()
        next_step = self._what.next_step.format(target=self.target)
        return {"submission": self.target, "clipped": self._clipped, "next_step": next_step}

    def _write_tree(self) -> None:
        for entry in self._entries:
            target = self._folder / entry.name
            if self._force or not _is_newer(target, entry.flow):
                write_bytes(target, self._encoded(entry))

    def _write_archive(self) -> None:
        """Write the ZIP file; it holds one flow at a time in memory."""
        with (
            atomic_output(self.target) as temporary,
            output_errors(self.target),
            zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            for entry in self._entries:
                info = zipfile.ZipInfo(entry.name, _TIME)
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = 0o644 << 16
                archive.writestr(info, self._encoded(entry))

    def _encoded(self, entry: _Entry) -> bytes:
        """A flow as the bytes of its file in the submission."""
        flow = read_flow(entry.flow)
        size = image_size(entry.frame)
        if size is not None and size != size_of(flow):
            raise BatchError(
                f"{entry.flow} is {flow.shape[1]} x {flow.shape[0]} but {entry.frame} is {size[1]} x {size[0]}; "
                "estimate it again with --force"
            )
        if self._form.name == kitti.FORMAT.name:  # which can mark flow as unknown
            flow, count = kitti.clipped(flow)
            self._clipped += count
        elif not known(flow).all():
            raise BatchError(
                f"{entry.flow} is unknown in {int((~known(flow)).sum())} pixels; the server takes flow that is known "
                "everywhere: use a model or settings that give it"
            )
        return encode_flow(np.asarray(flow, np.float32), self._form)[0]

    def _check_tree(self) -> None:
        for entry in self._entries:
            target = self._folder / entry.name
            if self._form.size is None:  # whole by how it was written
                is_right = target.is_file() and target.stat().st_size > 0
            else:
                is_right = output_size(target) == (image_size(entry.frame) or output_size(target))
            if not is_right:
                raise BatchError(f"{target} is missing or damaged; run the command again")

    def _check_archive(self) -> None:
        """Read the ZIP file back: it has all flows, of the right size, and nothing else."""
        found = {name: size_of(flow) for name, flow in self._in_archive()}
        for entry in self._entries:
            size = image_size(entry.frame)
            if entry.name not in found or (size is not None and found[entry.name] != size):
                raise BatchError(f"{entry.name} is missing in {self.target} or damaged; run the command again")
        if len(found) != len(self._entries):
            raise BatchError(f"{self.target} has {len(found)} files, not {len(self._entries)}; run the command again")

    def _in_archive(self) -> Iterator[tuple[str, Flow]]:
        try:
            with zipfile.ZipFile(self.target) as archive:
                for name in archive.namelist():
                    yield name, self._form.decode(archive.read(name), f"{name} in {self.target}")
        except (OSError, zipfile.BadZipFile) as error:
            reason = why(error) if isinstance(error, OSError) else str(error)
            raise InputError(f"cannot read {self.target}: {reason}") from error


def _is_newer(target: Path, flow: Path) -> bool:
    """Whether a file of a submission is there and newer than the flow that it is made from, which is there too."""
    if is_remote(flow):
        return False  # its clock is another one
    try:
        return target.stat().st_mtime_ns >= flow.stat().st_mtime_ns
    except OSError:
        return False
