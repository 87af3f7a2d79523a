"""A small program that has items done on a Ray cluster, for tests: ``ray_driver.py ADDRESS ITEMS [OPTIONS as JSON]``.

An item is ``[number, seconds, act]``; its reply has the square of the number. What comes back is printed as JSON lines.
Instead of items there may be ``[count, seconds]``, or ``[count, seconds, path]`` for such as take no time once there is
something at the path.
It handles signals and errors as the ``flowcli`` program does.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from flowcli import shutdown
from flowcli.cli.console import console, show_log
from flowcli.cluster.cluster import Cluster
from flowcli.cluster.options import ClusterOptions, Lost, MustSee
from flowcli.errors import FlowcliError, ModelError, OutputError

KILL = 9  # Windows has no such signal


class Squares:
    """Squares numbers, or acts up."""

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def about(self) -> dict[str, Any]:
        """Where it is."""
        return {"pid": os.getpid(), "folder": str(Path.cwd()), "threads": self.threads}

    def run(self, items: list[Any]) -> list[Any]:
        """The squares, and where they were made."""
        return [self._square(*item) for item in items]

    def _square(self, number: int, seconds: float, act: str) -> tuple[int, int]:
        if not (act.startswith("/") and Path(act).exists()):
            time.sleep(seconds)
        match act:
            case "exit":
                os._exit(3)
            case "kill":
                os.kill(os.getpid(), KILL)
            case "full":
                raise OutputError("cannot write out: the disk is full")
            case "print":
                os.write(1, b"said by a worker\n")
                os.write(2, b"said by a worker\n")
        return number**2, os.getpid()


def job(threads: int) -> Squares:
    """Makes the runner."""
    return Squares(threads)


def broken_job(threads: int) -> NoReturn:
    """Cannot make it."""
    raise ModelError(f"no model for {threads} threads")


def fatal_job(threads: int) -> NoReturn:
    """Ends the process."""
    os._exit(threads)


def say(record: object) -> None:
    """Print a record at once."""
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run."""
    address, items, rest = sys.argv[1], json.loads(sys.argv[2]), json.loads((sys.argv[3:] or ["{}"])[0])
    needs = [MustSee(Path(path), "model", ModelError) for path in rest.pop("needs", ())]
    made = {"fatal": fatal_job, "broken": broken_job}.get(rest.pop("job", ""), job)
    if isinstance(items, list) and items and isinstance(items[0], (int, float)):
        count, seconds, *path = items
        items = [(number, seconds, *(path or [""])) for number in range(int(count))]
    shutdown.watch_signals()
    show_log()
    try:
        with Cluster(ClusterOptions(address, **rest)) as cluster:
            say({"about": cluster.start(made, needs)})
            for item, reply in cluster.map(items, len(items)):
                say({"item": item[0], "reply": asdict(reply) if isinstance(reply, Lost) else reply})
    except FlowcliError as error:
        console.error(error.with_flags())
        shutdown.leave(error.exit_code)
    except KeyboardInterrupt:
        console.error(shutdown.INTERRUPTED_MESSAGE)
        shutdown.leave(shutdown.INTERRUPTED)
    except SystemExit as error:
        shutdown.leave(shutdown.code_of(error))


if __name__ == "__main__":
    main()
