"""Perceiver IO for optical flow: the checkpoint, and a network of our own that runs it.

Light: the checkpoint's files are looked for before torch is imported, which takes a second.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from .. import FlowModel, ModelRequest

if TYPE_CHECKING:
    from ...results import ModelInfo
    from .checkpoint import Checkpoint


class PerceiverFamily:
    """Checkpoints of ``PerceiverForOpticalFlow``, by folder or hub id. A :class:`flowcli.models.ModelFamily`."""

    def load(self, request: ModelRequest) -> FlowModel:
        """Find the checkpoint, downloading it if need be, and load it; raises ``ModelError`` or ``UsageError``."""
        # The checkpoint first: whether it can be had is known long before torch has been imported.
        checkpoint = self._find(request, offline=request.offline)
        # Read when torch is first loaded: threads that wait for each other spin for a few microseconds, then sleep.
        # With OpenMP's own default, spinning for milliseconds, a busy machine can come to a crawl.
        if "OMP_WAIT_POLICY" not in os.environ:
            os.environ.setdefault("GOMP_SPINCOUNT", "2000")
        from .model import PerceiverFlow

        return PerceiverFlow(checkpoint, request.device, request.precision)

    def fetch(self, request: ModelRequest, *, force: bool) -> Path | None:
        """Download the checkpoint, or what has changed of it, and return its folder; raises ``ModelError``."""
        from .checkpoint import fetch_checkpoint

        return fetch_checkpoint(
            request.name, revision=request.revision, offline=request.offline, progress=request.progress, force=force
        ).folder

    def path(self, request: ModelRequest) -> Path | None:
        """The checkpoint's folder, if it is on this machine; raises ``ModelError``."""
        return self._find(request, offline=True).folder

    def info(self, request: ModelRequest) -> ModelInfo:
        """What the checkpoint's configuration and files say; raises ``ModelError``."""
        return self._find(request, offline=True).info()

    def _find(self, request: ModelRequest, *, offline: bool) -> Checkpoint:
        from .checkpoint import find_checkpoint

        return find_checkpoint(request.name, revision=request.revision, offline=offline, progress=request.progress)


FAMILY = PerceiverFamily()
