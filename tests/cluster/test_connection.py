"""What is said of clusters that cannot be connected to."""

from __future__ import annotations

import pytest

from flowcli.cluster.connection import failure

NONE = (
    "Could not find any running Ray instance. Please specify the one to connect to by setting `--address` flag "
    "or `RAY_ADDRESS` environment variable."
)


@pytest.mark.parametrize(
    ("address", "error", "words"),
    [
        ("auto", ConnectionError(NONE), "no Ray cluster runs on this machine; start one with `ray start --head`"),
        ("auto", ConnectionError("reset\nby peer"), "cannot connect to the Ray cluster 'auto': reset by peer"),
        ("local", RuntimeError("no port"), "cannot start Ray: no port"),
    ],
)
def test_failures_in_one_line(address: str, error: Exception, words: str) -> None:
    said = failure(address, error).with_flags()
    assert said.startswith(words)
    assert "--address" not in said
