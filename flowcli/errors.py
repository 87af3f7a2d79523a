"""The errors a user can meet, one class per exit code.

Each message is one line that names the file or argument, says what is wrong and how to mend it. A message writes the
arguments of the Python API in backquotes; ``str(error)`` leaves those out, and the command line shows its flags there.
"""

from __future__ import annotations

import re

_ARGUMENT = re.compile(r"`([a-z][a-z0-9_]*)`")


class FlowcliError(Exception):
    """Base class of every error that flowcli raises on purpose.

    Args:
        message: one line, with arguments in backquotes: "`overlap` must be at least 0".
    """

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        """The message for users of the Python API."""
        return _ARGUMENT.sub(r"\1", self.message)

    def with_flags(self) -> str:
        """The message for users of the command line: ``batch_size`` is ``--batch-size`` there."""
        return _ARGUMENT.sub(lambda match: "--" + match[1].replace("_", "-"), self.message)


class DeviceError(FlowcliError):
    """The device gave out: no memory for a single window; exit code 7."""

    exit_code = 7


class UsageError(FlowcliError):
    """Wrong usage: a bad option value, or an output that exists and may not be overwritten; exit code 2."""

    exit_code = 2


class InputError(FlowcliError):
    """Bad input: missing, unreadable, truncated, not an image, sizes that differ, a video too short; exit code 3."""

    exit_code = 3


class ModelError(FlowcliError):
    """The model cannot be had: not cached and the hub unreachable, no such id, wrong kind, corrupt; exit code 4."""

    exit_code = 4


class OutputError(FlowcliError):
    """An output cannot be written: no permission, disk full, unknown format; exit code 5."""

    exit_code = 5


class BatchError(FlowcliError):
    """A batch ended with some items failed; the rest are done; exit code 6."""

    exit_code = 6
