"""Starting: help, version, completion, and what is not imported for them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support.processes import finished

from ..conftest import Run

DIS = ("-m", "dis")


@pytest.mark.parametrize(
    "arguments",
    ["['--help']", "['--version']", "['estimate', '--help']", "['eval', '--help']", "['nonsense']"],
)
def test_nothing_heavy_is_imported(arguments: str) -> None:
    code = (
        f"import sys, flowcli.cli; flowcli.cli.run({arguments}); "
        "print(sorted({'torch', 'transformers', 'cv2', 'av', 'numpy', 'huggingface_hub', 'upath'} & set(sys.modules)))"
    )
    done = finished([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.decode().splitlines()[-1] == "[]"


@pytest.mark.usefixtures("frames")
def test_dis_needs_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys, flowcli.cli; "
        "flowcli.cli.run(['estimate', 'a.png', 'b.png', '-o', 'x.flo', '-m', 'dis']); "
        "print(sorted({'torch', 'transformers', 'av', 'huggingface_hub', 'upath'} & set(sys.modules)))"
    )
    done = finished([sys.executable, "-c", code], capture_output=True, check=True, cwd=tmp_path)
    assert done.stdout == b"[]\n"


def test_version_and_help(flowcli: Run) -> None:
    assert flowcli("--version").stdout.startswith(b"flowcli ")
    for arguments in ([], ["estimate"], ["video"], ["batch"], ["demo"], ["model"], ["model", "fetch"]):
        done = flowcli(*arguments, "--help")
        assert done.returncode == 0
        assert b"Usage" in done.stdout


def test_as_a_module(tmp_path: Path) -> None:
    done = finished([sys.executable, "-m", "flowcli", "--version"], capture_output=True, cwd=tmp_path)
    assert done.stdout.startswith(b"flowcli ")


def test_completion(flowcli: Run) -> None:
    """As a shell asks for it when the user presses the tab key."""
    asked = {"_FLOWCLI_COMPLETE": "complete_bash", "COMP_WORDS": "flowcli es", "COMP_CWORD": "1"}
    done = flowcli(**asked)
    assert done.stdout.split() == [b"estimate"], done.stderr
