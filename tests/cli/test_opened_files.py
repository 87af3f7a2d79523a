"""Which files a command opens, as the system sees it: that of the given name, and no other."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from support.processes import PROGRAM, finished
from support.videos import moving_frames, write_video

TRACE = ("strace", "-f", "-qq", "-e", "trace=open,openat,openat2,connect", "-o", "trace.txt")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two videos, and files whose names or contents would make FFmpeg open one of these or the network."""
    if shutil.which("strace") is None or finished([*TRACE, "true"], cwd=tmp_path, capture_output=True).returncode:
        pytest.skip("no strace here, or it may not trace")
    whole = write_video(tmp_path / "a.mp4", moving_frames(3)).read_bytes()
    (tmp_path / "other.mp4").write_bytes(whole)
    for name in ("concat:a.mp4", "http:x.mp4", "subfile,,start,0,end,0,,:a.mp4", "12:30.mp4", "async:a.mp4"):
        (tmp_path / name).write_bytes(whole)
    lists = {
        "list.txt": "ffconcat version 1.0\nfile other.mp4\n",
        "list.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.mp4\n#EXT-X-ENDLIST\n",
        "remote.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/other.mp4\n#EXT-X-ENDLIST\n",
        "list.mpd": '<?xml version="1.0"?>\n<MPD><Period><BaseURL>other.mp4</BaseURL></Period></MPD>',
        "list.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    }
    for name, text in lists.items():
        (tmp_path / name).write_text(text)
        (tmp_path / f"late-{name}").write_text("\n" * 5000 + text)
    return tmp_path


def opened(folder: Path, environment: dict[str, str], name: str) -> tuple[int, set[str], bool]:
    """The exit code of ``video`` on a file, which files of the folder were opened, and whether anything was dialled."""
    command = [*TRACE, PROGRAM, "video", name, "--out", f"out:{name}.mkv", "-m", "dis", "--max-flow", "5", "-q"]
    done = finished(command, cwd=folder, env=environment, capture_output=True)
    trace = (folder / "trace.txt").read_text(errors="replace")
    names = {path.name for path in folder.iterdir()}
    found = {Path(path).name for path in re.findall(r'open(?:at2?)?\([^"]*"((?:[^"\\]|\\.)*)"', trace)}
    return done.returncode, found & names - {"trace.txt"}, bool(re.search(r"connect\(\d+, \{sa_family=AF_INET", trace))


@pytest.mark.parametrize(
    "name", ["concat:a.mp4", "http:x.mp4", "subfile,,start,0,end,0,,:a.mp4", "12:30.mp4", "async:a.mp4"]
)
def test_a_name_is_only_that_file(folder: Path, environment: dict[str, str], name: str) -> None:
    code, files, has_dialled = opened(folder, environment, name)
    assert code == 0
    assert files - {f"out:{name}.mkv"} == {name}
    assert not has_dialled


@pytest.mark.parametrize("name", ["list.txt", "list.m3u8", "remote.m3u8", "list.mpd", "list.sdp"])
@pytest.mark.parametrize("prefix", ["", "late-"])
def test_no_file_opens_another(folder: Path, environment: dict[str, str], name: str, prefix: str) -> None:
    code, files, has_dialled = opened(folder, environment, prefix + name)
    assert code == 3
    assert files == {prefix + name}
    assert not has_dialled
