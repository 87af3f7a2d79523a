"""Getting a checkpoint's files: from a local folder, from the Hugging Face cache, or from the hub.

The cache comes first: what has been downloaded once is used without asking the network again, so a cluster of
workers does not depend on the hub and a revision does not change under a running batch. ``flowcli model fetch`` asks
the hub for the newest. Only one metadata request per file and the file itself are asked for, so any mirror that
serves ``/resolve/`` (``HF_ENDPOINT``) will do.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any

from ...errors import ModelError, OutputError
from ...storage import why
from .. import Progress

if TYPE_CHECKING:
    from huggingface_hub import HfFileMetadata

CONFIG = "config.json"
WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
"""Weight files in order of preference."""

ANSWER_SECONDS = 6.0
"""How long the hub may take to answer a metadata request, unless HF_HUB_ETAG_TIMEOUT says otherwise."""

WAYS_OUT = "run `flowcli model fetch` where there is network, or use `model` FOLDER or `model` dis"


def find_local(name: str) -> Path | None:
    """The folder that ``name`` means if it is a path rather than a hub id; raises ``ModelError`` if it is not there."""
    try:
        path = Path(name).expanduser()
        if name and path.is_dir():
            return path
        exists = path.exists()
    except (OSError, RuntimeError) as error:  # no permission on the way, a name too long, an unknown ~user
        raise ModelError(f"cannot read model folder {name}: {error}") from error
    if name and exists:
        raise ModelError(f"model {name} is a file; give the checkpoint's folder")
    if looks_like_path(name) or not name:
        raise ModelError(f"model folder {name!r} does not exist; give a folder, a hub id such as owner/name, or dis")
    return None


def looks_like_path(name: str, *, windows: bool = os.name == "nt") -> bool:
    """Whether ``name`` is meant as a path: no hub id (``owner/name``) is written like that."""
    if windows and ("\\" in name or PureWindowsPath(name).drive):
        return True
    return name.startswith((".", "~", "/")) or name.count("/") > 1 or name.endswith("/")


def find_cached(repo: str, revision: str | None) -> Path | None:
    """The snapshot folder of ``repo`` in the Hugging Face cache if all of it is there, else ``None``."""
    from huggingface_hub import try_to_load_from_cache

    with _hub_errors(repo, revision):
        config = try_to_load_from_cache(repo, CONFIG, revision=_commit_in_cache(repo, revision) or revision)
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    weights = weights_file(folder)
    return folder if weights and all((folder / shard).is_file() for shard in shards(weights)) else None


def _commit_in_cache(repo: str, revision: str | None) -> str | None:
    """The commit that a branch or tag has in the cache; huggingface_hub itself trips over a line's end after it."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    folder = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repo, repo_type="model")
    try:
        return (folder / "refs" / (revision or "main")).read_text("utf-8").strip() or None
    except (OSError, ValueError):  # not there, or no name of a file
        return None


def weights_file(folder: Path) -> Path | None:
    """The preferred weight file (or shard index) in ``folder``."""
    return next((folder / name for name in WEIGHTS if (folder / name).is_file()), None)


def shards(weights: Path) -> list[str]:
    """Names of the files that a shard index lists, none if ``weights`` is no index."""
    if weights.suffix != ".json":
        return []
    try:
        return sorted({str(name) for name in json.loads(weights.read_text("utf-8"))["weight_map"].values()})
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ModelError(
            f"model file {weights} is damaged; run `flowcli model fetch --force`, or copy it again"
        ) from error


def download(repo: str, revision: str | None, *, progress: Progress | None = None, force: bool = False) -> Path:
    """Download ``repo`` into the Hugging Face cache and return its snapshot folder.

    Args:
        repo: the hub id.
        revision: branch, tag or commit; ``None`` for the main branch.
        progress: told of every piece that arrives.
        force: download again what is cached already.

    Raises:
        ModelError: the hub cannot be reached or does not have it.
    """
    with _hub_errors(repo, revision):
        # By its commit, so that all files are of one version, and so that the branch's name in the cache moves on to
        # that version only when all of it is there.
        commit = _metadata(repo, CONFIG, revision).commit_hash or revision
        folder = _fetch(repo, CONFIG, commit, progress, force).parent
        weights = next(
            (path for name in WEIGHTS if (path := _fetch_if_there(repo, name, commit, progress, force))), None
        )
        if weights is None:
            raise ModelError(f"{repo} has neither {WEIGHTS[0]} nor {WEIGHTS[2]}; it is not an optical-flow Perceiver")
        for shard in shards(weights):
            _fetch(repo, shard, commit, progress, force)
        if revision != commit:
            _fetch(repo, CONFIG, revision, progress, force=False)
    return folder


def _fetch_if_there(
    repo: str, filename: str, revision: str | None, progress: Progress | None, force: bool
) -> Path | None:
    from huggingface_hub.errors import EntryNotFoundError

    try:
        return _fetch(repo, filename, revision, progress, force)
    except EntryNotFoundError:
        return None


def _fetch(repo: str, filename: str, revision: str | None, progress: Progress | None, force: bool) -> Path:
    from huggingface_hub import hf_hub_download

    # hf_hub_download retries an unanswered request for minutes; asking first keeps the wait bounded.
    _metadata(repo, filename, revision)
    bar = _bar_class(filename, progress)
    return Path(hf_hub_download(repo, filename, revision=revision, tqdm_class=bar, force_download=force))


def _metadata(repo: str, filename: str, revision: str | None) -> HfFileMetadata:
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url

    timeout = constants.HF_HUB_ETAG_TIMEOUT if "HF_HUB_ETAG_TIMEOUT" in os.environ else ANSWER_SECONDS
    return get_hf_file_metadata(hf_hub_url(repo, filename, revision=revision), timeout=timeout)


def _bar_class(filename: str, progress: Progress | None) -> Any:
    """A stand-in for tqdm through which huggingface_hub reports to ``progress``."""
    from huggingface_hub import utils

    tqdm: Any = utils.tqdm  # type: ignore[attr-defined]

    class Bar(tqdm):  # type: ignore[misc]
        def __init__(self, *_: object, total: int | None = None, initial: int = 0, **__: object) -> None:
            super().__init__(total=total, initial=initial, disable=True)
            self.received = initial
            self.expected = total

        def update(self, n: float | None = 1) -> None:
            self.received += int(n or 0)
            if progress is not None:
                progress(filename, self.received, self.expected)

    return Bar


@contextlib.contextmanager
def _hub_errors(repo: str, revision: str | None) -> Iterator[None]:
    """Turn what huggingface_hub raises into a ``ModelError`` of one line, and keep its log messages off stderr."""
    from huggingface_hub import constants, errors
    from huggingface_hub.utils import logging as hub_logging

    hub_logging.set_verbosity(logging.CRITICAL)
    unreachable: tuple[type[Exception], ...] = (
        errors.HfHubHTTPError,
        errors.FileMetadataError,
        errors.LocalEntryNotFoundError,
        *_transport_errors(),
    )
    version = f" at revision {revision}" if revision else ""
    try:
        yield
    except errors.HFValidationError as error:
        raise ModelError(f"{repo!r} is neither a folder nor a hub id such as owner/name") from error
    except errors.OfflineModeIsEnabled as error:
        raise ModelError(f"model {repo}{version} is not cached and the network is switched off; {WAYS_OUT}") from error
    except errors.GatedRepoError as error:
        raise ModelError(f"{repo} needs permission: accept its terms on the hub and set HF_TOKEN") from error
    except errors.RevisionNotFoundError as error:
        raise ModelError(f"{repo} has no revision {revision}; see its branches and tags on the hub") from error
    except errors.RepositoryNotFoundError as error:
        raise ModelError(f"no model {repo} on {constants.ENDPOINT} (or it is private: set HF_TOKEN)") from error
    except errors.RemoteEntryNotFoundError as error:
        raise ModelError(f"{repo}{version} lacks {CONFIG}; it is not an optical-flow Perceiver") from error
    except unreachable as error:
        cause = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise ModelError(f"cannot download {repo}{version} from {constants.ENDPOINT}: {cause}; {WAYS_OUT}") from error
    except ValueError as error:  # an HF_ENDPOINT or a proxy that is no address
        raise ModelError(
            f"cannot download {repo}{version}: {error}; check HF_ENDPOINT and the proxy settings"
        ) from error
    except OSError as error:  # the cache cannot be written, or a download came out short
        if error.errno is not None:
            raise OutputError(f"cannot write to the model cache {constants.HF_HUB_CACHE}: {why(error)}") from error
        raise ModelError(f"cannot download {repo}{version}: {str(error).splitlines()[0]}; try again") from error


def _transport_errors() -> tuple[type[Exception], ...]:
    """The exceptions of the HTTP library beneath huggingface_hub: failed connections, time-outs, impossible addresses.

    Which library that is (httpx, httpx2) is huggingface_hub's own affair, so it is not imported by name: the base of
    huggingface_hub's HTTP error is the base of that library's errors, and leads to it.
    """
    from huggingface_hub.errors import HfHubHTTPError

    base = next(kind for kind in HfHubHTTPError.__bases__ if issubclass(kind, Exception) and kind is not OSError)
    library = sys.modules[base.__module__.partition(".")[0]]
    return (base, library.InvalidURL)
