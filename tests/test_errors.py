"""Messages name arguments in Python and flags on the command line, and leave names of files alone."""

from __future__ import annotations

import pytest

from flowcli.errors import UsageError


@pytest.mark.parametrize(
    ("message", "python", "shell"),
    [
        ("`batch_size` must be at least 1", "batch_size must be at least 1", "--batch-size must be at least 1"),
        ("a.flo exists; add `force`", "a.flo exists; add force", "a.flo exists; add --force"),
        ("`start`, `end` and `stride`", "start, end and stride", "--start, --end and --stride"),
        ("cannot read `force`.flo: no", "cannot read `force`.flo: no", "cannot read `force`.flo: no"),
        ("run `flowcli model fetch`", "run `flowcli model fetch`", "run `flowcli model fetch`"),
    ],
)
def test_arguments_and_flags(message: str, python: str, shell: str) -> None:
    error = UsageError(message)
    assert (str(error), error.with_flags()) == (python, shell)
