"""Whether the processes of a node can do the work: the same flowcli, the same paths."""

from __future__ import annotations

import platform
from dataclasses import dataclass

from ..errors import FlowcliError, InputError, UsageError
from ..version import __version__
from .options import MustSee


@dataclass(frozen=True)
class Needs:
    """What the work needs of a node. Plain data."""

    folder: str
    """The working folder."""

    paths: tuple[MustSee, ...] = ()
    flowcli: str = __version__
    python: str = platform.python_version()


Findings = tuple["str | None", str, bool, tuple[bool, ...]]
"""The versions of flowcli and Python, whether the working folder is there, and which of the paths are."""


def complaint_of(found: Findings, needs: Needs, node: str) -> FlowcliError | None:
    """Why a node cannot do the work, or ``None``.

    Only the first two numbers of Python's version count: those that decide what can be pickled.

    Args:
        found: what the probe found.
        needs: what the work needs.
        node: the node's name.
    """
    version, python, has_folder, seen = found
    if version is None:
        return UsageError(
            f"node {node} has no flowcli in the Python that runs Ray; install flowcli {needs.flowcli} there"
        )
    if version != needs.flowcli:
        return UsageError(
            f"node {node} has flowcli {version}, this machine has {needs.flowcli}; install the same version on both"
        )
    if python.split(".")[:2] != needs.python.split(".")[:2]:
        return UsageError(f"node {node} has Python {python}, this machine has {needs.python}; use the same on both")
    if not has_folder:
        return InputError(
            f"node {node} does not see the working folder {needs.folder}; mount it there at the same place"
        )
    for each, is_seen in zip(needs.paths, seen, strict=True):
        if not is_seen:
            return each.error(f"node {node} does not see the {each.what} {each.path}; mount it there at the same place")
    return None
