from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from flowcli.draw.video_writer import VideoWriter
from flowcli.frames.source import DamagedError
from flowcli.frames.truncation import is_cut_off
from flowcli.frames.video import VideoFile
from support.videos import moving_frames, write_video

CONTAINERS = {
    "a.mp4": {"movflags": "faststart"},
    "b.mp4": {"movflags": "frag_keyframe+empty_moov"},
    "c.mov": {"movflags": "faststart"},
    "d.mkv": {},
    "e.avi": {},
    "f.ts": {},
}


@pytest.fixture(params=CONTAINERS)
def video(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    codec = "mpeg4" if request.param.endswith(".avi") else "libx264"
    return write_video(tmp_path / request.param, moving_frames(12), codec=codec, options=CONTAINERS[request.param])


def test_a_whole_file_is_whole(video: Path) -> None:
    assert not is_cut_off(video)
    assert len(list(VideoFile(video).frames())) == 12


@pytest.mark.parametrize("missing", [3, 100])
def test_a_file_that_was_cut_is_found_and_read_up_to_there(video: Path, missing: int) -> None:
    video.write_bytes(video.read_bytes()[:-missing])
    assert is_cut_off(video)
    stream = VideoFile(video).frames()
    next(stream)
    with pytest.raises(DamagedError, match=video.name):
        list(stream)


def test_sound_that_is_longer_than_the_picture_is_no_damage(tmp_path: Path) -> None:
    frames = moving_frames(4)
    path = tmp_path / "a.avi"
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=12)
        picture.height, picture.width, picture.pix_fmt = *frames[0].shape[:2], "yuv420p"
        sound = container.add_stream("mp3", rate=44100, layout="mono")
        for image in frames:
            container.mux(picture.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(picture.encode(None))
        for _ in range(60):
            noise = av.AudioFrame.from_ndarray(np.zeros((1, 1152), np.int16), format="s16p", layout="mono")
            noise.sample_rate = 44100
            container.mux(sound.encode(noise))
        container.mux(sound.encode(None))
    assert len(list(VideoFile(path).frames())) == 4


@pytest.mark.parametrize("content", [b"", b"RIFF", b"\x1a\x45\xdf\xa3", b"not a container at all"])
def test_what_does_not_say_how_long_it_is(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    assert not is_cut_off(tmp_path / "x")


def test_a_gif_ends_with_its_trailer(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    writer = VideoWriter(path, path, Fraction(10), Fraction(1, 10))
    for index, image in enumerate(moving_frames(6)):
        writer.write(image, Fraction(index, 10))
    writer.close()
    assert not is_cut_off(path)
    path.write_bytes(path.read_bytes()[:-50])
    assert is_cut_off(path)
