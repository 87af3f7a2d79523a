"""What reports say of the run that they are about."""

from __future__ import annotations

from ..results import RunSummary


def facts_of(summary: RunSummary) -> dict[str, str]:
    """The settings and counts of a run, by name, as the page shows them."""
    model = summary.model if summary.revision is None else f"{summary.model} ({summary.revision})"
    facts = {
        "input": summary.input,
        "outputs": ", ".join(map(str, summary.outputs)),
        "model": model,
        "device": summary.device,
        "precision": summary.precision,
        "grid": f"{summary.grid}, overlap {summary.overlap} px",
        "scale": "" if summary.scale == 1 else f"{summary.scale:g}",
        "coarse to fine": "yes" if summary.coarse_to_fine else "",
        "levels": summary.levels or "",
        "pairs": f"{summary.pairs}: {summary.done} done, {summary.skipped} skipped, {summary.failed} failed",
        "windows": str(summary.windows),
        "seconds": f"{summary.seconds:.1f}",
    }
    return {name: value for name, value in facts.items() if value}
