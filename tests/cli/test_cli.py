"""The installed command in separate processes: exit codes, stdout, stderr, and the files that are left."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from flowcli import colorize, load_estimator, read_flow, read_image
from flowcli.flows.formats.flo import decode as decode_flo
from flowcli.frames.images import write_image
from flowcli.frames.video import VideoFile
from flowcli.scene import render_scene
from support.processes import PROGRAM, finished, started, wait_until
from support.videos import moving_frames, write_video

from ..conftest import Run

DIS = ("-m", "dis")


@pytest.fixture
def frames(tmp_path: Path) -> list[str]:
    scene = render_scene(64, 80)
    write_image(tmp_path / "a.png", scene.frame1)
    write_image(tmp_path / "b.png", scene.frame2)
    return ["a.png", "b.png"]


def one_line(done: subprocess.CompletedProcess[bytes]) -> str:
    """The one line of an error."""
    text = done.stderr.decode()
    assert text.startswith("flowcli: error: "), text
    assert text.count("\n") == 1, text
    assert done.stdout == b""
    return text


class TestStart:
    @pytest.mark.parametrize("arguments", ["['--help']", "['--version']", "['estimate', '--help']", "['nonsense']"])
    def test_nothing_heavy_is_imported(self, arguments: str) -> None:
        code = (
            f"import sys, flowcli.cli; flowcli.cli.run({arguments}); "
            "print(sorted({'torch', 'transformers', 'cv2', 'av', 'numpy', 'huggingface_hub'} & set(sys.modules)))"
        )
        done = finished([sys.executable, "-c", code], capture_output=True, check=True)
        assert done.stdout.decode().splitlines()[-1] == "[]"

    @pytest.mark.usefixtures("frames")
    def test_dis_needs_no_torch(self, tmp_path: Path) -> None:
        code = (
            "import sys, flowcli.cli; "
            "flowcli.cli.run(['estimate', 'a.png', 'b.png', '-o', 'x.flo', '-m', 'dis']); "
            "print(sorted({'torch', 'transformers', 'av', 'huggingface_hub'} & set(sys.modules)))"
        )
        done = finished([sys.executable, "-c", code], capture_output=True, check=True, cwd=tmp_path)
        assert done.stdout == b"[]\n"

    def test_version_and_help(self, flowcli: Run) -> None:
        assert flowcli("--version").stdout.startswith(b"flowcli ")
        for arguments in ([], ["estimate"], ["video"], ["batch"], ["demo"], ["model"], ["model", "fetch"]):
            done = flowcli(*arguments, "--help")
            assert done.returncode == 0
            assert b"Usage" in done.stdout

    def test_as_a_module(self, tmp_path: Path) -> None:
        done = finished([sys.executable, "-m", "flowcli", "--version"], capture_output=True, cwd=tmp_path)
        assert done.stdout.startswith(b"flowcli ")


class TestEstimate:
    def test_several_outputs_at_once(self, flowcli: Run, frames: list[str], tmp_path: Path) -> None:
        done = flowcli("estimate", *frames, "-o", "new/dir/f.flo", "-o", "f.png", *DIS, "--max-flow", 9)
        assert done.returncode == 0, done.stderr
        assert done.stdout == b""
        flow = read_flow(tmp_path / "new/dir/f.flo")
        np.testing.assert_array_equal(flow, load_estimator("dis").estimate(*map(read_image, self.paths(tmp_path))))
        np.testing.assert_array_equal(read_image(tmp_path / "f.png"), colorize(flow, 9))

    def paths(self, folder: Path) -> list[Path]:
        return [folder / "a.png", folder / "b.png"]

    def test_stdout(self, flowcli: Run, frames: list[str], tmp_path: Path) -> None:
        done = flowcli("estimate", *frames, "-o", "-", "-o", "f.flo", *DIS)
        np.testing.assert_array_equal(decode_flo(done.stdout, "stdout"), read_flow(tmp_path / "f.flo"))

    @pytest.mark.skipif(sys.platform == "win32", reason="needs bash")
    def test_frames_through_pipes(self, frames: list[str], tmp_path: Path) -> None:
        shell = f"{PROGRAM} estimate <(cat {frames[0]}) <(cat {frames[1]}) -o p.flo -m dis"
        finished(["bash", "-c", shell], cwd=tmp_path, check=True)
        expected = load_estimator("dis").estimate(*map(read_image, self.paths(tmp_path)))
        np.testing.assert_array_equal(read_flow(tmp_path / "p.flo"), expected)

    def test_backward_is_forward_with_the_frames_swapped(self, flowcli: Run, frames: list[str], tmp_path: Path) -> None:
        assert flowcli("estimate", *frames, "-o", "1.flo", *DIS, "--backward").returncode == 0
        assert flowcli("estimate", *reversed(frames), "-o", "2.flo", *DIS).returncode == 0
        assert (tmp_path / "1.flo").read_bytes() == (tmp_path / "2.flo").read_bytes()

    def test_scale(self, flowcli: Run, frames: list[str], tmp_path: Path) -> None:
        assert flowcli("estimate", *frames, "-o", "1.flo", *DIS, "--scale", "0.5").returncode == 0
        expected = load_estimator("dis", scale=0.5).estimate(*map(read_image, self.paths(tmp_path)))
        np.testing.assert_array_equal(read_flow(tmp_path / "1.flo"), expected)

    def test_json(self, flowcli: Run, frames: list[str], tmp_path: Path) -> None:
        done = flowcli("estimate", *frames, "-o", "f.flo", *DIS, "--json")
        report = json.loads(done.stdout)
        flow = read_flow(tmp_path / "f.flo")
        assert report["frame1"] == "a.png"
        assert report["outputs"] == ["f.flo"]
        assert (report["model"], report["revision"], report["device"]) == ("dis", None, "cpu")
        assert (report["width"], report["height"], report["windows"]) == (80, 64, 1)
        assert report["flow"]["u_mean"] == pytest.approx(float(flow[..., 0].mean()), abs=1e-5)
        assert done.stderr == b""

    def test_force_replaces_and_the_environment_chooses_the_model(
        self, flowcli: Run, frames: list[str], tmp_path: Path
    ) -> None:
        (tmp_path / "f.flo").write_bytes(b"old")
        done = flowcli("estimate", *frames, "-o", "f.flo", "--force", "--quiet", FLOWCLI_MODEL="dis")
        assert (done.returncode, done.stderr) == (0, b"")
        assert read_flow(tmp_path / "f.flo").shape == (64, 80, 2)

    def test_a_closed_pipe(self, frames: list[str], tmp_path: Path) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        command: list[str | Path] = [PROGRAM, "estimate", *frames, "-o", "-", *DIS]
        done = finished(command, cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE)
        os.close(writing)
        assert done.returncode == 5
        assert done.stderr.count(b"\n") == 1
        assert b"broken pipe" in done.stderr

    def test_a_bar_is_drawn_on_a_terminal_only(self, frames: list[str], checkpoint: Path, tmp_path: Path) -> None:
        if sys.platform == "win32":
            pytest.skip("no pseudo-terminals")
        import pty

        command: list[str | Path] = [PROGRAM, "estimate", *frames, "-o", "f.flo", "-m", checkpoint, "--overlap", "6"]
        terminal, end = pty.openpty()
        finished(command, cwd=tmp_path, stderr=end, check=True)
        os.close(end)
        drawn = os.read(terminal, 100_000).decode()
        os.close(terminal)
        assert "estimating" in drawn
        assert "\x1b[" in drawn
        plain = finished([*command, "--force"], cwd=tmp_path, stderr=subprocess.PIPE, check=True)
        assert b"\x1b" not in plain.stderr
        assert plain.stderr.count(b"\n") == 1


class TestExitCodes:
    """Every row of the table; nothing is left behind."""

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["--bogus"], "--bogus"),
            (["-o", "x.flo", "--overlap", "much"], "--overlap"),
            (["-o", "x.flo", "--overlap", "-1"], "--overlap"),
            (["-o", "x.flo", "--batch-size", "0"], "--batch-size"),
            (["-o", "x.flo", "--scale", "0"], "--scale"),
            (["-o", "x.flo", "--max-flow", "-2"], "--max-flow"),
            (["-o", "x.flo", "--max-flow", "inf"], "--max-flow"),
            (["-o", "x.flo", "--max-flow", "1e-30"], "--max-flow"),
            (["-o", "x.flo", "--grid", "hexagonal"], "--grid"),
            (["-o", "x.flo", "--device", "cuda:7"], "--device cuda:7"),
            (["-o", "x.flo", "-o", "x.flo"], "twice"),
            (["-o", "a.png", "--force"], "also an input"),
            (["-o", "old.flo"], "old.flo exists; add --force"),
            (["-o", "-", "--json"], "--json"),
            ([], "--output"),
        ],
    )
    def test_2_wrong_usage(
        self, flowcli: Run, frames: list[str], tmp_path: Path, arguments: list[str], words: str
    ) -> None:
        (tmp_path / "old.flo").write_bytes(b"old")
        done = flowcli("estimate", *frames, *DIS, *arguments)
        assert done.returncode == 2
        assert words in one_line(done)
        assert (tmp_path / "old.flo").read_bytes() == b"old"
        assert not (tmp_path / "x.flo").exists()

    def test_2_reference_grid_where_it_cannot_work(self, flowcli: Run, checkpoint: Path, frames: list[str]) -> None:
        done = flowcli("estimate", *frames, "-o", "x.flo", "-m", checkpoint, "--overlap", 14, "--grid", "reference")
        assert done.returncode == 2
        assert "--grid even" in one_line(done)

    @pytest.mark.parametrize(
        ("name", "content", "words"),
        [
            ("missing.png", None, "no such file"),
            ("empty.png", b"", "empty"),
            ("text.png", b"hello", "not an image"),
            ("small.png", "small", "small.png is 40 x 30 but b.png is 80 x 64"),
            ("cut.png", "cut", "truncated"),
        ],
    )
    def test_3_bad_input(
        self, flowcli: Run, frames: list[str], tmp_path: Path, name: str, content: bytes | str | None, words: str
    ) -> None:
        if content == "small":
            write_image(tmp_path / name, render_scene(32, 40).frame1[:30])
        elif content == "cut":
            (tmp_path / name).write_bytes((tmp_path / "a.png").read_bytes()[:-30])
        elif isinstance(content, bytes):
            (tmp_path / name).write_bytes(content)
        done = flowcli("estimate", name, frames[1], "-o", "out/x.flo", *DIS)
        assert done.returncode == 3
        assert words in one_line(done)
        assert not (tmp_path / "out").exists()

    @pytest.mark.usefixtures("frames")
    def test_3_frames_that_are_too_large(self, flowcli: Run) -> None:
        arguments = ("estimate", "a.png", "b.png", "-o", "x.flo", *DIS)
        done = flowcli(*arguments, "--max-pixels", 5119)
        assert done.returncode == 3
        assert "80 x 64 is more than 5119 pixels" in one_line(done)
        assert flowcli(*arguments, FLOWCLI_MAX_PIXELS="5119").returncode == 3
        assert flowcli(*arguments, FLOWCLI_MAX_PIXELS="5120").returncode == 0

    def test_3_large_frames_of_formats_that_only_opencv_knows(self, flowcli: Run, tmp_path: Path) -> None:
        import cv2

        for name in ("a.hdr", "b.hdr"):
            cv2.imwrite(str(tmp_path / name), np.ones((48, 64, 3), np.float32))
        done = flowcli("estimate", "a.hdr", "b.hdr", "-o", "x.flo", *DIS, "--max-pixels", 1000)
        assert done.returncode == 3
        assert "a.hdr: it has more pixels" in one_line(done)

    def test_3_a_video_of_one_frame(self, flowcli: Run, tmp_path: Path) -> None:
        write_video(tmp_path / "one.mp4", moving_frames(1))
        done = flowcli("video", "one.mp4", "--out", "out.mp4", *DIS)
        assert done.returncode == 3
        assert "one frame" in one_line(done)
        assert [path.name for path in tmp_path.iterdir()] == ["one.mp4"]

    def test_3_a_video_damaged_in_the_middle_keeps_what_came_before(self, flowcli: Run, tmp_path: Path) -> None:
        for index, image in enumerate(moving_frames(5)):
            write_image(tmp_path / "in" / f"{index}.png", image)
        (tmp_path / "in" / "3.png").write_bytes(b"broken")
        done = flowcli("video", "in", "--out", "out.mp4", *DIS)
        assert done.returncode == 3
        assert "3.png" in one_line(done)
        assert "2 pairs" in one_line(done)
        assert len(list(VideoFile(tmp_path / "out.mp4").frames())) == 2

    def test_4_no_network_and_no_checkpoint(self, flowcli: Run, frames: list[str]) -> None:
        started = time.monotonic()
        done = flowcli("estimate", *frames, "-o", "x.flo")
        assert time.monotonic() - started < 15
        assert done.returncode == 4
        for words in ("deepmind/optical-flow-perceiver", "flowcli model fetch", "--model FOLDER", "--model dis"):
            assert words in one_line(done)

    def test_4_a_damaged_checkpoint(self, flowcli: Run, frames: list[str], checkpoint: Path, tmp_path: Path) -> None:
        shutil.copytree(checkpoint, tmp_path / "model")
        weights = tmp_path / "model" / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-1])
        done = flowcli("estimate", *frames, "-o", "x.flo", "-m", "./model")
        assert done.returncode == 4
        assert "model.safetensors" in one_line(done)

    @pytest.mark.parametrize(
        ("output", "words"),
        [
            ("x.xyz", "unknown format .xyz"),
            ("x", "unknown format"),
            ("a.png/x.flo", "not a folder"),
            ("dir.flo", "folder"),
        ],
    )
    def test_5_outputs_that_cannot_be(
        self, flowcli: Run, frames: list[str], tmp_path: Path, output: str, words: str
    ) -> None:
        (tmp_path / "dir.flo").mkdir()
        done = flowcli("estimate", *frames, "-o", output, *DIS)
        assert done.returncode == 5
        assert words in one_line(done)

    @pytest.mark.skipif(not os.access("/proc/self", os.F_OK), reason="needs Linux's /proc")
    def test_5_a_place_where_nobody_may_write(self, flowcli: Run, frames: list[str]) -> None:
        done = flowcli("estimate", *frames, "-o", "/proc/x.flo", *DIS)
        assert done.returncode == 5
        assert "/proc" in one_line(done)

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    def test_5_a_full_disk_behind_stdout(self, frames: list[str], tmp_path: Path) -> None:
        with Path("/dev/full").open("wb") as full:
            done = finished(
                [PROGRAM, "estimate", *frames, "-o", "-", *DIS], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE
            )
        assert done.returncode == 5
        assert b"no space left on device" in done.stderr
        assert done.stderr.count(b"\n") == 1

    def test_5_videos_of_unknown_format(self, flowcli: Run, tmp_path: Path) -> None:
        write_video(tmp_path / "in.mp4", moving_frames(2))
        done = flowcli("video", "in.mp4", "--out", "out.xyz", *DIS)
        assert done.returncode == 5
        assert ".xyz" in one_line(done)

    @pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
    @pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
    def test_130_interrupted(self, tmp_path: Path, name: str, code: int) -> None:
        for index, image in enumerate(moving_frames(60, 240, 320)):
            write_image(tmp_path / "in" / f"{index:02d}.png", image)
        command: list[str | Path] = [PROGRAM, "video", "in", "--out", "out.mp4", "--flow-dir", "flows", *DIS]
        with started(command, cwd=tmp_path, stderr=subprocess.PIPE) as process:
            wait_until(process, lambda: list(tmp_path.glob("flows/*.flo")))
            process.send_signal(signal.Signals[name])
            _, errors = process.communicate(timeout=10)
        assert process.returncode == code
        assert errors.count(b"\n") <= 1
        assert not (tmp_path / "out.mp4").exists()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["flows", "in"]
        for path in (tmp_path / "flows").glob("*.flo"):
            assert read_flow(path).shape == (240, 320, 2)

    def test_1_a_fault_in_flowcli_itself(self, frames: list[str], tmp_path: Path) -> None:
        code = (
            "import sys, flowcli.cli, flowcli.models.dis as dis; dis.DisFlow._flow = lambda *_: 1 / 0; "
            "sys.exit(flowcli.cli.run(sys.argv[1:]))"
        )
        command = [sys.executable, "-c", code, "estimate", *frames, "-o", "x.flo", *DIS]
        done = finished(command, cwd=tmp_path, capture_output=True)
        assert done.returncode == 1
        assert "ZeroDivisionError" in one_line(done)
        loud = finished([*command, "--verbose"], cwd=tmp_path, capture_output=True)
        assert b"Traceback" in loud.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs sh and named pipes")
class TestBrokenStreams:
    """A stream that is closed or full is an error of its own, or none at all."""

    @pytest.mark.parametrize(
        ("shell", "code"),
        [
            ("{} 2>&-", 0),
            ("{} 2>/dev/full", 0),
            ("{} --json >&-", 5),
            ("{} -o - >/dev/full 2>/dev/null", 5),
        ],
    )
    def test_streams(self, frames: list[str], tmp_path: Path, shell: str, code: int) -> None:
        command = shell.format(f"{PROGRAM} estimate {' '.join(frames)} -o x.flo -m dis")
        assert finished(["sh", "-c", command], cwd=tmp_path).returncode == code
        if code == 0:
            assert read_flow(tmp_path / "x.flo").shape == (64, 80, 2)

    def test_one_signal_ends_a_run_whose_input_is_stuck(self, tmp_path: Path) -> None:
        if sys.platform == "win32":
            pytest.skip("no named pipes in folders")
        for index, image in enumerate(moving_frames(3)):
            write_image(tmp_path / "in" / f"{index}.png", image)
        os.mkfifo(tmp_path / "in" / "3.png")  # nobody will ever write to it
        command: list[str | Path] = [PROGRAM, "video", "in", "--flow-dir", "flows", *DIS]
        with started(command, cwd=tmp_path, stderr=subprocess.PIPE) as process:
            wait_until(process, lambda: len(list(tmp_path.glob("flows/*.flo"))) >= 2)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=8)
        assert process.returncode == 130


class TestVideo:
    def test_a_video(self, flowcli: Run, tmp_path: Path) -> None:
        write_video(tmp_path / "in.mp4", moving_frames(4))
        done = flowcli("video", "in.mp4", "--out", "out/v.mp4", "--flow-dir", "flows", *DIS, "--json")
        assert done.returncode == 0, done.stderr
        *pairs, summary = [json.loads(line) for line in done.stdout.splitlines()]
        assert [pair["time"] for pair in pairs] == pytest.approx([0, 1 / 12, 2 / 12])
        assert [pair["outputs"] for pair in pairs] == [[f"flows/{index:06d}.flo"] for index in range(3)]
        assert (summary["pairs"], summary["width"], summary["height"]) == (3, 96, 64)
        assert len(list(VideoFile(tmp_path / "out/v.mp4").frames())) == 3

    def test_a_folder_with_a_rate(self, flowcli: Run, tmp_path: Path) -> None:
        for index, image in enumerate(moving_frames(3)):
            write_image(tmp_path / "in" / f"{index}.png", image)
        done = flowcli("video", "in", "--out", "v.mp4", *DIS, "--fps", "30000/1001", "--max-flow", "5")
        assert done.returncode == 0, done.stderr
        times = [frame.time for frame in VideoFile(tmp_path / "v.mp4").frames()]
        assert float(times[1]) == pytest.approx(1001 / 30000, abs=1e-4)

    def test_a_part_of_a_video(self, flowcli: Run, tmp_path: Path) -> None:
        write_video(tmp_path / "in.mp4", moving_frames(13))
        options = ("--start", "2", "--end", "0:01", "--stride", "3")
        done = flowcli("video", "in.mp4", "--flow-dir", "flows", "--out", "v.gif", *options, *DIS, "--json")
        assert done.returncode == 0, done.stderr
        *pairs, summary = [json.loads(line) for line in done.stdout.splitlines()]
        assert [(pair["frame1"], pair["frame2"]) for pair in pairs] == [
            ("000002", "000005"),
            ("000005", "000008"),
            ("000008", "000011"),
        ]
        assert summary["pairs"] == 3
        assert np.median(read_flow(tmp_path / "flows/000002.flo"), axis=(0, 1)) == pytest.approx([6, 3], abs=0.1)
        other = flowcli("video", "in.mp4", "--flow-dir", "flows", "--stride", "2", *DIS)
        assert other.returncode == 2
        assert b"another stride" in other.stderr

    def test_nothing_selected(self, flowcli: Run, tmp_path: Path) -> None:
        write_video(tmp_path / "in.mp4", moving_frames(3))
        done = flowcli("video", "in.mp4", "--out", "v.mp4", "--start", "40", *DIS)
        assert done.returncode == 3
        assert "no frame in the selection of --start, --end and --stride" in one_line(done)

    def test_pictures_are_gone_on_from_in_their_scale(self, flowcli: Run, tmp_path: Path) -> None:
        write_video(tmp_path / "in.mp4", moving_frames(6))
        command = ("video", "in.mp4", "--flow-dir", "flows", "--flow-format", "png", *DIS)
        assert flowcli(*command).returncode == 0
        whole = {path.name: path.read_bytes() for path in (tmp_path / "flows").iterdir()}
        (tmp_path / "flows/000003.png").unlink()
        (tmp_path / "flows/000001.png").write_bytes(whole["000001.png"][:-5])
        done = flowcli(*command)
        assert b"2 done, 3 skipped" in done.stderr
        assert {path.name: path.read_bytes() for path in (tmp_path / "flows").iterdir()} == whole
        video = flowcli(*command, "--out", "v.mp4")  # which needs the flow itself
        assert video.returncode == 0
        assert b"5 done, 0 skipped" in video.stderr
        assert len(list(VideoFile(tmp_path / "v.mp4").frames())) == 5

    def test_odd_sides_are_said_once(self, flowcli: Run, tmp_path: Path) -> None:
        for index, image in enumerate(moving_frames(3, 63, 95)):
            write_image(tmp_path / "in" / f"{index}.png", image)
        done = flowcli("video", "in", "--out", "v.mp4", *DIS)
        assert done.returncode == 0
        assert done.stderr.count(b"even sides") == 1

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ([], "--flow-dir"),
            (["--out", "v.mp4", "--max-flow", "0"], "--max-flow"),
            (["--out", "v.mp4", "--fps", "fast"], "--fps"),
            (["--out", "v.mp4", "--layout", "heap"], "--layout"),
            (["--out", "old.mp4"], "add --force"),
            (["--out", "v.mp4", "--start", "5", "--end", "5"], "--end must come after --start"),
            (["--out", "v.mp4", "--start", "1:30", "--end", "12.5s"], "--end must come after --start"),
            (["--out", "v.mp4", "--start", "12.5"], "--start"),
            (["--out", "v.mp4", "--start", "1:75"], "--start"),
            (["--out", "v.mp4", "--start=-3"], "--start"),
            (["--out", "v.mp4", "--stride", "0"], "--stride"),
            (["--out", "v.mp4", "--flow-format", "tiff"], "--flow-format"),
        ],
    )
    def test_wrong_usage(self, flowcli: Run, tmp_path: Path, arguments: list[str], words: str) -> None:
        (tmp_path / "old.mp4").write_bytes(b"old")
        done = flowcli("video", "in.mp4", *arguments, *DIS)
        assert done.returncode == 2
        assert words in one_line(done)


class TestDemo:
    def test_dis_by_name(self, flowcli: Run, tmp_path: Path) -> None:
        done = flowcli("demo", "here", *DIS)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(b"end-point error of dis: 0.")
        names = {path.name for path in (tmp_path / "here").iterdir()}
        assert names == {"frame1.png", "frame2.png", "flow.flo", "flow.png", "truth.flo", "panel.png"}

    def test_the_default_model_cannot_be_had(self, flowcli: Run) -> None:
        done = flowcli("demo", "--json")
        assert done.returncode == 0, done.stderr
        assert b"using dis" in done.stderr
        report = json.loads(done.stdout)
        assert report["model"] == "dis"
        assert report["epe_visible"] < 0.2

    def test_files_that_are_there_are_kept(self, flowcli: Run, tmp_path: Path) -> None:
        assert flowcli("demo", ".", *DIS).returncode == 0
        (tmp_path / "frame1.png").write_bytes(b"mine")
        assert flowcli("demo", ".", *DIS).returncode == 2
        assert (tmp_path / "frame1.png").read_bytes() == b"mine"
        assert flowcli("demo", ".", *DIS, "--force").returncode == 0

    def test_another_model_is_never_replaced(self, flowcli: Run) -> None:
        assert flowcli("demo", "-m", "some/other").returncode == 4


@pytest.mark.parametrize("command", ["path", "info", "fetch"])
def test_model_commands_know_dis_and_folders(flowcli: Run, checkpoint: Path, command: str) -> None:
    assert flowcli("model", command, *DIS).returncode == 0
    done = flowcli("model", command, "-m", checkpoint)
    assert done.returncode == 0
    assert str(checkpoint) in done.stdout.decode()
