from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flowcli.errors import OutputError, UsageError
from flowcli.storage import atomic_output, check_outputs, check_writable, write_bytes
from support.processes import DEADLINE, started


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
    with pytest.raises(UsageError, match="--force"):
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


def test_what_killed_processes_left_is_removed_but_not_what_others_write(tmp_path: Path) -> None:
    (tmp_path / ".flowcli-0123456789ab.tmp").write_bytes(b"left behind")
    code = (
        "import sys, pathlib, flowcli.storage as f\n"
        "with f.atomic_output(pathlib.Path(sys.argv[1])) as path:\n"
        "    path.write_bytes(b'theirs'); print('ready', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "theirs")]
    with started(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        other.stdout.readline()
        write_bytes(tmp_path / "ours", b"ours")
        assert len([path for path in tmp_path.iterdir() if path.name.endswith(".tmp")]) == 1
        other.stdin.close()
        assert other.wait(DEADLINE) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ours", "theirs"]
    assert (tmp_path / "theirs").read_bytes() == b"theirs"


def test_many_writers_of_one_file(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: write_bytes(tmp_path / "out", bytes([n]) * 1000), range(200)))
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]
    assert len(set((tmp_path / "out").read_bytes())) == 1
