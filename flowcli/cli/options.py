"""Options shared by several commands, each declared once.

A command requests a group of options with a parameter of its class, and returns its result, which is then shown::

    @takes_options
    def command(frame: Path, model: ModelOptions, console: ConsoleOptions, json: JsonOption = False) -> Result: ...
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from ..choices import (
    ABSOLUTE,
    ERROR_NAMES,
    MASK_NAMES,
    RELATIVE,
    AmbiguousFormatName,
    FlowFormatName,
    Pad,
    VerticalAxis,
    Wheel,
)
from ..errors import UsageError
from ..limits import MAX_PIXELS
from . import parsers
from .console import console, show_log

if TYPE_CHECKING:
    from ..draw.style import Style
    from ..flows.formats import FlowOptions
    from ..frames.reading import Reading
    from ..frames.selection import Selection
    from ..frames.source import FrameSource
    from ..results import Result
    from ..run.consistency import Consistency
    from ..run.pairing import Pairing


def _limit_opencv(max_pixels: int) -> int:
    # OpenCV checks the formats whose headers only it can read. It reads this when it is imported, which is later.
    os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = str(max_pixels)
    return max_pixels


@dataclass(frozen=True)
class FrameOptions:
    """How frames are read."""

    max_pixels: Annotated[
        int,
        typer.Option(
            envvar="FLOWCLI_MAX_PIXELS",
            min=1,
            metavar="N",
            callback=_limit_opencv,
            help="Refuse frames with more pixels than this, since a small file can unpack to fill all memory.",
        ),
    ] = MAX_PIXELS
    levels: Annotated[
        Any,
        typer.Option(
            parser=parsers.levels,
            metavar="LOW:HIGH|auto",
            help="Values of the frames that become black and white: for scientific, 16-bit and float frames.",
        ),
    ] = None

    def reading(self) -> Reading:
        """How frames are read."""
        from ..frames.reading import Reading

        return Reading(self.max_pixels, self.levels)


@dataclass(frozen=True)
class SequenceOptions:
    """Which frames of a sequence are paired, and what the files of their flow are called and contain."""

    gap: Annotated[
        Any,
        typer.Option(
            parser=parsers.gaps,
            metavar="LIST|all",
            help="Pair each frame i with i + g, for each g of a list such as 1,-1,3 (1); all: every ordered pair.",
        ),
    ] = None
    reference: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Pair frame N with each other frame instead.")
    ] = None
    to_reference: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Pair each other frame with frame N instead.")
    ] = None
    pad: Annotated[
        Pad, typer.Option(help="What frames without a partner get, so that there are as many flows as frames.")
    ] = "none"
    names: Annotated[
        str | None,
        typer.Option(
            metavar="TEMPLATE",
            help="Names of flow files, such as '{frame:05d}_{direction}.npz'; the suffix is the format. Fields: frame, "
            "frame2, gap, direction, stem, stem2, index.",
        ),
    ] = None
    mask: Annotated[
        bool, typer.Option("--mask", help="Store which pixels both directions agree on: in .npz, or beside the flow.")
    ] = False
    mask_relative: Annotated[float, typer.Option(min=0, metavar="SHARE", help="Threshold of --mask.")] = RELATIVE
    mask_absolute: Annotated[float, typer.Option(min=0, metavar="SQUARE-PIXELS", help="Threshold of --mask.")] = (
        ABSOLUTE
    )
    mask_names: Annotated[
        str, typer.Option(metavar="TEMPLATE", help="Names of masks beside flow; white is hidden.")
    ] = MASK_NAMES
    consistency: Annotated[
        bool, typer.Option("--consistency", help="Store how far both directions differ, in pixels.")
    ] = False
    consistency_names: Annotated[str, typer.Option(metavar="TEMPLATE", help="Names of these arrays beside flow.")] = (
        ERROR_NAMES
    )

    def pairing(self) -> Pairing:
        """Which frames are paired; raises ``UsageError``."""
        from ..run.pairing import Pairing

        return Pairing.chosen(self.gap, self.reference, self.to_reference, self.pad)

    def checked(self) -> Consistency:
        """What is stored of the forward-backward check; raises ``UsageError``."""
        from ..run.consistency import Consistency

        return Consistency(
            self.mask, self.consistency, self.mask_relative, self.mask_absolute, self.mask_names, self.consistency_names
        )


@dataclass(frozen=True)
class SelectionOptions:
    """Which frames of a video, or of a folder of frames, are used."""

    start: Annotated[
        Any,
        typer.Option(
            parser=parsers.position,
            metavar="PLACE",
            help="First frame: a frame number, or a time such as 12.5s or 1:30.",
        ),
    ] = "0"
    end: Annotated[
        Any,
        typer.Option(parser=parsers.position, metavar="PLACE", help="First frame to leave out: a number or a time."),
    ] = None
    stride: Annotated[int, typer.Option(min=1, metavar="N", help="Use every N-th frame only.")] = 1
    fps: Annotated[
        Any,
        typer.Option(parser=parsers.frame_rate, metavar="RATE", help="Frames per second of a folder or pattern (25)."),
    ] = None
    stream: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="The N-th video stream, counted from 0; else the largest.")
    ] = None

    @property
    def is_everything(self) -> bool:
        """Whether none of these options was given."""
        return (self.start, self.end, self.stride, self.fps, self.stream) == (0, None, 1, None, None)

    def selection(self) -> Selection:
        """The frames to use; raises ``UsageError``."""
        from ..frames.selection import Selection

        return Selection(self.start, self.end, self.stride)

    def open(self, source: Path, selection: Selection, reading: Reading) -> FrameSource:
        """Open a video, folder or pattern, and say what a user may not know of it; raises ``InputError``."""
        from ..frames.opening import open_source

        frames = open_source(source, self.fps, selection, reading, self.stream)
        if self.fps is not None and frames.rate != self.fps:
            console.note(f"ignoring --fps: {source} has its own frame rate")
        for note in frames.notes:
            console.note(note)
        return frames


@dataclass(frozen=True)
class ScaleOptions:
    """The colours of flow, and their scale."""

    max_flow: Annotated[
        Any,
        typer.Option(
            parser=parsers.max_flow, metavar="auto|PIXELS", help="Flow length that gets full colour in pictures."
        ),
    ] = "auto"
    wheel: Annotated[Wheel, typer.Option(help="Colour wheel; zero flow is white, or black in hsv.")] = "middlebury"

    @property
    def scale(self) -> float | None:
        """The flow length in pixels that gets full colour; ``None`` for ``auto``."""
        return None if self.max_flow == "auto" else float(self.max_flow)


@dataclass(frozen=True)
class ColorOptions(ScaleOptions):
    """The colours of flow, and their legend."""

    legend: Annotated[bool, typer.Option("--legend", help="Draw the colour wheel, with its scale, in a corner.")] = (
        False
    )

    def style(self) -> Style:
        """The style of pictures."""
        from ..draw.style import Style

        return Style(self.scale, self.wheel, self.legend)


@dataclass(frozen=True)
class PictureOptions(ColorOptions):
    """The style of a single picture."""

    overlay: Annotated[bool, typer.Option("--overlay", help="Tint the frame with the colours of its flow.")] = False
    arrows: Annotated[
        int | None, typer.Option(min=2, max=1000, metavar="STEP", help="Draw arrows over the frame, STEP pixels apart.")
    ] = None

    def style(self) -> Style:
        """The style of pictures."""
        return replace(super().style(), overlay=self.overlay, arrows=self.arrows)


@dataclass(frozen=True)
class FlowFileOptions:
    """What flow files do not say of themselves."""

    bound: Annotated[
        float, typer.Option(metavar="PIXELS", help="Pairs of .jpg: flow from minus to plus this, clipped.")
    ] = 20.0
    exr_v: Annotated[VerticalAxis, typer.Option("--exr-v", help="Where a positive v points in .exr files.")] = "up"

    def options(self) -> FlowOptions:
        """The options for reading and writing flow; raises ``UsageError`` if they are wrong."""
        from ..flows.formats import FlowOptions

        return FlowOptions(self.bound, self.exr_v)


@dataclass(frozen=True)
class ConsoleOptions:
    """How much is printed on stderr."""

    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only errors on stderr.")] = False
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print details, and tracebacks of errors.")] = False

    def __post_init__(self) -> None:
        """Configure the console."""
        console.quiet, console.verbose = self.quiet, self.verbose
        show_log()


STDOUT = "-"
"""The output that means standard output."""

FlowFormatOption = Annotated[
    FlowFormatName | None,
    typer.Option(help="Format of flow files (flo); png writes pictures, jpg pairs of grey pictures."),
]
AmbiguousFormatOption = Annotated[
    AmbiguousFormatName | None,
    typer.Option("--flow-format", help="Numbers, not a picture: kitti in 16 bits to a .png, jpg to a pair of .jpg."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print results as JSON on stdout.")]
ForceOption = Annotated[bool, typer.Option("--force", "-f", help="Overwrite existing outputs.")]
AdoptOption = Annotated[
    bool, typer.Option("--adopt", help="Keep complete outputs of the right size that no run has recorded.")
]


def help_without_command(context: typer.Context) -> None:
    """Print the help of a group of commands, and exit with the code of wrong usage, if no command was given."""
    if context.invoked_subcommand is None:
        context.get_help()  # which prints it
        raise typer.Exit(UsageError.exit_code)


def takes_options(command: Callable[..., Result | None]) -> Callable[..., None]:
    """Make the fields of a command's dataclass parameters its options, and show the result that it returns.

    Args:
        command: the command; each option group is a parameter with a dataclass type.

    Returns:
        The command for typer. It raises the ``problem`` of the result, if there is one, after showing it.
    """
    signature = _signature(command)
    groups: dict[str, Any] = {
        name: p.annotation for name, p in signature.parameters.items() if is_dataclass(p.annotation)
    }
    parameters = [p for name, p in signature.parameters.items() if name not in groups]
    for group in groups.values():
        hints = get_type_hints(group, include_extras=True)
        parameters += [
            inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=hints[f.name])
            for f in fields(group)
        ]

    @functools.wraps(command)
    def run(**values: Any) -> None:
        filled = {
            name: group(**{field.name: values.pop(field.name) for field in fields(group)})
            for name, group in groups.items()
        }
        result = command(**values, **filled)
        if result is not None:
            from .render import show

            show(result, as_json=values["json"])
            if result.problem is not None:
                raise result.problem

    keyword = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    run.__signature__ = signature.replace(parameters=keyword)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in keyword}
    return run


def _signature(command: Callable[..., object]) -> inspect.Signature:
    """The signature with its parameters' annotations evaluated; not the result's, which would import what it names."""
    parameters = {name: hint for name, hint in command.__annotations__.items() if name != "return"}
    holder = SimpleNamespace(__annotations__=parameters)
    hints = get_type_hints(holder, inspect.unwrap(command).__globals__, include_extras=True)
    signature = inspect.signature(command)
    evaluated = [p.replace(annotation=hints[p.name]) for p in signature.parameters.values()]
    return signature.replace(parameters=evaluated, return_annotation=inspect.Signature.empty)
