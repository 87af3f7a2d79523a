"""The documentation: its commands work, its links are valid, and it lists every option."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
import typer

import flowcli
from flowcli import errors
from flowcli.cli import app
from flowcli.frames.images import write_image
from flowcli.scene import Scene, render_scene
from support.hub_server import HubServer
from support.markdown import SHELLS, Block, anchors, code_blocks, links
from support.videos import moving_frames, write_video

from .conftest import ROOT

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
BLOCKS = [block for page in PAGES for block in code_blocks(page)]
COMMANDS = [block for block in BLOCKS if block.language in SHELLS]
RUN = [block for block in COMMANDS if (block.directive() or ("",))[0] != "not run"]
DEADLINE = 120.0  # seconds for a block

_HEIGHT, _WIDTH = 64, 96
_VIDEO_TIMES = [0, 1, 2, 3, 30, 60, 88, 90, 91, 92, 94, 96]  # seconds; the pages cut out a part near 1:30


def _label(block: Block) -> str:
    return f"{block.page.relative_to(ROOT).as_posix()}:{block.line}"


@pytest.fixture(scope="session")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the pages' commands read, under the names that they have there; all of them tiny."""
    folder = tmp_path_factory.mktemp("examples")
    scene = render_scene(_HEIGHT, _WIDTH)
    for name in ("a", "frame1"):
        write_image(folder / f"{name}.png", scene.frame1)
    for name in ("b", "frame2"):
        write_image(folder / f"{name}.png", scene.frame2)
    for name in ("flow.flo", "next.flo", "flow.pfm", "truth.flo", "flows-estimated/1.flo", "flows-true/1.flo"):
        flowcli.write_flow(folder / name, scene.flow)
    for index, frame in enumerate(moving_frames(4, _HEIGHT, _WIDTH), 1):
        write_image(folder / "frames" / f"f_{index:04d}.png", frame)
    faint = [frame[..., 0].astype(np.uint16) * 9 + 900 for frame in moving_frames(4, _HEIGHT, _WIDTH)]
    tifffile.imwrite(folder / "piv.tif", np.stack(faint), photometric="minisblack")
    (folder / "frames16").mkdir()
    for index, values in enumerate(faint):
        assert cv2.imwrite(str(folder / "frames16" / f"{index}.png"), values)
    video = moving_frames(len(_VIDEO_TIMES), _HEIGHT, _WIDTH)
    write_video(folder / "in.mp4", video, times=[Fraction(time) for time in _VIDEO_TIMES])
    (folder / "videos").mkdir()
    write_video(folder / "videos" / "one.mp4", video[:3])
    (folder / "pairs.csv").write_text("frame1,frame2,out\na.png,b.png,there.flo\nb.png,a.png\n")
    (folder / "pairs.jsonl").write_text('{"frame1": "a.png", "frame2": "b.png", "out": "there.flo"}\n')
    _data_sets(folder, scene)
    return folder


def _data_sets(folder: Path, scene: Scene) -> None:
    sintel, kitti, middlebury = folder / "Sintel/training", folder / "KITTI2015/training", folder / "middlebury/Scene"
    frames = {
        **{sintel / kind / f"alley/frame_000{n}.png": n for kind in ("clean", "final") for n in (1, 2)},
        **{kitti / f"image_2/000000_1{n - 1}.png": n for n in (1, 2)},
        **{middlebury / f"frame1{n - 1}.png": n for n in (1, 2)},
    }
    for path, number in frames.items():
        write_image(path, scene.frame1 if number == 1 else scene.frame2)
    for path in (sintel / "flow/alley/frame_0001.flo", middlebury / "flow10.flo"):
        flowcli.write_flow(path, scene.flow)
    for index, frame in ((10, scene.frame1), (11, scene.frame2)):
        write_image(kitti.parent / f"testing/image_2/000000_{index}.png", frame)
    for index, frame in ((1, scene.frame1), (2, scene.frame2)):
        write_image(folder / f"Spring/train/0001/frame_left/frame_left_000{index}.png", frame)
    larger = scene.flow.repeat(2, axis=0).repeat(2, axis=1)
    flowcli.write_flow(folder / "Spring/train/0001/flow_FW_left/flow_FW_left_0001.flo5", larger)
    for name in ("flow_occ", "flow_noc"):
        flowcli.write_flow(kitti / name / "000000_10.png", scene.flow, flow_format="kitti")


@pytest.fixture
def folder(examples: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(examples, tmp_path / "work"))


@pytest.fixture(scope="session")
def model_hub(checkpoint: Path) -> Iterator[str]:
    with HubServer({"someone/flow": checkpoint}) as server:
        yield server.url


@pytest.mark.parametrize("block", COMMANDS, ids=_label)
def test_every_block_of_commands_is_run_or_says_why_not(block: Block) -> None:
    if block.comment is not None and block.comment.startswith(("<!-- not", "<!-- run")):
        assert block.directive() is not None, f"{_label(block)}: cannot tell what {block.comment!r} means"
    kind, rest = block.directive() or ("", "")
    assert rest or kind in {"", "run with a hub"}, f"{_label(block)}: say why, or what it takes"
    if block.language != "sh":
        assert kind == "not run", f"{_label(block)}: only sh is run"


def test_commands_stand_in_blocks_that_are_run() -> None:
    others = [block for block in BLOCKS if block.language not in SHELLS]
    hidden = [
        _label(block) for block in others if re.search(r"^\s*(\$ )?(flowcli|make|pip) ", block.code, re.MULTILINE)
    ]
    assert not hidden
    assert {block.language for block in others} <= {"text", "python", "toml", "yaml", "json"}


@pytest.mark.skipif(sys.platform == "win32", reason="the pages' commands are for a POSIX shell")
@pytest.mark.parametrize("block", RUN, ids=_label)
def test_a_block_of_commands_runs(
    block: Block, folder: Path, environment: dict[str, str], request: pytest.FixtureRequest
) -> None:
    kind, rest = block.directive() or ("", "")
    environment |= {"FLOWCLI_MODEL": "dis", "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    if kind == "run where there is":
        missing = [tool for tool in rest.split() if shutil.which(tool, path=environment["PATH"]) is None]
        if missing:
            pytest.skip(f"{' and '.join(missing)} not installed")
    elif kind == "run with":
        environment |= dict(setting.split("=", 1) for setting in rest.split())
    elif kind == "run with a hub":
        environment |= {"FLOWCLI_MODEL": "someone/flow", "HF_ENDPOINT": request.getfixturevalue("model_hub")}
    for output in re.findall(r"(?:-o|> ?) ?([\w.-]+)", block.code):
        (folder / output).unlink(missing_ok=True)  # made by the block itself
    # A pipe with a failing command fails, as far as a POSIX shell allows; the blocks themselves are plain sh.
    subprocess.run(["sh", "-n", "-c", block.code], check=True, timeout=DEADLINE)
    shell = ["bash", "-e", "-o", "pipefail"] if shutil.which("bash") else ["sh", "-e"]
    done = subprocess.run(
        [*shell, "-c", block.code],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode(errors="replace")
    for flow in folder.glob("*.flo"):
        assert flowcli.read_flow(flow).shape == (_HEIGHT, _WIDTH, 2)


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if block.language == "python"], ids=lambda block: _label(block)
)
def test_python_examples_use_what_is_there(block: Block) -> None:
    compile(block.code, _label(block), "exec")
    names = set(re.findall(r"\bflowcli\.(\w+)", block.code))
    assert names <= set(flowcli.__all__)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for path, anchor in links(page):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{path} is not there"
        if anchor:
            assert anchor in anchors(target), f"{target.name} has no heading for #{anchor}"


def test_every_page_is_in_the_table_of_contents() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / path).resolve() for path, _ in links(index)}
    assert {page for page in (ROOT / "docs").rglob("*.md") if page != index} <= linked


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 200


def test_every_option_is_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference" / "cli.md").read_text("utf-8")
    sections = {section.splitlines()[0]: section for section in page.split("\n## ")[1:]}
    for name, command in _commands("flowcli", typer.main.get_command(app)):
        for option in (name for parameter in command.params for name in parameter.opts if name.startswith("-")):
            assert f"`{option}`" in sections[name], f"{option} of {name}"


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    if command.params:
        yield name, command
    for below, subcommand in getattr(command, "commands", {}).items():
        yield from _commands(f"{name} {below}", subcommand)


def test_the_generated_reference_is_up_to_date() -> None:
    subprocess.run([sys.executable, ROOT / "docs" / "generate.py", "--check"], check=True, timeout=DEADLINE)


def test_every_exit_code_is_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference" / "exit-codes.md").read_text("utf-8")
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "exit_code")]
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    assert listed == {0, *(kind.exit_code for kind in kinds), 130, 143}  # and Ctrl-C, SIGTERM


def test_pages_name_no_variables_that_the_program_does_not_know() -> None:
    """``FLOWCLI_*`` in the pages are read somewhere in the code or the tests."""
    code = "".join(
        path.read_text("utf-8") for top in ("flowcli", "tests", "support") for path in (ROOT / top).rglob("*.py")
    )
    for page in PAGES:
        for variable in re.findall(r"\bFLOWCLI_[A-Z_]+\b", page.read_text("utf-8")):
            assert variable in code, f"{page.name}: {variable}"
