"""The installed ``model path``, ``info`` and ``fetch``; tests/models/perceiver/test_hub.py has more on downloading."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..conftest import Run

DIS = ("-m", "dis")


@pytest.mark.parametrize("command", ["path", "info", "fetch"])
def test_model_commands_know_dis_and_folders(flowcli: Run, checkpoint: Path, command: str) -> None:
    assert flowcli("model", command, *DIS).returncode == 0
    done = flowcli("model", command, "-m", checkpoint)
    assert done.returncode == 0
    assert str(checkpoint) in done.stdout.decode()
