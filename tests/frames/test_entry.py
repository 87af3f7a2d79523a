"""Decoding that begins in the middle of a video gives the same frames, numbers and times."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from flowcli.frames.selection import Selection
from flowcli.frames.source import DamagedError
from flowcli.frames.video import VideoFile
from support.videos import moving_frames

COUNT = 90
CODECS = {
    "plain.mp4": ("libx264", {"g": "12"}),
    "open-gop.mkv": ("libx264", {"g": "12", "bf": "3", "x264-params": "open-gop=1"}),
    "refresh.mp4": ("libx264", {"x264-params": "intra-refresh=1:keyint=20"}),
    "vp9.webm": ("libvpx-vp9", {"g": "15", "auto-alt-ref": "1", "lag-in-frames": "16"}),
    "packed.avi": ("mpeg4", {"g": "12", "bf": "2"}),
    "each.mov": ("mjpeg", {}),
    "stream.ts": ("mpeg2video", {"g": "12", "bf": "2"}),
    "one-key.mp4": ("libx264", {"g": "1000", "sc_threshold": "0"}),
}


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    frames = moving_frames(COUNT, 48, 64)
    for name, (codec, options) in CODECS.items():
        with av.open(str(folder / name), "w") as container:
            stream = container.add_stream(codec, rate=25, options=options)
            stream.width, stream.height = 64, 48  # type: ignore[union-attr]
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"  # type: ignore[union-attr]
            stream.time_base = Fraction(1, 100)
            for index, image in enumerate(frames):
                frame = VideoFrame.from_ndarray(image, format="rgb24")
                frame.pts, frame.time_base = 4 * index + index % 2 * (name == "plain.mp4"), Fraction(1, 100)
                container.mux(stream.encode(frame))  # type: ignore[union-attr, arg-type]
            container.mux(stream.encode(None))  # type: ignore[union-attr]
    return folder


@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("name", CODECS)
def test_frames_are_the_same(videos: Path, name: str, stride: int) -> None:
    source = VideoFile(videos / name, Selection(2, None, stride))
    whole = {frame.number: frame for frame in source.frames()}
    entries = source.entries()
    if entries is None:
        assert name in {"stream.ts", "packed.avi"}  # where time stamps do not tell
        return
    assert len(entries) == COUNT
    if name == "refresh.mp4":  # no frame is whole by itself, and the first that is given back is another one
        source.entry = entries.before(COUNT - 1)
        with pytest.raises(DamagedError):
            next(source.frames())
        return
    begun = set()
    for number in range(0, COUNT, 7):
        source.entry = entries.before(number)
        begun.add(source.entry)
        for frame in itertools.islice(source.frames(), 8):
            there = whole[frame.number]
            assert (frame.time, frame.name, frame.pixel_aspect) == (there.time, there.name, there.pixel_aspect)
            np.testing.assert_array_equal(frame.image, there.image)
        if source.entry is not None:
            assert source.entry.number <= number
    if name != "one-key.mp4":
        assert len(begun) > 1


def test_nothing_is_known_of_times(videos: Path) -> None:
    assert VideoFile(videos / "plain.mp4", Selection(Fraction(1))).entries() is None
