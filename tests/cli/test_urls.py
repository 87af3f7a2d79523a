"""Frames, flow, manifests and videos from a web server."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowcli.frames.images import write_image
from support.videos import moving_frames, write_video
from tests.conftest import Run

pytest.importorskip("aiohttp")

SECRETS = (b"user", b"pa55word", b"S1GNATURE")


class Web:
    """A web server over a folder; counts its requests."""

    def __init__(self, folder: Path) -> None:
        self.requests: list[str] = []
        self.folder = folder
        web = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_request(self, *_: object) -> None:
                web.requests.append(f"{self.command} {self.path.partition('?')[0]}")

            def log_message(self, *_: object) -> None:
                """Do not log."""

        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))
        )
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.secret_url = f"http://user:pa55word@127.0.0.1:{self.port}"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    folder = tmp_path / "web"
    for index, image in enumerate(moving_frames(3, 40, 60)):
        write_image(folder / "frames" / f"f{index}.png", image)
    web = Web(folder)
    thread = threading.Thread(target=web.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield web
    finally:
        web.server.shutdown()
        web.server.server_close()


def test_frames_with_credentials(flowcli: Run, web: Web, tmp_path: Path) -> None:
    pair = [f"{web.secret_url}/frames/f{index}.png?X-Amz-Signature=S1GNATURE" for index in (0, 1)]
    done = flowcli("estimate", *pair, "-o", "x.flo", "-m", "dis", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["frame1"] == f"{web.url}/frames/f0.png"
    assert web.requests == ["GET /frames/f0.png", "GET /frames/f1.png"]
    flowcli("estimate", "web/frames/f0.png", "web/frames/f1.png", "-o", "y.flo", "-m", "dis")
    assert (tmp_path / "x.flo").read_bytes() == (tmp_path / "y.flo").read_bytes()
    (tmp_path / "pairs.csv").write_text(f"{pair[0]},{pair[1]}\n{pair[0]},{pair[1].replace('f1', 'none')}\n")
    batch = flowcli("batch", "pairs.csv", "--out-dir", "out", "-m", "dis", "--json", "--verbose")
    assert batch.returncode == 6
    missing = flowcli("info", f"{pair[0].replace('f0.png', 'none.flo')}", "--verbose")
    assert missing.returncode == 3
    refused = flowcli("estimate", *pair, "-o", "z.flo", "-m", "dis", "--offline")
    assert refused.returncode == 2
    written = [path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()]
    said = [each for run in (done, batch, missing, refused) for each in (run.stdout, run.stderr)]
    assert not any(secret in text for secret in SECRETS for text in (*said, *written))
    assert (tmp_path / "out" / "frames" / "f0.flo").is_file()


def test_folders_manifests_and_videos(flowcli: Run, web: Web) -> None:
    for expected in (b"2 done, 0 skipped", b"0 done, 2 skipped"):
        done = flowcli("batch", f"{web.url}/frames/", "--out-dir", "out", "-m", "dis")
        assert expected in done.stderr, done.stderr
    (web.folder / "pairs.csv").write_text("frames/f0.png,frames/f1.png\n")
    for expected in (b"1 done, 0 skipped", b"0 done, 1 skipped"):
        done = flowcli("batch", f"{web.url}/pairs.csv", "--out-dir", "rows", "-m", "dis")
        assert expected in done.stderr, done.stderr
    write_video(web.folder / "in.mp4", moving_frames(3, 40, 60))
    web.requests.clear()
    for expected in (b"2 done, 0 skipped", b"0 done, 2 skipped"):
        done = flowcli("video", f"{web.url}/in.mp4", "--flow-dir", "flows", "-m", "dis")
        assert expected in done.stderr, done.stderr
    assert web.requests == ["GET /in.mp4", "HEAD /in.mp4"] * 2


def test_the_same_url_with_other_queries(flowcli: Run, web: Web, tmp_path: Path) -> None:
    write_video(web.folder / "a.mp4", moving_frames(4, 48, 64))

    def run(out: str, *queries: str) -> bytes:
        (tmp_path / "list.txt").write_text("".join(f"{web.url}/a.mp4?{query}\n" for query in queries))
        return flowcli("batch", "list.txt", "--out-dir", out, "-m", "dis").stderr

    assert b"6 done, 0 skipped, 0 failed" in run("both", "x=1", "x=2")
    assert len({path.parent for path in (tmp_path / "both").rglob("000000.flo")}) == 2
    assert b"3 done" in run("one", "x=1&Signature=S1GNATURE")
    assert b"0 done, 3 skipped" in run("one", "x=1&Signature=anew")
    assert b"made with another input" in run("one", "x=2")
    kept = b"".join(path.read_bytes() for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert b"S1GNATURE" not in kept


def test_a_server_that_is_not_there(flowcli: Run) -> None:
    done = flowcli("info", "http://127.0.0.1:9/x.flo")
    assert done.returncode == 3
    assert done.stderr == b"flowcli: error: cannot read http://127.0.0.1:9/x.flo: the connection to the server failed\n"
    written = flowcli("estimate", "a.png", "b.png", "-o", "http://127.0.0.1:9/x.flo", "-m", "dis")
    assert written.returncode == 2
