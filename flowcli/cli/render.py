"""Shows results: as text or, with ``--json``, as a JSON object on one line of stdout."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from ..results import (
    BatchSummary,
    ChainResult,
    ComparisonResult,
    Conversion,
    DatasetInfo,
    DatasetSummary,
    DemoResult,
    EstimateResult,
    EvaluationSummary,
    FlowInfo,
    ModelCheck,
    ModelInfo,
    PairResult,
    PrecisionCheck,
    Result,
    RunSummary,
    StockCheck,
    SubsetFigures,
    VideoResult,
    VideoSummary,
    ViewResult,
    WarpResult,
    WarpSummary,
    to_json,
)
from .console import console, printable
from .tables import aligned, benchmark_tables, dataset_text, figures_table

_WORST = 10  # pairs of a warped sequence that are listed
_FAR_BEYOND = 1.5  # times the colour scale; longer flow is worth a note


def show(result: Result, *, as_json: bool) -> None:
    """Print a result on stdout, and notes about it on stderr.

    Args:
        result: the result.
        as_json: whether to print JSON instead of text.

    Raises:
        OutputError: stdout cannot be written.
    """
    if as_json:
        console.output(to_json(result) + "\n")
    elif text := _text(result):
        console.output(text)
    show_notes(result, as_json=as_json)


def show_notes(result: Result, *, as_json: bool = False) -> None:
    """Print only the notes about a result, on stderr."""
    notes = [*_notes(result), *([] if as_json else _written(result))]
    # What a format cannot hold is said once for all pairs; failures are each said.
    is_good = isinstance(result, PairResult | VideoResult) and result.status != "failed"
    say = console.once if is_good else console.note
    for note in notes:
        say(note)


@functools.singledispatch
def _text(_result: Result) -> str:
    """The text on stdout without ``--json``."""
    return ""


@functools.singledispatch
def _notes(_result: Result) -> list[str]:
    """Notes on stderr."""
    return []


@functools.singledispatch
def _written(_result: Result) -> list[str]:
    """Further notes on stderr without ``--json``."""
    return []


@_notes.register(PairResult)
@_notes.register(VideoResult)
def _(result: PairResult | VideoResult) -> list[str]:
    failure = [f"failed: {result.error}"] if result.status == "failed" else []
    return failure + ([result.loss] if result.loss else [])


@_written.register
def _(result: EstimateResult) -> list[str]:
    written = ", ".join(map(str, result.outputs))
    return [f"wrote {written} ({result.windows} windows, {result.seconds:.1f} s)"] if written else []


@_written.register
def _(result: ViewResult) -> list[str]:
    return [f"wrote {', '.join(map(str, result.outputs))}"]


@_notes.register
def _(result: ViewResult) -> list[str]:
    left_out = result.pairs - result.shown
    room = f"the page shows {result.shown} of {result.pairs} pairs, evenly spread, for want of room"
    return [f"{room}; choose fewer with --start and --end"] if left_out else []


def _account(result: RunSummary, of: str = "") -> str:
    rate = result.done / result.seconds if result.seconds else 0.0
    return (
        f"{result.pairs} pairs{of} in {' and '.join(map(str, result.outputs))}: "
        f"{result.done} done, {result.skipped} skipped, {result.failed} failed "
        f"in {result.seconds:.1f} s, {rate:.2f} pairs per second"
    )


@_notes.register
def _(result: BatchSummary) -> list[str]:
    return [_account(result, f" of {result.videos} video{'s' * (result.videos != 1)}" if result.videos else "")]


@_notes.register
def _(result: VideoSummary) -> list[str]:
    notes = []
    if result.padded:
        notes.append(
            f"{result.input} is {result.width} x {result.height}; the video format needs even sides, "
            "so the last row or column is repeated"
        )
    if result.max_flow is not None and result.largest_flow > result.max_flow * _FAR_BEYOND:
        notes.append(
            f"some flow is longer than the colour scale of {result.max_flow:g} px and drawn darker; "
            f"--max-flow {result.largest_flow:.0f} covers all flow"
        )
    # The error message that follows gives the counts instead.
    return notes if result.problem is not None else [*notes, _account(result)]


@_text.register
def _(result: ComparisonResult) -> str:
    return figures_table({"all": result}) + benchmark_tables(result.benchmark)


@_text.register(EvaluationSummary)
@_text.register(DatasetSummary)
def _(result: SubsetFigures) -> str:
    return (figures_table(result.subsets) if result.subsets else "") + benchmark_tables(result.benchmark)


@_notes.register
def _(result: EvaluationSummary) -> list[str]:
    return _missing(result)


@_notes.register
def _(result: DatasetSummary) -> list[str]:
    notes = [_account(result), *_missing(result)]
    if result.published is not None and result.pairs < result.published:
        notes.append(f"{result.pairs} pairs of {result.dataset} were found; {result.published} are published")
    if result.clipped:
        notes.append(f"{result.clipped} vectors were outside of the range of the submission's format and are clipped")
    return notes


@_written.register(EvaluationSummary)
@_written.register(RunSummary)
def _(result: EvaluationSummary | RunSummary) -> list[str]:
    return [] if result.report is None else [f"wrote {result.report}"]


@_written.register
def _(result: DatasetSummary) -> list[str]:
    notes = [] if result.report is None else [f"wrote {result.report}"]
    if result.submission is not None:
        notes += [f"wrote {result.submission}: {result.pairs} flows, checked", f"next: {result.next_step}"]
    return notes


def _missing(result: SubsetFigures) -> list[str]:
    note = f"{result.missing} pixels have true flow but no estimate, and are left out"
    return [note] if result.missing else []


@_text.register
def _(result: DatasetInfo) -> str:
    return dataset_text(result)


@_text.register
def _(result: FlowInfo) -> str:
    flow = result.flow
    lines = [f"{printable(str(result.flow_file))}: {result.width} x {result.height}, {1 - flow.known:.2%} unknown\n"]
    for name in ("u", "v", "length"):
        values = [getattr(flow, f"{name}_{statistic}") for statistic in ("min", "mean", "max")]
        texts = ["-" if value is None else f"{value:.3f}" for value in values]
        lines.append(f"  {name + ':':<8} {texts[0]} to {texts[2]} px, mean {texts[1]} px\n")
    return "".join(lines)


@_notes.register
def _(result: Conversion) -> list[str]:
    return [result.loss] if result.loss else []


@_written.register
def _(result: Conversion) -> list[str]:
    return [f"wrote {', '.join(map(str, result.outputs))}"]


@_notes.register
def _(result: ChainResult) -> list[str]:
    return [result.loss] if result.loss else []


@_written.register
def _(result: ChainResult) -> list[str]:
    if not result.outputs:
        return []
    masked = f", {result.masked} masked" if result.masked else ""
    return [
        f"wrote {', '.join(map(str, result.outputs))}: frame {result.start} to {result.end}, "
        f"{len(result.flow_files)} flows{masked}, {result.flow.known:.1%} known"
    ]


@_text.register
def _(result: WarpResult) -> str:
    if result.frame1 is None:
        return ""
    if result.photometric_error is None:
        return "no photometric error: all flow is unknown or leads out of the frame\n"
    return (
        f"photometric error: {result.photometric_error:.3f} grey levels, "
        f"{result.photometric_error_unwarped:.3f} without warping, over {result.share:.1%} of the pixels\n"
    )


@_written.register
def _(result: WarpResult) -> list[str]:
    hint = ["give --frame1 FRAME1 to see the photometric error"] if result.frame1 is None else []
    return hint + [f"wrote {path}" for path in result.outputs]


@_text.register
def _(result: WarpSummary) -> str:
    def row(pair: WarpResult) -> list[str]:
        errors = (pair.photometric_error, pair.photometric_error_unwarped)
        grey_levels = ["-" if error is None else f"{error:.3f}" for error in errors]
        return [*(printable(str(frame)) for frame in (pair.frame1, pair.frame2)), *grey_levels, f"{pair.share:.1%}"]

    worst = result.worst_first[:_WORST]
    table = aligned([["frame", "frame2", "error", "unwarped", "compared"], *map(row, worst)])
    left_out = result.pairs - len(worst)
    return table + (f"and {left_out} pairs with smaller errors\n" if left_out else "")


@_notes.register
def _(result: WarpSummary) -> list[str]:
    if result.photometric_error is None or result.problem is not None:
        return []
    return [
        f"{result.pairs} pairs: photometric error {result.photometric_error:.3f} grey levels on average, "
        f"{result.photometric_error_unwarped:.3f} without warping"
    ]


@_written.register
def _(result: WarpSummary) -> list[str]:
    return [f"wrote {path}" for path in result.outputs]


@_text.register
def _(result: DemoResult) -> str:
    return f"end-point error of {result.model}: {result.epe:.3f} px, {result.epe_visible:.3f} px in visible areas\n"


@_notes.register
def _(result: DemoResult) -> list[str]:
    return [f"wrote frames, flow and {result.outputs[-1]} ({result.seconds:.1f} s)"]


@_text.register
def _(result: ModelInfo) -> str:
    facts = {
        name: getattr(result, name)
        for name in ("model", "kind", "revision", "folder", "weights", "bytes", "window", "latents", "layers")
    }
    known = {name: value for name, value in facts.items() if value is not None}
    return "".join(f"{name + ':':<10} {printable(str(value))}\n" for name, value in known.items())


@_text.register
def _(result: ModelCheck) -> str:
    def row(name: str, pixels: Sequence[float | None], run: PrecisionCheck | StockCheck) -> list[str]:
        exact = [run.max_difference_float64, run.mean_difference_float64] if is_exact_known else []
        lengths = ["-" if value is None else f"{value:.2g}" for value in (*pixels, *exact)]
        return [name, *lengths, f"{run.seconds:.2f}", "-" if run.peak_bytes is None else f"{run.peak_bytes / 1e9:.2f}"]

    is_exact_known = result.stock.max_difference_float64 is not None
    exact = ["float64 largest px", "float64 mean px"] if is_exact_known else []
    rows = [["", "largest px", "mean px", *exact, "seconds", "peak GB"]]
    for check in result.checks:
        rows.append(row(check.precision, [check.max_difference, check.mean_difference], check))
    rows.append(row("stock fp32", [None, None], result.stock))
    scene = result.scene
    return (
        f"{printable(result.model)} on {result.device}, one window of {result.window}; "
        f"difference to the stock module in fp32:\n\n{aligned(rows)}\n"
        f"end-point error on the rendered scene: {scene.epe:.3f} px; zero flow {scene.epe_zero:.3f} px, "
        f"dis {scene.epe_dis:.3f} px\n"
    )
