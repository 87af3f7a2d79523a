"""A folder of the flows of sequences: names, records, what is there already, and what is written."""

from __future__ import annotations

import functools
import logging
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..arrays import Flow
from ..choices import FlowFormatName
from ..draw.outputs import write_output
from ..draw.style import Style
from ..errors import InputError, OutputError, UsageError
from ..flows.formats import PICTURE_SUFFIXES, FlowFormat, FlowOptions, formats
from ..flows.io import PLACEHOLDER, files_of, form_for, read_flow, suffix_of
from ..frames.source import FrameSource
from ..places import is_remote
from ..storage import why
from .consistency import Consistency, kind_beside, write_arrays
from .names import SEVERAL_GAPS, Named, Template, check_distinct
from .pairing import Pairing, Plan
from .record import Kind, Record, Size, kind_of, recorded, settings_of

_ROOM_SHARE = 10  # a run that takes more than one part of so many of the free space says so
_EXACT = {"flo": 8, "npy": 8, "npz": 8, "pfm": 12}  # bytes of a pixel in formats that are not compressed

_MOST_NAMES = 200_000  # that are compared with each other before a run
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FlowFiles:
    """Which files the flows of a sequence are stored in. Plain data.

    Raises:
        UsageError: the names are wrong, or do not fit the format.
        OutputError: the suffix of the names is unknown, or a package that writing needs is missing.
    """

    flow_format: FlowFormatName | None = None
    """The format; ``None`` for the one that the suffix of ``names`` says, or ``flo``."""

    names: str | None = None
    """A template with the fields of :data:`flowcli.run.names.FIELDS`; ``None`` for the default."""

    pairing: Pairing = Pairing()
    """The pairs of the sequence."""

    consistency: Consistency = Consistency()
    """What is stored of the forward-backward check."""

    options: FlowOptions = FlowOptions()
    """How formats with options are written."""

    def __post_init__(self) -> None:
        """Check the names."""
        suffix = Path(self.template.text).suffix.lower()
        if suffix not in formats():
            known = " or ".join(formats())
            raise OutputError(f"`names` {self.template.text!r}: unknown format {suffix or '(no suffix)'}; use {known}")
        wanted = suffix_of(self.flow_format) if self.flow_format is not None else suffix
        is_picture = wanted == ".png" and self.flow_format == "png" and suffix in PICTURE_SUFFIXES
        if wanted != suffix and not is_picture:
            raise UsageError(f"`names` {self.names!r}: `flow_format` {self.flow_format} has the suffix {wanted}")
        _ = self.form

    @functools.cached_property
    def template(self) -> Template:
        """The template of the names."""
        if self.names is not None:
            return Template(self.names)
        suffix = suffix_of(self.flow_format or "flo")
        if self.pairing.is_by_gaps and self.pairing.single_gap is not None:
            return Template(f"flow_{{{{xy}}}}_{{index}}{suffix}" if self.flow_format == "jpg" else f"{{stem}}{suffix}")
        return Template(f"{SEVERAL_GAPS}{suffix}")

    @functools.cached_property
    def form(self) -> FlowFormat | None:
        """The format; ``None`` for pictures."""
        return form_for(Path(f"x{Path(self.template.text).suffix}"), self.flow_format, self.options)

    @property
    def kind(self) -> Kind:
        """The kind of the flows, for records."""
        return kind_of(Path(f"x{Path(self.template.text).suffix}"), self.flow_format)

    @property
    def counts(self) -> bool:
        """Whether names have running numbers, which are those of other pairs if a run begins elsewhere."""
        return "index" in self.template.fields

    def name(self, named: Named) -> Path:
        """The name of a flow; where each component is a file, with ``{xy}`` for the component."""
        if self.names is None and PLACEHOLDER in self.template.text.format(**dict.fromkeys(self.template.fields, 0)):
            return Path(f"flow_{PLACEHOLDER}_{named.index + 1:05d}.jpg")  # as other tools name them
        return self.template.name(named)

    def form_of(self, out: Path) -> FlowFormat | None:
        """The format of the flow called ``out``; ``None`` for pictures. Raises ``OutputError`` for unknown suffixes."""
        suffix = out.suffix
        if suffix not in self._forms:  # which is asked of every item of a long manifest
            self._forms[suffix] = form_for(out, self.flow_format, self.options)
        return self._forms[suffix]

    @functools.cached_property
    def _forms(self) -> dict[str, FlowFormat | None]:
        return {}

    def of(self, out: Path) -> tuple[Path, ...]:
        """All files of a flow called ``out``, first those of the flow itself."""
        return (*files_of(out, self.form_of(out)), *self.beside(out).values())

    def settings(self, kind: Kind, *, holds_arrays: bool) -> dict[str, object]:
        """What determines which pair an output of a kind is of, and what it holds of the forward-backward check.

        Args:
            kind: the kind.
            holds_arrays: whether files of flow hold masks and distances themselves.
        """
        template, consistency = self.template, self.consistency
        named = self.pairing.settings(template.fields)
        if self.names is not None:
            named["names"] = self.names
        is_flow = kind not in {"mask", "error"}
        if holds_arrays and is_flow:
            named |= {name: True for name in ("mask", "error") if getattr(consistency, name)}
        if consistency.mask and (kind == "mask" or (holds_arrays and is_flow)):
            named |= consistency.settings()
        return named

    def check_distinct(self, source: FrameSource) -> None:
        """Raise ``UsageError`` if two outputs of a sequence would have the same name."""
        if self.names is None and not self.consistency.is_wanted:
            return  # the default names are distinct
        numbers = source.numbers
        stems = source.names or [f"{number:06d}" for number in numbers]
        anchor = self.pairing.anchor
        position = None if anchor is None else (numbers.index(anchor) if anchor in numbers else 0)
        check_distinct(self.named(list(zip(numbers, stems, strict=True)), position))

    def named(self, frames: Sequence[tuple[int, str]], anchor: int | None) -> Iterator[tuple[Path, str]]:
        """The files of a sequence's flows, each with what it is.

        Args:
            frames: the number and the name of each frame; not all of them if they have very many pairs.
            anchor: the position of the reference frame, if there is one.
        """
        plan, count = Plan(self.pairing, anchor), len(frames)
        while count > 2 and plan.total(count) > _MOST_NAMES:
            count = max(2, count // 2, (anchor or 0) + 1) if count > (anchor or 0) + 1 else 2
        for index, pair in enumerate(plan.of(count)):
            (frame, stem), (second, stem2) = frames[pair.frame], frames[pair.second]
            out = self.name(Named(frame, second, pair.gap, stem, stem2, index))
            of = "" if pair.frame == pair.first else f" (for frame {frame})"
            for file in files_of(out, self.form_of(out)):
                yield file, f"the flow from frame {frames[pair.first][0]} to {second}{of}"
            for name, file in self.beside(out).items():
                yield file, f"the {name} of the flow from frame {frames[pair.first][0]} to {second}{of}"

    def beside(self, out: Path) -> dict[str, Path]:
        """The files that hold a mask or a distance beside the flow called ``out``; none if the flow's file does."""
        return {} if not self.consistency.is_wanted or self.holds_arrays(out) else self.consistency.files(out)

    def holds_arrays(self, out: Path) -> bool:
        """Whether the file of a flow called ``out`` holds what belongs to it, too."""
        form = self.form_of(out)
        return form is not None and form.encode_with is not None


class FlowFolder:
    """A folder that the flows of a sequence are written to.

    Args:
        folder: the folder.
        files: which files.
        style: how pictures are drawn.
        force: whether to overwrite all existing outputs.
        adopt: whether to keep complete outputs that no run has recorded.
    """

    def __init__(self, folder: Path, files: FlowFiles, style: Style, *, force: bool, adopt: bool) -> None:
        self.folder = folder
        self.files = files
        self.style = style
        self.record = Record(folder, force=force, adopt=adopt)

    def expect(self, settings: Mapping[str, object]) -> None:
        """Declare how the flows are made, before any is written; errors as for :meth:`Record.expect`."""
        files, record = self.files, self.record
        example = Path(f"*{Path(files.template.text).suffix}")
        holds_arrays = files.holds_arrays(example)
        own = {**settings, **files.settings(files.kind, holds_arrays=holds_arrays)}
        own |= settings_of(files.kind, files.options)
        if files.kind == "picture":
            own |= {**self.style.settings(), "max_flow": self.style.max_flow or "auto"}
        record.expect(files.kind, own, self.flows_in())
        for name in files.beside(example):
            kind = kind_beside(name)
            record.expect(kind, {**settings, **files.settings(kind, holds_arrays=holds_arrays)}, ())

    def flows_in(self, below: Path = Path()) -> list[Path]:
        """The files in the folder, or in one below it, that may be flows of a sequence, by their names."""
        files, folder = self.files, self.folder / below
        suffix = Path(files.template.text).suffix
        pattern = f"*{suffix}" if files.form is None or not files.form.components else "*_[xy]*.jpg"
        is_flat = files.names is None and files.pairing.single_gap is not None
        found = folder.glob(pattern) if is_flat else folder.rglob(pattern)
        beside = {path.name for path in files.consistency.files(Path("*")).values()}
        return [path for path in found if not any(path.match(name) for name in beside)]

    def has_outputs(self) -> bool:
        """Whether the folder is there and contains anything but flowcli's own files."""
        return self.record.holds_outputs()

    def noted(self, name: str) -> object:
        """What an earlier run that this one resumes has noted under a name; ``None`` if nothing."""
        return self.record.noted(self.files.kind).get(name)

    def kind(self, out: Path) -> Kind:
        """The kind of the flow called ``out``, for records."""
        return kind_of(out, self.files.flow_format)

    def is_there(
        self, out: Path, size: Size, changed: int, made_from: str | None, *, is_completed: bool = False
    ) -> bool:
        """Whether all files of a flow are valid outputs of an earlier run; see :meth:`Record.is_done`."""
        groups: dict[Kind, tuple[Path, ...]] = {
            self.kind(out): files_of(self.folder / out, self.files.form_of(out)),
        }
        for name, path in self.files.beside(out).items():
            groups[kind_beside(name)] = (self.folder / path,)
        return all(
            self.record.is_done(
                kind, paths, size, frames_changed=changed, made_from=made_from, is_completed=is_completed
            )
            for kind, paths in groups.items()
        )

    def read(self, out: Path) -> Flow | None:
        """Read an existing flow; ``None`` if its file does not have it as it was estimated, or cannot be read."""
        form = self.files.form
        if form is None or form.is_rounded:  # drawn from that, its picture would be another
            return None
        try:
            return read_flow(self.folder / out, self.files.options)
        except InputError:  # deleted or replaced since it was checked
            return None

    def write(
        self, out: Path, flow: Flow, back: Flow | None, made_from: str | None, noted: Mapping[str, object]
    ) -> str | None:
        """Write a flow and what belongs to it.

        Returns:
            One line that says what the format cannot store, or ``None``.

        Raises:
            OutputError: a file cannot be written.
        """
        files, kind = self.files, self.kind(out)
        if back is None and files.consistency.is_wanted:
            back = flow  # no motion, which is its own opposite
        arrays = files.consistency.arrays(flow, back) if back is not None else {}
        beside = {name: self.folder / path for name, path in files.beside(out).items()}
        noted = {**noted, **files.pairing.noted()}
        has_scale = kind == "picture" and self.style.max_flow is not None
        self.record.begin(kind, {**noted, "max_flow": self.style.max_flow} if has_scale else noted)
        for name in beside:
            self.record.begin(kind_beside(name), noted)
        write_arrays(beside, arrays, made_from)
        return write_output(
            self.folder / out,
            flow,
            flow_format=files.flow_format,
            style=self.style,
            made_from=made_from,
            options=files.options,
            back=back,
            arrays={} if beside else arrays,
        )

    def check_room(self, flows: int, pixels: int) -> None:
        """Say, before the first flow is written, if they take much of the free space.

        Args:
            flows: how many there will be.
            pixels: how many pixels all of them have together.

        Raises:
            OutputError: they do not fit.
        """
        if is_remote(self.folder):  # buckets have room
            return
        form, consistency = self.files.form, self.files.consistency
        total = pixels * (3 if form is None else _EXACT.get(form.name, 8))
        total += pixels * (consistency.mask + 4 * consistency.error)
        each = total // max(1, flows)
        if not hasattr(shutil, "disk_usage"):  # the system does not say
            return
        parent = next(path for path in (self.folder, *self.folder.absolute().parents) if path.exists())
        try:
            free = shutil.disk_usage(parent).free
            suffix = Path(self.files.template.text).suffix
            files = [path for path in self.folder.rglob(f"*{suffix}") if path.is_file()]
            there = sum(min(each, path.stat().st_size) for path in files)
        except OSError as error:
            raise OutputError(f"cannot write {self.folder}: {why(error)}") from error
        need = max(0, total - there)
        if need > free and form is not None and form.name in _EXACT:
            raise OutputError(
                f"cannot write {self.folder}: {flows} flows need {_amount(need)}, but only {_amount(free)} are free; "
                "choose another disk, or a compressed format such as .flo5"
            )
        if need > free / _ROOM_SHARE:
            _log.info("up to %d flows of %s in all; %s are free", flows, _amount(need), _amount(free))


def check_steps(folder: Path, stride: int | None = None) -> None:
    """Check, as far as a record says, that a folder has the flow from each frame to the next.

    Args:
        folder: a folder of flow, or that of one gap in it.
        stride: the distance of the frames, if it matters.

    Raises:
        UsageError: the flow is of other pairs.
    """
    of_gap = re.fullmatch(r"gap(-?\d+)", folder.name)
    for settings, noted in recorded(folder) or (recorded(folder.absolute().parent) if of_gap else []):
        pairs = of_gap[1] if of_gap and not recorded(folder) else noted.get("pairs", "1")
        if pairs != "1":
            raise UsageError(
                f"{folder} has the flow of gap {pairs}, not from each frame to the next; give one of gap 1"
            )
        if noted.get("pad", "none") != "none":
            raise UsageError(f"{folder} is padded with `pad` {noted['pad']}; give flow without padding")
        if stride is not None and settings.get("stride", stride) != stride:
            raise UsageError(f"{folder} has the flow of frames with `stride` {settings['stride']}, not {stride}")


def _amount(size: int) -> str:
    """Bytes in a unit that suits them."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.2f} MB"
