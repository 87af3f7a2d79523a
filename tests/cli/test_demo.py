"""The installed ``demo``."""

from __future__ import annotations

import json
from pathlib import Path

from ..conftest import Run

DIS = ("-m", "dis")


def test_dis_by_name(flowcli: Run, tmp_path: Path) -> None:
    done = flowcli("demo", "here", *DIS)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"end-point error of dis: 0.")
    names = {path.name for path in (tmp_path / "here").iterdir()}
    assert names == {"frame1.png", "frame2.png", "flow.flo", "flow.png", "truth.flo", "panel.png"}


def test_the_default_model_cannot_be_had(flowcli: Run) -> None:
    done = flowcli("demo", "--json")
    assert done.returncode == 0, done.stderr
    assert b"using dis" in done.stderr
    report = json.loads(done.stdout)
    assert report["model"] == "dis"
    assert report["epe_visible"] < 0.2


def test_files_that_are_there_are_kept(flowcli: Run, tmp_path: Path) -> None:
    assert flowcli("demo", ".", *DIS).returncode == 0
    (tmp_path / "frame1.png").write_bytes(b"mine")
    assert flowcli("demo", ".", *DIS).returncode == 2
    assert (tmp_path / "frame1.png").read_bytes() == b"mine"
    assert flowcli("demo", ".", *DIS, "--force").returncode == 0


def test_another_model_is_never_replaced(flowcli: Run) -> None:
    assert flowcli("demo", "-m", "some/other").returncode == 4
