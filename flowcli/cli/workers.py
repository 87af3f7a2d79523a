"""Options that say which processes do the work, on this machine or on a cluster."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UsageError
from . import parsers
from .console import console
from .estimator_options import EstimatorOptions, note_if_plain

if TYPE_CHECKING:
    from ..run.engine import Engine

_MOST_READERS = 4  # decoders have threads of their own


@dataclass(frozen=True)
class WorkerOptions:
    """The workers."""

    ray: Annotated[
        str | None,
        typer.Option(
            metavar="local|auto|HOST:PORT",
            help="Work on a Ray cluster: started here, the one that this machine is in, or that one.",
        ),
    ] = None
    workers: Annotated[
        Any,
        typer.Option(
            parser=parsers.workers,
            metavar="auto|N",
            help="With --ray, how many workers load the model; else how many videos are decoded at the same time.",
        ),
    ] = "auto"
    cpus_per_worker: Annotated[int | None, typer.Option(min=1, metavar="N", help="With --ray: CPUs of each.")] = None
    gpus_per_worker: Annotated[
        float | None,
        typer.Option(min=0, metavar="F", help="With --ray: GPUs of each (1 where the cluster has GPUs, else 0)."),
    ] = None

    def check_unused(self, needed: str) -> None:
        """Raise ``UsageError`` if one is given although what needs them, an argument, is not."""
        given = {"ray": self.ray, "workers": None if self.workers == "auto" else self.workers}
        given |= {"cpus_per_worker": self.cpus_per_worker, "gpus_per_worker": self.gpus_per_worker}
        names = [f"`{name}`" for name, value in given.items() if value is not None]
        if names:
            are, them = ("is", "it") if len(names) == 1 else ("are", "them")
            raise UsageError(f"{', '.join(names)} {are} only for `{needed}`; leave {them} out")

    @contextlib.contextmanager
    def engine(self, estimator: EstimatorOptions, max_pixels: int) -> Iterator[Engine]:
        """What estimates: this process, or a cluster, which is left when the block ends.

        Raises:
            ModelError, UsageError, OutputError: as for :meth:`flowcli.cli.options.EstimatorOptions.load`.
        """
        if self.ray is None:
            from ..run.engine import LocalEngine

            if self.cpus_per_worker is not None or self.gpus_per_worker is not None:
                raise UsageError("`cpus_per_worker` and `gpus_per_worker` are only for `ray`; leave them out")
            readers = min(_MOST_READERS, os.cpu_count() or 1) if self.workers == "auto" else self.workers
            loaded = estimator.load()
            yield LocalEngine(loaded, readers)
            note_if_plain(loaded)
            return
        from ..cluster.options import ClusterOptions
        from ..run.cluster_engine import ClusterEngine

        options = ClusterOptions(self.ray, self.workers, self.cpus_per_worker, self.gpus_per_worker)
        recipe = estimator.recipe()
        with ClusterEngine(options, recipe, max_pixels=max_pixels, verbose=console.verbose) as engine:
            yield engine
