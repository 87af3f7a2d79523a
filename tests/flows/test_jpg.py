"""Pairs of grey JPEGs; OpenCV is the other implementation, and dense_flow's formula is stated by hand."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcli import FlowOptions, read_flow, read_image, write_flow
from flowcli.errors import InputError, OutputError, UsageError
from flowcli.flows.formats import jpg
from flowcli.flows.io import files_of, files_to_read, is_flow_file, loss, name_of, output_size


def smooth(largest: float) -> np.ndarray:
    """A flow that JPEG hardly changes."""
    ramp = np.linspace(-largest, largest, 64, dtype=np.float32)
    return np.stack([np.tile(ramp, (48, 1)), np.tile(ramp[:48, None], (1, 64))], axis=-1)


def test_what_is_written(tmp_path: Path) -> None:
    write_flow(tmp_path / "a.jpg", smooth(25), flow_format="jpg")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a_x.jpg", "a_y.jpg"]
    for name, component in (("a_x.jpg", 0), ("a_y.jpg", 1)):
        levels = cv2.imread(str(tmp_path / name), cv2.IMREAD_UNCHANGED)
        assert levels is not None
        assert levels.shape == (48, 64)
        expected = np.rint(np.clip(255 * (smooth(25)[..., component] + 20) / 40, 0, 255))
        assert np.abs(levels.astype(int) - expected).max() <= 3


@given(value=st.floats(-30, 30), bound=st.sampled_from([5.0, 20.0, 32.5]))
def test_a_plain_flow_is_rounded_to_the_nearest_level(value: float, bound: float) -> None:
    form = jpg.FORMAT.configured(FlowOptions(bound=bound))
    there = form.decode(form.encode(np.full((8, 8, 1), value, np.float32)), "x")
    step = 2 * bound / 255
    np.testing.assert_allclose(there, np.clip(value, -bound, bound), rtol=0, atol=step / 2 + 1e-5)


def test_zero_reads_back_as_half_a_step() -> None:
    np.testing.assert_allclose(jpg.decode(jpg.encode(np.zeros((8, 8, 1), np.float32)), "x"), 20 / 255, rtol=1e-6)


def test_round_trip_by_every_name(tmp_path: Path) -> None:
    options = FlowOptions(bound=10)
    write_flow(tmp_path / "a.jpg", smooth(9), flow_format="jpg", options=options)
    for name in ("a.jpg", "a_x.jpg", "a_y.jpg"):
        flow = read_flow(tmp_path / name, options)
        assert flow.dtype == np.float32
        assert np.abs(flow - smooth(9)).max() < 3 * 20 / 255
    wrong = read_flow(tmp_path / "a.jpg")
    np.testing.assert_allclose(wrong, 2 * flow, atol=1e-4)  # the bound is not in the file


def test_names() -> None:
    pair = (Path("d/flow_x_00001.jpg"), Path("d/flow_y_00001.jpg"))
    assert files_of(Path("d/flow_{xy}_00001.jpg"), jpg.FORMAT) == pair
    assert files_to_read(pair[0]) == files_to_read(pair[1]) == pair
    assert files_of(Path("d/a.jpg"), jpg.FORMAT) == (Path("d/a_x.jpg"), Path("d/a_y.jpg"))
    assert files_of(Path("d/a.jpg"), None) == (Path("d/a.jpg"),)
    assert files_to_read(Path("d/box.jpg")) == (Path("d/box.jpg"),)
    assert name_of(Path("d/a_x.jpg")) == name_of(Path("d/a_y.jpg")) == Path("d/a")
    assert name_of(pair[0]) == Path("d/flow_00001")


def test_pictures_are_not_flow(tmp_path: Path) -> None:
    write_flow(tmp_path / "a.jpg", smooth(9))
    assert read_image(tmp_path / "a.jpg").shape == (48, 64, 3)
    for name in ("a.jpg", "b_x.jpg"):
        (tmp_path / name).write_bytes((tmp_path / "a.jpg").read_bytes())
        with pytest.raises(InputError, match=rf"{name} is a picture, not flow"):
            read_flow(tmp_path / name)
        assert not is_flow_file(tmp_path / name)
        assert output_size(tmp_path / name) == (48, 64)


def test_half_a_pair(tmp_path: Path) -> None:
    write_flow(tmp_path / "a.jpg", smooth(9), flow_format="jpg")
    (tmp_path / "a_y.jpg").unlink()
    with pytest.raises(InputError, match=r"a_y\.jpg: no such file"):
        read_flow(tmp_path / "a.jpg")
    write_flow(tmp_path / "b.jpg", smooth(9)[:40], flow_format="jpg")
    (tmp_path / "b_y.jpg").rename(tmp_path / "a_y.jpg")
    with pytest.raises(InputError, match="must have the same size"):
        read_flow(tmp_path / "a.jpg")
    with pytest.raises(InputError, match=r"missing\.jpg: no such file"):
        read_flow(tmp_path / "missing.jpg")


def test_damage_is_named(tmp_path: Path) -> None:
    write_flow(tmp_path / "a.jpg", smooth(9), flow_format="jpg")
    whole = (tmp_path / "a_y.jpg").read_bytes()
    for content in (b"", whole[:100], whole[:-20], whole + b"x"):
        (tmp_path / "a_y.jpg").write_bytes(content)
        with pytest.raises(InputError, match=r"a_y\.jpg is damaged"):
            read_flow(tmp_path / "a.jpg")


def test_what_is_clipped_is_said() -> None:
    form = jpg.FORMAT.configured(FlowOptions(bound=10))
    flow = np.zeros((10, 10, 2), np.float32)
    assert loss(flow, form) is None
    flow[0, 0], flow[0, 1] = (11, 0), (0, -500)
    assert loss(flow, form) == (
        "2 % of the vectors have a component beyond 10 px and are clipped; a larger bound keeps them"
    )
    flow[5, 5] = np.nan
    assert "unknown flow is stored as zero" in str(loss(flow, form))


def test_no_new_half_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "a_y.jpg").mkdir()
    with pytest.raises(OutputError, match=r"a_y\.jpg"):
        write_flow(tmp_path / "a.jpg", smooth(9), flow_format="jpg")
    assert [path.name for path in tmp_path.iterdir()] == ["a_y.jpg"]
    (tmp_path / "b_x.jpg").mkdir()
    with pytest.raises(OutputError, match=r"b_x\.jpg"):
        write_flow(tmp_path / "b.jpg", smooth(9), flow_format="jpg")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a_y.jpg", "b_x.jpg"]


@pytest.mark.parametrize("bound", [0, -1, float("nan"), float("inf")])
def test_bounds(bound: float) -> None:
    with pytest.raises(UsageError, match=r"bound must be between 0.001 and 1000000 pixels"):
        FlowOptions(bound=bound)
