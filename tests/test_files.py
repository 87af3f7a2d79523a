from __future__ import annotations

import contextlib
import gc
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flowcli.errors import OutputError, UsageError
from flowcli.locks import locked
from flowcli.run.record import Record
from flowcli.storage import atomic_output, check_name, check_outputs, check_writable, write_bytes
from flowcli.unfinished import keeping_claims, remove_leftovers
from support.processes import DEADLINE, finished, started


def test_an_output_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / "out.bin"
    with atomic_output(target) as temporary:
        temporary.write_bytes(b"half")
        assert not target.exists()
        temporary.write_bytes(b"whole")
    assert target.read_bytes() == b"whole"
    assert list(target.parent.iterdir()) == [target]


def test_an_error_leaves_the_old_output_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "out.bin"
    target.write_bytes(b"old")

    def fail() -> None:
        with atomic_output(target) as temporary:
            temporary.write_bytes(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_outputs_have_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    write_bytes(tmp_path / "ours", b"")
    (tmp_path / "theirs").write_bytes(b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "theirs").stat().st_mode


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot write"):
        write_bytes(tmp_path / "file" / "out.bin", b"")
    with pytest.raises(OutputError, match="not a folder"):
        check_writable(tmp_path / "file" / "deeper")


def test_what_is_refused_before_anything_is_computed(tmp_path: Path) -> None:
    old, new = tmp_path / "old.flo", tmp_path / "new.flo"
    old.write_bytes(b"")
    check_outputs([new], force=False, inputs=[old])
    check_outputs([old], force=True, inputs=[])
    with pytest.raises(UsageError, match="add force"):
        check_outputs([old], force=False, inputs=[])
    with pytest.raises(UsageError, match="twice"):
        check_outputs([new, tmp_path / "." / "new.flo"], force=False, inputs=[])
    with pytest.raises(UsageError, match="also an input"):
        check_outputs([old], force=True, inputs=[old])
    with pytest.raises(OutputError, match="is a folder"):
        check_outputs([tmp_path], force=True, inputs=[])


def test_a_link_stays_a_link_and_the_mode_stays_too(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "real").chmod(0o600)
    (tmp_path / "link").symlink_to("real")
    write_bytes(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o600


def test_pipes_and_loops_are_refused(tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("no named pipes in folders")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("pipe", "loop"):
        with pytest.raises(OutputError, match=name):
            check_outputs([tmp_path / name], force=True, inputs=[])


WRITER = (
    "import sys, pathlib, flowcli.storage as f\n"
    "with f.atomic_output(pathlib.Path(sys.argv[1])) as path:\n"
    "    path.write_bytes(b'theirs'); print('ready', flush=True); sys.stdin.read()"
)


@contextlib.contextmanager
def writer(target: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is in the middle of writing ``target`` until its stdin is closed."""
    command = [sys.executable, "-c", WRITER, str(target)]
    with started(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_killed_processes_left_is_removed_but_not_what_others_write(tmp_path: Path) -> None:
    with writer(tmp_path / "never") as killed:
        pass
    assert killed.returncode != 0
    (tmp_path / ".flowcli-0123456789ab.tmp").write_bytes(b"left behind")
    (tmp_path / ".flowcli-ba9876543210.tmp.lock").touch()
    (tmp_path / ".flowcli-else").touch()
    left = names(tmp_path)
    assert len(left) == 5
    with writer(tmp_path / "theirs") as other:
        theirs = [name for name in names(tmp_path) if name not in left]
        assert [Path(name).suffix for name in theirs] == [".tmp", ".lock"], "the process has removed what was left"
        write_bytes(tmp_path / "ours", b"ours")
        assert names(tmp_path) == sorted([*theirs, ".flowcli-else", "ours"])
        assert other.stdin is not None
        other.stdin.close()
        assert other.wait(DEADLINE) == 0
    assert names(tmp_path) == [".flowcli-else", "ours", "theirs"]
    assert (tmp_path / "theirs").read_bytes() == b"theirs"


def test_what_is_left_in_a_folder_that_is_not_written_into_again_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".flowcli-ba9876543210.tmp.lock").touch()
    (tmp_path / ".flowcli-ba9876543210-0123456789ab.tmp").touch()
    Record(tmp_path)
    assert names(tmp_path) == []


def test_a_lock_is_held_by_one_at_a_time_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "count").write_text("0")

    def count(_: int) -> None:
        with locked(tmp_path / ".lock"):
            now = int((tmp_path / "count").read_text())
            time.sleep(0.001)
            (tmp_path / "count").write_text(str(now + 1))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(count, range(60)))
    assert (tmp_path / "count").read_text() == "60"
    assert names(tmp_path) == ["count"]


class TestWindows:
    """What is done differently there, as far as another system can tell."""

    @pytest.fixture(autouse=True)
    def windows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("flowcli.storage._WINDOWS", True)

    def test_outputs(self, tmp_path: Path) -> None:
        write_bytes(tmp_path / "out", b"old")
        write_bytes(tmp_path / "out", b"new")
        assert (tmp_path / "out").read_bytes() == b"new"
        assert names(tmp_path) == ["out"]

    def test_a_file_that_somebody_reads_is_waited_for(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        replace = Path.replace
        calls = []

        def refuse(self: Path, target: Path) -> Path:
            calls.append(target)
            if len(calls) < 4:
                raise PermissionError(13, "Access is denied")
            return replace(self, target)

        monkeypatch.setattr(Path, "replace", refuse)
        write_bytes(tmp_path / "out", b"new")
        assert len(calls) == 4
        assert names(tmp_path) == ["out"]
        calls.clear()
        monkeypatch.setattr("flowcli.storage._REPLACE_SECONDS", -1.0)
        with pytest.raises(OutputError, match="access is denied"):
            write_bytes(tmp_path / "out", b"newer")
        assert (tmp_path / "out").read_bytes() == b"new"
        assert names(tmp_path) == ["out"]

    @pytest.mark.parametrize(
        "name",
        [
            "C:/x/y.flo",
            "C:x.flo",
            "C:\\x\\y.flo",
            "\\\\server\\share\\x.flo",
            "../x.flo",
            "./x",
            "com10.png",
            ".flowcli",
            "nul-1",
        ],
    )
    def test_names_that_it_has(self, name: str) -> None:
        check_name(Path(name), windows=True)

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("NUL", "NUL is a device"),
            ("out/aux.txt", "aux.txt is a device"),
            ("out/Con .flo", "device"),
            ("com1/x.flo", "com1 is a device"),
            ("lpt².png", "device"),
            ("out:x.flo", "':'"),
            ("C:/out/x:y.flo", "':'"),
            ("what?.flo", "'?'"),
            ("a\\b*\\c.flo", "'*'"),
            ('"x".flo', "'\"'"),
            ("a\tb", "'\\t'"),
            ("x.flo.", "end with a dot or a space"),
            ("folder /x.flo", "end with a dot or a space"),
        ],
    )
    def test_names_that_it_does_not_have(self, name: str, words: str) -> None:
        with pytest.raises(OutputError, match=re.escape(words)):
            check_name(Path(name), windows=True)
        check_name(Path(name), windows=False)


def test_many_writers_of_one_file(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: write_bytes(tmp_path / "out", bytes([n]) * 1000), range(200)))
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]
    assert len(set((tmp_path / "out").read_bytes())) == 1


def test_a_run_makes_one_lock_file_for_all_outputs_of_a_folder(tmp_path: Path) -> None:
    def seen() -> set[str]:
        return {name for name in names(tmp_path) if name.endswith(".lock")}

    with keeping_claims():
        for number in range(3):
            write_bytes(tmp_path / str(number), b"")
            assert len(seen()) == 1
            with atomic_output(tmp_path / "more") as path, atomic_output(tmp_path / "again") as other:
                assert path.name[:21] == other.name[:21]
                path.touch()
        kept = seen()
        remove_leftovers.cache_clear()
        remove_leftovers(tmp_path)
        assert seen() == kept, "it is held"
        with writer(tmp_path / "theirs"):
            assert len(seen()) == 2
        remove_leftovers.cache_clear()
        remove_leftovers(tmp_path)
        assert seen() == kept
        assert names(tmp_path) == sorted([*kept, "0", "1", "2", "again", "more"])
    assert not seen()


def test_lock_files_of_folders_used_long_ago_are_not_kept(tmp_path: Path) -> None:
    with keeping_claims():
        for number in range(40):
            write_bytes(tmp_path / str(number) / "x", b"")
        assert 0 < len(list(tmp_path.glob("*/.flowcli-*.lock"))) < 20
        assert list(tmp_path.glob("39/.flowcli-*.lock"))
    assert not list(tmp_path.glob("*/.flowcli-*"))


def test_a_folder_that_somebody_removes_meanwhile_is_claimed_again(tmp_path: Path) -> None:
    with keeping_claims():
        with atomic_output(tmp_path / "out" / "a"):
            pass
        if os.name != "nt":
            shutil.rmtree(tmp_path / "out")
        with atomic_output(tmp_path / "out" / "b") as path:
            path.write_bytes(b"b")
            assert [name.endswith(".lock") for name in names(tmp_path / "out")] == [False, True]
            if os.name != "nt":
                shutil.rmtree(tmp_path / "out")
            write_bytes(tmp_path / "out" / "c", b"c")
            path.write_bytes(b"b")
    assert names(tmp_path / "out") == ["b", "c"]


@pytest.mark.skipif(os.name == "nt", reason="an open file cannot be moved there")
def test_a_folder_that_somebody_moves_away_meanwhile_is_claimed_again(tmp_path: Path) -> None:
    with keeping_claims():
        write_bytes(tmp_path / "out" / "a", b"")
        (tmp_path / "out").rename(tmp_path / "moved")
        with atomic_output(tmp_path / "out" / "b"):
            assert [name.endswith(".lock") for name in names(tmp_path / "out")] == [False, True]


def test_what_nobody_closes_is_closed_when_memory_is_collected(tmp_path: Path) -> None:
    threshold = gc.get_threshold()
    try:
        for number in range(300):
            gc.set_threshold(5 + number % 75)
            left: list[object] = [atomic_output(tmp_path / "x")]
            left[0].__enter__()  # type: ignore[attr-defined]
            left.append(left)
            del left
            write_bytes(tmp_path / "y", b"y")
    finally:
        gc.set_threshold(*threshold)
    gc.collect()
    assert "y" in names(tmp_path)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_process_has_claims_of_its_own(tmp_path: Path) -> None:
    with keeping_claims():
        write_bytes(tmp_path / "a", b"")
        kept = names(tmp_path)
        program = (
            "import os, pathlib, sys; from flowcli.storage import write_bytes\n"
            "from flowcli.unfinished import keeping_claims\n"
            "with keeping_claims():\n"
            "    folder = pathlib.Path(sys.argv[1]); write_bytes(folder / 'b', b''); before = set(os.listdir(folder))\n"
            "    child = os.fork()\n"
            "    if not child:\n"
            "        write_bytes(folder / 'c', b''); os._exit(0)\n"
            "    assert os.waitpid(child, 0)[1] == 0\n"
            "    assert set(os.listdir(folder)) == before | {'c'}\n"
        )
        finished([sys.executable, "-c", program, str(tmp_path)], check=True)
        assert names(tmp_path) == sorted([*kept, "b", "c"])


def test_no_file_is_begun_once_the_process_is_being_ended(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys, threading, time; from flowcli import shutdown\n"
        "from flowcli.storage import atomic_output, write_bytes\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "def work():\n"
        "    with atomic_output(folder / 'a') as path:\n"
        "        ready.set(); cleaned.wait()\n"
        "ready, cleaned = threading.Event(), threading.Event()\n"
        "threading.Thread(target=work, daemon=True).start(); ready.wait(); shutdown.clean_up(); cleaned.set()\n"
        "late = threading.Thread(target=write_bytes, args=(folder / 'b', b''), daemon=True); late.start()\n"
        "late.join(0.3); assert late.is_alive(); os._exit(7)\n"
    )
    assert finished([sys.executable, "-c", program, str(tmp_path)]).returncode == 7
    assert names(tmp_path) == []
