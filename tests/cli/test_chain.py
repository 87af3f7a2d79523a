"""The installed ``chain``."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest

from flowcli import chain, read_flow, read_image, write_flow
from flowcli.arrays import Flow, Mask, known
from flowcli.draw.outputs import write_mask
from flowcli.flows.formats.flo import decode
from support.folders import files

from ..conftest import Run

SIZE = (12, 16)


@pytest.fixture
def links(tmp_path: Path) -> list[Flow]:
    """Four flows of 9.flo to 12.flo, in a folder."""
    random = np.random.default_rng(0)
    flows = [random.normal(1, 0.5, (*SIZE, 2)).astype(np.float32) for _ in range(4)]
    for number, flow in enumerate(flows, 9):
        write_flow(tmp_path / "flows" / f"{number}.flo", flow)
    return flows


def hidden(*pixels: tuple[int, int]) -> Mask:
    mask = np.zeros(SIZE, bool)
    for pixel in pixels:
        mask[pixel] = True
    return mask


def test_files_in_the_order_that_is_given(flowcli: Run, links: list[Flow], tmp_path: Path) -> None:
    done = flowcli("chain", "flows/10.flo", "flows/9.flo", "-o", "new/c.flo", "-o", "c.png", "--max-flow", "5")
    assert done.returncode == 0, done.stderr
    expected = chain([links[1], links[0]])
    np.testing.assert_array_equal(read_flow(tmp_path / "new/c.flo"), expected)
    assert read_image(tmp_path / "c.png").shape == (*SIZE, 3)
    assert not done.stdout
    share = f"{known(expected).mean():.1%} known"
    assert f"wrote new/c.flo, c.png: frame 0 to 2, 2 flows, {share}" in done.stderr.decode()


def test_a_folder_in_natural_order(flowcli: Run, links: list[Flow], tmp_path: Path) -> None:
    for arguments, part in (([], links), (["--from", "1", "--to", "3"], links[1:3]), (["--from", "3"], links[3:])):
        done = flowcli("chain", "flows", "-o", "c.flo", "--force", *arguments, "--json")
        assert done.returncode == 0, done.stderr
        np.testing.assert_array_equal(read_flow(tmp_path / "c.flo"), chain(part))
        result = json.loads(done.stdout)
        assert result["type"] == "chain"
        assert result["end"] - result["start"] == len(result["flow_files"]) == len(part)
        assert result["flow"]["known"] == pytest.approx(known(chain(part)).mean())
    assert result["flow_files"] == [str(Path("flows/12.flo"))]


def test_stdout(flowcli: Run, links: list[Flow]) -> None:
    done = flowcli("chain", "flows", "-o", "-")
    assert done.returncode == 0
    np.testing.assert_array_equal(decode(done.stdout, "stdout"), chain(links))
    for option, words in (("--json", b"leave out --json"), ("--every", b"leave out --every")):
        done = flowcli("chain", "flows", "-o", "-", option)
        assert done.returncode == 2
        assert words in done.stderr


def test_every_prefix(flowcli: Run, links: list[Flow], tmp_path: Path) -> None:
    done = flowcli(
        "chain", "flows", "--from", "1", "--every", "-o", "all", "-o", "n/{frame}_{frame2:03d}.npy", "--json"
    )
    assert done.returncode == 0, done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(result["start"], result["end"]) for result in results] == [(1, 2), (1, 3), (1, 4)]
    assert files(tmp_path / "all").keys() == {"000001-000002.flo", "000001-000003.flo", "000001-000004.flo"}
    assert files(tmp_path / "n").keys() == {"1_002.npy", "1_003.npy", "1_004.npy"}
    for count, result in enumerate(results, 1):
        for output in result["outputs"]:
            np.testing.assert_array_equal(read_flow(tmp_path / output), chain(links[1 : 1 + count]))
    plain = flowcli("chain", "flows", "--every", "-o", "again")
    assert plain.stderr.count(b"\n") == 1
    assert b"from frame 0 to each of 4 frames" in plain.stderr


@pytest.mark.usefixtures("links")
def test_every_prefix_as_pairs_of_jpegs(flowcli: Run, tmp_path: Path) -> None:
    jpg = ("--flow-format", "jpg")
    done = flowcli("chain", "flows", "--to", "2", "--every", "-o", "a", "-o", "b/f_{xy}_{frame2}.jpg", *jpg)
    assert done.returncode == 0, done.stderr
    assert files(tmp_path / "b").keys() == {"f_x_1.jpg", "f_y_1.jpg", "f_x_2.jpg", "f_y_2.jpg"}
    assert len(files(tmp_path / "a")) == 4
    halves = sorted(str(path) for path in (tmp_path / "b").iterdir())
    for given in (halves, ["b"]):  # as a shell lists them: each flow counts once
        done = flowcli("chain", *given, "-o", "c.flo", "--force", "--json")
        assert len(json.loads(done.stdout)["flow_files"]) == 2


@pytest.mark.parametrize("kind", ["npz", "picture"])
def test_masks(flowcli: Run, links: list[Flow], tmp_path: Path, kind: str) -> None:
    masks = [hidden((3, 3), (4, 5)), hidden((6, 6))]
    names = []
    for number, (flow, mask) in enumerate(zip(links, masks, strict=False)):
        names.append(f"m/{number}.{'npz' if kind == 'npz' else 'flo'}")
        (tmp_path / "m").mkdir(exist_ok=True)
        if kind == "npz":
            np.savez(tmp_path / names[-1], flow=flow, mask=~mask)
        else:
            write_flow(tmp_path / names[-1], flow)
            write_mask(tmp_path / "m" / f"{number}_mask.png", mask)
    done = flowcli("chain", *names, "-o", "c.flo")
    assert done.returncode == 0, done.stderr
    assert b"2 masked" in done.stderr
    expected = chain(links[:2], [~mask for mask in masks])
    np.testing.assert_array_equal(read_flow(tmp_path / "c.flo"), expected)
    done = flowcli("chain", "m", "-o", "c.flo", "--force", "--json")  # the pictures are no flows
    assert json.loads(done.stdout)["masked"] == 2
    np.testing.assert_array_equal(read_flow(tmp_path / "c.flo"), expected)
    done = flowcli("chain", "m", "-o", "c.flo", "--force", "--no-mask", "--json")
    assert json.loads(done.stdout)["masked"] == 0
    np.testing.assert_array_equal(read_flow(tmp_path / "c.flo"), chain(links[:2]))


def test_masks_that_cannot_be_used(flowcli: Run, links: list[Flow], tmp_path: Path) -> None:
    for mask in (np.ones((3, 4), bool), np.ones((*SIZE, 1), bool), np.ones(SIZE)):
        np.savez(tmp_path / "bad.npz", flow=links[0], mask=mask)
        done = flowcli("chain", "flows/9.flo", "bad.npz", "-o", "c.flo")
        assert done.returncode == 3
        assert b"bad.npz" in done.stderr
        assert b"mask" in done.stderr
        assert flowcli("chain", "flows/9.flo", "bad.npz", "-o", "c.flo", "--no-mask", "--force").returncode == 0
        (tmp_path / "c.flo").unlink()
    (tmp_path / "flows/9_mask.png").write_bytes(b"no picture")
    done = flowcli("chain", "flows", "-o", "c.flo")
    assert (done.returncode, done.stderr.count(b"\n")) == (3, 1)
    assert b"9_mask.png" in done.stderr


def test_a_missing_number_is_said(flowcli: Run, links: list[Flow], tmp_path: Path) -> None:
    (tmp_path / "flows/11.flo").unlink()
    done = flowcli("chain", "flows", "-o", "c.flo")
    assert done.returncode == 0
    assert b"10.flo is followed by 12.flo" in done.stderr
    np.testing.assert_array_equal(read_flow(tmp_path / "c.flo"), chain([links[0], links[1], links[3]]))


@pytest.mark.usefixtures("links")
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["flows", "--from", "3", "--to", "1", "-o", "x.flo"], 2, "--from must be less than --to, not 3 and 1"),
        (["flows", "--from", "2", "--to", "2", "-o", "x.flo"], 2, "--from must be less than --to"),
        (["flows", "--to", "5", "-o", "x.flo"], 2, "flows has 4 flows, which lead from frame 0 to frame 4"),
        (["flows", "--from", "9", "-o", "x.flo"], 2, "there is no frame 9"),
        (["flows/9.flo", "--from", "0", "-o", "x.flo"], 2, "give one folder"),
        (["empty", "-o", "x.flo"], 3, "no flow files in empty"),
        (["flows", "flows/9.flo", "-o", "x.flo"], 2, "flows is a folder; give one folder"),
        (["gone", "-o", "x.flo"], 3, "cannot read gone: no such file"),
        (["flows/9.flo", "missing.flo", "-o", "x.flo"], 3, "missing.flo: no such file"),
        (["flows/9.flo", "small.flo", "-o", "x.flo"], 3, "flows/9.flo is 16 x 12 but small.flo is 4 x 3"),
        (["flows", "-o", "x.xyz"], 5, ".xyz"),
        (["flows", "-o", "small.flo"], 2, "--force"),
        (["flows", "-o", "flows/9.flo", "--force"], 2, "also an input"),
        (["flows", "--every", "-o", "x.flo"], 2, "with --every, x.flo would be every flow"),
        (["flows", "--every", "-o", "{frame}.flo"], 2, "0.flo is named twice"),
        (["flows", "--every", "-o", "{frame2.flo"], 2, "cannot name flows by {frame2.flo"),
        (["flows", "--every", "-o", "{frame2:q}.flo"], 2, "cannot name flows by {frame2:q}.flo"),
        (["flows", "--every", "-o", "{stem}-{frame2}.flo"], 2, "the fields are {frame} and {frame2}"),
        (["flows", "--every", "-o", "{frame2.real}.flo"], 2, "the fields are {frame} and {frame2}"),
        (["flows", "--every", "-o", "{}.flo"], 2, "the fields are {frame} and {frame2}"),
        (["flows", "--every", "-o", "there"], 2, "000000-000002.flo exists"),
    ],
)
def test_errors(flowcli: Run, tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    (tmp_path / "empty").mkdir()
    write_flow(tmp_path / "small.flo", np.zeros((3, 4, 2), np.float32))
    write_flow(tmp_path / "there/000000-000002.flo", np.zeros((3, 4, 2), np.float32))
    before = files(tmp_path)
    done = flowcli("chain", *arguments)
    assert done.returncode == code, done.stderr
    assert words in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1
    assert files(tmp_path) == before  # nothing is written


def test_finished_prefixes_stay_where_a_later_flow_is_damaged(flowcli: Run, links: list[Flow], tmp_path: Path) -> None:
    (tmp_path / "flows/11.flo").write_bytes(b"PIEH")
    done = flowcli("chain", "flows", "--every", "-o", "all")
    assert done.returncode == 3
    assert b"11.flo" in done.stderr
    assert files(tmp_path / "all").keys() == {"000000-000001.flo", "000000-000002.flo"}
    np.testing.assert_array_equal(read_flow(tmp_path / "all/000000-000002.flo"), chain(links[:2]))


def test_a_name_with_braces_is_a_name(flowcli: Run, links: list[Flow], tmp_path: Path) -> None:
    assert flowcli("chain", "flows", "-o", "{frame2}.flo").returncode == 0
    np.testing.assert_array_equal(read_flow(tmp_path / "{frame2}.flo"), chain(links))


def test_compressed_masks_and_masks_in_column_order(flowcli: Run, links: list[Flow], tmp_path: Path) -> None:
    holds = ~hidden((2, 9))
    for number, save in enumerate((np.savez, np.savez_compressed)):
        file = io.BytesIO()
        save(file, flow=links[0], mask=np.asfortranarray(holds).astype(np.uint8))
        (tmp_path / f"{number}.npz").write_bytes(file.getvalue())
        assert flowcli("chain", f"{number}.npz", "-o", f"{number}.flo").returncode == 0
        np.testing.assert_array_equal(known(read_flow(tmp_path / f"{number}.flo")), holds)
