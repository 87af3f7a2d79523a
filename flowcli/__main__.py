"""The ``flowcli`` program, also as ``python -m flowcli``."""

from __future__ import annotations

import signal
import sys
from typing import NoReturn

from . import shutdown


def main() -> NoReturn:
    """Run a command and leave with the exit code of the contract."""
    try:
        shutdown.watch_signals()
        from .cli import run  # takes a tenth of a second, in which Ctrl-C should be no fault either

        code = run(sys.argv[1:])
    except (KeyboardInterrupt, RuntimeError) as error:
        if not shutdown.is_interruption(error):
            raise
        shutdown.leave_at_once(signal.SIGINT)  # modules are half imported
    except SystemExit as error:
        code = shutdown.code_of(error)
    shutdown.leave(code)


if __name__ == "__main__":
    main()
