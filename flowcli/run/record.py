"""The record of an output folder, and the policy for resuming: which outputs a later run skips.

``flowcli.json`` stores, for each kind of output in the folder, the settings that determine its content. It is written
before the first output of that kind, so that every complete output is recorded, even if the run is killed. An output
is skipped if it exists, is complete, has the right size, is newer than its frames, and was made from the same frames
with the same settings.

Outputs that were in the folder before their kind was recorded are neither kept nor overwritten unless the user says so
(``adopt``, ``force``). The record stores that choice, so that a run that was killed is resumed in the same way.

Outputs may be objects in a bucket, too. Where the record is kept and which clock counts is then different, see
:mod:`flowcli.run.record_store`; the policy is the same. An object is always whole. What flowcli noted of it when it was
written says what it was made from, and with that, as frames in buckets cannot be changed without a new time stamp,
that it has the right size.
"""

from __future__ import annotations

import contextlib
import json
import stat
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, cast

from ..choices import FlowFormatName
from ..errors import InputError, UsageError
from ..flows.formats import FlowOptions, formats
from ..flows.io import form_for, is_flow_file, output_size, plane_size
from ..places import is_remote
from ..storage import RECORD, noted_made_from, refresh, why
from ..unfinished import remove_leftovers
from .record_store import Draft, record_store

_SCHEMA = 2
_OURS = (RECORD, "failures.jsonl", ".flowcli")  # names, or beginnings of names, of files that are not outputs

_UNTIL_WRITTEN = 1 << 63  # nanoseconds; later than every file

Kind = Literal["flow", "picture", "jpg", "exr", "mask", "error", "video"]
"""The kind of an output: a picture, numbers, numbers in a format whose options the record has to say; what belongs
to a flow: a mask, or an array of how far both directions differ; or a flow video."""

Size = tuple[int, int] | Callable[[], tuple[int, int] | None] | None
"""Height and width that an output must have, or what finds them if they are needed; ``None``: any."""

_PLURALS: dict[Kind, str] = {
    "flow": "flows",
    "picture": "pictures",
    "jpg": "pairs of .jpg",
    "exr": ".exr files",
    "mask": "masks",
    "error": "inconsistencies",
    "video": "flow videos",
}


def kind_of(path: Path, flow_format: FlowFormatName | None) -> Kind:
    """The kind of an output with that name; arguments and errors as for :func:`flowcli.flows.io.form_for`."""
    form = form_for(path, flow_format)
    if form is None:
        return "picture"
    return cast(Kind, form.name) if form.options else "flow"


def settings_of(kind: Kind, options: FlowOptions) -> dict[str, object]:
    """The options of formats that determine what outputs of a kind contain; JSON types only."""
    form = next((form for form in formats().values() if form.name == kind), None)
    return {} if form is None else {name: getattr(options, name) for name in form.options}


@dataclass(frozen=True)
class _Entry:
    """The record of one kind of output."""

    settings: dict[str, Any]
    """The settings that determine its content; JSON types only."""

    noted: dict[str, Any] = field(default_factory=dict)
    """Further information, which later runs need not match."""

    since: int = 0
    """When it was recorded, in nanoseconds by the file system's clock; 0 if the folder had no other outputs then."""

    outdated_since: int | None = None
    """Outputs after this time, up to ``since``, were made otherwise and are remade; ``None``: there are none."""


class Record:
    """The record of an output folder.

    Args:
        folder: the output folder.
        force: whether to overwrite all existing outputs.
        adopt: whether to keep complete outputs of the right size that no run has recorded.
    """

    def __init__(self, folder: Path, *, force: bool = False, adopt: bool = False) -> None:
        self._folder = folder
        self._store = record_store(folder)
        self._force = force
        self._adopt = adopt
        self._wanted: dict[Kind, _Entry] = {}
        self._begun: set[Kind] = set()
        self._stamp: object = None  # taken when a kind has begun
        self._entries = self._read(as_listed=True)
        _remove_leftovers(folder)

    def expect(self, kind: Kind, settings: Mapping[str, object], existing: Iterable[Path] = ()) -> None:
        """Declare the settings of a kind of output, before this run writes any.

        Args:
            kind: the kind of output.
            settings: the settings that determine its content; JSON types only.
            existing: paths that outputs of that kind have, or would have, in the folder; they need not exist. They are
                gone through twice.

        Raises:
            UsageError: the folder contains outputs of that kind made with other settings, or that no run has recorded.
            OutputError: the record cannot be written.
        """
        wanted = _Entry(json.loads(json.dumps(dict(settings))))
        recorded = self._entries.get(kind)
        if recorded is None and not self._force:
            found = next((path for path in existing if path.is_file()), None)
            self._entries = self._read()  # another run may have started since, and written the output
            recorded = self._entries.get(kind)
            if recorded is None and found is not None and not self._adopt:
                raise self._unrecorded(found)
        if recorded is not None and recorded.settings != wanted.settings and not self._force:
            raise self._made_otherwise(kind, recorded.settings, wanted.settings)
        if self._entries.keys() - {kind} and not self._force:
            for path in existing:
                if path.is_file() and not _is_of_kind(path, kind):
                    raise self._of_another_kind(path, kind)
        self._wanted[kind] = wanted
        if self._adopt and self._folder.is_dir():
            self.begin(kind)

    def holds_outputs(self) -> bool:
        """Whether the folder is there and contains anything but flowcli's own files."""
        is_there = self._folder.is_dir()
        return is_there and any(not path.name.startswith(_OURS) for path in self._folder.iterdir())

    def expected(self) -> list[Kind]:
        """The kinds of output whose settings this run has declared."""
        return list(self._wanted)

    def is_expected(self, kind: Kind) -> bool:
        """Whether this run has declared the settings of that kind."""
        return kind in self._wanted

    def begin(self, kind: Kind, noted: Mapping[str, object] | None = None) -> None:
        """Record a kind of output, unless it is recorded already; to be called before writing the first one.

        Args:
            kind: the kind of output, declared by :meth:`expect`.
            noted: further information, which need not match that of an earlier run; JSON types only.

        Raises:
            OutputError: the record cannot be written.
            UsageError: another run that started in the meantime uses other settings for that kind.
        """
        if kind in self._begun and self._stamp == self._store.stamp():
            return
        wanted = replace(self._wanted[kind], noted=json.loads(json.dumps(dict(noted or {}))))
        with self._store.guarded():
            self._entries = self._read()
            recorded = self._entries.get(kind)
            if recorded is None:
                self._write_new(kind, wanted, None)
                self._check_alone(kind)
            elif recorded.settings == wanted.settings:
                if self._force and kind not in self._begun and recorded.noted != wanted.noted:
                    self._write_new(kind, wanted, recorded)
                elif wanted.noted and not recorded.noted:
                    with self._store.replacing() as draft:
                        self._write(kind, replace(recorded, noted=wanted.noted), draft)
            elif self._force and kind not in self._begun:
                self._write_new(kind, wanted, recorded)
            else:
                raise self._made_otherwise(kind, recorded.settings, wanted.settings)
            self._begun.add(kind)
            self._stamp = self._store.stamp()

    def _write_new(self, kind: Kind, entry: _Entry, outdated: _Entry | None) -> None:
        """Write the record with an entry that begins now; the outputs of the one that it replaces are outdated."""
        with self._store.replacing() as draft:
            since = draft.now() if self.holds_outputs() else 0
            before = None
            if outdated is not None and since:
                before = outdated.since if outdated.outdated_since is None else outdated.outdated_since
            self._write(kind, replace(entry, since=since, outdated_since=before), draft)
        if outdated is not None:
            self._store.remove_others()

    def _write(self, kind: Kind, entry: _Entry, draft: Draft) -> None:
        self._entries[kind] = entry
        outputs = {name: asdict(each) for name, each in self._entries.items()}
        draft.write(json.dumps({"schema": _SCHEMA, "outputs": outputs}, indent=1), entry.since)

    def _check_alone(self, kind: Kind) -> None:
        """Raise ``UsageError`` if another run has recorded something else at the same moment, where nothing is locked.

        Each writes its own record first and then looks at all, so that not both can miss the other.
        """
        if is_remote(self._folder) and not self._force:
            try:
                self._read()
            except UsageError:
                if self._store.withdraw():
                    del self._entries[kind]
                raise

    def noted(self, kind: Kind) -> Mapping[str, Any]:
        """The further information recorded by the run that this one resumes; empty if there is none."""
        recorded = self._entries.get(kind)
        return {} if recorded is None or self._force else recorded.noted

    def is_done(
        self,
        kind: Kind,
        paths: Sequence[Path],
        size: Size,
        *,
        frames_changed: int,
        made_from: str | None,
        is_completed: bool = False,
    ) -> bool:
        """Whether an output exists and is valid, so that it can be skipped.

        Args:
            kind: the kind of output.
            paths: its files; all of them must be valid.
            size: the height and width that it must have, or what finds them, ``None`` if they cannot be found;
                ``None`` accepts any.
            frames_changed: when its frames were last modified, in nanoseconds since the epoch.
            made_from: identifies its frames; see :func:`flowcli.storage.noted_made_from`.
            is_completed: whether a run has noted elsewhere that it has made all of these outputs from these frames, so
                that objects, which are always whole, need not be asked for what is noted of each.

        Raises:
            UsageError: it exists, but no run has recorded it.
        """
        ages = [self._age(kind, path, size, frames_changed, made_from, is_completed) for path in paths]
        if None in ages:
            return False
        for path, is_older in zip(paths, ages, strict=True):
            if is_older:  # adopted: from now on it is one of the recorded outputs
                refresh(path, made_from)
        for folder in {path.parent for path in paths}:
            _remove_leftovers(folder)
        return True

    def _age(
        self, kind: Kind, path: Path, size: Size, frames_changed: int, made_from: str | None, is_completed: bool
    ) -> bool | None:
        """Whether a valid file is older than its kind's record, so that it is only now adopted; ``None``: not valid."""
        if self._force:
            return None
        try:
            found = path.stat()
            if not stat.S_ISREG(found.st_mode):
                return None
            made = found.st_mtime_ns
            entry = self._entry(kind)
            is_older = 0 < made <= entry.since
            if is_older and entry.outdated_since is not None and made > entry.outdated_since:
                return None
            if is_older and not self._adopt:
                raise self._unrecorded(path)
            if frames_changed > time.time_ns():  # in the future: a clock was wrong, so ignore it
                frames_changed = 0
            if not is_older and (made < frames_changed or (made == frames_changed and is_remote(path))):
                return None  # the clock of a bucket ticks in seconds
            if is_completed and not is_older and is_remote(path):
                return False
            noted = noted_made_from(path)
            if noted not in {None, made_from or ""}:
                return None
            if noted is not None and not is_older and is_remote(path):
                return False
            whole = _size(path, kind)
        except (OSError, InputError):  # missing, or incomplete
            return None
        if not _is_of_kind(path, kind):
            raise self._of_another_kind(path, kind)
        if callable(size) and (size := size()) is None:
            return None
        return is_older if size in {None, whole} and min(whole) > 0 else None

    def _entry(self, kind: Kind) -> _Entry:
        if kind not in self._entries:
            self._entries = self._read()  # another run may have started since
        return self._entries.get(kind, _Entry({}, since=_UNTIL_WRITTEN))

    def _unrecorded(self, path: Path) -> UsageError:
        return UsageError(
            f"{path} exists, but {self._store.path} does not say how it was made; choose another folder, or add "
            "`adopt` to keep complete outputs of the right size, or `force` to overwrite them"
        )

    def _of_another_kind(self, path: Path, kind: Kind) -> UsageError:
        there, wanted = ("numbers", "a picture") if kind == "picture" else ("a picture", "numbers")
        return UsageError(
            f"{path} holds {there}, not {wanted}; choose another folder, or add `force` to overwrite such files"
        )

    def _made_otherwise(self, kind: Kind, there: dict[str, Any], now: dict[str, Any]) -> UsageError:
        names = sorted(name for name in there.keys() | now.keys() if there.get(name) != now.get(name))
        changes = ", ".join(f"{name} ({there.get(name)} there, {now.get(name)} now)" for name in names)
        return UsageError(
            f"{self._folder} contains {_PLURALS[kind]} made with another {changes}; "
            "choose another folder, or add `force` to overwrite them"
        )

    def _read(self, *, as_listed: bool = False) -> dict[Kind, _Entry]:
        """The entries of the record, none if there is no record.

        What runs have recorded since the folder was listed is not seen ``as_listed``. Before anything is recorded or
        written, it is read without.

        Raises ``UsageError`` if it is damaged or of another version, unless the user takes it upon himself.
        """
        try:
            return self._merged([_parsed(text) for text in self._store.texts(as_listed=as_listed)])
        except FileNotFoundError:
            return {}
        except OSError as error:
            if is_remote(self._folder):  # where the server may only be busy
                raise InputError(f"cannot read {self._store.path}: {why(error)}") from error
            return {}
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            if self._force or self._adopt:
                return {}
            raise UsageError(
                f"{self._store.path} is damaged or of another version, and does not say how the outputs beside it were "
                "made; choose another folder, or add `adopt` to keep complete outputs of the right size, "
                "or `force` to overwrite them"
            ) from error

    def _merged(self, records: list[dict[Kind, _Entry]]) -> dict[Kind, _Entry]:
        """The entries of several records, which must agree; raises ``UsageError``."""
        merged: dict[Kind, _Entry] = {}
        for kind, entry in (item for record in records for item in record.items()):
            other = merged.setdefault(kind, entry)
            if other.settings != entry.settings and not self._force:
                raise self._made_otherwise(kind, other.settings, entry.settings)
            if other.settings == entry.settings:  # whoever came first has seen what was there before
                first = min(other, entry, key=lambda each: each.since)
                merged[kind] = replace(first, noted=other.noted or entry.noted)
        return merged


def recorded(folder: Path) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The settings and the notes of every kind of flow in a folder; none if there is no record that can be read."""
    try:
        records = [_parsed(text) for text in record_store(folder).texts()]
        entries = (item for record in records for item in record.items())
        return [(entry.settings, entry.noted) for kind, entry in entries if kind not in {"mask", "error"}]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return []


def _parsed(text: str) -> dict[Kind, _Entry]:
    """The entries of one record; raises ``ValueError``, ``LookupError``, ``TypeError`` or ``AttributeError``."""
    recorded = json.loads(text)
    if recorded["schema"] != _SCHEMA:
        raise ValueError(f"schema {recorded['schema']}")
    return {kind: _entry(**fields) for kind, fields in recorded["outputs"].items()}


def _entry(settings: Any, noted: Any, since: Any, outdated_since: Any) -> _Entry:
    """An entry as it was read; raises ``TypeError`` if it is not one."""
    are_objects = isinstance(settings, dict) and isinstance(noted, dict)
    if not are_objects or type(since) is not int or type(outdated_since) not in {int, type(None)}:
        raise TypeError("not an entry of a record")
    return _Entry(settings, noted, since, outdated_since)


def _size(path: Path, kind: Kind) -> tuple[int, int]:
    """The height and width of an output; raises ``InputError`` if it is not whole."""
    if kind == "video":
        from ..draw.video_writer import written_size  # imports FFmpeg, which flow files do not need

        return written_size(path)
    return plane_size(path) if kind == "error" else output_size(path)


def _is_of_kind(path: Path, kind: Kind) -> bool:
    """Whether an output is of that kind; a ``.png`` or ``.jpg`` can be either, a picture or numbers."""
    return is_flow_file(path) == (kind not in {"picture", "mask", "video"})


def _remove_leftovers(folder: Path) -> None:
    """Remove what killed processes have left in a folder that this run may not write into."""
    if not is_remote(folder):
        with contextlib.suppress(OSError):
            remove_leftovers(folder)
