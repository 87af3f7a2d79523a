from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from flowcli import colorize, read_flow, read_image, write_flow
from flowcli.errors import InputError, OutputError
from flowcli.flow_io import flow_size
from flowcli.formats.flo import decode as decode_flo
from flowcli.formats.flo import encode as encode_flo

BY_HAND = b"PIEH" + struct.pack("<ii", 2, 1) + struct.pack("<ffff", 1.5, -2.0, 0.25, 1e6)


def test_fixed_bytes(tmp_path: Path) -> None:
    flow = np.array([[[1.5, -2.0], [0.25, 1e6]]], np.float32)
    assert encode_flo(flow) == BY_HAND
    np.testing.assert_array_equal(decode_flo(BY_HAND, "x"), flow)
    write_flow(tmp_path / "a.flo", flow)
    assert (tmp_path / "a.flo").read_bytes() == BY_HAND


FLOW = np.array([[[1.5, -2.0], [0.25, 1e6]], [[3, 4], [5, 6]]], np.float32)
PFM_BY_HAND = b"PF\n2 2\n-1.0\n" + struct.pack("<12f", 3, 4, 0, 5, 6, 0, 1.5, -2, 0, 0.25, 1e6, 0)
NPY_BY_HAND = (
    b"\x93NUMPY\x01\x00v\x00"
    + b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2, 2), }".ljust(117)
    + b"\n"
    + struct.pack("<8f", 1.5, -2, 0.25, 1e6, 3, 4, 5, 6)
)


@pytest.mark.parametrize(("name", "content"), [("a.pfm", PFM_BY_HAND), ("a.npy", NPY_BY_HAND)])
def test_fixed_bytes_of_other_formats(tmp_path: Path, name: str, content: bytes) -> None:
    write_flow(tmp_path / name, FLOW)
    assert (tmp_path / name).read_bytes() == content
    np.testing.assert_array_equal(read_flow(tmp_path / name), FLOW)
    assert flow_size(tmp_path / name) == (2, 2)


@pytest.mark.parametrize("name", ["a.pfm", "a.npy", "a.flo"])
def test_unknown_flow_survives(tmp_path: Path, name: str) -> None:
    flow = FLOW.copy()
    flow[0, 1] = np.nan
    write_flow(tmp_path / name, flow)
    np.testing.assert_array_equal(read_flow(tmp_path / name), flow)


def test_pfm_of_other_writers(tmp_path: Path) -> None:
    values = struct.pack(">12f", 3, 4, 9, 5, 6, 9, 1.5, -2, 9, 0.25, 1e6, 9)
    for header in (b"PF\n2 2\n1.0\n", b"PF 2 2 1\n", b"PF\r\n2 2\r\n1.000000\r\n"):
        (tmp_path / "a.pfm").write_bytes(header + values)
        np.testing.assert_array_equal(read_flow(tmp_path / "a.pfm"), FLOW)
    cv2.imwrite(str(tmp_path / "cv.pfm"), np.dstack([FLOW[..., ::-1][..., :0], np.zeros((2, 2)), FLOW[..., ::-1]]))
    np.testing.assert_array_equal(read_flow(tmp_path / "cv.pfm"), FLOW)


def test_npy_of_other_types(tmp_path: Path) -> None:
    for values in (FLOW.astype("<f8"), FLOW.astype(">f4"), np.asfortranarray(FLOW)):
        np.save(tmp_path / "a.npy", values)
        np.testing.assert_array_equal(read_flow(tmp_path / "a.npy"), FLOW)
    np.save(tmp_path / "a.npy", np.array([object()]), allow_pickle=True)
    with pytest.raises(InputError, match=r"a\.npy holds an array of shape \(1,\)"):
        read_flow(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.pfm", b"", "not a .pfm"),
        ("a.pfm", b"Pf\n2 2\n-1\n", "one channel"),
        ("a.pfm", b"PF\n2 -2\n-1\n", "not a .pfm"),
        ("a.pfm", b"PF\n999999999 999999999\n-1\n", "999999999"),
        ("a.pfm", PFM_BY_HAND[:-1], "need 60 bytes, it has 59"),
        ("a.pfm", PFM_BY_HAND + b"x", "it has 61"),
        ("a.npy", b"", "not a .npy"),
        ("a.npy", NPY_BY_HAND.replace(b"2, 2, 2", b"2, 2, 3"), "shape"),
        ("a.npy", NPY_BY_HAND.replace(b"2, 2, 2", b"2,-2, 2"), "2 x|-2 x|damaged"),
        ("a.npy", NPY_BY_HAND.replace(b"<f4", b"<i4"), "floats"),
        ("a.npy", NPY_BY_HAND.replace(b"{'descr'", b"{print()"), "not a .npy"),
        ("a.npy", NPY_BY_HAND[:-1], "it has"),
    ],
)
def test_damaged_files_of_other_formats(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_flow(tmp_path / name)


@given(
    flow=npst.arrays(
        np.float32,
        st.tuples(st.integers(1, 6), st.integers(1, 6), st.just(2)),
        elements=st.floats(-1e6, 1e6, width=32),
    )
)
def test_round_trip(flow: np.ndarray) -> None:
    np.testing.assert_array_equal(decode_flo(encode_flo(flow), "x"), flow)


def test_unknown_flow_survives_as_middlebury_marks_it() -> None:
    flow = np.array([[[np.nan, 1], [3, 4]]], np.float32)
    data = encode_flo(flow)
    assert abs(struct.unpack_from("<f", data, 12)[0]) > 1e9
    assert np.isnan(decode_flo(data, "x")[0, 0]).all()
    np.testing.assert_array_equal(decode_flo(data, "x")[0, 1], [3, 4])


def test_opencv_reads_what_we_write_and_we_what_opencv_writes(tmp_path: Path) -> None:
    flow = np.random.default_rng(0).normal(0, 9, (7, 5, 2)).astype(np.float32)
    write_flow(tmp_path / "ours.flo", flow)
    np.testing.assert_array_equal(cv2.readOpticalFlow(str(tmp_path / "ours.flo")), flow)
    cv2.writeOpticalFlow(str(tmp_path / "theirs.flo"), flow)
    np.testing.assert_array_equal(read_flow(tmp_path / "theirs.flo"), flow)


def test_real_ground_truth(data: Path) -> None:
    path = data / "middlebury" / "RubberWhale" / "flow10.flo"
    flow = read_flow(path)
    theirs = cv2.readOpticalFlow(str(path))
    unknown = (np.abs(theirs) > 1e9).any(axis=-1)
    assert unknown.any()
    np.testing.assert_array_equal(np.isnan(flow).all(axis=-1), unknown)
    np.testing.assert_array_equal(flow[~unknown], theirs[~unknown])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "PIEH"),
        (b"PIE", "PIEH"),
        (b"HEIP" + BY_HAND[4:], "PIEH"),
        (BY_HAND[:-1], "28 bytes, it has 27"),
        (BY_HAND + b"x", "it has 29"),
        (b"PIEH" + struct.pack("<ii", -1, 5), "-1 x 5"),
        (b"PIEH" + struct.pack("<ii", 0, 5), "0 x 5"),
        (b"PIEH" + struct.pack("<ii", 2**31 - 1, 2**31 - 1), "2147483647"),
        (b"PIEH" + struct.pack("<ii", 100_000, 100_000), "100000 x 100000"),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "bad.flo").write_bytes(content)
    with pytest.raises(InputError, match=rf"bad\.flo.*{message}"):
        read_flow(tmp_path / "bad.flo")


def test_a_png_holds_the_colours(tmp_path: Path) -> None:
    flow = np.random.default_rng(0).normal(0, 9, (7, 5, 2)).astype(np.float32)
    write_flow(tmp_path / "flow.PNG", flow, max_flow=12.0)
    np.testing.assert_array_equal(read_image(tmp_path / "flow.PNG"), colorize(flow, 12.0))


def test_unknown_formats(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"unknown format \.xyz"):
        write_flow(tmp_path / "flow.xyz", np.zeros((2, 2, 2), np.float32))
    with pytest.raises(InputError, match="not a flow format"):
        read_flow(tmp_path / "flow.png")
    with pytest.raises(InputError, match="no such file"):
        read_flow(tmp_path / "missing.flo")
