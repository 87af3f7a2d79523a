"""The errors a user can meet, one class per exit code.

Each message is one line that names the file or option, says what is wrong and how to mend it. The command line
prints the message and exits with ``exit_code``; a user of the Python API catches ``FlowcliError``.
"""

from __future__ import annotations


class FlowcliError(Exception):
    """Base class of every error that flowcli raises on purpose."""

    exit_code = 1


class DeviceError(FlowcliError):
    """The device gave out (memory exhausted with a single window); exit code 1."""


class UsageError(FlowcliError):
    """Wrong usage: a bad option value, or an output that exists without ``--force``; exit code 2."""

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
