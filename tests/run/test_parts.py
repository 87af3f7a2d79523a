"""Long videos in parts, and what is left of their pictures when a run does not come to its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flowcli import load_estimator
from flowcli.results import BatchSummary
from flowcli.run.batch import estimate_batch
from flowcli.run.batch_job import BatchJob
from flowcli.run.batch_outputs import BatchOutputs
from flowcli.run.cut_videos import CutVideos
from flowcli.run.engine import LocalEngine, OnItem, Order
from flowcli.run.parts import LeftPictures, picture_file
from flowcli.run.runner import Totals
from flowcli.run.tasks import Outcome, Part, VideoOutcome, VideoTask
from flowcli.run.video_item import VideoItem
from support.videos import moving_frames, write_video


class KilledError(Exception):
    """Stands for the end of the process."""


@dataclass(frozen=True)
class Cutting(LocalEngine):
    """Does long videos in parts, as a cluster does, but in this process, and is killed after some items."""

    lives: int = 1000

    def run(self, order: Order, on_item: OnItem) -> tuple[Totals, str | None]:
        totals, cuts, left = Totals(), CutVideos(are_shown=True), list(order.items)
        job = BatchJob(self.estimator, order.folder, order.reading, may_cut=True)

        def take(outcome: Outcome | VideoOutcome) -> None:
            assert isinstance(item, VideoTask)
            assert isinstance(outcome, VideoOutcome)
            more, whole = cuts.take(item, outcome)
            left.extend(more)
            if whole is not None:
                totals.add_item(whole)
                on_item(whole)

        for _ in range(self.lives):
            if not left:
                return totals, None
            item = left.pop(0)
            job.run([item], take)
        raise KilledError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    frames = moving_frames(30, 32, 48)
    write_video(tmp_path / "in/long.mp4", (frames + frames[::-1]) * 5)
    return tmp_path


def run(folder: Path, engine: Any, out: str = "out") -> BatchSummary:
    return estimate_batch(engine, folder / "in", BatchOutputs(folder / out, video_format="mp4"))


def parts(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "out").glob(".flowcli-*.part"))


def test_what_a_killed_run_has_left_goes_when_the_video_is_finished(folder: Path) -> None:
    estimator = load_estimator("dis")
    with pytest.raises(KilledError):
        run(folder, Cutting(estimator, lives=3))
    assert len(parts(folder)) == 2
    of_another = folder / "out" / ".flowcli-000000000000-0.part"
    of_another.touch()
    assert run(folder, estimator).done == 299  # in one piece
    assert parts(folder) == [of_another.name]
    task = VideoTask(0, folder / "in/long.mp4", Path("long"))
    picture_file(folder / "out", task, Part(0, 128, None), {"scale": 2}).touch()
    assert run(folder, estimator).skipped == 299
    assert parts(folder) == [of_another.name]
    run(folder, Cutting(estimator), "other")
    assert (folder / "out/long.mp4").read_bytes() == (folder / "other/long.mp4").read_bytes()


def test_killed_between_joining_and_removing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(_: VideoItem) -> None:
        raise KilledError

    estimator = load_estimator("dis")
    with monkeypatch.context() as patched:
        patched.setattr(VideoItem, "_remove_pictures", die)
        with pytest.raises(KilledError):
            run(folder, Cutting(estimator))
    joined = (folder / "out/long.mp4").read_bytes()
    assert len(parts(folder)) == 3
    assert run(folder, Cutting(estimator)).pairs == 299
    assert parts(folder) == []
    assert (folder / "out/long.mp4").read_bytes() == joined


def test_a_folder_is_listed_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listings: list[str] = []
    listing = Path.glob

    def counted(path: Path, pattern: str) -> Iterator[Path]:
        listings.append(pattern)
        return listing(path, pattern)

    monkeypatch.setattr(Path, "glob", counted)
    left = LeftPictures(folder)
    for number in range(3):
        left.remove(Path(str(number)))
    assert len(listings) == 1
