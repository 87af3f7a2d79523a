"""Signals that are ignored when the program starts, and what is said from several threads at once."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flowcli import shutdown
from flowcli.cli.console import Console
from flowcli.frames.images import write_image
from support.processes import DEADLINE, PROGRAM, finished, started, wait_until
from support.videos import moving_frames

DIS = ("-m", "dis")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP"])
def test_a_signal_that_is_ignored_at_the_start_stays_ignored(
    tmp_path: Path, environment: dict[str, str], name: str
) -> None:
    """As in ``flowcli ... &`` in a script and after ``nohup``: the run goes on, and plain ``kill`` still ends it."""
    number = signal.Signals[name]
    for index, image in enumerate(moving_frames(30, 200, 300)):
        write_image(tmp_path / "in" / f"{index}.png", image)
    command = [PROGRAM, "video", "in", "--flow-dir", "flows", *DIS]
    with started(command, ignoring=[number], cwd=tmp_path, env=environment, stderr=subprocess.PIPE) as process:
        wait_until(process, lambda: list(tmp_path.glob("flows/*.flo")))
        process.send_signal(number)
        _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0
    assert b"interrupted" not in errors
    assert len(list(tmp_path.glob("flows/*.flo"))) == 29
    with started([*command, "--force"], ignoring=[number], cwd=tmp_path, env=environment) as process:
        time.sleep(0.2)
        process.terminate()
        assert process.wait(DEADLINE) in {143, -signal.SIGTERM}  # the latter before it has come to its senses


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_the_shell_starts_background_jobs_that_ignore_ctrl_c(tmp_path: Path, environment: dict[str, str]) -> None:
    code = "import signal; from flowcli import shutdown; shutdown.watch_signals(); print(signal.getsignal(2).name)"
    shell = f'"{sys.executable}" -c "{code}" & wait $!'
    done = finished(["sh", "-c", shell], cwd=tmp_path, env=environment, capture_output=True)
    assert (done.returncode, done.stdout) == (0, b"SIG_IGN\n"), done.stderr


def test_hooks_run_when_the_process_is_ended_in_the_middle_of_something() -> None:
    code = (
        "from flowcli import shutdown; shutdown.on_abrupt_end(lambda: print('hook', flush=True)); "
        "shutdown.leave_at_once(2)"
    )
    done = finished([sys.executable, "-c", code], capture_output=True)
    assert (done.returncode, done.stdout.strip()) == (130, b"hook")
    assert done.stderr.decode().splitlines() == [f"flowcli: error: {shutdown.INTERRUPTED_MESSAGE}"]


def test_exit_codes_of_signals() -> None:
    assert shutdown.exit_code(signal.SIGINT) == 130
    assert shutdown.exit_code(signal.SIGTERM) == 143


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_the_exit_code_is_that_of_the_signal_whatever_others_raise_in_its_place() -> None:
    code = """
import os, signal, sys
from flowcli import shutdown
shutdown.watch_signals()
try:
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except SystemExit:
        sys.exit(1)  # as Ray does
except SystemExit as error:
    shutdown.leave(shutdown.code_of(error))
"""
    assert finished([sys.executable, "-c", code]).returncode == 143
    assert [shutdown.code_of(SystemExit(given)) for given in (None, 0, 3, "text")] == [0, 0, 3, 1]


def test_what_is_behind_an_error() -> None:
    wrapped = RuntimeError("while a class was made")
    wrapped.__cause__ = KeyboardInterrupt()
    assert shutdown.is_interruption(wrapped)
    assert not shutdown.is_interruption(RuntimeError())


class Slow:
    """A stderr that gives other threads a chance in the middle of a line."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        for character in text:
            self.text += character
            if character == " ":
                time.sleep(0)

    def flush(self) -> None:
        """Nothing waits."""

    def isatty(self) -> bool:
        return False


def test_lines_of_several_threads_stay_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = Slow()
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setattr(sys.modules["flowcli.cli.console"], "_LINE_SECONDS", 0.0)
    console = Console()
    together = threading.Barrier(4)

    def speak(speaker: int) -> None:
        together.wait(DEADLINE)
        with console.progress("working", 100, "pairs") as advance:
            for index in range(100):
                console.note(f"speaker {speaker} says {index}")
                console.once("said by all of them")
                advance(1)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(speak, range(4)))
    lines = stderr.text.splitlines()
    assert lines.count("flowcli: said by all of them") == 1
    expected = {f"flowcli: speaker {speaker} says {index}" for speaker in range(4) for index in range(100)}
    assert expected <= set(lines)
    assert len(lines) == 4 * 200 + 1
    assert all(line.startswith(("flowcli: speaker", "flowcli: said", "flowcli: working: ")) for line in lines)
