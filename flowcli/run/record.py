"""What an output folder says of itself, and so what a later run may skip: the one policy for resuming.

``flowcli.json`` holds, for each kind of output in the folder, what decides about its content. It is written before the
first output of that kind, so that whatever is whole is also recorded, even after a kill. An output is skipped where it
is there, whole, of the right size, newer than its frames, and made as it is asked for now.

What lay in the folder before its kind was recorded is neither taken nor replaced, unless the user says so: then the
record says it too, so that a run that is killed goes on as it began.
"""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..choices import FlowFormatName
from ..errors import InputError, UsageError
from ..flows.io import form_for, is_flow_file, output_size
from ..storage import atomic_output, guarded, is_made_from, output_errors

RECORD = "flowcli.json"
_SCHEMA = 2
_OURS = (RECORD, "failures.jsonl", ".flowcli")  # how the names begin of what is no output

_SLOWEST_TICK = 3.0  # seconds; some file systems count in steps of two
_UNTIL_WRITTEN = 1 << 63  # nanoseconds; later than every file

Kind = Literal["flow", "picture"]
"""What an output is: numbers, or a picture of them."""


def kind_of(path: Path, flow_format: FlowFormatName | None) -> Kind:
    """What an output of that name is; arguments and errors as for :func:`flowcli.flows.io.form_for`."""
    return "picture" if form_for(path, flow_format) is None else "flow"


@dataclass(frozen=True)
class _Entry:
    """How one kind of output was made."""

    settings: dict[str, Any]
    """What decides about its content, in JSON's types."""

    noted: dict[str, Any] = field(default_factory=dict)
    """What is worth knowing besides."""

    since: int = 0
    """When it was first made, in nanoseconds by the file system's clock; 0 where nothing else lay in the folder."""

    older: Literal["adopt", "replace"] | None = None
    """What the user said of the outputs that are older than that."""


class Record:
    """The record of an output folder.

    Args:
        folder: where the outputs are.
        force: make every output again, whatever is there.
        adopt: take whole outputs of the right size that no run has recorded.
    """

    def __init__(self, folder: Path, *, force: bool = False, adopt: bool = False) -> None:
        self._folder = folder
        self._path = folder / RECORD
        self._force = force
        self._adopt = adopt
        self._entries = self._read()
        self._wanted: dict[Kind, _Entry] = {}

    def expect(self, kind: Kind, settings: Mapping[str, object], existing: Iterable[Path] = ()) -> None:
        """Say how this run makes a kind of output, before it makes any.

        Args:
            kind: of output.
            settings: what decides about its content, in JSON's types.
            existing: the outputs of that kind that this run would make, or that are in the folder.

        Raises:
            UsageError: the folder holds outputs of that kind that were made otherwise, or that no run has recorded.
        """
        wanted = _Entry(json.loads(json.dumps(dict(settings))))
        recorded = self._entries.get(kind)
        existing = list(existing)
        if recorded is None and not self._force:
            found = next((path for path in existing if path.is_file()), None)
            self._entries = self._read()  # another run may have begun meanwhile, and made what was found
            recorded = self._entries.get(kind)
            if recorded is None and found is not None and not self._adopt:
                raise self._unrecorded(found)
        if recorded is not None and recorded.settings != wanted.settings and not self._force:
            raise self._made_otherwise(kind, recorded.settings, wanted.settings)
        if self._entries.keys() - {kind} and not self._force:
            for path in existing:
                if path.is_file() and not _is_of_kind(path, kind):
                    raise self._unrecorded(path)
        self._wanted[kind] = wanted
        if recorded is None and self._adopt and self._folder.is_dir():
            self.begin(kind)

    def is_expected(self, kind: Kind) -> bool:
        """Whether this run has said how it makes that kind."""
        return kind in self._wanted

    def begin(self, kind: Kind, noted: Mapping[str, object] | None = None) -> None:
        """Write down how a kind of output is made, unless that stands there already; to be called before the first.

        Args:
            kind: of output.
            noted: what is worth knowing besides; it need not agree with an earlier run's.

        Raises:
            OutputError: the record cannot be written.
            UsageError: another run, begun meanwhile, makes that kind otherwise.
        """
        wanted = self._wanted[kind]
        if self._is_current(kind, wanted):
            return
        with guarded(self._path):
            self._entries = self._read()
            if self._is_current(kind, wanted):
                return
            if kind in self._entries and not self._force:
                raise self._made_otherwise(kind, self._entries[kind].settings, wanted.settings)
            with atomic_output(self._path) as temporary, output_errors(self._path):
                older: Literal["adopt", "replace"] | None = (
                    "replace" if self._force else "adopt" if self._adopt else None
                )
                since = temporary.stat().st_mtime_ns if self._holds_outputs() else 0
                entry = _Entry(wanted.settings, dict(noted or {}), since, older if since else None)
                self._entries[kind] = entry
                outputs = {name: asdict(each) for name, each in self._entries.items()}
                _write_after(since, temporary, json.dumps({"schema": _SCHEMA, "outputs": outputs}, indent=1))

    def noted(self, kind: Kind) -> Mapping[str, Any]:
        """What an earlier run, whose outputs this one takes, has noted of that kind; nothing if there was none."""
        recorded = self._entries.get(kind)
        return {} if recorded is None or self._force else recorded.noted

    def is_done(
        self, kind: Kind, path: Path, size: tuple[int, int] | None, *, frames_changed: int, made_from: str | None
    ) -> bool:
        """Whether an output need not be made again.

        Args:
            kind: of output.
            path: the output.
            size: height and width it must have; ``None`` takes any.
            frames_changed: when its frames were last changed, in nanoseconds.
            made_from: its frames, as noted in it.

        Raises:
            UsageError: it is there, but no run has recorded it.
        """
        if self._force:
            return False
        try:
            found = path.stat()
            if not stat.S_ISREG(found.st_mode):
                return False
            made = found.st_mtime_ns
            entry = self._entry(kind)
            is_older = 0 < made <= entry.since
            if is_older and entry.older is None:
                raise self._unrecorded(path)
            if is_older and entry.older == "replace":
                return False
            if frames_changed > time.time_ns():  # a clock was wrong, so it tells nothing
                frames_changed = 0
            if (not is_older and made < frames_changed) or not is_made_from(path, made_from or ""):
                return False
            whole = output_size(path)
        except (OSError, InputError):  # not there, or not whole
            return False
        if not _is_of_kind(path, kind):
            raise self._unrecorded(path)
        return size in {None, whole} and min(whole) > 0

    def _entry(self, kind: Kind) -> _Entry:
        if kind not in self._entries:
            self._entries = self._read()  # another run may have begun meanwhile
        return self._entries.get(kind, _Entry({}, since=_UNTIL_WRITTEN))

    def _is_current(self, kind: Kind, wanted: _Entry) -> bool:
        recorded = self._entries.get(kind)
        return recorded is not None and recorded.settings == wanted.settings

    def _holds_outputs(self) -> bool:
        """Whether anything but flowcli's own files lies in the folder."""
        return any(not path.name.startswith(_OURS) for path in self._folder.iterdir())

    def _unrecorded(self, path: Path) -> UsageError:
        return UsageError(
            f"{path} is there, but {self._path} does not say how it was made; choose another folder, or add "
            "`adopt` to take whole outputs of the right size, or `force` to replace them"
        )

    def _made_otherwise(self, kind: Kind, there: dict[str, Any], now: dict[str, Any]) -> UsageError:
        names = sorted(name for name in there.keys() | now.keys() if there.get(name) != now.get(name))
        changes = ", ".join(f"{name} ({there.get(name)} there, {now.get(name)} now)" for name in names)
        return UsageError(
            f"{self._folder} holds {kind}s made with another {changes}; "
            "choose another folder, or add `force` to replace them"
        )

    def _read(self) -> dict[Kind, _Entry]:
        try:
            recorded = json.loads(self._path.read_text("utf-8"))
            if recorded["schema"] != _SCHEMA:
                return {}
            return {kind: _Entry(**entry) for kind, entry in recorded["outputs"].items()}
        except (OSError, ValueError, LookupError, TypeError, AttributeError):  # not there, or of something else
            return {}


def _is_of_kind(path: Path, kind: Kind) -> bool:
    """Whether a ``.png`` is a picture where one is asked for, or KITTI's numbers where those are."""
    return is_flow_file(path) == (kind == "flow")


def _write_after(since: int, path: Path, text: str) -> None:
    """Write ``path``, and go on only when the file system's clock, which may tick slowly, has left ``since`` behind."""
    deadline = time.monotonic() + _SLOWEST_TICK
    while True:
        path.write_text(text, "utf-8")
        if path.stat().st_mtime_ns > since or time.monotonic() > deadline:
            return
        time.sleep(0.002)
