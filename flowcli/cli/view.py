"""``flowcli view``: makes a page on which flow is looked at."""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError
from ..places import file_only, place
from .console import console
from .estimator_options import EstimatorOptions, note_if_plain
from .options import (
    ConsoleOptions,
    FlowFileOptions,
    ForceOption,
    FrameOptions,
    JsonOption,
    ScaleOptions,
    SelectionOptions,
    takes_options,
)

if TYPE_CHECKING:
    from ..estimator import FlowEstimator
    from ..flows.formats import FlowOptions
    from ..frames.reading import Reading
    from ..results import Result
    from ..run.view_inputs import Extras, Given
    from ..run.view_sources import Source


@takes_options
def view(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="FLOW...|FRAME1 FRAME2|IN",
            parser=place,
            help="Flow files to compare, two frames, folders of flow, or a video or folder of frames.",
        ),
    ],
    estimator_options: EstimatorOptions,
    selection_options: SelectionOptions,
    frame_options: FrameOptions,
    scale_options: ScaleOptions,
    file_options: FlowFileOptions,
    console_options: ConsoleOptions,  # noqa: ARG001  (only its side effect is needed)
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="PAGE.html", parser=file_only, help="The page; else it is opened in the browser."
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            metavar="PANEL.png", parser=file_only, help="A still picture of the first pair: .png, .jpg or .pdf."
        ),
    ] = None,
    width: Annotated[int, typer.Option(min=100, max=20_000, metavar="PIXELS", help="Width of the still picture.")] = (
        1600
    ),
    frame1: Annotated[
        Path | None,
        typer.Option(metavar="FRAME1|IN", parser=place, help="Frame 1 of given flow; of folders, all their frames."),
    ] = None,
    frame2: Annotated[Path | None, typer.Option(metavar="FRAME2", parser=place, help="Frame 2 of given flow.")] = None,
    gt: Annotated[
        Path | None, typer.Option(metavar="FLOW", parser=place, help="The true flow; of a sequence, a folder.")
    ] = None,
    back: Annotated[
        Path | None,
        typer.Option(metavar="FLOW", parser=place, help="The flow from frame 2 to frame 1; shows what is hidden."),
    ] = None,
    occlusion: Annotated[
        bool | None,
        typer.Option(
            "--occlusion/--no-occlusion", help="Also estimate backward, to show what is hidden (only for two frames)."
        ),
    ] = None,
    json: JsonOption = False,  # noqa: ARG001  (the result is shown by takes_options)
    force: ForceOption = False,
) -> Result:
    """Make a page to look at flow: one HTML file that opens anywhere and asks no server.

    Flow is shown with its frames and compared with other flow or the true flow. Of frames it is estimated first.
    """
    from ..run.view import ViewOutputs
    from ..run.view import view as make
    from ..run.view_inputs import Extras, what_is_given

    given = what_is_given(paths)
    extras = Extras(frame1, frame2, gt, back, occlusion)
    extras.check(given)
    is_temporary = output is None and save is None
    outputs = ViewOutputs(
        page=_temporary_page() if is_temporary else output,
        picture=save,
        width=width,
        max_flow=scale_options.scale,
        wheel=scale_options.wheel,
        force=force or is_temporary,
    )
    outputs.check(tuple(paths))
    reading, options = frame_options.reading(), file_options.options()
    source, estimator = _source(given, extras, selection_options, estimator_options, reading, options)
    outputs.check(source.inputs)
    with console.progress("estimating", source.windows, "windows") as advance:
        result = make(source, outputs, on_window=advance)
    if estimator is not None:
        note_if_plain(estimator)
    if is_temporary and not _open_in_browser(result.outputs[0]):
        console.note("there is no browser here; open the page in one, or choose its place with -o")
    return result


def _source(
    given: Given,
    extras: Extras,
    selection_options: SelectionOptions,
    estimator_options: EstimatorOptions,
    reading: Reading,
    options: FlowOptions,
) -> tuple[Source, FlowEstimator | None]:
    """What the page shows, and the estimator if one is needed."""
    from ..run.estimate import read_pair
    from ..run.view_pair import EstimatedPair, GivenFlows
    from ..run.view_sequence import EstimatedSequence, FlowFolders, check_several

    if not selection_options.is_everything and (given.flows or given.pair):
        raise UsageError("--start, --end, --stride, --fps and --stream are for sequences; leave them out")
    if given.flows:
        frames = extras.frame1, extras.frame2
        return GivenFlows(given.flows, frames, extras.gt, extras.back, reading, options), None
    selection = selection_options.selection()
    if given.folders:
        shown = None if extras.frame1 is None else selection_options.open(extras.frame1, selection, reading)
        if shown is None and (selection_options.start, selection_options.end, selection_options.stride) != (0, None, 1):
            raise UsageError("--start, --end and --stride choose frames; give these with --frame1")
        return FlowFolders(given.folders, shown, extras.gt, options, selection_options.fps), None
    if given.pair is not None:
        pair, _ = read_pair(*given.pair, reading)
        estimator = estimator_options.load()
        return EstimatedPair(estimator, given.pair, pair, extras.gt, extras.occlusion is not False, options), estimator
    assert given.sequence is not None
    video = selection_options.open(given.sequence, selection, reading)
    check_several(video)
    estimator = estimator_options.load()
    return EstimatedSequence(estimator, video, extras.gt, bool(extras.occlusion), options), estimator


def _temporary_page() -> Path:
    """A new name; there is no file before it is complete."""
    return Path(tempfile.gettempdir(), f"flowcli-{secrets.token_hex(6)}.html")


def _open_in_browser(page: Path) -> bool:
    """Show a page in the user's browser; returns whether there is one."""
    has_screen = sys.platform in {"win32", "darwin"} or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )
    return has_screen and webbrowser.open(page.as_uri())
