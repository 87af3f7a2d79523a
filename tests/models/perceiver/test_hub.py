"""Downloads with the installed command, from a local server that speaks the hub's protocol."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flowcli.errors import ModelError
from flowcli.frames.images import write_image
from flowcli.models.perceiver.hub import download, looks_like_path
from flowcli.scene import render_scene
from support.hub_server import COMMIT, HubServer

from ...conftest import Run

MODEL = ("-m", "someone/flow")


@pytest.fixture
def frames(tmp_path: Path) -> list[str]:
    scene = render_scene(32, 50)
    write_image(tmp_path / "a.png", scene.frame1)
    write_image(tmp_path / "b.png", scene.frame2)
    return ["a.png", "b.png"]


def test_estimate_downloads_once_and_then_needs_no_network(flowcli: Run, hub: HubServer, frames: list[str]) -> None:
    done = flowcli("estimate", *frames, "-o", "1.flo", *MODEL, "--overlap", 6, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["revision"] == COMMIT
    lines = done.stderr.decode().splitlines()
    assert [line.split(",")[0] for line in lines] == [
        "flowcli: downloading config.json",
        "flowcli: downloading model.safetensors",
    ], "a word on each download and nothing of the libraries' chatter"
    hub.requests.clear()
    again = flowcli("estimate", *frames, "-o", "2.flo", *MODEL, "--overlap", 6)
    assert again.returncode == 0, again.stderr
    assert hub.requests == [], "what is cached is used without asking"
    hub.close()
    offline = flowcli("estimate", *frames, "-o", "3.flo", *MODEL, "--overlap", 6, "--offline")
    assert offline.returncode == 0, offline.stderr


def test_fetch_path_and_info(flowcli: Run, hub: HubServer, tmp_path: Path) -> None:
    missing = flowcli("model", "path", *MODEL)
    assert missing.returncode == 4
    assert b"model fetch" in missing.stderr
    fetched = flowcli("model", "fetch", *MODEL)
    assert fetched.returncode == 0, fetched.stderr
    folder = Path(fetched.stdout.decode().strip())
    assert folder.is_relative_to(tmp_path / "hf")
    assert folder.name == COMMIT
    hub.close()
    assert Path(flowcli("model", "path", *MODEL).stdout.decode().strip()) == folder
    facts = json.loads(flowcli("model", "info", *MODEL, "--json").stdout)
    assert facts["revision"] == COMMIT
    assert facts["window"] == "24 x 40"
    assert facts["bytes"] == (folder / "model.safetensors").stat().st_size
    text = flowcli("model", "info", *MODEL).stdout.decode()
    assert COMMIT in text


def test_fetching_again_asks_but_does_not_download(flowcli: Run, hub: HubServer) -> None:
    assert flowcli("model", "fetch", *MODEL).returncode == 0
    hub.requests.clear()
    assert flowcli("model", "fetch", *MODEL).returncode == 0
    assert any(request.startswith("HEAD") for request in hub.requests)
    assert not [request for request in hub.requests if request.startswith("GET")]
    assert flowcli("model", "fetch", *MODEL, "--force").returncode == 0
    assert any(request.startswith("GET") for request in hub.requests)


@pytest.mark.usefixtures("hub")
def test_a_cached_branch_with_a_line_end(flowcli: Run, frames: list[str], tmp_path: Path) -> None:
    assert flowcli("model", "fetch", *MODEL).returncode == 0
    (reference,) = (tmp_path / "hf").rglob("refs/main")
    reference.write_text(reference.read_text() + "\n")
    done = flowcli("estimate", *frames, "-o", "x.flo", *MODEL, "--offline")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("revision", [COMMIT, "main"])
def test_a_revision_can_be_named(flowcli: Run, hub: HubServer, revision: str) -> None:
    assert flowcli("model", "fetch", *MODEL, "--revision", revision).returncode == 0
    hub.close()
    assert flowcli("model", "path", *MODEL, "--revision", revision).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-m", "someone/else"), "no model someone/else"),
        (("-m", "no/such/folder"), "'no/such/folder' does not exist"),
        (("-m", "bad id!"), "'bad id!'"),
        ((*MODEL, "--revision", "v9"), "no revision v9"),
    ],
)
def test_what_is_not_there(flowcli: Run, hub: HubServer, arguments: tuple[str, ...], message: str) -> None:
    done = flowcli("model", "fetch", *arguments)
    assert done.returncode == 4
    assert done.stderr.decode().count("\n") == 1
    assert message in done.stderr.decode()
    assert hub.requests or "'" in message


def test_a_repository_without_weights(flowcli: Run, checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "config.json").write_bytes((checkpoint / "config.json").read_bytes())
    with HubServer({"someone/bare": tmp_path / "bare"}) as server:
        done = flowcli("model", "fetch", "-m", "someone/bare", HF_ENDPOINT=server.url)
    assert done.returncode == 4
    assert b"neither model.safetensors nor pytorch_model.bin" in done.stderr


def test_pickled_weights_are_taken_where_there_are_no_others(flowcli: Run, checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "config.json").write_bytes((checkpoint / "config.json").read_bytes())
    (tmp_path / "old" / "pytorch_model.bin").write_bytes(b"weights")
    with HubServer({"someone/old": tmp_path / "old"}) as server:
        done = flowcli("model", "fetch", "-m", "someone/old", HF_ENDPOINT=server.url)
    assert done.returncode == 0, done.stderr
    assert (Path(done.stdout.decode().strip()) / "pytorch_model.bin").read_bytes() == b"weights"


def test_a_connection_that_is_cut_half_way(flowcli: Run, hub: HubServer) -> None:
    hub.cut = ".safetensors"
    cut = flowcli("model", "fetch", *MODEL)
    assert cut.returncode in (0, 4), cut.stderr  # huggingface_hub may resume of its own accord
    assert all(line.startswith(b"flowcli: ") for line in cut.stderr.splitlines())
    hub.cut = None
    assert flowcli("model", "fetch", *MODEL).returncode == 0
    folder = Path(flowcli("model", "path", *MODEL).stdout.decode().strip())
    repository = hub.repositories["someone/flow"]
    assert (folder / "model.safetensors").read_bytes() == (repository / "model.safetensors").read_bytes()


def test_a_server_that_never_answers(flowcli: Run, hub: HubServer, frames: list[str]) -> None:
    hub.silent = True
    done = flowcli("estimate", *frames, "-o", "x.flo", *MODEL, HF_HUB_ETAG_TIMEOUT="1", timeout=50)  # it stays silent
    assert done.returncode == 4
    assert done.stderr.decode().count("\n") == 1
    for way_out in ("model fetch", "--model FOLDER", "--model dis"):
        assert way_out in done.stderr.decode()


def test_an_answer_is_not_waited_for_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def answer(_: str, *, timeout: float) -> None:
        asked.append(timeout)
        raise OSError("no answer")

    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", answer)
    monkeypatch.delenv("HF_HUB_ETAG_TIMEOUT", raising=False)
    with pytest.raises(ModelError, match="no answer"):
        download("someone/flow", None)
    assert asked == [6]  # seconds, as the reference says


def test_a_download_that_stalls_is_given_up(flowcli: Run, hub: HubServer) -> None:
    hub.stall = ".safetensors"
    done = flowcli("model", "fetch", *MODEL, HF_HUB_DOWNLOAD_TIMEOUT="1")
    assert done.returncode == 4
    lines = done.stderr.decode().splitlines()
    assert lines[-1].startswith("flowcli: error: cannot download someone/flow")
    assert all(line.startswith("flowcli: downloading") for line in lines[:-1])


def test_an_update_that_fails_leaves_the_version_that_is_there(flowcli: Run, hub: HubServer) -> None:
    assert flowcli("model", "fetch", *MODEL).returncode == 0
    hub.commit = COMMIT[::-1]
    hub.stall = ".safetensors"
    assert flowcli("model", "fetch", *MODEL, "--force", HF_HUB_DOWNLOAD_TIMEOUT="1").returncode == 4
    assert flowcli("model", "path", *MODEL).stdout.decode().strip().endswith(COMMIT)
    hub.stall = None
    assert flowcli("model", "fetch", *MODEL).stdout.decode().strip().endswith(COMMIT[::-1])
    assert flowcli("model", "path", *MODEL).stdout.decode().strip().endswith(COMMIT[::-1])


@pytest.mark.parametrize("offline", [{"HF_HUB_OFFLINE": "1"}, {}])
def test_offline_never_asks(flowcli: Run, hub: HubServer, frames: list[str], offline: dict[str, str]) -> None:
    extra = [] if offline else ["--offline"]
    done = flowcli("estimate", *frames, "-o", "x.flo", *MODEL, *extra, **offline)
    assert done.returncode == 4
    assert b"network is switched off" in done.stderr
    assert hub.requests == []


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:port", "ftp://127.0.0.1"])
def test_addresses_that_are_none(flowcli: Run, endpoint: str) -> None:
    done = flowcli("model", "fetch", *MODEL, HF_ENDPOINT=endpoint)
    assert done.returncode == 4
    assert done.stderr.startswith(b"flowcli: error: cannot download someone/flow")
    assert done.stderr.count(b"\n") == 1


def test_paths_and_hub_ids() -> None:
    for name in ("./x", "../x", "~/x", "/x", "a/b/c", "a/b/", "x/"):
        assert looks_like_path(name, windows=False)
        assert looks_like_path(name, windows=True)
    for name in ("C:\\models\\flow", "C:flow", "d:/flow", "models\\flow", "\\\\server\\share\\flow", "flow\\"):
        assert looks_like_path(name, windows=True)
    for name in ("owner/name", "name", "owner/name-1.5_b"):
        assert not looks_like_path(name, windows=False)
        assert not looks_like_path(name, windows=True)
