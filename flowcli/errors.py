"""The errors that users can see, one class per exit code.

Each message is one line that names the file or argument, the cause and the remedy. Arguments of the Python API are
written in backquotes: ``str(error)`` drops the backquotes, and the command line shows its flags instead.
"""

from __future__ import annotations

import re

_ARGUMENT = re.compile(r"(?<![^\s(])`([a-z][a-z0-9_]*)`(?=[\s,;:)]|$)")  # as a word, not in a file's name


class FlowcliError(Exception):
    """Base class of every error that flowcli raises on purpose.

    Args:
        message: one line, with argument names in backquotes, such as "`overlap` must be at least 0".
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
    """The device failed, or its memory cannot hold even one window; exit code 7."""

    exit_code = 7


class UsageError(FlowcliError):
    """Wrong usage: a bad option value, or an output that exists and may not be overwritten; exit code 2."""

    exit_code = 2


class InputError(FlowcliError):
    """Bad input: missing, unreadable, truncated, not an image, of different sizes, or too short; exit code 3."""

    exit_code = 3


class ModelError(FlowcliError):
    """The model is unavailable: no such id, not cached and no network, of the wrong kind, or damaged; exit code 4."""

    exit_code = 4


class OutputError(FlowcliError):
    """An output cannot be written: no permission, disk full, unknown format; exit code 5."""

    exit_code = 5


class BatchError(FlowcliError):
    """Some pairs of a batch failed, the others are done; or a flow or a model fails a check; exit code 6."""

    exit_code = 6
