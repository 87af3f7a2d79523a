"""Composes flow files and writes the result, or that of every first part of the chain."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..arrays import Flow, Mask, check_same_size
from ..choices import FlowFormatName
from ..draw.outputs import write_output
from ..draw.style import Style
from ..errors import InputError, UsageError
from ..flows.chain import prefixes
from ..flows.folder import flow_files
from ..flows.formats import FlowOptions, formats
from ..flows.io import PLACEHOLDER, files_of, files_to_read, form_for, read_flow, suffix_of
from ..flows.masks import mask_picture, read_mask
from ..flows.metrics import flow_statistics
from ..results import ChainResult
from ..storage import check_outputs
from .flow_folder import check_steps

FIELDS = ("frame", "frame2")
"""The fields in names of flows: the numbers of the frames that a flow leads from and to."""

_DEFAULT_NAME = "{frame:06d}-{frame2:06d}"  # in a folder, without suffix
_XY = PLACEHOLDER[1:-1]  # a field that stays as it is


@dataclass(frozen=True)
class ChainOutputs:
    """The outputs of a chain. Plain data."""

    paths: tuple[Path, ...] = ()
    """Files; with ``every`` folders, or names with the fields ``{frame}`` and ``{frame2}``, the numbers of the frames
    that a flow leads from and to, such as ``{frame2:06d}.flo``."""

    every: bool = False
    """Whether to write the first flow, the first two composed, and so on, not only all of them."""

    flow_format: FlowFormatName | None = None
    """``kitti`` makes ``.png`` outputs KITTI files, and ``jpg`` makes ``.jpg`` outputs pairs of grey JPEGs, not
    pictures."""

    options: FlowOptions = FlowOptions()
    """How formats with options are read and written."""

    style: Style = Style()
    """How pictures are drawn."""

    force: bool = False
    """Whether to overwrite existing outputs."""

    def names(self, start: int, end: int) -> tuple[Path, ...]:
        """The paths of the flow from frame ``start`` to frame ``end``.

        Raises:
            UsageError: with ``every``, a path is neither a folder nor has a field, or has other fields.
        """
        if not self.every:
            return self.paths
        default = _DEFAULT_NAME + suffix_of(self.flow_format or "flo")
        return tuple(_filled(path, default, start, end) for path in self.paths)

    def files(self, start: int, end: int) -> tuple[Path, ...]:
        """The files of the flow from frame ``start`` to frame ``end``; raises as :meth:`names`, and ``OutputError``."""
        paths = self.names(start, end)
        return tuple(file for path in paths for file in files_of(path, form_for(path, self.flow_format, self.options)))

    def check(self, links: Sequence[Path], start: int = 0) -> None:
        """Check, before anything is computed, that all outputs can be written.

        Args:
            links: the flow files that are read; none of them may be an output.
            start: the number of the first frame.

        Raises:
            UsageError: an output exists and ``force`` is false, two have one name, or one is an input; or a path is
                wrong, as for :meth:`names`.
            OutputError: an output cannot be written, or has an unknown suffix.
        """
        ends = range(start + 1, start + len(links) + 1) if self.every else [start + len(links)]
        targets = [file for end in ends for file in self.files(start, end)]
        inputs = [file for link in links for file in (*files_to_read(link), mask_picture(link))]
        check_outputs(targets, force=self.force, inputs=inputs)


def links_between(folder: Path, start: int | None = None, end: int | None = None) -> list[Path]:
    """The flow files in a folder that lead from one frame to another.

    Args:
        folder: its flow files are taken in natural order; each leads from a frame to the next, from frame 0 on.
        start: the number of the first frame; ``None`` for 0.
        end: the number of the last frame; ``None`` for the last that there is.

    Returns:
        The files, at least one.

    Raises:
        InputError: the folder cannot be read or has no flow files.
        UsageError: the frames are not in that order, or there are not as many.
    """
    check_steps(folder)
    links = list(flow_files(folder).values())
    if not links:
        raise InputError(f"no flow files in {folder}; it must contain flows such as .flo, one for each pair of frames")
    start, end = start or 0, len(links) if end is None else end
    if max(start, end) > len(links):
        raise UsageError(
            f"{folder} has {len(links)} flows, which lead from frame 0 to frame {len(links)}; "
            f"there is no frame {max(start, end)}"
        )
    if start >= end:
        raise UsageError(
            f"`from` must be less than `to`, not {start} and {end}: flows are composed forward; "
            "for the way back, compose backward flows"
        )
    return links[start:end]


def whole_flows(paths: Sequence[Path]) -> list[Path]:
    """The flow files among ``paths``, without the second file of a pair of JPEGs whose first one is there.

    Raises:
        UsageError: one of them is a folder.
        InputError: one of them is missing.
    """
    for path in paths:
        if path.is_dir():
            raise UsageError(f"{path} is a folder; give one folder of flows alone, or flow files")
        if not any(file.exists() for file in files_to_read(path)):
            raise InputError(f"cannot read {path}: no such file or directory; check the path")
    found: list[Path] = []
    halves: set[Path] = set()
    for path in paths:
        if path not in halves:
            found.append(path)
            halves.update(file for file in files_to_read(path) if file != path)
    return found


def chain_files(
    links: Sequence[Path],
    outputs: ChainOutputs,
    *,
    start: int = 0,
    uses_masks: bool = True,
    on_link: Callable[[int], None] | None = None,
    on_result: Callable[[ChainResult], None] | None = None,
) -> tuple[ChainResult, Flow]:
    """Compose flow files, and write the result.

    Memory does not grow with the number of flows.

    Args:
        links: the flow files, in order; at least one.
        outputs: what to write.
        start: the number of the frame that the first flow leads from.
        uses_masks: whether flows are unknown where their masks say so; see :func:`flowcli.flows.masks.read_mask`.
        on_link: called with 1 after each flow.
        on_result: called with each result that is written; more than one with ``outputs.every``.

    Returns:
        The last result, and the flow from the first frame to the last, ``(H, W, 2)`` float32 in pixels.

    Raises:
        UsageError: there are no flow files, or as for :meth:`ChainOutputs.check`.
        InputError: a flow or a mask cannot be read, or they differ in size.
        OutputError: an output cannot be written.
    """
    if not links:
        raise UsageError("nothing to compose: give flow files")
    outputs.check(links, start)
    reader = _Links(links, outputs.options, uses_masks)
    result: ChainResult | None = None
    for count, flow in enumerate(prefixes(reader.flows(), reader.masks()), 1):
        if outputs.every or count == len(links):
            result = _written(outputs, flow, links[:count], start, reader.masked)
            if on_result is not None:
                on_result(result)
        if on_link is not None:
            on_link(1)
    assert result is not None
    return result, flow


class _Links:
    """The flow files of a chain, read one at a time."""

    def __init__(self, files: Sequence[Path], options: FlowOptions, uses_masks: bool) -> None:
        self._files = files
        self._options = options
        self._uses_masks = uses_masks
        self._size: tuple[int, ...] | None = None
        self.masked = 0
        """How many masks have been read."""

    def flows(self) -> Iterator[Flow]:
        for file in self._files:
            flow = read_flow(file, self._options)
            self._size = self._size or flow.shape[:2]
            check_same_size(self._files[0], self._size, file, flow.shape)
            yield flow

    def masks(self) -> Iterator[Mask | None]:
        """The mask of the flow that was read last, if it has one."""
        for file in self._files:
            mask = read_mask(file) if self._uses_masks else None
            if mask is not None:
                assert self._size is not None
                check_same_size(file, self._size, f"the mask of {file}", mask.shape)
                self.masked += 1
            yield mask


def _written(outputs: ChainOutputs, flow: Flow, links: Sequence[Path], start: int, masked: int) -> ChainResult:
    """Write one flow of a chain."""
    end = start + len(links)
    losses = [
        write_output(path, flow, flow_format=outputs.flow_format, style=outputs.style, options=outputs.options)
        for path in outputs.names(start, end)
    ]
    height, width = flow.shape[:2]
    return ChainResult(
        flow_files=tuple(links),
        masked=masked,
        start=start,
        end=end,
        outputs=outputs.files(start, end),
        width=width,
        height=height,
        loss=next(filter(None, losses), None),
        flow=flow_statistics(flow),
    )


def _filled(path: Path, default: str, start: int, end: int) -> Path:
    """The path of one flow: a template, or a folder, in which flows have the default name."""
    has_fields = "{" in str(path).replace(PLACEHOLDER, "")
    if not has_fields and path.suffix.lower() in formats() and not path.is_dir():
        example = path.with_name(f"{path.stem}-{{frame2:06d}}{path.suffix}")
        raise UsageError(f"with `every`, {path} would be every flow; give a folder, or a name such as {example}")
    template = str(path if has_fields else path / default)
    try:
        fields = {field for _, field, _, _ in string.Formatter().parse(template) if field is not None}
        if fields <= {*FIELDS, _XY} and fields.intersection(FIELDS):
            return Path(template.format(frame=start, frame2=end, **{_XY: PLACEHOLDER}))
    except ValueError as error:
        raise UsageError(f"cannot name flows by {path}: {error}; a field is such as {{frame2:06d}}") from error
    raise UsageError(f"cannot name flows by {path}: the fields are {{frame}} and {{frame2}}, the numbers of the frames")
