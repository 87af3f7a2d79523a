"""The results that commands and the Python API return, and that ``--json`` prints.

A key means the same in every object. ``docs/reference/json.md`` is generated from these classes, with the text beside
each field as its description. :data:`SCHEMA` increases when a key is removed or changes its meaning, not when one is
added.
"""

from __future__ import annotations

from .base import SCHEMA, EstimatorUse, FlowStatistics, Result, to_json
from .estimation import BatchSummary, DemoResult, EstimateResult, PairResult, RunSummary, VideoResult, VideoSummary
from .evaluation import (
    HEADINGS,
    BenchmarkFigures,
    ComparisonResult,
    DatasetInfo,
    DatasetSummary,
    EvaluationSummary,
    Figures,
    FigureTable,
    SubsetFigures,
    TableColumn,
    TableRow,
)
from .files import ChainResult, Conversion, FlowInfo, ViewResult, WarpResult, WarpSummary
from .models import ModelCheck, ModelInfo, PrecisionCheck, SceneCheck, StockCheck

__all__ = [
    "HEADINGS",
    "SCHEMA",
    "BatchSummary",
    "BenchmarkFigures",
    "ChainResult",
    "ComparisonResult",
    "Conversion",
    "DatasetInfo",
    "DatasetSummary",
    "DemoResult",
    "EstimateResult",
    "EstimatorUse",
    "EvaluationSummary",
    "FigureTable",
    "Figures",
    "FlowInfo",
    "FlowStatistics",
    "ModelCheck",
    "ModelInfo",
    "PairResult",
    "PrecisionCheck",
    "Result",
    "RunSummary",
    "SceneCheck",
    "StockCheck",
    "SubsetFigures",
    "TableColumn",
    "TableRow",
    "VideoResult",
    "VideoSummary",
    "ViewResult",
    "WarpResult",
    "WarpSummary",
    "to_json",
]
