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
from ..flows.io import encode_flow, form_for, read_flow
from ..frames.images import image_size
from ..storage import atomic_output, check_writable, output_errors, why, write_bytes
from .submission_record import Made, SubmissionRecord, state_of

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
        flow_folder: the folder of the flow, which remembers what was submitted.
        folder: where the submission goes.
        force: whether files may be replaced that were not made from the flow in ``flow_folder``.

    Raises:
        UsageError: there is no server for the data set, or a file exists and may not be replaced.
        OutputError: the folder cannot be written to.
    """

    def __init__(
        self,
        dataset: Dataset,
        samples: Sequence[Sample],
        flows: Sequence[Path],
        flow_folder: Path,
        folder: Path,
        *,
        force: bool,
    ) -> None:
        if dataset.submission is None:
            raise UsageError(f"flowcli knows no server for {dataset.name}; flowcli datasets {dataset.name} says more")
        self._what = dataset.submission
        self._folder = folder
        entries = [
            _Entry(flow, sample.frame1, sample.submitted)
            for sample, flow in zip(samples, flows, strict=True)
            if sample.submitted is not None
        ]
        archive = self._what.archive
        self._files = {archive: entries} if archive is not None else {entry.name: [entry] for entry in entries}
        form = form_for(Path(entries[0].name), self._what.flow_format)
        assert form is not None
        self._form: FlowFormat = form
        check_writable(folder)
        self._record = SubmissionRecord(flow_folder, folder)
        if not force:
            self._check_room()

    @property
    def target(self) -> Path:
        """The ZIP file or the folder."""
        return self._folder if self._what.archive is None else self._folder / self._what.archive

    def _check_room(self) -> None:
        """Raise ``UsageError`` if there are files that were not made from this flow, or would lose flows."""
        for name, entries in self._files.items():
            path, made = self._folder / name, self._record.made.get(name)
            if not path.exists():
                continue
            if made is None or (made.sent is not None and made.sent != state_of(path)):
                raise UsageError(f"{path} exists and was not made from this run's flow; use `force` to overwrite it")
            if left_out := made.flows.keys() - {entry.name for entry in entries}:
                raise UsageError(
                    f"{path} has {len(left_out)} more flows than were chosen now; choose them too, or use `force`"
                )

    def write(self) -> dict[str, Any]:
        """Write the submission: what is not there yet, or whose flow is another one by now.

        Returns:
            The fields ``submission``, ``clipped`` and ``next_step`` of :class:`flowcli.results.DatasetSummary`.

        Raises:
            InputError: a flow is missing or damaged.
            OutputError: a file cannot be written.
            BatchError: a flow has another size than its frame, or is unknown somewhere where the server needs it.
        """
        record = self._record
        current = {name for name, entries in self._files.items() if self._is_current(name, entries)}
        for name in self._files.keys() - current:  # ours, even if this is interrupted
            record.made[name] = Made()
        record.write()
        for name, entries in self._files.items():
            if name not in current:
                record.made[name] = self._make(self._folder / name, entries)
        record.write()
        clipped = sum(record.made[name].clipped for name in self._files)
        next_step = self._what.next_step.format(target=self.target)
        return {"submission": self.target, "clipped": clipped, "next_step": next_step}

    def _is_current(self, name: str, entries: Sequence[_Entry]) -> bool:
        made = self._record.made.get(name)
        return made is not None and made.is_current(self._folder / name, {entry.name: entry.flow for entry in entries})

    def _make(self, path: Path, entries: Sequence[_Entry]) -> Made:
        """Write a file of the submission and read it back."""
        flows = {entry.name: state_of(entry.flow) for entry in entries}
        if self._what.archive is None:
            data, clipped = self._encoded(entries[0])
            write_bytes(path, data)
            _check_same(path, size_of(self._form.decode(path.read_bytes(), str(path))), image_size(entries[0].frame))
        else:
            clipped = self._write_archive(path, entries)
            self._check_archive(path, entries)
        return Made(state_of(path), flows, clipped)

    def _write_archive(self, path: Path, entries: Sequence[_Entry]) -> int:
        """Write the ZIP file, with one flow at a time in memory; returns how many vectors are clipped."""
        clipped = 0
        with (
            atomic_output(path) as temporary,
            output_errors(path),
            zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            for entry in entries:
                info = zipfile.ZipInfo(entry.name, _TIME)
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = 0o644 << 16
                data, count = self._encoded(entry)
                archive.writestr(info, data)
                clipped += count
        return clipped

    def _encoded(self, entry: _Entry) -> tuple[bytes, int]:
        """A flow as the bytes of its file in the submission, and how many vectors the format cannot hold."""
        flow = read_flow(entry.flow)
        size = image_size(entry.frame)
        if size is not None and size != size_of(flow):
            raise BatchError(
                f"{entry.flow} is {flow.shape[1]} x {flow.shape[0]} but {entry.frame} is {size[1]} x {size[0]}; "
                "estimate it again with --force"
            )
        clipped = 0
        if self._form.name == kitti.FORMAT.name:  # which can mark flow as unknown
            kept = form_for(entry.flow, self._what.flow_format)
            is_kept_so = kept is not None and kept.name == self._form.name
            lost = int((~known(flow)).sum()) if is_kept_so else 0  # what was out of range when the flow was kept
            flow, clipped = kitti.clipped(flow)
            clipped += lost
        elif not known(flow).all():
            raise BatchError(
                f"{entry.flow} is unknown in {int((~known(flow)).sum())} pixels; the server takes flow that is known "
                "everywhere: use a model or settings that give it"
            )
        return encode_flow(np.asarray(flow, np.float32), self._form)[0], clipped

    def _check_archive(self, path: Path, entries: Sequence[_Entry]) -> None:
        """Read the ZIP file back: it has all flows, of the right size, and nothing else."""
        found = {name: size_of(flow) for name, flow in self._in_archive(path)}
        for entry in entries:
            _check_same(path / entry.name, found.get(entry.name), image_size(entry.frame))
        if len(found) != len(entries):
            raise BatchError(f"{path} has {len(found)} files, not {len(entries)}; run the command again")

    def _in_archive(self, path: Path) -> Iterator[tuple[str, Flow]]:
        try:
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    yield name, self._form.decode(archive.read(name), f"{name} in {path}")
        except (OSError, zipfile.BadZipFile) as error:
            reason = why(error) if isinstance(error, OSError) else str(error)
            raise InputError(f"cannot read {path}: {reason}") from error


def _check_same(path: Path, found: tuple[int, int] | None, wanted: tuple[int, int] | None) -> None:
    """Raise ``BatchError`` if a written flow is missing or of another size than its frame."""
    if found is None or (wanted is not None and found != wanted):
        raise BatchError(f"{path} is missing or damaged; run the command again")
