"""A small server that speaks the part of the hub's protocol that downloading needs, with faults on demand."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class HubServer:
    """Serves folders as repositories on a free port of this machine.

    Attributes:
        commit: the commit of the main branch of every repository.
        requests: the requests so far, such as ``GET /someone/flow/resolve/main/config.json``.
        cut: end the connection halfway through the body of files with this suffix.
        stall: stop sending halfway through the body of files with this suffix.
        silent: never answer.
    """

    def __init__(self, repositories: dict[str, Path]) -> None:
        self.repositories = repositories
        self.commit = COMMIT
        self.requests: list[str] = []
        self.cut: str | None = None
        self.stall: str | None = None
        self.silent = False
        self.stopping = threading.Event()
        hub = self

        class Handler(_Handler):
            server_state = hub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> HubServer:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stop the server; connections are refused from now on."""
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_state: HubServer

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        hub = self.server_state
        if "/resolve/" in self.path:  # the library also asks for things of its own
            hub.requests.append(f"{self.command} {self.path}")
        if hub.silent:
            hub.stopping.wait(60)
            return None
        match = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", self.path)
        folder = hub.repositories.get(match[1]) if match else None
        if match is None or folder is None:
            return self._refuse("RepoNotFound", HTTPStatus.UNAUTHORIZED)
        if match[2] not in ("main", hub.commit):
            return self._refuse("RevisionNotFound", HTTPStatus.NOT_FOUND)
        file = folder / match[3]
        if not file.is_file():
            return self._refuse("EntryNotFound", HTTPStatus.NOT_FOUND)
        return self._send(file, with_body=with_body)

    def _refuse(self, code: str, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Repo-Commit", self.server_state.commit)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, file: Path, *, with_body: bool) -> None:
        data = file.read_bytes()
        start = 0
        if wanted := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")):
            start = int(wanted[1])
        self.send_response(HTTPStatus.PARTIAL_CONTENT if start else HTTPStatus.OK)
        self.send_header("X-Repo-Commit", self.server_state.commit)
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("Content-Length", str(len(data) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if not with_body:
            return
        if self.server_state.cut and file.name.endswith(self.server_state.cut):
            self.wfile.write(data[start : start + (len(data) - start) // 2])
            self.wfile.flush()
            time.sleep(0.05)
            self.close_connection = True
            self.connection.close()
            return
        if self.server_state.stall and file.name.endswith(self.server_state.stall):
            self.wfile.write(data[start : start + 1])
            self.wfile.flush()
            self.server_state.stopping.wait(60)
            return
        self.wfile.write(data[start:])

    def log_message(self, *_: object) -> None:
        """Do not log requests."""
