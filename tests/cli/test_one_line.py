"""A message is one line, whatever characters a file's name has."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowcli.frames.images import write_image
from support.videos import moving_frames

from ..conftest import Run

NAMES = ["a\nb", "a\rb", "\x1b[31mred\x1b[0m", "bell\x07", "\x9b31m", "tab\there", "\u2028"]
DIS = ("-m", "dis")


@pytest.mark.parametrize("name", NAMES)
def test_notes_and_errors(flowcli: Run, tmp_path: Path, name: str) -> None:
    for suffix, image in zip("12", moving_frames(2), strict=True):
        write_image(tmp_path / f"{name}{suffix}.png", image)
    for arguments in (
        ("estimate", f"{name}1.png", f"{name}2.png", "-o", f"{name}.flo", *DIS),
        ("estimate", f"{name}1.png", f"{name}3.png", "-o", f"{name}x.flo", *DIS),
        ("estimate", f"{name}1.png", f"{name}2.png", "-o", f"{name}.flo", *DIS),
        ("info", f"{name}3.flo"),
        (name,),
    ):
        errors = flowcli(*arguments).stderr.decode()
        assert errors.count("\n") == 1
        assert errors[:-1].isprintable()
    shown = flowcli("info", f"{name}.flo").stdout.decode()
    assert shown.count("\n") == 4
    assert shown.replace("\n", "").isprintable()
