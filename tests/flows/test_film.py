"""OpenEXR as compositing programs write and read motion; the package itself is the other implementation."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from flowcli import FlowOptions, read_flow, write_flow
from flowcli.errors import InputError, OutputError
from flowcli.flows.formats import exr
from flowcli.frames.exr import read_linear, tone_map, window_size

# One pixel moves 3 to the right and 2 up, the other one 4 to the left and 1 down: v is positive downwards here.
FLOW = np.array([[[3, -2], [-4, 1]]], np.float32)


def write(path: Path, channels: Mapping[str, object], **header: object) -> None:
    """A file of another program: each channel is a row of two pixels, or an array."""
    planes = {
        name: values if isinstance(values, np.ndarray) else np.array([values], np.float32)
        for name, values in channels.items()
    }
    whole = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage, **header}
    OpenEXR.File(whole, planes).write(str(path))


def test_what_is_written(tmp_path: Path) -> None:
    """By hand: what moves up has a positive v."""
    write_flow(tmp_path / "a.exr", FLOW)
    file = OpenEXR.File(str(tmp_path / "a.exr"), separate_channels=True)
    assert file.header()["compression"] == OpenEXR.ZIP_COMPRESSION
    pixels = {name: channel.pixels for name, channel in file.channels().items()}
    assert pixels.keys() == {"forward.u", "forward.v"}
    assert {plane.dtype for plane in pixels.values()} == {np.dtype(np.float32)}
    np.testing.assert_array_equal(pixels["forward.u"], [[3, -4]])
    np.testing.assert_array_equal(pixels["forward.v"], [[2, -1]])
    np.testing.assert_array_equal(read_flow(tmp_path / "a.exr"), FLOW)


def test_v_down_is_written_and_remembered(tmp_path: Path) -> None:
    write_flow(tmp_path / "a.exr", FLOW, options=FlowOptions(exr_v="down"))
    channels = OpenEXR.File(str(tmp_path / "a.exr"), separate_channels=True).channels()
    np.testing.assert_array_equal(channels["forward.v"].pixels, [[-2, 1]])
    for axis in ("up", "down"):  # the file says it itself
        np.testing.assert_array_equal(read_flow(tmp_path / "a.exr", FlowOptions(exr_v=axis)), FLOW)


def test_both_directions() -> None:
    data = exr.encode_both(FLOW, -FLOW)
    channels = OpenEXR.File(io.BytesIO(data), separate_channels=True).channels()
    assert channels.keys() == {"forward.u", "forward.v", "backward.u", "backward.v"}
    np.testing.assert_array_equal(channels["backward.u"].pixels, [[-3, 4]])
    np.testing.assert_array_equal(channels["backward.v"].pixels, [[-2, 1]])
    np.testing.assert_array_equal(exr.decode(data, "x"), FLOW)


@pytest.mark.parametrize("names", [("forward.u", "forward.v"), ("u", "v"), ("R", "G")])
def test_two_channels_of_other_programs(tmp_path: Path, names: tuple[str, str]) -> None:
    u, v = names
    write(tmp_path / "up.exr", {u: [3, -4], v: [2, -1], "B": [9, 9], "A": [1, 1]})
    np.testing.assert_array_equal(read_flow(tmp_path / "up.exr"), FLOW)
    write(tmp_path / "down.exr", {u: [3, -4], v: [-2, 1]})
    np.testing.assert_array_equal(read_flow(tmp_path / "down.exr", FlowOptions(exr_v="down")), FLOW)


@pytest.mark.parametrize("layer", ["Vector", "ViewLayer.Vector", "View Layer.001.Vector"])
@pytest.mark.parametrize("names", ["XYZW", "RGBA"])
def test_vector_pass_of_blender(tmp_path: Path, layer: str, names: str) -> None:
    """By hand: Z and W are minus the motion to the next frame, with W upwards; X and Y are about the previous one."""
    values = [[70, 71], [72, 73], [-3, 4], [-2, 1]]
    rest = {"ViewLayer.Combined.R": [1, 1], "ViewLayer.Combined.G": [1, 1], "ViewLayer.Combined.B": [1, 1]}
    write(tmp_path / "a.exr", {f"{layer}.{name}": row for name, row in zip(names, values, strict=True)} | rest)
    for axis in ("up", "down"):  # Cycles has but one habit
        np.testing.assert_array_equal(read_flow(tmp_path / "a.exr", FlowOptions(exr_v=axis)), FLOW)


def test_half_floats_other_compressions_and_tiles(tmp_path: Path) -> None:
    flow = np.random.default_rng(0).integers(-99, 99, (37, 53, 2)).astype(np.float32)
    planes = {"forward.u": flow[..., 0].astype(np.float16), "forward.v": -flow[..., 1].astype(np.float16)}
    for name in ("NO", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24"):
        write(tmp_path / "a.exr", planes, compression=getattr(OpenEXR, f"{name}_COMPRESSION"))
        np.testing.assert_array_equal(read_flow(tmp_path / "a.exr"), flow)
    tiles = OpenEXR.TileDescription()
    tiles.xSize, tiles.ySize, tiles.mode = 16, 16, OpenEXR.ONE_LEVEL
    write(tmp_path / "a.exr", planes, type=OpenEXR.tiledimage, tiles=tiles)
    np.testing.assert_array_equal(read_flow(tmp_path / "a.exr"), flow)


def test_the_data_window_is_placed_in_the_display_window(tmp_path: Path) -> None:
    window = {"dataWindow": ((1, -1), (3, 1)), "displayWindow": ((0, 0), (2, 2))}
    u = np.arange(9, dtype=np.float32).reshape(3, 3)
    boxes = {name: tuple(np.array(corner, np.int32) for corner in corners) for name, corners in window.items()}
    write(tmp_path / "a.exr", {"u": u, "v": -u, "Y": u}, **boxes)
    expected = np.array([[np.nan, 3, 4], [np.nan, 6, 7], [np.nan] * 3], np.float32)
    np.testing.assert_array_equal(read_flow(tmp_path / "a.exr")[..., 0], expected)
    data = (tmp_path / "a.exr").read_bytes()
    assert window_size(data, "x") == (3, 3)
    np.testing.assert_array_equal(read_linear(data, "x")[..., 0], np.nan_to_num(expected))


def test_several_parts(tmp_path: Path) -> None:
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    picture = {name: np.full((1, 2), 0.5, np.float32) for name in "RGB"}
    motion = {"forward.u": np.array([[3, -4]], np.float32), "forward.v": np.array([[2, -1]], np.float32)}
    parts = [OpenEXR.Part({**header, "name": "rgb"}, picture), OpenEXR.Part({**header, "name": "motion"}, motion)]
    OpenEXR.File(parts).write(str(tmp_path / "a.exr"))
    np.testing.assert_array_equal(read_flow(tmp_path / "a.exr"), FLOW)
    np.testing.assert_array_equal(read_linear((tmp_path / "a.exr").read_bytes(), "x"), np.full((1, 2, 3), 0.5))


def test_a_vector_pass_in_a_part_of_its_own(tmp_path: Path) -> None:
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    picture = {name: np.full((1, 2), 0.5, np.float32) for name in "RGB"}
    values = [[70, 71], [72, 73], [-3, 4], [-2, 1]]
    vector = {name: np.array([row], np.float32) for name, row in zip("XYZW", values, strict=True)}
    parts = [OpenEXR.Part({**header, "name": "ViewLayer.Combined"}, picture)]
    parts.append(OpenEXR.Part({**header, "name": "ViewLayer.Vector"}, vector))
    OpenEXR.File(parts).write(str(tmp_path / "a.exr"))
    np.testing.assert_array_equal(read_flow(tmp_path / "a.exr"), FLOW)


@given(
    flow=npst.arrays(
        np.float32,
        st.tuples(st.integers(1, 6), st.integers(1, 6), st.just(2)),
        elements=st.floats(-1e6, 1e6, width=32) | st.just(np.nan),
    ),
    axis=st.sampled_from(["up", "down"]),
)
def test_round_trip(flow: np.ndarray, axis: str) -> None:
    form = exr.FORMAT.configured(FlowOptions(exr_v="up" if axis == "up" else "down"))
    expected = flow.copy()
    expected[np.isnan(flow).any(axis=-1)] = np.nan
    np.testing.assert_array_equal(form.decode(form.encode(flow), "x"), expected)


def test_damage_is_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    flow = np.add.outer(np.arange(40.0), np.arange(33.0))[..., None].repeat(2, axis=-1).astype(np.float32)
    write_flow(tmp_path / "a.exr", flow)
    whole = (tmp_path / "a.exr").read_bytes()
    damaged = {
        "not an OpenEXR file": b"",
        "damaged, or not an OpenEXR file": whole[:100],
        "is truncated": whole[:-1],
        "1 bytes follow": whole + b"x",
        "OpenEXR cannot decode it": whole[:-150] + b"\xff" * 50 + whole[-100:],
    }
    for message, content in damaged.items():
        (tmp_path / "a.exr").write_bytes(content)
        with pytest.raises(InputError, match=rf"a\.exr.*{message}"):
            read_flow(tmp_path / "a.exr")
    assert capfd.readouterr() == ("", "")


def test_other_contents_are_named(tmp_path: Path) -> None:
    write(tmp_path / "a.exr", {"Z": [1, 2]})
    with pytest.raises(InputError, match=r"a\.exr has no flow.*but Z"):
        read_flow(tmp_path / "a.exr")
    with pytest.raises(InputError, match=r"neither channels R, G, B nor Y, but Z"):
        read_linear((tmp_path / "a.exr").read_bytes(), "a.exr")


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.exr").write_bytes(exr.encode(FLOW))
    monkeypatch.setitem(sys.modules, "OpenEXR", None)
    with pytest.raises(InputError, match=r"a\.exr.*pip install 'flowcli\[exr\]'"):
        read_flow(tmp_path / "a.exr")
    with pytest.raises(OutputError, match=r"pip install 'flowcli\[exr\]'"):
        write_flow(tmp_path / "b.exr", FLOW)


def test_pictures_are_read_and_tone_mapped(tmp_path: Path) -> None:
    """Values from IEC 61966-2-1: 0.5 is 188 of 255, and the line ends at 0.0031308."""
    red = np.array([[0, 0.0031308, 0.5, 1, 7, -1, np.nan, np.inf]], np.float32)
    zero = np.zeros_like(red)
    write(tmp_path / "a.exr", {"R": red, "G": zero, "B": zero, "A": zero, "diffuse.R": zero})
    linear = read_linear((tmp_path / "a.exr").read_bytes(), "x")
    assert linear.shape == (1, 8, 3)
    np.testing.assert_array_equal(tone_map(linear)[..., 0], [[0, 10, 188, 255, 255, 0, 0, 255]])
    write(tmp_path / "b.exr", {f"ViewLayer.{layer}.{name}": zero for layer in ("AO", "Emit") for name in "RGB"})
    names = {f"ViewLayer.{layer}.{name}": zero + 1 for layer in ("Combined",) for name in "RGB"}
    write(tmp_path / "b.exr", names | {f"ViewLayer.AO.{name}": zero for name in "RGB"})
    assert (read_linear((tmp_path / "b.exr").read_bytes(), "x") == 1).all()
    write(tmp_path / "c.exr", {"Y": red.astype(np.float16)})
    assert read_linear((tmp_path / "c.exr").read_bytes(), "x").shape == (1, 8, 1)
