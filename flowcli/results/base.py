"""The keys that every result has, and how results become JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from ..errors import FlowcliError

SCHEMA = 1
"""The version of the JSON format, which every object contains as ``schema``."""


@dataclass(frozen=True, kw_only=True)
class FlowStatistics:
    """Statistics of a flow over its known pixels; null if no flow is known."""

    u_min: Annotated[float | None, "smallest motion to the right, in pixels"]
    u_mean: Annotated[float | None, "mean motion to the right, in pixels"]
    u_max: Annotated[float | None, "largest motion to the right, in pixels"]
    v_min: Annotated[float | None, "smallest motion downwards, in pixels"]
    v_mean: Annotated[float | None, "mean motion downwards, in pixels"]
    v_max: Annotated[float | None, "largest motion downwards, in pixels"]
    length_min: Annotated[float | None, "length of the shortest vector, in pixels"]
    length_mean: Annotated[float | None, "mean length of the vectors, in pixels"]
    length_max: Annotated[float | None, "length of the longest vector, in pixels"]
    known: Annotated[float, "fraction of pixels whose flow is known, 0 to 1"]


@dataclass(frozen=True, kw_only=True)
class Result:
    """The keys of every JSON object."""

    type: Annotated[str, "kind of object"]
    schema: Annotated[int, "version of the JSON format"] = SCHEMA

    @property
    def problem(self) -> FlowcliError | None:
        """The error that the command ends with despite this result, or ``None``; not part of the JSON."""
        return None


@dataclass(frozen=True, kw_only=True)
class EstimatorUse:
    """The model that estimated the flow, and its settings."""

    model: Annotated[str, "hub id, folder or name of the model"]
    revision: Annotated[str | None, "commit on the hub; null for folders and built-in models"]
    device: Annotated[str, "device, such as cpu or cuda:0"]
    precision: Annotated[str, "fp32, tf32, bf16 or fp16"]
    batch_size: Annotated[int, "windows per forward pass"]
    overlap: Annotated[int, "minimum overlap of neighbouring windows, in pixels"]
    grid: Annotated[str, "even or reference"]
    scale: Annotated[float, "size at which flow was estimated, as a multiple of the frames' size"]
    coarse_to_fine: Annotated[bool, "whether windows followed motion that is larger than they are"] = False


def to_json(result: Result) -> str:
    """The result as one line of JSON, without a newline; NaN and infinity, which JSON lacks, become null."""
    return json.dumps(_plain(result), allow_nan=False)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [entry.name for entry in dataclasses.fields(value) if not entry.name.startswith("_")]
        first = [name for name in ("schema", "type") if name in names]
        return {name: _plain(getattr(value, name)) for name in [*first, *(n for n in names if n not in first)]}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, int | str | None) else str(value)
