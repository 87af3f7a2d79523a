"""Reading and writing videos, checked with PyAV itself."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from flowcli.draw.video_writer import VideoWriter
from flowcli.errors import InputError, OutputError
from flowcli.frames.files import natural_key
from flowcli.frames.images import write_image
from flowcli.frames.opening import open_source
from flowcli.frames.reading import Reading
from flowcli.frames.sequence import ImageSequence
from flowcli.frames.video import VideoFile
from support.videos import moving_frames, write_video


def mean_difference(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(first.astype(int) - second).mean())


def test_frames_and_times_of_a_constant_rate(tmp_path: Path) -> None:
    frames = moving_frames(6)
    source = VideoFile(write_video(tmp_path / "a.mp4", frames))
    read = list(source.frames())
    assert [frame.time for frame in read] == [Fraction(i, 12) for i in range(6)]
    assert source.rate == 12
    assert source.count == 6
    for frame, expected in zip(read, frames, strict=True):
        assert mean_difference(frame.image, expected) < 3


def test_variable_rates_are_kept(tmp_path: Path) -> None:
    times = [Fraction(n, 600) for n in (0, 25, 31, 200, 600)]
    source = VideoFile(write_video(tmp_path / "a.mp4", moving_frames(5), times=times))
    assert [frame.time for frame in source.frames()] == times


@pytest.mark.parametrize("degrees", [90, 180, -90])
def test_rotation_is_applied(tmp_path: Path, degrees: int) -> None:
    frames = moving_frames(3)
    source = VideoFile(write_video(tmp_path / "a.mp4", frames, rotation=degrees))
    for frame, expected in zip(source.frames(), frames, strict=True):
        assert mean_difference(frame.image, np.rot90(expected, degrees // 90)) < 3


def test_samples_are_spread_over_the_file(tmp_path: Path) -> None:
    frames = moving_frames(40)
    source = VideoFile(write_video(tmp_path / "a.mp4", frames, codec="mpeg4"))
    pairs = list(source.sample_pairs(4))
    assert len(pairs) >= 2
    for first, second in pairs:
        nearest = int(np.argmin([mean_difference(first, frame) for frame in frames]))
        assert int(np.argmin([mean_difference(second, frame) for frame in frames])) == nearest + 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [("empty.mp4", b"", "not a video"), ("text.mp4", b"hello" * 100, "not a video")],
)
def test_what_is_no_video(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        VideoFile(tmp_path / name)


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    with pytest.raises(InputError, match="no video stream"):
        VideoFile(tmp_path / "a.wav")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        open_source(tmp_path / "missing.mp4")


class TestSequences:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for index, image in enumerate(moving_frames(4)):
            write_image(tmp_path / f"f_{index + 8}.png", image)
        (tmp_path / "notes.txt").write_text("not a frame")
        return tmp_path

    @pytest.mark.parametrize("pattern", ["", "f_*.png", "f_%d.png", "*"])
    def test_folders_and_patterns_come_in_natural_order(self, folder: Path, pattern: str) -> None:
        if pattern == "*":
            (folder / "notes.txt").unlink()
        source = open_source(folder / pattern)
        assert isinstance(source, ImageSequence)
        assert [frame.name for frame in source.frames()] == ["f_8", "f_9", "f_10", "f_11"]
        assert [frame.time for frame in source.frames()] == [Fraction(i, 25) for i in range(4)]

    def test_a_printf_width_is_honoured(self, folder: Path) -> None:
        assert len(list(open_source(folder / "f_%02d.png").frames())) == 2

    def test_a_relative_pattern(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(folder)
        assert open_source(Path("f_?.png")).count == 2

    def test_the_rate_can_be_given(self, folder: Path) -> None:
        assert [frame.time for frame in open_source(folder, Fraction(2)).frames()][1] == Fraction(1, 2)

    def test_frames_of_several_folders_do_not_share_names(self, tmp_path: Path) -> None:
        for name in ("a", "b"):
            write_image(tmp_path / name / "1.png", moving_frames(1)[0])
        assert [frame.name for frame in open_source(tmp_path / "*" / "1.png").frames()] == ["000000", "000001"]

    @pytest.mark.parametrize("pattern", ["", "x_*.png", "x_%d.png", "nowhere/%d.png"])
    def test_nothing_there(self, tmp_path: Path, pattern: str) -> None:
        with pytest.raises(InputError, match="no frames"):
            open_source(tmp_path / pattern)

    def test_natural_order(self) -> None:
        names = ["b1", "a10", "a9", "a009b", "a", "a1_2", "a1_10"]
        assert sorted(map(Path, names), key=natural_key) == [
            Path(name) for name in ("a", "a1_2", "a1_10", "a9", "a009b", "a10", "b1")
        ]


class TestWriter:
    @pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
    def test_what_is_written_opens_again(self, tmp_path: Path, suffix: str) -> None:
        frames = moving_frames(5)
        times = [Fraction(n, 1000) for n in (0, 40, 90, 500, 1000)]
        path = tmp_path / "out"
        writer = VideoWriter(path, Path(f"final{suffix}"), Fraction(5), Fraction(1, 1000))
        for image, time in zip(frames, times, strict=True):
            writer.write(image, time)
        writer.close()
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            decoded = list(container.decode(stream))
            assert stream.codec_context.name == "h264"
            assert stream.pix_fmt == "yuv420p"
            assert (stream.height, stream.width) == (64, 96)
            assert [(frame.pts or 0) * (frame.time_base or 0) for frame in decoded] == times
            for frame, image in zip(decoded, frames, strict=True):
                assert mean_difference(frame.to_ndarray(format="rgb24"), image) < 9

    def test_plain_colours_survive(self, tmp_path: Path) -> None:
        """The colour matrix is written into the file; guessed wrongly, green and red would be off by 20."""
        colors = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (128, 128, 128)]
        writer = VideoWriter(tmp_path / "a.mp4", Path("a.mp4"), Fraction(5), Fraction(1, 5))
        for index, color in enumerate(colors):
            writer.write(np.full((32, 32, 3), color, np.uint8), Fraction(index, 5))
        writer.close()
        for frame, color in zip(VideoFile(tmp_path / "a.mp4").frames(), colors, strict=True):
            assert mean_difference(frame.image, np.array(color)) < 4

    def test_odd_sides_are_padded_by_repeating_the_edge(self, tmp_path: Path) -> None:
        frames = [frame[:63, :95] for frame in moving_frames(2)]
        writer = VideoWriter(tmp_path / "a.mp4", Path("a.mp4"), Fraction(5), Fraction(1, 5))
        for index, image in enumerate(frames):
            writer.write(image, Fraction(index, 5))
        writer.close()
        assert writer.padded
        image = next(VideoFile(tmp_path / "a.mp4").frames()).image
        assert image.shape == (64, 96, 3)
        assert mean_difference(image[:63, :95], frames[0]) < 9
        assert mean_difference(image[63, :95], frames[0][62]) < 12

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        writer = VideoWriter(tmp_path / "missing" / "a.mp4", Path("a.mp4"), Fraction(5), Fraction(1, 5))
        writer.write(moving_frames(1)[0], Fraction(0))
        with pytest.raises(OutputError, match=r"cannot write a\.mp4: no such file"):
            writer.close()


@pytest.mark.parametrize(("suffix", "codec"), [(".webm", "vp9"), (".gif", "gif"), (".mkv", "h264"), (".mov", "h264")])
def test_other_containers(tmp_path: Path, suffix: str, codec: str) -> None:
    frames = moving_frames(4, 48, 65)
    times = [Fraction(n, 100) for n in (0, 4, 10, 13)]
    path = tmp_path / f"a{suffix}"
    for _ in range(2):
        writer = VideoWriter(path, path, Fraction(25), Fraction(1, 100))
        for image, time in zip(frames, times, strict=True):
            writer.write(image, time)
        writer.close()
        data = path.read_bytes()
    assert path.read_bytes() == data  # the same twice
    assert writer.padded == (suffix != ".gif")
    decoded = list(VideoFile(path).frames())
    assert [frame.time for frame in decoded] == times
    for frame, image in zip(decoded, frames, strict=True):
        assert np.abs(frame.image[:, :65].astype(int) - image).mean() < 14
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == codec


def test_gifs_leave_out_what_browsers_cannot_show(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    writer = VideoWriter(path, path, Fraction(100), Fraction(1, 100))
    for index, image in enumerate(moving_frames(4)):
        writer.write(image, Fraction(index, 100))
    writer.close()
    assert [frame.time * 100 for frame in VideoFile(path).frames()] == [0, 2]


def test_abandoning_a_video_does_not_complete_it(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "a.mp4", Path("a.mp4"), Fraction(25), Fraction(1, 25))
    noise = np.random.default_rng(0)
    for index in range(60):
        writer.write(noise.integers(0, 255, (240, 320, 3), dtype=np.uint8), Fraction(index, 25))
    (tmp_path / "link").hardlink_to(tmp_path / "a.mp4")
    writer.abandon()
    assert [path.name for path in tmp_path.iterdir()] == ["link"]
    assert b"moov" not in (tmp_path / "link").read_bytes()[:100]  # the index was not moved to the front


def test_large_frames_are_refused(tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mp4", moving_frames(2))
    with pytest.raises(InputError, match=r"96 x 64 is more than 6143 pixels"):
        VideoFile(source, reading=Reading(96 * 64 - 1))
