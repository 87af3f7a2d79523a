"""``flowcli batch``: many pairs, resumably."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import BatchError, InputError
from ..limits import MAX_PIXELS
from .console import Advance, console
from .estimate import describe
from .options import (
    ColorOptions,
    ConsoleOptions,
    EstimatorOptions,
    FlowFormatOption,
    ForceOption,
    JsonOption,
    MaxPixelsOption,
    takes_options,
)

if TYPE_CHECKING:
    from ..run.batch import BatchSummary, Outcome, Shard
    from ..run.manifest import FaultyItem, Item

STDIN = "-"


def _shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise typer.BadParameter(f"{text!r} is not I/N, such as 1/4 to 4/4")
    return int(match[1]), int(match[2])


@takes_options
def batch(
    source: Annotated[
        str,
        typer.Argument(
            metavar="MANIFEST|FOLDER|-", help="CSV or JSON Lines of frame1,frame2[,out]; or frames; or - for stdin."
        ),
    ],
    estimator_options: EstimatorOptions,
    color_options: ColorOptions,
    console_options: ConsoleOptions,  # noqa: ARG001  (has told the console already)
    out_dir: Annotated[
        Path, typer.Option(metavar="DIR", readable=False, help="Where the flows go; what is there is skipped.")
    ],
    flow_format: FlowFormatOption = "flo",
    shard: Annotated[
        Any, typer.Option(parser=_shard, metavar="I/N", help="Do the I-th of N parts only, counted from 1.")
    ] = "1/1",
    max_pixels: MaxPixelsOption = MAX_PIXELS,
    json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Estimate the flow of many pairs of frames.

    A folder's consecutive frames are pairs, in natural order, each folder below it for itself.
    Outputs that are there and whole are skipped; failures are listed in DIR/failures.jsonl.
    """
    from ..flows.io import suffix_of
    from ..run.batch import Batch, Shard
    from ..storage import check_writable

    check_writable(out_dir)
    with _open_items(source, suffix_of(flow_format), out_dir) as items:
        estimator = estimator_options.load()
        run = Batch(
            estimator,
            out_dir,
            flow_format=flow_format,
            style=color_options.style(),
            max_pixels=max_pixels,
            force=force,
        )
        part = Shard(*shard)
        total = part.size(len(items)) if isinstance(items, list) else None
        with console.progress("estimating", total, "pairs") as advance:
            summary = run.run(items, part, on_outcome=lambda outcome: _report(outcome, out_dir, advance, json))
    if json:
        console.result({"type": "summary", "input": source, **describe(estimator), **_account(summary, out_dir, part)})
    _say_what_happened(summary, out_dir)


@contextlib.contextmanager
def _open_items(source: str, suffix: str, out_dir: Path) -> Iterator[Iterable[Item | FaultyItem]]:
    """The items that ``source`` names: a list, or from stdin as they come."""
    from ..run.manifest import Manifest, folder_items
    from ..storage import why

    path = Path(source)
    if source == STDIN:
        if sys.stdin is None:
            raise InputError("cannot read the manifest from stdin: it is closed")
        # Not sys.stdin, which Python would want to close at exit while a thread still waits for a line.
        with open(0, encoding="utf-8", errors="surrogateescape", closefd=False) as lines:
            yield Manifest(lines, "stdin", Path(), suffix).items()
        return
    if path.is_dir():
        yield list(folder_items(path, suffix, exclude=out_dir))
        return
    try:
        # A manifest may name files whose names are not UTF-8.
        with path.open(encoding="utf-8", errors="surrogateescape") as lines:
            items = list(Manifest(lines, str(path), path.parent, suffix).items())
    except OSError as error:
        raise InputError(f"cannot read {path}: {why(error)}; check the path") from error
    yield items


def _report(outcome: Outcome, out_dir: Path, advance: Advance, json: bool) -> None:
    from ..flows.metrics import flow_statistics
    from ..run.manifest import Item

    if outcome.error is not None:
        console.note(f"failed: {outcome.error}")
    if outcome.loss is not None:
        console.once(outcome.loss)
    advance(1)
    if not json:
        return
    item = outcome.item
    paths: dict[str, object] = {}
    if isinstance(item, Item):
        paths = {"frame1": item.frame1, "frame2": item.frame2, "output": out_dir / item.out}
    console.result(
        {
            "type": "pair",
            "status": outcome.status,
            **paths,
            "origin": item.origin,
            "error": None if outcome.error is None else str(outcome.error),
            "windows": outcome.windows,
            "flow": None if outcome.flow is None else flow_statistics(outcome.flow),
        }
    )


def _account(summary: BatchSummary, out_dir: Path, shard: Shard) -> dict[str, object]:
    return {
        "out_dir": out_dir,
        "shard": f"{shard.index}/{shard.count}",
        "pairs": summary.items,
        "done": summary.done,
        "skipped": summary.skipped,
        "failed": summary.failed,
        "windows": summary.windows,
        "seconds": round(summary.seconds, 3),
        "pairs_per_second": round(summary.pairs_per_second, 3),
    }


def _say_what_happened(summary: BatchSummary, out_dir: Path) -> None:
    from ..run.failures import FAILURES

    console.note(
        f"{summary.items} pairs in {out_dir}: {summary.done} done, {summary.skipped} skipped, {summary.failed} failed "
        f"in {summary.seconds:.1f} s, {summary.pairs_per_second:.2f} pairs per second"
    )
    if summary.failed:
        raise BatchError(f"{summary.failed} of {summary.items} pairs failed; {out_dir / FAILURES} lists them")
