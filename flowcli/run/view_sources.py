"""What a page shows: the common interface, and what its sources share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from ..arrays import Flow
from ..errors import InputError
from ..estimator import FlowEstimator
from ..flows.occlusion import occluded
from ..pairs import FramePair
from ..view.viewer import Moment
from .runner import Estimated

OnWindow = Callable[[int], None]
"""Called after each forward pass with the number of windows in it."""


class Source(Protocol):
    """What a page shows."""

    title: str
    """What it is, in a line."""

    names: tuple[str, ...]
    """The names of the flows that are compared."""

    inputs: tuple[Path, ...]
    """The files that are read."""

    rate: Fraction | None
    """Frames per second; ``None`` for a single pair."""

    count: int
    """How many moments there will be, about."""

    facts: dict[str, str]
    """What is known of the flow, by name."""

    notes: list[str]
    """What else is to be said; more may come while the moments are taken."""

    windows: int | None
    """How many windows will be estimated; ``None`` if that is not known."""

    problem: InputError | None
    """Why not everything could be read, when the moments have been taken."""

    def moments(self, on_window: OnWindow | None = None) -> Iterator[Moment]:
        """The moments in order; raises ``InputError`` if not even the first can be made."""


def distinct_names(paths: Sequence[Path]) -> tuple[str, ...]:
    """Names of files or folders; with their folders where two would be the same."""
    names = [path.name or str(path) for path in paths]
    return tuple(str(path) if names.count(name) > 1 else name for path, name in zip(paths, names, strict=True))


def moment_of(estimated: Estimated, name: str, frames: FramePair, truth: Flow | None, time: float = 0.0) -> Moment:
    """The moment of a pair that was estimated; what is hidden is known if the opposite flow was estimated too."""
    flow, back = estimated.flow, estimated.back
    assert flow is not None  # there was something to estimate
    hidden = () if back is None else (occluded(flow, back),)
    return Moment(name, (flow,), frames[0], frames[1], truth, hidden, time)


def facts_of(**files: Sequence[Path | None]) -> dict[str, str]:
    """What was read, by kind: the names of files only, for pages travel."""
    named = {kind: [path.name or str(path) for path in paths if path is not None] for kind, paths in files.items()}
    return {kind: ", ".join(names) for kind, names in named.items() if names}


def use_of(estimator: FlowEstimator) -> dict[str, str]:
    """How flow was estimated."""
    use = estimator.use()
    names = ("model", "revision", "precision", "device", "scale", "overlap", "grid", "coarse_to_fine")
    return {name.replace("_", " "): str(use[name]) for name in names if use[name] not in {None, False}}
