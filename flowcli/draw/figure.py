"""Draws flow and all that belongs to it as one still picture, for papers and slides."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..arrays import Flow, Frame
from ..choices import Wheel
from ..errors import OutputError
from ..flows.metrics import endpoint_error
from .color import colorize, largest_flow
from .error_map import error_map
from .legend import wheel_disc
from .panel import centered, panel, tile_width

_MOST_COLUMNS = 3
_INCHES = 7.0  # the width of a text block
_SMALLEST_SCALE = 1e-5  # pixels; for flow that is zero everywhere

Tile = tuple[str, Frame]
"""A caption and a picture, ``(H, W, 3)`` uint8 RGB."""


@dataclass(frozen=True)
class Figure:
    """What is drawn; all arrays have the same height and width."""

    flows: Sequence[tuple[str, Flow]]
    """The flows and their names, each ``(H, W, 2)`` float32 in pixels, NaN where unknown; at least one."""

    frame1: Frame | None = None
    """The frame that the flow leads from, ``(H, W, 3)`` uint8 RGB."""

    frame2: Frame | None = None
    """The frame that it leads to."""

    truth: Flow | None = None
    """The true flow, like the flows; then the errors are drawn as well."""

    max_flow: float | None = None
    """The flow length in pixels that gets full colour; ``None`` uses the longest vector of all flows."""

    wheel: Wheel = "middlebury"
    """The colour wheel."""

    def tiles(self) -> list[Tile]:
        """The pictures: frames, flows, the true flow, errors, and the colour wheel with its scale."""
        named = [(_writable(name), flow) for name, flow in self.flows]
        flows = [*named, *([] if self.truth is None else [("true flow", self.truth)])]
        scale = self.max_flow or max(_SMALLEST_SCALE, *(largest_flow(flow) for _, flow in flows))
        frames = [("frame 1", self.frame1), ("frame 2", self.frame2)]
        tiles = [(caption, frame) for caption, frame in frames if frame is not None]
        tiles += [(name, colorize(flow, scale, self.wheel)) for name, flow in flows]
        tiles += [] if self.truth is None else [_errors(name, flow, self.truth) for name, flow in named]
        height, width = tiles[0][1].shape[:2]
        disc = wheel_disc(max(1, min(height, width) * 4 // 5), self.wheel)
        return [*tiles, (f"direction and length (rim: {scale:.3g} px)", centered(disc, height, width))]

    def picture(self, width: int) -> Frame:
        """All tiles on a white sheet about ``width`` pixels wide: uint8 RGB."""
        tiles = self.tiles()
        columns = _columns(tiles)
        wanted = tile_width(width, columns)
        return panel([(caption, _resized(tile, wanted)) for caption, tile in tiles], columns)

    def pdf(self, width: int) -> bytes:
        """The tiles as a PDF page, with captions that stay text; pictures at most as fine as ``width`` asks for.

        Raises:
            OutputError: matplotlib is not installed.
        """
        try:
            from matplotlib.figure import Figure as Page
        except ImportError as error:
            raise OutputError("a .pdf needs matplotlib: pip install matplotlib; or give a .png") from error
        tiles = self.tiles()
        columns = _columns(tiles)
        rows = -(-len(tiles) // columns)
        height, across = tiles[0][1].shape[:2]
        page = Page(figsize=(_INCHES, rows * (_INCHES / columns * height / across + 0.25)), layout="constrained")
        axes = np.atleast_1d(page.subplots(rows, columns)).ravel()
        for axis in axes:
            axis.axis("off")
        for axis, (caption, tile) in zip(axes, tiles, strict=False):
            axis.set_title(caption, fontsize=7, parse_math=False)
            axis.imshow(_resized(tile, tile_width(width, columns)), interpolation="none")
        file = io.BytesIO()
        with warnings.catch_warnings():  # of letters that the font lacks
            warnings.simplefilter("ignore", UserWarning)
            page.savefig(file, format="pdf", metadata={"CreationDate": None})
        return file.getvalue()


def _errors(name: str, flow: Flow, truth: Flow) -> Tile:
    errors = endpoint_error(flow, truth)
    mean = f"{np.nanmean(errors):.3g} px" if np.isfinite(errors).any() else "unknown"
    return f"error of {name} (mean {mean})", error_map(flow, truth)


def _writable(name: str) -> str:
    """A name without what is not text: of bytes that are not UTF-8, OpenCV would crash."""
    return name.encode(errors="replace").decode()


def _columns(tiles: Sequence[Tile]) -> int:
    return min(_MOST_COLUMNS, len(tiles))


def _resized(tile: Frame, width: int) -> Frame:
    height = max(1, round(tile.shape[0] * width / tile.shape[1]))
    shrinks = width < tile.shape[1]
    return np.asarray(cv2.resize(tile, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST))
