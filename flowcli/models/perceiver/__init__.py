"""Perceiver IO for optical flow: its checkpoints, and our own network that runs them.

This module does not import torch, which takes a second, so that a missing checkpoint is reported at once.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .. import FlowModel, ModelRequest

if TYPE_CHECKING:
    from ...results import ModelInfo
    from .checkpoint import Checkpoint


class PerceiverFamily:
    """Checkpoints of ``PerceiverForOpticalFlow``, by folder or hub id. A :class:`flowcli.models.ModelFamily`."""

    def load(self, request: ModelRequest) -> FlowModel:
        """Find the checkpoint, download it if necessary, and load it; raises ``ModelError`` or ``UsageError``."""
        # The checkpoint comes first: importing torch takes much longer than finding out that there is none.
        checkpoint = self.find(request)
        prepare_torch()
        from .model import PerceiverFlow

        return PerceiverFlow(checkpoint, request.device, request.precision)

    def fetch(self, request: ModelRequest, *, force: bool) -> Path | None:
        """Download the checkpoint, or the files that have changed, and return its folder; raises ``ModelError``."""
        from .checkpoint import fetch_checkpoint

        return fetch_checkpoint(
            request.name, revision=request.revision, offline=request.offline, progress=request.progress, force=force
        ).folder

    def path(self, request: ModelRequest) -> Path | None:
        """The folder of the checkpoint; raises ``ModelError`` if it is not on this machine."""
        return self.find(replace(request, offline=True)).folder

    def info(self, request: ModelRequest) -> ModelInfo:
        """A description from the checkpoint's configuration and files; raises ``ModelError``."""
        return self.find(replace(request, offline=True)).info()

    def find(self, request: ModelRequest) -> Checkpoint:
        """The checkpoint, downloaded if necessary and allowed; raises ``ModelError`` or ``OutputError``."""
        from .checkpoint import find_checkpoint

        return find_checkpoint(
            request.name, revision=request.revision, offline=request.offline, progress=request.progress
        )


def prepare_torch() -> None:
    """Set what torch reads when it is first imported; an environment that says something itself is left alone."""
    # Waiting threads then spin for a few microseconds before they sleep; OpenMP's default, milliseconds, can slow a
    # busy machine to a crawl.
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "2000")


FAMILY = PerceiverFamily()
