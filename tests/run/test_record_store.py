"""Records and failures in a bucket, where nothing can be locked, appended to or renamed."""

from __future__ import annotations

import gc
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flowcli import load_estimator
from flowcli.errors import InputError, UsageError
from flowcli.frames.images import write_image
from flowcli.places import listed, place
from flowcli.run.batch import estimate_batch
from flowcli.run.batch_outputs import BatchOutputs
from flowcli.run.failures import Failures
from flowcli.run.failures_in_bucket import BucketFailures, failures_of
from flowcli.run.record import Record
from flowcli.run.tasks import Outcome, Task
from flowcli.storage import RECORD, write_bytes
from support.videos import moving_frames, write_video

pytest.importorskip("upath")
from fsspec.implementations.memory import MemoryFileSystem


@pytest.fixture
def folder() -> Iterator[Path]:
    yield listed(place("memory://bucket/out"))
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


def names() -> list[str]:
    return [name.rpartition("/")[2] for name in MemoryFileSystem.store]


def begun(folder: Path, settings: dict[str, object], **options: bool) -> Record:
    record = Record(folder, **options)
    record.expect("flow", settings)
    record.begin("flow", {"model": "dis"})
    return record


def test_runs_that_agree_need_one_record(folder: Path) -> None:
    begun(folder, {"scale": 1})
    begun(folder, {"scale": 1})
    (name,) = names()
    assert name.startswith(".flowcli-record-")


def test_runs_that_disagree(folder: Path) -> None:
    begun(folder, {"scale": 1})
    with pytest.raises(UsageError, match=r"another scale \(1 there, 2 now\)"):
        begun(folder, {"scale": 2})
    begun(listed(place("memory://bucket/out")), {"scale": 2}, force=True)
    assert len(names()) == 1
    with pytest.raises(UsageError, match=r"another scale \(2 there, 1 now\)"):
        begun(folder, {"scale": 1})


def test_two_runs_that_start_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither has seen the other's record when it writes its own."""
    first, second = Record(folder), Record(folder)
    first.expect("flow", {"scale": 1})
    second.expect("flow", {"scale": 2})
    reading = Record._read
    monkeypatch.setattr(Record, "_read", lambda _: {})
    first.begin("flow")
    second.begin("flow")
    monkeypatch.setattr(Record, "_read", reading)
    assert len(names()) == 2
    with pytest.raises(UsageError, match="another scale"):
        second._check_alone("flow")
    assert len(names()) == 1  # the second has withdrawn its own
    first._check_alone("flow")
    third = begun(folder, {"scale": 1})
    assert third.noted("flow") == {"model": "dis"}


def test_shards_that_start_at_once_are_one_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that came second has found outputs in the folder, which the first has recorded."""
    first, second = Record(folder), Record(folder)
    for record in (first, second):
        record.expect("flow", {"scale": 1})
    first.begin("flow")
    write_bytes(folder / "a.npy", b"")
    reading = Record._read
    monkeypatch.setattr(Record, "_read", lambda _: {})
    second.begin("flow")
    monkeypatch.setattr(Record, "_read", reading)
    assert len([name for name in names() if "record" in name]) == 2
    assert Record(listed(place("memory://bucket/out")))._entries["flow"].since == 0


def test_a_record_of_files_that_was_copied(folder: Path) -> None:
    entry = {"settings": {"scale": 1}, "noted": {}, "since": 0, "outdated_since": None}
    write_bytes(folder / RECORD, json.dumps({"schema": 2, "outputs": {"flow": entry}}).encode())
    fresh = listed(place("memory://bucket/out"))
    with pytest.raises(UsageError, match="another scale"):
        begun(fresh, {"scale": 2})
    begun(fresh, {"scale": 2}, force=True)
    (name,) = names()
    assert name.startswith(".flowcli-record-")


@pytest.mark.parametrize("as_upath", [False, True])
def test_a_batch_by_its_api(folder: Path, as_upath: bool) -> None:
    from upath import UPath

    for index, image in enumerate(moving_frames(3, 24, 40)):
        write_image(place(f"memory://bucket/in/{index}.png"), image)
    source: Any = UPath("memory://bucket/in") if as_upath else "memory://bucket/in"
    estimator = load_estimator("dis")
    for done, skipped in ((2, 0), (0, 2)):
        summary = estimate_batch(estimator, source, BatchOutputs(place("memory://bucket/out")))
        assert (summary.input, summary.done, summary.skipped) == ("memory://bucket/in", done, skipped)
    assert sorted(path.name for path in folder.glob("*.flo")) == ["0.flo", "1.flo"]


@pytest.mark.usefixtures("folder")
def test_copies_of_videos_go_when_they_are_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = write_video(tmp_path / "a.mp4", moving_frames(3)).read_bytes()
    for number in range(8):
        place(f"memory://bucket/in/{number}.mp4").write_bytes(clip)
    copies = tmp_path / "temporary"
    copies.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    seen: list[int] = []
    gc.disable()  # which would remove them some time
    try:
        outputs = BatchOutputs(tmp_path / "out", video_format="mp4")
        summary = estimate_batch(
            load_estimator("dis"),
            "memory://bucket/in",
            outputs,
            on_video=lambda _: seen.append(len(list(copies.iterdir()))),
        )
        assert len(list(copies.iterdir())) == 0
    finally:
        gc.enable()
    assert (summary.videos, summary.failed) == (8, 0)
    assert max(seen) <= 3, "of the next one as well, and perhaps of the one before"


def test_each_run_lists_its_own_failures(folder: Path) -> None:
    def outcome(origin: str, *, fails: bool) -> Outcome:
        task = Task(0, Path("a.png"), Path("b.png"), Path(f"{origin}.flo"), origin)
        return Outcome(task, "failed", error=InputError("no")) if fails else Outcome(task, "done")

    assert isinstance(failures_of(folder), BucketFailures)
    assert not isinstance(failures_of(Path("out")), BucketFailures)
    assert issubclass(BucketFailures, Failures)
    with failures_of(folder) as first:
        for origin in ("one", "two", "three"):
            first.note(outcome(origin, fails=True))
    assert len(first.path.read_text().splitlines()) == 3
    with failures_of(folder) as second:
        second.note(outcome("one", fails=False))
        second.note(outcome("two", fails=True))
    assert [json.loads(line)["origin"] for line in first.path.read_text().splitlines()] == ["three"]
    assert [json.loads(line)["origin"] for line in second.path.read_text().splitlines()] == ["two"]
    with failures_of(folder) as third:
        third.note(outcome("two", fails=False))
        third.note(outcome("three", fails=False))
    assert names() == []
