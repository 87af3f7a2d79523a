"""Which file is opened, which stream of it, when its frames are shown, and which way up."""

from __future__ import annotations

import itertools
import socket
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition
from av.video.frame import VideoFrame

from flowcli import load_estimator
from flowcli.arrays import Frame
from flowcli.draw.video_writer import VideoWriter
from flowcli.errors import InputError
from flowcli.frames.selection import Selection
from flowcli.frames.video import VideoFile
from flowcli.run.colour_scale import choose_max_flow
from flowcli.run.video import estimate_video
from flowcli.run.video_outputs import VideoOutputs
from support.videos import moving_frames, write_video

NAMES = [
    "2024-01-01T12:00:00.mp4",
    "12:30.mp4",
    "http:x.mp4",
    "concat:a.mp4",
    "data:,x.mp4",
    "file:x.mp4",
    "pipe:0",
    "%03d.mp4x",
    "a b|c.mp4",
]

PLAYLISTS = {
    "concat": "ffconcat version 1.0\nfile other.mp4\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.mp4\n#EXT-X-ENDLIST\n",
    "dash": '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period/></MPD>',
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_path_is_a_path(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_video(tmp_path / "plain.mp4", moving_frames(3)).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    summary = estimate_video(load_estimator("dis"), Path(name), VideoOutputs(Path(f"out:{name}.mkv")))
    assert summary.pairs == 2
    assert len(list(VideoFile(Path(f"out:{name}.mkv")).frames())) == 2


@pytest.mark.parametrize("kind", PLAYLISTS)
@pytest.mark.parametrize("suffix", ["", ".mp4", ".m3u8"])
def test_playlists_are_refused_and_open_nothing(
    tmp_path: Path, kind: str, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_video(tmp_path / "other.mp4", moving_frames(3))
    path = tmp_path / f"list{suffix}"
    path.write_text(PLAYLISTS[kind])
    monkeypatch.setattr(socket, "socket", lambda *_: pytest.fail("the network"))
    with pytest.raises(InputError, match="it is a playlist"):
        VideoFile(path)
    # Also where the beginning hides it, FFmpeg may open nothing else.
    path.write_text("\n" * 5000 + PLAYLISTS[kind])
    with pytest.raises(InputError, match="not a video that FFmpeg can read"):
        VideoFile(path)


def write_streams(path: Path, streams: list[tuple[list[Frame], Disposition]]) -> Path:
    """A file with several video streams."""
    with av.open(str(path), "w") as container:
        opened: list[Any] = []
        for frames, disposition in streams:
            is_cover = disposition == Disposition.attached_pic
            stream: Any = container.add_stream("mjpeg" if is_cover else "libx264", rate=12)
            stream.height, stream.width = frames[0].shape[:2]
            stream.pix_fmt = "yuvj420p" if is_cover else "yuv420p"
            stream.disposition = disposition
            opened.append(stream)
        for (frames, _), stream in zip(streams, opened, strict=True):
            for image in frames:
                container.mux(stream.encode(VideoFrame.from_ndarray(image, format="rgb24")))
            container.mux(stream.encode(None))
    return path


class TestStream:
    small, large = moving_frames(3, 32, 48), moving_frames(4, 64, 96)
    cover = moving_frames(1, 128, 128)
    plain = Disposition(0)

    def test_the_one_with_the_most_pixels(self, tmp_path: Path) -> None:
        path = write_streams(tmp_path / "a.mkv", [(self.small, Disposition.default), (self.large, self.plain)])
        assert [frame.image.shape for frame in VideoFile(path).frames()] == [(64, 96, 3)] * 4
        assert len(list(VideoFile(path, stream=0).frames())) == 3
        assert len(list(VideoFile(path, stream=1).frames())) == 4
        with pytest.raises(InputError, match="2 video streams"):
            VideoFile(path, stream=2)

    def test_then_the_default_one(self, tmp_path: Path) -> None:
        path = write_streams(tmp_path / "a.mkv", [(self.large[:3], self.plain), (self.large, Disposition.default)])
        assert len(list(VideoFile(path).frames())) == 4

    def test_attached_pictures_last(self, tmp_path: Path) -> None:
        path = write_streams(tmp_path / "a.mp4", [(self.cover, Disposition.attached_pic), (self.small, self.plain)])
        assert len(list(VideoFile(path).frames())) == 3

    def test_animated_avif(self, tmp_path: Path) -> None:
        from PIL import Image, features

        if not features.check("avif"):
            pytest.skip("this Pillow writes no AVIF")
        first, *rest = [Image.fromarray(frame) for frame in self.large]
        first.save(tmp_path / "a.avif", save_all=True, append_images=rest, duration=100, quality=95)
        decoded = list(VideoFile(tmp_path / "a.avif").frames())
        assert len(decoded) == 4
        for frame, image in zip(decoded, self.large, strict=True):
            assert np.abs(frame.image.astype(int) - image).mean() < 4


def shifted(path: Path, start: int, count: int = 30, codec: str = "libx264") -> Path:
    """A video whose first frame is shown ``start`` seconds after zero."""
    times = [Fraction(index, 12) + start for index in range(count)]
    return write_video(path, moving_frames(count, 160, 240), times=times, codec=codec)


def place(wanted: Frame, frames: list[Frame]) -> int:
    """Which of the frames it is."""
    return int(np.argmin([np.abs(frame.astype(int) - wanted).sum() for frame in frames]))


class TestTime:
    @pytest.mark.parametrize("start", [0, 2, 1000])
    @pytest.mark.parametrize("name", ["a.ts", "a.mkv", "a.mp4"])
    def test_everything_counts_from_the_first_frame(self, tmp_path: Path, name: str, start: int) -> None:
        path = shifted(tmp_path / name, start)
        source = VideoFile(path)
        times = [frame.time for frame in source.frames()]
        assert times == pytest.approx([index / 12 for index in range(30)], abs=1e-3)
        selected = VideoFile(path, Selection(Fraction(1), Fraction(3, 2))).frames()
        assert [frame.name for frame in selected] == [f"{index:06d}" for index in range(12, 18)]
        decoded = [frame.image for frame in source.frames()]
        places = [place(first, decoded) for first, _ in source.sample_pairs(8)]
        assert len(set(places)) >= (8 if name != "a.ts" else 1)
        assert choose_max_flow(load_estimator("dis"), source) == pytest.approx(1.25 * 5**0.5, abs=1.0)

    def test_the_scale_follows_motion_that_comes_late(self, tmp_path: Path) -> None:
        """Still for two thirds, then moving, in a stream that starts at 1000 s."""
        moving = moving_frames(20, 160, 240)
        frames = [moving[0]] * 40 + moving
        times = [Fraction(index, 12) + 1000 for index in range(60)]
        for name in ("a.mkv", "a.mp4", "a.ts"):
            source = VideoFile(write_video(tmp_path / name, frames, times=times, options={}))
            assert choose_max_flow(load_estimator("dis"), source) > 2

    @pytest.mark.parametrize("starts", [(0, 0), (1000, 0), (0, 5000)])
    def test_joined_transport_streams(self, tmp_path: Path, starts: tuple[int, int]) -> None:
        parts = [shifted(tmp_path / f"{index}.ts", start, 12) for index, start in enumerate(starts)]
        path = tmp_path / "joined.ts"
        path.write_bytes(b"".join(part.read_bytes() for part in parts))
        source = VideoFile(path)
        times = [frame.time for frame in source.frames()]
        assert len(times) == 24
        assert [b - a for a, b in itertools.pairwise(times)] == pytest.approx([1 / 12] * 23, abs=1e-3)
        assert list(source.sample_pairs(8))


class TestOrientation:
    @pytest.mark.parametrize("degrees", [0, 90, 180, 270])
    @pytest.mark.parametrize("hflip", [False, True])
    @pytest.mark.parametrize("vflip", [False, True])
    def test_all_turns_and_flips(self, tmp_path: Path, degrees: int, hflip: bool, vflip: bool) -> None:
        frames = moving_frames(2, 64, 96)
        path = tmp_path / "a.mp4"
        with av.open(str(path), "w") as container:
            stream: Any = container.add_stream("libx264", rate=12, options={"crf": "8"})
            stream.height, stream.width = 64, 96
            stream.pix_fmt = "yuv444p"
            stream.set_display_rotation(degrees, hflip=hflip, vflip=vflip)
            for image in frames:
                container.mux(stream.encode(VideoFrame.from_ndarray(image, format="rgb24")))
            container.mux(stream.encode(None))
        # Counter-clockwise by the definition of the call, then mirrored.
        expected = np.rot90(frames[0], degrees // 90)
        expected = expected[:, ::-1] if hflip else expected
        expected = expected[::-1] if vflip else expected
        shown = next(VideoFile(path).frames()).image
        assert shown.shape == expected.shape
        assert np.abs(shown.astype(int) - expected).mean() < 9

    @pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".mov", ".gif"])
    def test_the_shape_of_pictures_is_kept(self, tmp_path: Path, suffix: str) -> None:
        writer = VideoWriter(tmp_path / "in.mp4", Path("in.mp4"), Fraction(12), Fraction(1, 12))
        writer.pixel_aspect = Fraction(2)
        for index, image in enumerate(moving_frames(3)):
            writer.write(image, Fraction(index, 12))
        writer.close()
        out = tmp_path / f"out{suffix}"
        estimate_video(load_estimator("dis"), tmp_path / "in.mp4", VideoOutputs(out))
        with av.open(str(out)) as container:
            stream = container.streams.video[0]
            assert Fraction(stream.width, stream.height) * (stream.sample_aspect_ratio or 1) == Fraction(2 * 96, 64)

    def test_turning_a_video_turns_its_pixels(self, tmp_path: Path) -> None:
        path = tmp_path / "a.mp4"
        with av.open(str(path), "w") as container:
            stream: Any = container.add_stream("libx264", rate=12)
            stream.height, stream.width, stream.pix_fmt = 64, 96, "yuv420p"
            stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
            stream.set_display_rotation(90)
            for image in moving_frames(2, 64, 96):
                container.mux(stream.encode(VideoFrame.from_ndarray(image, format="rgb24")))
            container.mux(stream.encode(None))
        frame = next(VideoFile(path).frames())
        assert (frame.image.shape, frame.pixel_aspect) == ((96, 64, 3), Fraction(3, 4))
