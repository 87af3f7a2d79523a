"""The installed ``info``."""

from __future__ import annotations

import json

import pytest

from ..conftest import Run


@pytest.mark.usefixtures("flows")
def test_info(flowcli: Run) -> None:
    done = flowcli("info", "gt.flo", "pred.npy")
    assert done.returncode == 0
    assert done.stdout.decode().splitlines()[:2] == [
        "gt.flo: 5 x 4, 25.00% unknown",
        "  u:       10.000 to 10.000 px, mean 10.000 px",
    ]
    first, second = [json.loads(line) for line in flowcli("info", "gt.flo", "pred.npy", "--json").stdout.splitlines()]
    assert (first["width"], first["height"], first["flow"]["known"], first["flow"]["length_max"]) == (5, 4, 0.75, 10)
    assert second["flow"]["known"] == 1
    partly = flowcli("info", "missing.flo", "gt.flo")
    assert partly.returncode == 3
    assert b"missing.flo" in partly.stderr
    assert partly.stdout.startswith(b"gt.flo: 5 x 4")
