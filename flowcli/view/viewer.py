"""The page on which flow is looked at: one pair of frames, or a timeline of many."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..arrays import Flow, Frame, Mask, size_of
from ..choices import Wheel
from ..draw.color import color_wheel, largest_flow
from ..draw.error_map import KITTI_ERRORS, heat_colors
from .encoding import pack_flow, pack_mask
from .page import BYTES_AS_TEXT, page
from .pictures import pack_picture

PAIR_BYTES = 7_600_000
"""How large the page of a pair becomes, where the coarsest steps and the lowest quality allow it."""

TIMELINE_BYTES = 58_000_000
"""The same for a timeline."""

_PICTURES_OF_PAIR, _PICTURES_OF_TIMELINE = 0.35, 0.15  # of the page, at most; the flow gets what is left
_SMALLEST_SCALE = 1e-5  # pixels; for flow that is zero everywhere


@dataclass(frozen=True)
class Moment:
    """What a page shows at one time: the flow between two frames, by one model or several."""

    name: str
    """What the pair is called."""

    flows: tuple[Flow, ...]
    """The flows to compare, each ``(H, W, 2)`` float32 in pixels, NaN where unknown; all of the same size."""

    frame1: Frame | None = None
    """The frame that the flow leads from, ``(H, W, 3)`` uint8 RGB."""

    frame2: Frame | None = None
    """The frame that it leads to."""

    truth: Flow | None = None
    """The true flow, like the flows."""

    hidden: tuple[Mask | None, ...] = ()
    """The pixels of frame 1 that are hidden in frame 2, ``(H, W)`` bool, for each flow; may be left out."""

    time: float = 0.0
    """When frame 1 is shown, in seconds."""


@dataclass(frozen=True)
class About:
    """What a page says of all its moments."""

    title: str
    """Its title."""

    flows: tuple[str, ...]
    """The names of the flows, in the order of :attr:`Moment.flows`."""

    rate: float | None = None
    """Frames per second of a timeline; ``None`` for a single pair."""

    max_flow: float | None = None
    """The flow length in pixels that gets full colour at first; ``None`` uses the longest vector of all moments."""

    wheel: Wheel = "middlebury"
    """The colour wheel at first."""

    notes: Sequence[str] = ()
    """What else the page says, one line each; looked at when the moments have been taken."""

    facts: dict[str, str] = field(default_factory=dict)
    """What is known of the flow, by name: model, precision, files."""


def viewer(about: About, moments: Iterable[Moment], count: int = 1) -> tuple[str, int]:
    """Make the page.

    Args:
        about: what the page says of all moments.
        moments: what it shows, at least one, all of one size; they are taken one after the other.
        count: how many there will be, about; the room for each depends on it.

    Returns:
        The text of the HTML file, and how many moments it has room for.
    """
    is_pair = about.rate is None
    timeline = _Timeline(
        PAIR_BYTES if is_pair else TIMELINE_BYTES, _PICTURES_OF_PAIR if is_pair else _PICTURES_OF_TIMELINE, count
    )
    for moment in moments:
        timeline.add(moment)
    data = timeline.data(about.max_flow)
    return page(about.title, "viewer", {**_general(about), **data}), len(data["moments"])


def _general(about: About) -> dict[str, Any]:
    """What the page has to know besides the moments."""
    return {
        "title": about.title,
        "flows": about.flows,
        "rate": about.rate,
        "wheel": about.wheel,
        "notes": about.notes,
        "facts": about.facts,
        "tables": {"wheel": color_wheel().tolist(), "heat": heat_colors().tolist(), "kitti": KITTI_ERRORS.tolist()},
    }


class _Timeline:
    """The moments of a page, packed so that they fit.

    Where they do not fit, every second one is kept, or every third, and so on.

    Args:
        characters: the most characters of the page.
        pictures: the share of them that frames may take.
        count: how many moments there will be, about.
    """

    def __init__(self, characters: int, pictures: float, count: int) -> None:
        self._budget = int(characters * BYTES_AS_TEXT)
        self._count = max(1, count)
        self._each = self._budget // self._count
        self._picture = int(self._each * pictures / (2 if count == 1 else 1))
        self._packed: list[dict[str, Any]] = []
        self._last: tuple[Frame, dict[str, Any]] | None = None
        self._seen = 0
        self._stride = 1
        self._size = (0, 0)
        self._longest = 0.0

    def add(self, moment: Moment) -> None:
        """Add a moment, or leave it out if there is no room."""
        self._longest = max(self._longest, *map(largest_flow, _all_flows(moment)))
        if self._seen % self._stride == 0:
            self._size = size_of(moment.flows[0])
            self._packed.append(self._pack(moment))
            while len(self._packed) > 1 and _bytes(self._packed) > self._budget:
                every = self._every()
                self._packed = self._packed[::every]
                self._stride *= every
        self._seen += 1

    def _every(self) -> int:
        """Every how many of the moments so far are kept, so that the rest of them will find room as well."""
        coming = max(self._count / self._stride, len(self._packed))
        return max(2, math.ceil(_bytes(self._packed) / len(self._packed) * coming / self._budget))

    def _pack(self, moment: Moment) -> dict[str, Any]:
        """What the page has to know of a moment, its data included."""
        frame1, frame2 = self._frame(moment.frame1), self._frame(moment.frame2)
        hidden = [None if mask is None else pack_mask(mask) for mask in moment.hidden or (None,) * len(moment.flows)]
        flows = _all_flows(moment)
        room = (self._each - _bytes([frame1, frame2, hidden])) // len(flows)
        packed = [pack_flow(flow, room).header() for flow in flows]
        return {
            "name": moment.name,
            "time": moment.time,
            "frame1": frame1,
            "frame2": frame2,
            "flows": packed[: len(moment.flows)],
            "truth": None if moment.truth is None else packed[-1],
            "hidden": hidden,
        }

    def _frame(self, frame: Frame | None) -> dict[str, Any] | None:
        """A packed frame; the same frame as the last one is packed once."""
        if frame is None:
            return None
        if self._last is None or self._last[0] is not frame:
            self._last = frame, pack_picture(frame, self._picture).header()
        return self._last[1]

    def data(self, max_flow: float | None) -> dict[str, Any]:
        """What the page has to know of the moments, and the colour scale to begin with."""
        height, width = self._size
        return {
            "height": height,
            "width": width,
            "moments": self._packed,
            "seen": self._seen,
            "stride": self._stride,
            "scale": max_flow or max(self._longest, _SMALLEST_SCALE),
        }


def _all_flows(moment: Moment) -> list[Flow]:
    """The flows of a moment, then its true flow."""
    return [*moment.flows, *([] if moment.truth is None else [moment.truth])]


def _bytes(data: Any) -> int:
    """How many bytes there are in all, each object counted once."""
    blobs: dict[int, int] = {}

    def visit(value: Any) -> None:
        if isinstance(value, bytes):
            blobs[id(value)] = len(value)
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
            visit(inner)

    visit(data)
    return sum(blobs.values())
