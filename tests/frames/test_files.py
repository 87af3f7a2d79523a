"""Which files are frames, and what is said of them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from flowcli import read_image
from flowcli.errors import InputError
from flowcli.frames.exr import encode_channels
from flowcli.frames.files import IMAGE_SUFFIXES, oddities
from flowcli.frames.images import write_image
from flowcli.frames.opening import open_source
from flowcli.frames.reading import Reading
from flowcli.run.folder_tasks import folder_tasks
from support.videos import moving_frames

PILLOW_FORMATS = {
    ".apng": "PNG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".dib": "BMP",
    ".gif": "GIF",
    ".jp2": "JPEG2000",
    ".pbm": "PPM",
    ".pgm": "PPM",
    ".pnm": "PPM",
}


FLOAT_SUFFIXES = {".pfm", ".hdr", ".pic"}


def write(path: Path, image: np.ndarray) -> None:
    """An image of that suffix, by Pillow where it can, or else by OpenCV."""
    if path.suffix in PILLOW_FORMATS:
        picture = Image.fromarray(image)
        mode = {".pbm": "1", ".pgm": "L"}.get(path.suffix, "RGB")
        picture.convert(mode).save(path, format=PILLOW_FORMATS[path.suffix])
    elif path.suffix == ".exr":
        path.write_bytes(
            encode_channels(dict(zip("RGB", np.moveaxis(image / np.float32(255), -1, 0), strict=True)), {})
        )
    else:
        is_float = path.suffix in FLOAT_SUFFIXES
        values = image.astype(np.float32) / 255 if is_float else image
        assert cv2.imwrite(str(path), cv2.cvtColor(values, cv2.COLOR_RGB2BGR))


@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES))
def test_every_suffix_that_counts_can_be_read(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "in").mkdir()
    for index, image in enumerate(moving_frames(2)):
        write(tmp_path / "in" / f"{index}{suffix}", image)
    levels = (0.0, 1.0) if suffix == ".pfm" else None
    assert read_image(tmp_path / "in" / f"0{suffix}", levels=levels).shape == (64, 96, 3)
    assert len(list(open_source(tmp_path / "in", reading=Reading(levels=levels)).frames())) == 2
    assert len(list(folder_tasks(tmp_path / "in", ".flo", tmp_path / "out"))) == 1


@pytest.mark.parametrize("pattern", ["frames/*", "frames/shot.%d", "frames/shot.?"])
def test_an_explicit_pattern_is_not_filtered(tmp_path: Path, pattern: str) -> None:
    for index, image in enumerate(moving_frames(2)):
        write_image(tmp_path / "frames" / f"{index}.png", image)
        (tmp_path / "frames" / f"{index}.png").rename(tmp_path / "frames" / f"shot.{index}")
    (tmp_path / "frames" / "below").mkdir()
    assert len(list(open_source(tmp_path / pattern).frames())) == 2
    with pytest.raises(InputError, match="no frames"):
        open_source(tmp_path / "frames")


@pytest.mark.parametrize("folder", ["a [1]", "what?", "star*", "[x]/[y]"])
def test_parts_that_exist_are_taken_as_they_are(tmp_path: Path, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for index, image in enumerate(moving_frames(3)):
        write_image(tmp_path / folder / f"{index}.png", image)
    assert open_source(tmp_path / folder / "*.png").count == 3
    assert open_source(tmp_path / folder / "[01].png").count == 2
    monkeypatch.chdir(tmp_path)
    assert open_source(Path(folder) / "*.png").count == 3


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["f_0001", "f_0002", "f_0003", "f_0007", "f_0009"], "f_0003.png is followed by f_0007.png"),
        (["1", "3", "5", "9"], "5.png is followed by 9.png"),
        (["1", "2", "3"], None),
        (["2", "4", "6"], None),
        (["a", "b", "c"], None),
        (["a1", "a2", "b1", "b2"], None),
    ],
)
def test_numbers_that_are_missing(names: list[str], words: str | None) -> None:
    notes = oddities([Path(f"{name}.png") for name in names])
    assert len(notes) == (words is not None)
    assert words is None or notes[0].startswith(words)


def test_one_frame_in_two_formats() -> None:
    (note,) = oddities([Path("a.jpg"), Path("a.png"), Path("b.jpg"), Path("b.png")])
    assert note.startswith("a is there in several formats")
