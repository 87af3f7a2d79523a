from __future__ import annotations

import struct
import sys
import warnings
import zipfile
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast, get_args

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from flowcli import colorize, read_flow, read_image, write_flow
from flowcli.choices import FlowFormatName
from flowcli.errors import InputError, OutputError
from flowcli.flows.formats import FlowFormat, formats
from flowcli.flows.formats.flo import FORMAT as FLO
from flowcli.flows.formats.flo import decode as decode_flo
from flowcli.flows.formats.flo import encode as encode_flo
from flowcli.flows.formats.kitti import FORMAT as KITTI
from flowcli.flows.io import loss, output_size, suffix_of
from support.processes import finished

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
    assert output_size(tmp_path / name) == (2, 2)


@pytest.mark.parametrize("form", {form.name: form for form in formats().values()}.values(), ids=lambda form: form.name)
def test_formats_say_whether_they_round(tmp_path: Path, form: FlowFormat) -> None:
    flow = np.array([[[1 / 3, -2e-7], [np.nan, np.nan]], [[-17.123456, 19.654321], [0, 1e-3]]], np.float32)
    name = cast(FlowFormatName, form.name)
    write_flow(tmp_path / f"a{form.suffix}", flow, flow_format=name)
    is_same = np.array_equal(read_flow(tmp_path / f"a{form.suffix}"), flow, equal_nan=True)
    assert is_same != form.is_rounded


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
    with pytest.raises(InputError, match=r"a\.npy contains an array of shape \(1,\) and type \|O"):
        read_flow(tmp_path / "a.npy")


def test_npy_in_several_threads_while_garbage_is_collected(tmp_path: Path) -> None:
    """Python 3.11 cannot parse in two threads at once, which the destructor of a cycle leads to."""
    write_flow(tmp_path / "f.npy", np.ones((3, 4, 2), np.float32))
    code = """
import gc, sys, threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from flowcli.flows.io import output_size

class Cycle:
    def __init__(self): self.me = self
    def __del__(self): sum(range(30))

def read(depth):
    if depth:
        return read(depth - 1)
    for _ in range(1500):
        Cycle()
        assert output_size(Path("f.npy")) == (3, 4)

sys.setswitchinterval(1e-6)
gc.set_threshold(50)
with ThreadPoolExecutor(4) as pool:
    list(pool.map(read, range(0, 28, 7)))
"""
    finished([sys.executable, "-c", code], cwd=tmp_path, check=True)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.pfm", b"", "not a .pfm"),
        ("a.pfm", b"Pf\n2 2\n-1\n", "one channel"),
        ("a.pfm", b"PF\n2 -2\n-1\n", "not a .pfm"),
        ("a.pfm", b"PF\n999999999 999999999\n-1\n", "999999999"),
        ("a.pfm", PFM_BY_HAND[:-1], "need 60 bytes, but it has 59"),
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
        (BY_HAND[:-1], "28 bytes, but it has 27"),
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
        read_flow(tmp_path / "flow.xyz")
    with pytest.raises(InputError, match="no such file"):
        read_flow(tmp_path / "missing.flo")


KITTI_PIXELS = np.array([[[0x8060, 0x7F80, 1], [0x8010, 0x8000, 1]], [[0x8000, 0x8000, 0], [0xFFFF, 0, 1]]], np.uint16)
KITTI_FLOW = np.array([[[1.5, -2.0], [0.25, 0]], [[np.nan, np.nan], [511.984375, -512]]], np.float32)


def kitti_by_hand() -> bytes:
    """A PNG file without any library: filter 0 before each line, big-endian samples."""
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in KITTI_PIXELS)
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(lines)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def test_kitti_by_hand(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(kitti_by_hand())
    np.testing.assert_array_equal(read_flow(tmp_path / "a.png"), KITTI_FLOW)
    write_flow(tmp_path / "b.png", KITTI_FLOW, flow_format="kitti")
    pixels = cv2.imread(str(tmp_path / "b.png"), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    np.testing.assert_array_equal(pixels[..., ::-1], KITTI_PIXELS)


def test_kitti_files_agree_with_flowpy_bit_for_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "float", float, raising=False)  # flowpy is older than NumPy 2
    monkeypatch.setattr(np, "NaN", np.nan, raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from flowpy.flow_io import flow_read_png, flow_write_png
    flow = np.random.default_rng(0).normal(0, 80, (37, 53, 2)).astype(np.float32)
    flow[3:9, 5:20] = np.nan
    with (tmp_path / "theirs.png").open("wb") as file:
        flow_write_png(file, np.nan_to_num(flow, nan=0.0))
    write_flow(tmp_path / "ours.png", flow, flow_format="kitti")
    with (tmp_path / "ours.png").open("rb") as file:
        theirs = flow_read_png(file)
    np.testing.assert_array_equal(theirs.astype(np.float32), read_flow(tmp_path / "ours.png"))
    assert np.isnan(theirs[3:9, 5:20]).all()
    known = np.isfinite(flow).all(axis=-1)
    ours = read_flow(tmp_path / "theirs.png")
    np.testing.assert_array_equal(ours[known], theirs[known])


def test_npz_by_hand_and_of_numpy(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("flow.npy", NPY_BY_HAND)
    np.testing.assert_array_equal(read_flow(tmp_path / "a.npz"), FLOW)
    write_flow(tmp_path / "b.npz", FLOW)
    with np.load(tmp_path / "b.npz") as archive:
        np.testing.assert_array_equal(archive["flow"], FLOW)
    np.savez_compressed(tmp_path / "c.npz", other=np.zeros(3), flow=FLOW)
    np.testing.assert_array_equal(read_flow(tmp_path / "c.npz"), FLOW)
    np.savez(tmp_path / "d.npz", FLOW)
    np.testing.assert_array_equal(read_flow(tmp_path / "d.npz"), FLOW)
    np.savez(tmp_path / "e.npz", a=FLOW, b=FLOW)
    with pytest.raises(InputError, match="none of them called flow"):
        read_flow(tmp_path / "e.npz")


def test_flo5_of_h5py(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.flo5", "w") as archive:
        archive.create_dataset("flow", data=FLOW)
    np.testing.assert_array_equal(read_flow(tmp_path / "a.flo5"), FLOW)
    write_flow(tmp_path / "b.flo5", FLOW)
    with h5py.File(tmp_path / "b.flo5") as archive:
        np.testing.assert_array_equal(archive["flow"][()], FLOW)
    with h5py.File(tmp_path / "c.flo5", "w") as archive:
        archive.create_dataset("flow", (60_000, 60_000, 2), "f4", chunks=True)  # 29 GB of nothing
    with pytest.raises(InputError, match="cannot unpack to"):
        read_flow(tmp_path / "c.flo5")


def test_flo5_without_h5py(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(OutputError, match=r"flowcli\[spring\]"):
        write_flow(tmp_path / "a.flo5", FLOW)
    (tmp_path / "a.flo5").write_bytes(b"x")
    with pytest.raises(InputError, match=r"flowcli\[spring\]"):
        read_flow(tmp_path / "a.flo5")


STEPS = st.integers(-511 * 64, 511 * 64).map(lambda n: n / 64)  # what every format holds exactly


@given(
    values=npst.arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 5), st.just(2)), elements=STEPS),
    unknown=st.sets(st.integers(0, 24)),
    route=st.lists(
        st.sampled_from(["flo", "kitti", "npy", "npz", "pfm", "flo5", "exr", "tif"]), min_size=2, max_size=3
    ),
)
def test_round_trips_through_formats(values: np.ndarray, unknown: set[int], route: list[FlowFormatName]) -> None:
    flow = values.copy()
    flow.reshape(-1, 2)[[index for index in unknown if index < flow.shape[0] * flow.shape[1]]] = np.nan
    with TemporaryDirectory() as folder:
        current = flow
        for flow_format in route:
            path = Path(folder) / f"a{suffix_of(flow_format)}"
            write_flow(path, current, flow_format=flow_format)
            assert output_size(path) == flow.shape[:2]
            current = read_flow(path)
            assert current.dtype == np.float32
        np.testing.assert_array_equal(current, flow)


def test_what_a_format_cannot_hold_is_said() -> None:
    flow = np.zeros((2, 2, 2), np.float32)
    assert loss(flow, None) is None
    assert loss(flow, KITTI) is None
    flow[0, 0] = 600, 0
    assert "vectors outside -512 to 511.98 px" in str(loss(flow, KITTI))
    assert loss(flow, FLO) is None
    for huge in (2e9, 1e20, -3e38):
        flow[1, 1] = huge, 0
        assert "vectors outside -1e9 to 1e9 px" in str(loss(flow, FLO))
    assert np.isnan(KITTI.decode(KITTI.encode(flow), "x")[0, 0]).all()
    flow[1, 0] = np.nan
    assert "unknown" in str(loss(flow, None))


def test_colours_are_not_flow(tmp_path: Path) -> None:
    write_flow(tmp_path / "a.png", FLOW)
    with pytest.raises(InputError, match="picture, not flow"):
        read_flow(tmp_path / "a.png")


def test_nothing_may_follow_the_end(tmp_path: Path) -> None:
    for flow_format in get_args(FlowFormatName):
        if flow_format not in {"png", "tif"}:  # a TIFF file may have bytes that nothing refers to
            path = tmp_path / f"a{suffix_of(flow_format)}"
            write_flow(path, FLOW, flow_format=flow_format)
            path = path.with_name("a_y.jpg") if flow_format == "jpg" else path
            path.write_bytes(path.read_bytes() + b"more")
            with pytest.raises(InputError, match=r"a(_y)?\."):
                read_flow(path)


def test_ancillary_chunks_do_not_change_kitti_files(tmp_path: Path) -> None:
    """Transparency would make four channels of three."""
    whole = kitti_by_hand()
    at = whole.index(b"IDAT") - 4
    data = struct.pack(">HHH", 1, 2, 3)
    chunk = struct.pack(">I", len(data)) + b"tRNS" + data + struct.pack(">I", zlib.crc32(b"tRNS" + data))
    (tmp_path / "a.png").write_bytes(whole[:at] + chunk + whole[at:])
    np.testing.assert_array_equal(read_flow(tmp_path / "a.png"), KITTI_FLOW)


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_npz_of_unusual_compression_is_refused(tmp_path: Path, method: int) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w", method) as archive:
        archive.writestr("flow.npy", NPY_BY_HAND)
    with pytest.raises(InputError, match="compressed by a method"):
        read_flow(tmp_path / "a.npz")


def test_flo5_that_would_unpack_to_far_more_than_the_flow_is_refused(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.flo5", "w") as archive:
        large = {"maxshape": (None, None, 2), "chunks": (4096, 4096, 2), "compression": "gzip"}
        archive.create_dataset("flow", data=FLOW, **large)
    with pytest.raises(InputError, match="storage that flowcli does not read"):
        read_flow(tmp_path / "a.flo5")
    FLOW.tofile(tmp_path / "values")
    with h5py.File(tmp_path / "b.flo5", "w") as archive:
        archive.create_dataset("flow", FLOW.shape, "f4", external=[(str(tmp_path / "values"), 0, FLOW.nbytes)])
    with pytest.raises(InputError, match="storage that flowcli does not read"):
        read_flow(tmp_path / "b.flo5")
