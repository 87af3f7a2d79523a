"""Makes the page, or the still picture, on which flow is looked at."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..arrays import size_of
from ..choices import Wheel
from ..draw.figure import Figure
from ..frames.opencv import encode_image
from ..results import ViewResult
from ..storage import check_outputs, check_suffix, write_bytes
from ..view.viewer import About, Moment, viewer
from .view_sources import OnWindow, Source

PAGE_SUFFIXES = (".html", ".htm")
PICTURE_SUFFIXES = (".png", ".jpg", ".pdf")


@dataclass(frozen=True)
class ViewOutputs:
    """What is made, and how it looks at first. Plain data."""

    page: Path | None = None
    """The page, ``.html``."""

    picture: Path | None = None
    """The still picture of the first pair, ``.png``, ``.jpg`` or ``.pdf``."""

    width: int = 1600
    """The width of the still picture in pixels, about."""

    max_flow: float | None = None
    """The flow length in pixels that gets full colour; ``None`` uses the longest vector."""

    wheel: Wheel = "middlebury"
    """The colour wheel."""

    force: bool = False
    """Whether to overwrite existing outputs."""

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files to write."""
        return tuple(path for path in (self.page, self.picture) if path is not None)

    def check(self, inputs: tuple[Path, ...]) -> None:
        """Check, before anything is computed, that all outputs can be written.

        Raises:
            UsageError: an output exists and ``force`` is false, or is one of ``inputs``.
            OutputError: an output cannot be written, or has an unknown suffix.
        """
        if self.page is not None:
            check_suffix(self.page, PAGE_SUFFIXES)
        if self.picture is not None:
            check_suffix(self.picture, PICTURE_SUFFIXES)
        check_outputs(list(self.paths), force=self.force, inputs=list(inputs))


def view(source: Source, outputs: ViewOutputs, on_window: OnWindow | None = None) -> ViewResult:
    """Make the page, the still picture, or both.

    Args:
        source: what they show.
        outputs: what to write.
        on_window: called after each forward pass with the number of windows in it.

    Returns:
        What was written. Its ``problem`` is an ``InputError`` if not all of a sequence could be read.

    Raises:
        InputError: something cannot be read, or does not fit together.
        UsageError: an output exists and ``force`` is false, or is an input.
        OutputError: an output cannot be written.
        DeviceError: the device's memory cannot hold even one window.
    """
    outputs.check(source.inputs)
    moments = source.moments(on_window)
    first = next(moments)
    if outputs.picture is not None:
        write_bytes(outputs.picture, _picture(source, outputs, first))
    shown = pairs = 1
    if outputs.page is not None:
        counted = _Counted(itertools.chain([first], moments))
        about = About(
            title=source.title,
            flows=source.names,
            rate=None if source.rate is None else float(source.rate),
            max_flow=outputs.max_flow,
            wheel=outputs.wheel,
            notes=source.notes,
            facts=source.facts,
        )
        page, shown = viewer(about, counted, source.count)
        pairs = counted.count
        write_bytes(outputs.page, page.encode())
    height, width = size_of(first.flows[0])
    return ViewResult(
        outputs=outputs.paths,
        flows=source.names,
        pairs=pairs,
        shown=shown,
        width=width,
        height=height,
        error=None if source.problem is None else source.problem.with_flags(),
        _problem=source.problem,
    )


def _picture(source: Source, outputs: ViewOutputs, moment: Moment) -> bytes:
    flows = list(zip(source.names, moment.flows, strict=True))
    figure = Figure(flows, moment.frame1, moment.frame2, moment.truth, outputs.max_flow, outputs.wheel)
    assert outputs.picture is not None  # the caller has looked
    suffix = outputs.picture.suffix.lower()
    return figure.pdf(outputs.width) if suffix == ".pdf" else encode_image(figure.picture(outputs.width), suffix)


class _Counted:
    """Moments, and how many have been taken."""

    def __init__(self, moments: Iterator[Moment]) -> None:
        self._moments = moments
        self.count = 0

    def __iter__(self) -> Iterator[Moment]:
        """The moments."""
        for moment in self._moments:
            self.count += 1
            yield moment
