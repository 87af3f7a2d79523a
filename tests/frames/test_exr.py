"""Frames in OpenEXR files written by the official package, against the definition of the sRGB curve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import pytest

from flowcli import read_flow, read_image
from flowcli.errors import InputError
from flowcli.frames.images import write_image
from support.processes import one_line
from support.videos import moving_frames

from ..conftest import Run

IMAGE = moving_frames(1)[0]


def linear(image: np.ndarray) -> np.ndarray:
    """Decode sRGB (IEC 61966-2-1): ``(H, W, C)`` uint8 to scene-linear float32."""
    encoded = image / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).astype(np.float32)


def write(path: Path, channels: dict[str, np.ndarray], **header: Any) -> Path:
    header.setdefault("compression", OpenEXR.ZIP_COMPRESSION)
    planes = {name: np.ascontiguousarray(values) for name, values in channels.items()}
    OpenEXR.File({"type": OpenEXR.scanlineimage, **header}, planes).write(str(path))
    return path


def rgb(values: np.ndarray, prefix: str = "") -> dict[str, np.ndarray]:
    return {f"{prefix}{name}": values[..., index] for index, name in enumerate("RGB")}


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("name", ["NO", "RLE", "ZIPS", "ZIP", "PIZ"])
def test_tone_mapping_undoes_the_srgb_curve(tmp_path: Path, dtype: type, name: str) -> None:
    compression = getattr(OpenEXR, f"{name}_COMPRESSION")
    path = write(tmp_path / "a.exr", rgb(linear(IMAGE).astype(dtype)), compression=compression)
    assert np.abs(read_image(path).astype(int) - IMAGE).max() <= (1 if dtype is np.float16 else 0)


def test_what_is_brighter_than_white_is_clipped(tmp_path: Path) -> None:
    values = np.array([[-1.0, 0.0, 1.0, 5.0, np.inf, np.nan]], np.float32)
    path = write(tmp_path / "a.exr", rgb(np.dstack([values] * 3)))
    np.testing.assert_array_equal(read_image(path)[0, :, 1], [0, 0, 255, 255, 255, 0])


def test_grey_layers_and_alpha(tmp_path: Path) -> None:
    values = linear(IMAGE)
    grey = read_image(write(tmp_path / "y.exr", {"Y": values[..., 1]}))
    np.testing.assert_array_equal(grey, np.dstack([IMAGE[..., 1]] * 3))
    alpha = np.full(IMAGE.shape[:2], 0.25, np.float32)
    np.testing.assert_array_equal(read_image(write(tmp_path / "a.exr", {**rgb(values), "A": alpha})), IMAGE)
    layers = {**rgb(values * 0, "ViewLayer.Normal."), **rgb(values, "ViewLayer.Combined."), "ViewLayer.Depth.Z": alpha}
    np.testing.assert_array_equal(read_image(write(tmp_path / "l.exr", layers)), IMAGE)
    with pytest.raises(InputError, match=r"d\.exr: it has neither channels R, G, B nor Y, but Depth\.Z"):
        read_image(write(tmp_path / "d.exr", {"Depth.Z": alpha}))


def test_levels_replace_the_curve(tmp_path: Path) -> None:
    path = write(tmp_path / "a.exr", rgb(IMAGE.astype(np.float32) * 3 - 100))
    np.testing.assert_array_equal(read_image(path, levels=(-100, 665)), IMAGE)


def test_only_the_display_window_is_the_frame(tmp_path: Path) -> None:
    """A data window may be larger than the picture (overscan), or smaller."""
    window = np.array([0, 0], np.int32), np.array([IMAGE.shape[1] - 21, IMAGE.shape[0] - 11], np.int32)
    path = write(tmp_path / "a.exr", rgb(linear(IMAGE)), displayWindow=window)
    np.testing.assert_array_equal(read_image(path), IMAGE[:-10, :-20])


def test_a_sequence_says_once_that_it_is_tone_mapped(flowcli: Run, tmp_path: Path) -> None:
    for folder in ("exr", "png"):
        (tmp_path / folder).mkdir()
    for index, image in enumerate(moving_frames(4)):
        write(tmp_path / "exr" / f"{index}.exr", rgb(linear(image)))
        write_image(tmp_path / "png" / f"{index}.png", image)
    done = flowcli("video", "exr", "--flow-dir", "flows", "-m", "dis")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(b"tone-mapped by the sRGB curve") == 1
    assert flowcli("video", "png", "--flow-dir", "same", "-m", "dis").returncode == 0
    for index in range(3):
        np.testing.assert_array_equal(
            read_flow(tmp_path / f"flows/{index}.flo"), read_flow(tmp_path / f"same/{index}.flo")
        )


def test_the_limit_on_pixels_is_for_the_display_window(tmp_path: Path) -> None:
    window = np.array([0, 0], np.int32), np.array([19_999, 19_999], np.int32)
    path = write(tmp_path / "a.exr", rgb(linear(IMAGE)), displayWindow=window)
    with pytest.raises(InputError, match="20000 x 20000 is more than 134217728 pixels"):
        read_image(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_truncated_files(flowcli: Run, tmp_path: Path, share: float) -> None:
    data = write(tmp_path / "a.exr", rgb(linear(IMAGE))).read_bytes()
    (tmp_path / "b.exr").write_bytes(data[: int(len(data) * share)])
    done = flowcli("estimate", "a.exr", "b.exr", "-o", "f.flo", "-m", "dis", "-q")
    assert done.returncode == 3
    assert "b.exr is damaged" in one_line(done)
