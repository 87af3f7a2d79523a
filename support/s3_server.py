"""A real S3 server for tests: moto's, on this machine, behind a proxy that counts its requests and makes faults."""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import os
import re
import secrets
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from xml.etree import ElementTree

from .processes import DEADLINE, started

KEY, SECRET = "AKIAFLOWCLITEST00000", "a-secret-that-nobody-may-see"
"""The credentials of the test; the server takes any."""

_NEEDED = ("moto", "flask", "flask_cors", "s3fs")
_RUNNING = re.compile(r"Running on http://127\.0\.0\.1:(\d+)")
_NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
_SIGNED = {"Authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/20260101/us-east-1/s3/aws4_request"}  # not checked
_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "date", "server"}


def missing() -> str | None:
    """The package that is missing for this server, if one is."""
    return next((name for name in _NEEDED if importlib.util.find_spec(name) is None), None)


def wait_for_another_second() -> None:
    """Let the server's clock, which ticks in seconds, tick."""
    time.sleep(1.01 - time.time() % 1)


class S3Server:
    """An S3 server; used as a context manager.

    Attributes:
        requests: the requests since they were last cleared, such as ``GET /bucket/key``; a listing is ``LIST /bucket``.
        denied: what is answered with AccessDenied: a pattern for such requests.
        throttled: how many requests are answered with SlowDown before the others go through.
        cut: a pattern for the request with which the server goes: this and all later ones get no answer.
    """

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.denied: str | None = None
        self.throttled = 0
        self.cut: str | None = None
        self.is_gone = False
        self.port = 0
        server = self

        class Handler(_Handler):
            state = server

        self._proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._proxy.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._proxy.server_address[1]}"
        self._stack = contextlib.ExitStack()

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which the ecosystem's libraries use this server."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "FSSPEC_S3": '{"config_kwargs": {"retries": {"max_attempts": 0}}}',  # s3fs itself tries five times
        }

    def __enter__(self) -> S3Server:
        log = self._stack.enter_context(tempfile.TemporaryDirectory()) + "/log"
        with Path(log).open("wb") as file:
            command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
            process = self._stack.enter_context(started(command, stdout=file, stderr=subprocess.STDOUT))
        deadline = time.monotonic() + DEADLINE
        while (running := _RUNNING.search(Path(log).read_text())) is None:
            assert process.poll() is None, Path(log).read_text()
            assert time.monotonic() < deadline, "the S3 server does not start"
            time.sleep(0.05)
        self.port = int(running[1])
        threading.Thread(target=self._proxy.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._proxy.shutdown()
        self._proxy.server_close()
        self._stack.close()

    def make_bucket(self) -> Bucket:
        """A new, empty bucket; the server's faults and counts begin anew."""
        name = f"test-{secrets.token_hex(6)}"
        self._ask("PUT", f"/{name}")
        self.heal()
        return Bucket(self, name)

    def heal(self) -> None:
        """No faults from now on, and no requests so far."""
        self.denied, self.throttled, self.cut, self.is_gone = None, 0, None, False
        self.requests.clear()

    def _ask(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes, dict[str, str]]:
        """A request to the server itself, not through the proxy."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        with contextlib.closing(connection):
            connection.request(method, target, body, dict(_SIGNED if headers is None else headers))
            answer = connection.getresponse()
            return answer.status, answer.read(), dict(answer.getheaders())


class Bucket:
    """A bucket, as its owner sees it."""

    def __init__(self, server: S3Server, name: str) -> None:
        self.server = server
        self.name = name
        self.url = f"s3://{name}"

    def put(self, key: str, data: bytes) -> None:
        """Write an object."""
        status, answer, _ = self.server._ask("PUT", self._target(key), data)
        assert status == 200, answer

    def upload(self, folder: Path, prefix: str = "") -> None:
        """Write every file of a folder."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.put(prefix + path.relative_to(folder).as_posix(), path.read_bytes())

    def get(self, key: str) -> bytes:
        """Read an object."""
        status, data, _ = self.server._ask("GET", self._target(key))
        assert status == 200, data
        return data

    def delete(self, key: str) -> None:
        """Remove an object."""
        self.server._ask("DELETE", self._target(key))

    def keys(self, prefix: str = "") -> list[str]:
        """The names of all objects."""
        return [key for key, _ in self._listed(prefix)]

    def changed(self, key: str) -> str:
        """When an object was changed, as the server says it."""
        return next(time for name, time in self._listed(key) if name == key)

    def files(self, prefix: str = "") -> dict[str, bytes]:
        """All objects by name, without ``prefix``."""
        return {key.removeprefix(prefix): self.get(key) for key in self.keys(prefix)}

    def uploads(self) -> int:
        """How many uploads in parts have begun and not ended."""
        _, data, _ = self.server._ask("GET", f"/{self.name}?uploads")
        return data.count(b"<Upload>")

    def _listed(self, prefix: str) -> Iterator[tuple[str, str]]:
        query: dict[str, str] = {"list-type": "2", "prefix": prefix}
        while True:
            _, data, _ = self.server._ask("GET", f"/{self.name}?{urllib.parse.urlencode(query)}")
            page = ElementTree.fromstring(data)
            for entry in page.iter(f"{_NAMESPACE}Contents"):
                yield entry.findtext(f"{_NAMESPACE}Key", ""), entry.findtext(f"{_NAMESPACE}LastModified", "")
            token = page.findtext(f"{_NAMESPACE}NextContinuationToken")
            if not token:
                return
            query["continuation-token"] = token

    def _target(self, key: str) -> str:
        return f"/{self.name}/{urllib.parse.quote(key)}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: S3Server

    def _forward(self) -> None:
        server = self.state
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        name = f"{'LIST' if 'list-type' in query else self.command} {urllib.parse.unquote(path)}"
        server.requests.append(name)
        server.is_gone = server.is_gone or (server.cut is not None and re.search(server.cut, name) is not None)
        if server.is_gone:
            self.close_connection = True
            self.connection.close()
        elif server.throttled:
            server.throttled -= 1
            self._refuse(503, "SlowDown", "Please reduce your request rate.")
        elif server.denied is not None and re.search(server.denied, name):
            self._refuse(403, "AccessDenied", "Access Denied")
        else:
            status, data, headers = server._ask(self.command, self.path, body or None, dict(self.headers.items()))
            length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(data))
            self._answer(status, data, {**headers, "Content-Length": length})

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _forward  # noqa: N815

    def _refuse(self, status: int, code: str, message: str) -> None:
        text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
        self._answer(status, text, {"Content-Type": "application/xml", "Content-Length": str(len(text))})

    def _answer(self, status: int, data: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in _HOP_BY_HOP or name == "Content-Length":
                self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Do not log requests."""
