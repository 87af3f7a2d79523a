"""What users name: files and URLs."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from flowcli import read_flow, write_flow
from flowcli.errors import InputError, OutputError, UsageError
from flowcli.frames.images import image_size, read_image, write_image
from flowcli.frames.local import LocalFile
from flowcli.frames.opening import open_source
from flowcli.places import file_only, identity, is_name, is_remote, listed, object_at, place, recorded_place, shown
from flowcli.storage import atomic_output, check_outputs, check_writable, noted_made_from, write_bytes, write_files
from support.processes import finished
from support.videos import moving_frames, write_video

upath = pytest.importorskip("upath")
from fsspec.implementations.memory import MemoryFileSystem  # noqa: E402

from flowcli.remote.causes import plain_errors  # noqa: E402


@pytest.fixture(autouse=True)
def _empty_memory() -> Iterator[None]:
    yield
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


def test_a_name_is_a_file_unless_it_is_a_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "folder/", "C:/a.png", "odd:name", "https:/one/slash"):
        assert place(name) == Path(name)
        assert object_at(name) is None
    assert is_remote(place("memory://folder/a.png"))
    assert place(Path("a.png")) == Path("a.png")
    assert place("file:///folder/a.png") == Path("/folder/a.png")
    Path("memory:/folder").mkdir(parents=True)
    Path("memory:/folder/a.png").touch()
    assert place("memory://folder/a.png") == Path("memory:/folder/a.png")
    assert not is_remote(place("memory://folder"))
    with pytest.raises(UsageError, match="unknown protocol"):
        place("nonsense://a/b.png")
    with pytest.raises(UsageError, match="cannot write to memory://b: this output can only be a file"):
        file_only("memory://b")


def test_a_missing_package_is_named() -> None:
    for protocol, module, extra in (("gs", "gcsfs", "gs"), ("s3", "s3fs", "s3"), ("https", "aiohttp", "http")):
        code = (
            f"import sys; sys.modules[{module!r}] = None\nfrom flowcli.places import place\n"
            f"try: place('{protocol}://bucket/x')\nexcept Exception as error: print(type(error).__name__, error)"
        )
        said = finished([sys.executable, "-c", code], capture_output=True, check=True).stdout.decode()
        assert said.startswith("UsageError")
        assert f"pip install 'flowcli[{extra}]'" in said


def test_parts_of_a_url() -> None:
    path = place("memory://folder/sub/a.b.png")
    assert (path.name, path.stem, path.suffix) == ("a.b.png", "a.b", ".png")
    assert str(path) == "memory://folder/sub/a.b.png"
    assert str(path.with_suffix(".flo")) == "memory://folder/sub/a.b.flo"
    assert str(path.parent / Path("x/y.png")) == "memory://folder/sub/x/y.png"
    assert path.relative_to(place("memory://folder")) == Path("sub/a.b.png")
    assert path.parent.relative_to(path.parent) == Path()
    assert path.absolute() == path.resolve() == path
    assert path == place("memory://folder/sub/a.b.png") != place("memory://folder/sub/c.png")
    assert len({path, place("memory://folder/sub/a.b.png")}) == 1
    assert identity(path) != identity(path.parent)
    assert pickle.loads(pickle.dumps(path)) == path
    with pytest.raises(ValueError, match="not below"):
        path.relative_to(place("memory://elsewhere"))
    with pytest.raises(TypeError):
        os.fspath(path)


def test_credentials_are_in_no_text() -> None:
    pytest.importorskip("aiohttp")
    url = "https://user:secret@host/folder/a.png?X-Amz-Signature=secret&x=1"
    path = place(url)
    texts = [str(path), repr(path), path.name, *path.parts, str(path.parent), str(path.with_name("b.png")), shown(url)]
    assert not any("secret" in text or "user" in text for text in texts)
    assert path.suffix == ".png"
    assert "secret" in identity(path)  # or else two signed URLs would be one
    assert path.relative_to(path.parents[-1]) == Path("folder/a.png")


@pytest.mark.parametrize(
    "text",
    [
        "404, message='Not Found', url='https://user:se@cret@host/a.png?X-Amz-SignedHeaders=host;secret&b=secret'",
        "https://secret@host/a.png?secret, and s3://secret:secret@bucket/key",
        "secret".join(("(https://", "@host/a.png?", ")")),
        "cannot write into s3://user:secret/secret@bucket/o",
    ],
)
def test_texts_without_credentials(text: str) -> None:
    from flowcli.remote import without_credentials

    assert "secret" not in without_credentials(text).replace("se@cret", "secret")
    assert without_credentials("cannot read s3://bucket/a@b?.png") == "cannot read s3://bucket/a@b"
    for url in ("http://host:8080/a@b", "http://[::1]:80/a@b"):
        assert without_credentials(url) == url


def test_a_password_with_a_slash() -> None:
    with pytest.raises(UsageError, match=r"^cannot open s3://bucket/a.png: write the slash in its password as %2F$"):
        place("s3://user:se/cret@bucket/a.png")


def test_frames_and_flow_of_urls() -> None:
    image = moving_frames(1, 20, 30)[0]
    write_image(place("memory://f/a.png"), image)
    assert (read_image("memory://f/a.png") == image).all()
    assert image_size(place("memory://f/a.png")) == (20, 30)
    assert image_size(place("memory://f/none.png")) is None
    flow = np.ones((20, 30, 2), np.float32)
    for name in ("x.flo", "x.npz", "x.png"):
        write_flow(f"memory://f/{name}", flow)
    assert (read_flow("memory://f/x.flo") == 1).all()
    assert (read_flow(upath.UPath("memory://f/x.npz")) == 1).all()
    with pytest.raises(InputError, match=r"cannot read memory://f/none\.flo: there is no such object"):
        read_flow("memory://f/none.flo")
    with pytest.raises(InputError, match="no such object"):
        read_image("memory://f")


def test_a_listing_is_asked_instead_of_the_store() -> None:
    for name in ("a.png", "b.png", "sub/c.png", "sub/deep/d.png"):
        write_bytes(place(f"memory://l/{name}"), b"123")
    folder = listed(place("memory://l"))
    assert sorted(path.name for path in folder.iterdir()) == ["a.png", "b.png", "sub"]
    MemoryFileSystem.store.clear()
    assert (folder / "a.png").stat().st_size == 3
    assert (folder / "sub").is_dir()
    assert sorted(map(str, folder.rglob("*.png")))[-1] == "memory://l/sub/deep/d.png"
    assert [path.name for path in folder.glob("*.png")] == ["a.png", "b.png"]
    assert not (folder / "none.png").exists()
    assert pickle.loads(pickle.dumps(folder / "b.png")).stat().st_size == 3
    write_bytes(folder / "b.png", b"12345")  # what this process changes is asked for again
    assert (folder / "b.png").stat().st_size == 5
    assert not place("memory://l/a.png").exists()


def test_outputs_appear_whole_or_not_at_all() -> None:
    target = place("memory://o/x.bin")
    with pytest.raises(IsADirectoryError), atomic_output(target) as temporary:
        temporary.write_bytes(b"half") and temporary.parent.read_bytes()
    assert not target.exists()
    with atomic_output(target) as temporary:
        assert temporary.is_absolute()
        temporary.write_bytes(b"all")
    assert target.read_bytes() == b"all"
    assert not temporary.exists()
    assert noted_made_from(target) is None  # where nothing can be noted
    write_files({target: b"1", target.with_name("y.bin"): b"2"})
    assert target.read_bytes() == b"1"


def test_outputs_are_checked() -> None:
    target = place("memory://o/x.flo")
    check_outputs([target], force=False, inputs=[])
    assert not list(MemoryFileSystem.store)  # the trial is gone
    write_bytes(target, b"")
    with pytest.raises(UsageError, match="exists"):
        check_outputs([target], force=False, inputs=[])
    with pytest.raises(UsageError, match="also an input"):
        check_outputs([target], force=True, inputs=[place("memory://o/x.flo")])
    with pytest.raises(OutputError, match="it is a folder"):
        check_outputs([place("memory://o")], force=True, inputs=[])
    pytest.importorskip("aiohttp")
    with pytest.raises(UsageError, match="would not appear whole"):
        check_writable(place("https://host/folder"))


def test_copies_of_objects_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    video = tmp_path / "in.mp4"
    write_video(video, moving_frames(3, 32, 48))
    write_bytes(place("memory://v/in.mp4"), video.read_bytes())
    video.unlink()
    source = open_source("memory://v/in.mp4")
    assert len(list(tmp_path.iterdir())) == 1
    assert len(list(source.frames())) == 3
    assert str(source.path) == "memory://v/in.mp4"
    del source
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match=r"cannot read memory://v/none\.mp4: there is no such object"):
        LocalFile(place("memory://v/none.mp4"))
    assert not list(tmp_path.iterdir())


def test_names_and_what_is_open() -> None:
    assert all(map(is_name, ("a", Path("a"), place("memory://a"), upath.UPath("memory://a"))))
    assert not is_name(object())


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("package", ["aiohttp", "botocore"])
def test_a_server_that_is_busy(package: str, status: int) -> None:
    if package == "aiohttp":
        url = pytest.importorskip("yarl").URL("https://host/a.png")
        info = pytest.importorskip("aiohttp").RequestInfo(url, "GET", {}, url)
        error = pytest.importorskip("aiohttp").ClientResponseError(info, (), status=status, message="Busy")
    else:
        answer = {"Error": {"Code": "SlowDown" if status == 503 else "TooManyRequests", "Message": "Busy"}}
        error = pytest.importorskip("botocore.exceptions").ClientError(answer, "GetObject")
    with pytest.raises(OSError, match="try again later or with fewer workers") as raised, plain_errors("s3://b/a.png"):
        raise error
    assert "\n" not in str(raised.value)


def test_what_records_call_urls() -> None:
    pytest.importorskip("aiohttp")
    plain, one, two = (place(f"https://u:secret@host/a.mp4{query}") for query in ("", "?x=1", "?x=2"))
    assert recorded_place(plain) == "https://host/a.mp4"
    assert len({*map(recorded_place, (plain, one, two))}) == 3
    for signed in ("?x=1&X-Amz-Signature=a&X-Amz-Date=b", "?Expires=1&Signature=a&x=1", "?x=1&sig=a&se=b"):
        assert recorded_place(place(f"https://host/a.mp4{signed}")) == recorded_place(one)


def test_two_names_of_one_store() -> None:
    pytest.importorskip("s3fs")
    names = [place(name) for name in ("s3://bucket/a", "s3a://bucket/a", "s3a://bucket/a/")]
    assert len({*map(identity, names)}) == 1
    assert len({*map(recorded_place, names[:2])}) == 1
    assert recorded_place(place("s3://bucket/a?b")) != recorded_place(place("s3://bucket/a?c"))
