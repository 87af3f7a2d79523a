from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from flowcli.draw.video_writer import VideoWriter
from flowcli.frames.source import DamagedError
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


def read(path: Path) -> tuple[int, str | None]:
    """How many frames there are, and what is wrong after them."""
    count = 0
    try:
        for _ in VideoFile(path).frames():
            count += 1
    except DamagedError as error:
        return count, str(error)
    return count, None


def decodable(path: Path) -> int:
    """How many frames FFmpeg finds, without any judgement."""
    count = 0
    with contextlib.suppress(av.error.FFmpegError), av.open(str(path)) as container:
        for packet in container.demux(container.streams.video[0]):
            with contextlib.suppress(av.error.FFmpegError):
                count += sum(not frame.is_corrupt for frame in packet.decode())
    return count


def test_a_whole_file_is_whole(video: Path) -> None:
    assert read(video) == (12, None)


@pytest.mark.parametrize(
    "tail",
    [b"\0", b"SEFT" + bytes(300), b"\x47" + bytes(70), b"motion photo" * 999],
    ids=["a byte", "phone", "half a packet", "long"],
)
def test_what_follows_the_last_frame_is_no_damage(video: Path, tail: bytes) -> None:
    video.write_bytes(video.read_bytes() + tail)
    assert read(video) == (12, None)


@pytest.mark.parametrize("missing", [3, 20, 100, 400, 900])
def test_a_file_that_was_cut(video: Path, missing: int) -> None:
    """Damaged exactly where a frame is lost and the container announces its frames."""
    video.write_bytes(video.read_bytes()[:-missing])
    found, problem = read(video)
    assert found == decodable(video)
    if video.suffix == ".ts":
        assert problem is None or problem.endswith("a frame cannot be decoded")
    else:
        assert (problem is not None) == (found < 12)


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


def test_a_gif_that_ends_in_an_image(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    writer = VideoWriter(path, path, Fraction(10), Fraction(1, 10))
    for index, image in enumerate(moving_frames(6)):
        writer.write(image, Fraction(index, 10))
    writer.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])  # the trailer
    assert read(path) == (6, None)
    path.write_bytes(whole + b"appended")
    assert read(path) == (6, None)
    path.write_bytes(whole[:-50])
    found, problem = read(path)
    assert found in {5, 6}
    assert problem is not None


def test_a_matroska_file_cut_between_clusters(tmp_path: Path) -> None:
    options = {"cluster_time_limit": "100"}
    path = write_video(tmp_path / "a.mkv", moving_frames(40), options=options)
    data = path.read_bytes()
    clusters = [at for at in range(len(data) - 4) if data[at : at + 4] == b"\x1f\x43\xb6\x75"]
    assert len(clusters) > 3
    path.write_bytes(data[: clusters[-2]])
    found, problem = read(path)
    assert 0 < found < 40
    assert problem is not None


@pytest.mark.parametrize("options", [{}, {"cluster_time_limit": "500"}], ids=["one cluster", "many"])
@pytest.mark.parametrize("codec", ["libx264", "libvpx-vp9"])
@pytest.mark.parametrize("ninths", [4, 5, 6, 7, 8])
def test_a_matroska_file_overwritten_in_its_middle(
    tmp_path: Path, codec: str, options: dict[str, str], ninths: int
) -> None:
    """FFmpeg leaves out what it cannot make sense of, up to the end if it finds no further cluster."""
    path = write_video(tmp_path / "a.mkv", moving_frames(60, 120, 160), codec=codec, options=options)
    data = bytearray(path.read_bytes())
    at = len(data) * ninths // 9
    data[at : at + 300] = np.random.default_rng(5).integers(0, 256, 300, np.uint8).tobytes()
    path.write_bytes(data)
    found, problem = read(path)
    assert found > 0
    assert problem is not None or found == 60


@pytest.mark.parametrize("seconds", [2, 9])
def test_sound_that_outlasts_the_picture_of_a_matroska_file(tmp_path: Path, seconds: int) -> None:
    frames = moving_frames(12)
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=12)
        picture.height, picture.width, picture.pix_fmt = *frames[0].shape[:2], "yuv444p"
        sound = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        for image in frames:
            container.mux(picture.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(picture.encode(None))
        for _ in range(seconds):
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
            silence.sample_rate = 8000
            container.mux(sound.encode(silence))
        container.mux(sound.encode(None))
    assert read(path) == (12, None)
