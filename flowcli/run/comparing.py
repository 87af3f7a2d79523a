"""Goes through the comparisons of an evaluation: scores, error maps, the report, the result of each pair."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

from ..results import ComparisonResult
from .comparison import Comparison, Evaluation
from .error_maps import ErrorMaps
from .report_evaluation import EvaluationReport

OnComparison = Callable[[ComparisonResult], None]
"""Called with the result of each comparison."""


def compare_all(
    evaluation: Evaluation,
    comparisons: Iterable[Comparison],
    maps: ErrorMaps | None,
    on_pair: OnComparison | None,
    report: EvaluationReport | None,
) -> None:
    """Compare pairs one by one.

    Args:
        evaluation: what they are added to.
        comparisons: the pairs.
        maps: draws the errors of each; ``None`` for no pictures.
        on_pair: called with the result of each.
        report: the page that gets each; ``None`` for none.

    Raises:
        InputError: a file is unreadable, or sizes differ.
        OutputError: a picture cannot be written.
    """
    for comparison in comparisons:
        compared = evaluation.add(comparison)
        outputs = () if maps is None else (maps.draw(comparison, compared.flow, compared.true_flow),)
        if report is not None:
            report.add(compared)
        if on_pair is not None:
            on_pair(
                ComparisonResult(
                    name=comparison.name,
                    flow_file=comparison.estimate,
                    truth_file=comparison.subsets[0].truth,
                    outputs=outputs,
                    benchmark=compared.benchmark,
                    **dataclasses.asdict(compared.scores[comparison.subsets[0].name].figures()),
                )
            )
