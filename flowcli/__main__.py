"""The ``flowcli`` program, also as ``python -m flowcli``."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run a command and leave with the exit code of the contract."""
    try:
        from .cli import main as run  # takes a tenth of a second, in which Ctrl-C should be no fault either
    except KeyboardInterrupt:
        sys.stderr.write("flowcli: error: interrupted\n")
        sys.stderr.flush()
        os._exit(130)  # modules are half imported
    run()


if __name__ == "__main__":
    main()
