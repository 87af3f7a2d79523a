"""Finds a checkpoint of ``PerceiverForOpticalFlow`` by name, and checks its configuration."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import ModelError
from ...results import ModelInfo
from ...storage import why
from .. import Progress
from . import hub

ARCHITECTURE = "PerceiverForOpticalFlow"

_LFS_MAGIC = b"version https://git-lfs.github.com/spec"

# Training changes every weight, so samples are enough to identify a checkpoint; reading all would slow every start.
_SAMPLES = 32
_SAMPLE_BYTES = 1 << 16


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint on disk whose configuration is that of an optical-flow Perceiver."""

    name: str
    """The name that the user gave: a hub id or a folder."""

    folder: Path
    """The folder of its files."""

    weights: Path
    """The weight file, or the index of its shards."""

    revision: str | None
    """The commit on the hub; ``None`` for a local folder."""

    config: dict[str, Any]
    """The content of ``config.json``."""

    @property
    def size(self) -> int:
        """The total size of the weight files in bytes."""
        return sum(file.stat().st_size for file in self._files())

    def fingerprint(self) -> str:
        """Identifies the checkpoint by its content: 16 hex digits of a hash of samples of the weights."""
        digest = hashlib.sha256()
        for path in self._files():
            size = path.stat().st_size
            digest.update(size.to_bytes(8, "little"))
            with path.open("rb") as file:
                for index in range(_SAMPLES):
                    file.seek(index * max(0, size - _SAMPLE_BYTES) // (_SAMPLES - 1))
                    digest.update(file.read(_SAMPLE_BYTES))
        return digest.hexdigest()[:16]

    def _files(self) -> list[Path]:
        return [self.folder / shard for shard in hub.shards(self.weights)] or [self.weights]

    def info(self) -> ModelInfo:
        """A description of the checkpoint."""
        height, width = self.window
        return ModelInfo(
            model=self.name,
            kind="Perceiver IO for optical flow",
            revision=self.revision,
            folder=self.folder,
            weights=self.weights.name,
            bytes=self.size,
            window=f"{height} x {width}",
            latents=f"{self.config.get('num_latents')} x {self.config.get('d_latents')}",
            layers=self.config.get("num_self_attends_per_block"),
        )

    @property
    def window(self) -> tuple[int, int]:
        """Height and width of the model's windows in pixels."""
        height, width = self.config.get("train_size", (368, 496))
        return height, width


def find_checkpoint(
    name: str, *, revision: str | None = None, offline: bool = False, progress: Progress | None = None
) -> Checkpoint:
    """Find a checkpoint; download it if it is neither a folder nor cached.

    Args:
        name: a local folder or a hub id.
        revision: branch, tag or commit on the hub; not for folders.
        offline: whether to never use the network, like ``HF_HUB_OFFLINE`` in the environment.
        progress: called as a download progresses.

    Returns:
        The checkpoint.

    Raises:
        ModelError: it is unavailable or damaged, or not an optical-flow Perceiver.
        OutputError: a download cannot be written to the cache.
    """
    folder = hub.find_local(name)
    if folder is not None:
        if revision is not None:
            raise ModelError(f"`revision` {revision} does not apply to the local folder {name}; leave it out")
        return open_checkpoint(name, folder, None)
    folder = hub.find_cached(name, revision)
    if folder is None:
        if offline or _offline_by_environment():
            raise ModelError(f"model {name} is not cached and the network is switched off; {hub.WAYS_OUT}")
        folder = hub.download(name, revision, progress=progress)
    return open_checkpoint(name, folder, folder.name)


def fetch_checkpoint(
    name: str,
    *,
    revision: str | None = None,
    offline: bool = False,
    progress: Progress | None = None,
    force: bool = False,
) -> Checkpoint:
    """Update a checkpoint from the hub.

    A local folder is returned as it is, and so is a cached checkpoint if the network is switched off.

    Args:
        name: as for :func:`find_checkpoint`.
        revision: as for :func:`find_checkpoint`.
        offline: as for :func:`find_checkpoint`.
        progress: as for :func:`find_checkpoint`.
        force: whether to download files again that are cached.

    Returns:
        The checkpoint.

    Raises:
        ModelError, OutputError: as for :func:`find_checkpoint`.
    """
    if hub.find_local(name) or offline or _offline_by_environment():
        return find_checkpoint(name, revision=revision, offline=True)
    folder = hub.download(name, revision, progress=progress, force=force)
    return open_checkpoint(name, folder, folder.name)


def _offline_by_environment() -> bool:
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def open_checkpoint(name: str, folder: Path, revision: str | None) -> Checkpoint:
    """Read and check the configuration of a checkpoint.

    Args:
        name: the name that the user gave.
        folder: the folder of its files.
        revision: the commit on the hub; ``None`` for a local folder.

    Returns:
        The checkpoint.

    Raises:
        ModelError: a file is missing or damaged, or it is not an optical-flow Perceiver.
    """
    path = folder / hub.CONFIG
    try:
        _refuse_pointer(path)
        config = json.loads(path.read_text("utf-8-sig"))  # some editors put a byte order mark in front
    except OSError as error:
        raise ModelError(f"cannot read {path}: {why(error)}; give a checkpoint made by save_pretrained") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is damaged: it is not JSON; {remedy(revision)}") from error
    fault = _config_fault(config)
    if fault:
        raise ModelError(f"model {name} is not an optical-flow Perceiver: {fault}")
    weights = hub.weights_file(folder)
    if weights is None:
        raise ModelError(f"no weights in {folder}; copy {' or '.join(hub.WEIGHTS[::2])} there")
    _refuse_pointer(weights)
    missing = [shard for shard in hub.shards(weights) if not (folder / shard).is_file()]
    if missing:
        raise ModelError(f"{folder} lacks {missing[0]}, which {weights.name} lists; copy it there")
    return Checkpoint(name, folder, weights, revision, config)


def remedy(revision: str | None) -> str:
    """How to mend a file of a checkpoint: one of the hub can be downloaded again, one of a folder cannot."""
    return "copy it again" if revision is None else "run `flowcli model fetch --force`"


def _refuse_pointer(path: Path) -> None:
    """Raise ``ModelError`` if Git LFS has left a pointer in place of the file; raises ``OSError`` if it is missing."""
    with path.open("rb") as file:
        if file.read(len(_LFS_MAGIC)) == _LFS_MAGIC:
            raise ModelError(f"{path} is a Git LFS pointer, not the file itself; run `git lfs pull` in its folder")


def _config_fault(config: object) -> str | None:
    if not isinstance(config, dict) or config.get("model_type") != "perceiver":
        kind = config.get("model_type") if isinstance(config, dict) else None
        return f"its {hub.CONFIG} says model_type {kind!r}"
    architectures = config.get("architectures")
    if architectures is not None and ARCHITECTURE not in (architectures if isinstance(architectures, list) else ()):
        return f"its architecture is {architectures!r}"
    size = config.get("train_size", (368, 496))
    if not (isinstance(size, list | tuple) and len(size) == 2 and all(type(n) is int and n > 0 for n in size)):
        return f"its train_size is {size!r}"
    return None
