"""Batches in this process."""

from __future__ import annotations

import json
import os
import threading
import time
import tracemalloc
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flowcli import colorize, load_estimator, read_flow, read_image, write_flow
from flowcli.arrays import Flow
from flowcli.draw.style import Style
from flowcli.errors import InputError, UsageError
from flowcli.estimator import FlowEstimator
from flowcli.frames.images import write_image
from flowcli.frames.opening import open_source
from flowcli.frames.source import FrameSource
from flowcli.results import BatchSummary, PairResult
from flowcli.run import video_item
from flowcli.run.batch import Shard, estimate_batch
from flowcli.run.batch_outputs import BatchOutputs
from flowcli.run.failures import Failures
from flowcli.run.folder_tasks import folder_tasks
from flowcli.run.manifest import Manifest
from flowcli.run.pairing import Pairing
from flowcli.run.tasks import Item, Outcome, Task, made_from
from support.folders import files, write_two_scenes
from support.videos import moving_frames, write_video


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    return write_two_scenes(tmp_path / "in")


def run(frames: Path, out: Path, estimator: FlowEstimator | None = None, **options: Any) -> BatchSummary:
    return run_tasks(list(folder_tasks(frames, ".flo", out)), out, estimator, **options)


def run_tasks(
    tasks: Iterable[Item],
    out: Path,
    estimator: FlowEstimator | None = None,
    shard: Shard = Shard(),
    **options: Any,
) -> BatchSummary:
    outputs = BatchOutputs(out, **options)
    return estimate_batch(estimator or load_estimator("dis"), tasks, outputs, shard=shard)


def counts(summary: BatchSummary) -> tuple[int, int, int]:
    return summary.done, summary.skipped, summary.failed


def listed(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "failures.jsonl").read_text().splitlines()]


def expected(frames: Path, name: str, index: int) -> Flow:
    first, second = (read_image(frames / name / f"{n}.png") for n in (index, index + 1))
    return load_estimator("dis").estimate(first, second)


class TestBatch:
    def test_every_pair_gets_its_flow(self, frames: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        assert counts(run(frames, out)) == (6, 0, 0)
        assert sorted(files(out)) == ["flowcli.json", *(f"{s}/{n}.flo" for s in ("s1", "s2") for n in (10, 8, 9))]
        for name in ("s1", "s2"):
            for index in (8, 9, 10):
                np.testing.assert_array_equal(read_flow(out / name / f"{index}.flo"), expected(frames, name, index))

    def test_windows_of_pairs_of_different_sizes_share_batches(
        self, frames: Path, tmp_path: Path, checkpoint: Path
    ) -> None:
        sizes: list[int] = []
        estimator = load_estimator(str(checkpoint), batch_size=7, overlap=6)
        model = estimator.model

        class Watched:
            def __getattr__(self, name: str) -> object:
                return getattr(model, name)

            def __call__(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
                sizes.append(len(first))
                return model(first, second)

        estimator.model = Watched()  # type: ignore[assignment]
        summary = run(frames, tmp_path / "out", estimator)
        assert summary.windows == sum(sizes)
        assert set(sizes[:-1]) == {7}
        alone = load_estimator(str(checkpoint), batch_size=1, overlap=6)
        for path in (tmp_path / "out").rglob("*.flo"):
            name, index = path.parent.name, int(path.stem)
            pair = [read_image(frames / name / f"{n}.png") for n in (index, index + 1)]
            np.testing.assert_allclose(read_flow(path), alone.estimate(pair[0], pair[1]), rtol=0, atol=1e-4)

    def test_only_what_is_whole_is_skipped(self, frames: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        run(frames, out)
        whole = files(out)
        (out / "s1/8.flo").write_bytes(whole["s1/8.flo"][:-1])
        (out / "s1/9.flo").write_bytes(b"")
        write_flow(out / "s1/10.flo", np.zeros((40, 61, 2), np.float32))
        (out / "s2/8.flo").unlink()
        os.utime(out / "s2/9.flo", ns=(0, 0))  # older than its frames
        assert counts(run(frames, out)) == (5, 1, 0)
        assert files(out) == whole
        assert counts(run(frames, out, force=True)) == (6, 0, 0)

    @pytest.mark.parametrize("suffix", [".flo", ".npy", ".pfm", ".png"])
    def test_every_format_is_resumed(self, frames: Path, tmp_path: Path, suffix: str) -> None:
        items = list(folder_tasks(frames, suffix, tmp_path / "out"))
        assert counts(run_tasks(items, tmp_path / "out")) == (6, 0, 0)
        outputs = sorted((tmp_path / "out").rglob(f"*{suffix}"))
        assert len(outputs) == 6
        outputs[0].write_bytes(outputs[0].read_bytes()[:-1])
        assert counts(run_tasks(items, tmp_path / "out")) == (1, 5, 0)

    def test_colours_in_one_scale(self, frames: Path, tmp_path: Path) -> None:
        items = list(folder_tasks(frames, ".png", tmp_path / "out"))
        run_tasks(items, tmp_path / "out", style=Style(max_flow=7.0))
        picture = read_image(tmp_path / "out/s1/8.png")
        np.testing.assert_array_equal(picture, colorize(expected(frames, "s1", 8), 7.0))

    def test_turned_frames_are_not_estimated_again(self, tmp_path: Path) -> None:
        from PIL import Image

        exif = Image.Exif()
        exif[0x112] = 6
        for index, image in enumerate(moving_frames(2, 30, 50)):
            Image.fromarray(image).save(tmp_path / f"{index}.png", exif=exif)
        assert read_image(tmp_path / "0.png").shape == (50, 30, 3)
        assert counts(run(tmp_path, tmp_path / "out")) == (1, 0, 0)
        assert counts(run(tmp_path, tmp_path / "out")) == (0, 1, 0)

    def test_bad_items_do_not_stop_the_others(self, frames: Path, tmp_path: Path) -> None:
        (frames / "s1/9.png").write_bytes(b"broken")
        write_image(frames / "s2/11.png", moving_frames(1, 30, 71)[0])
        (tmp_path / "out/s2/8.flo").mkdir(parents=True)
        assert counts(run(frames, tmp_path / "out")) == (2, 0, 4)
        entries = {str(entry["out"]): entry for entry in listed(tmp_path / "out")}
        assert sorted(entries) == ["s1/8.flo", "s1/9.flo", "s2/10.flo", "s2/8.flo"]
        assert "9.png" in str(entries["s1/8.flo"]["error"])
        assert "same size" in str(entries["s2/10.flo"]["error"])
        assert "is a directory" in str(entries["s2/8.flo"]["error"])
        assert [entries[name]["exit_code"] for name in sorted(entries)] == [3, 3, 3, 5]

    def test_the_list_of_failures_is_a_manifest_and_empties_itself(self, frames: Path, tmp_path: Path) -> None:
        out, good = tmp_path / "out", (frames / "s1/9.png").read_bytes()
        (frames / "s1/9.png").write_bytes(b"broken")
        assert counts(run(frames, out)) == (4, 0, 2)
        (frames / "s1/9.png").write_bytes(good)
        with (out / "failures.jsonl").open() as lines:
            items = list(Manifest(lines, "failures", out, ".flo").tasks())
        assert counts(run_tasks(items, out)) == (2, 0, 0)
        assert not (out / "failures.jsonl").exists()
        np.testing.assert_array_equal(read_flow(out / "s1/9.flo"), expected(frames, "s1", 9))

    def test_shards_are_everything_once(self, frames: Path, tmp_path: Path) -> None:
        run(frames, tmp_path / "whole")
        items = list(folder_tasks(frames, ".flo", tmp_path / "out"))
        for index in (3, 1, 4, 2):
            shard = Shard(index, 4)
            summary = run_tasks(items, tmp_path / "out", shard=shard)
            assert counts(summary) == (shard.size(6), 0, 0)
        assert files(tmp_path / "out") == files(tmp_path / "whole")

    def test_failures_of_other_shards_stay_listed(self, frames: Path, tmp_path: Path) -> None:
        for name in ("s1/9.png", "s2/9.png"):
            (frames / name).write_bytes(b"broken")
        items = list(folder_tasks(frames, ".flo", tmp_path / "out"))
        for index in (1, 2, 1):
            run_tasks(items, tmp_path / "out", shard=Shard(index, 2))
        names = [str(entry["out"]) for entry in listed(tmp_path / "out")]
        assert sorted(names) == ["s1/8.flo", "s1/9.flo", "s2/8.flo", "s2/9.flo"]

    def test_two_runs_over_one_folder_at_once_do_no_harm(self, frames: Path, tmp_path: Path) -> None:
        (frames / "s1/9.png").write_bytes(b"broken")
        run(frames, tmp_path / "alone")
        for _ in range(3):
            threads = [threading.Thread(target=run, args=(frames, tmp_path / "out")) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            ours, alone = files(tmp_path / "out"), files(tmp_path / "alone")
            assert set(ours) == set(alone)
            assert {name: ours[name] for name in ours if name != "failures.jsonl"} == {
                name: alone[name] for name in alone if name != "failures.jsonl"
            }

    def test_a_frame_that_vanishes_fails_its_pairs_only(self, frames: Path, tmp_path: Path) -> None:
        seen: list[PairResult] = []

        def vanish(result: PairResult) -> None:
            if not seen:
                (frames / "s2/10.png").unlink()
            seen.append(result)

        tasks = list(folder_tasks(frames, ".flo", tmp_path / "out"))
        stream = (task for task in tasks if seen or task.out == Path("s1/8.flo"))
        estimate_batch(load_estimator("dis"), stream, BatchOutputs(tmp_path / "out"), on_pair=vanish)
        summary = run_tasks(tasks, tmp_path / "out")
        assert summary.failed == 2
        assert "no such file" in str(listed(tmp_path / "out")[0]["error"])

    def test_outputs_whose_frames_were_tidied_away_are_kept(self, frames: Path, tmp_path: Path) -> None:
        items = list(folder_tasks(frames, ".flo", tmp_path / "out"))
        run(frames, tmp_path / "out")
        (frames / "s2/9.png").unlink()
        assert counts(run_tasks(items, tmp_path / "out")) == (0, 6, 0)

    def test_flows_of_other_settings_are_never_mixed(self, frames: Path, tmp_path: Path, checkpoint: Path) -> None:
        run(frames, tmp_path / "out")
        before = files(tmp_path / "out")
        for estimator, what in (
            (load_estimator("dis", scale=0.5), "scale"),
            (load_estimator(str(checkpoint)), "model"),
        ):
            with pytest.raises(UsageError, match=f"another {what}"):
                run(frames, tmp_path / "out", estimator)
        assert files(tmp_path / "out") == before
        # A forced run that is interrupted marks all that is there as outdated.
        items = list(folder_tasks(frames, ".flo", tmp_path / "out"))
        run_tasks(items[:2], tmp_path / "out", load_estimator("dis", scale=0.5), force=True)
        assert counts(run(frames, tmp_path / "out", load_estimator("dis", scale=0.5))) == (4, 2, 0)

    def test_a_checkpoint_is_known_by_its_content(self, frames: Path, tmp_path: Path, checkpoint: Path) -> None:
        import shutil

        from support.checkpoints import draw_checkpoint

        run(frames, tmp_path / "out", load_estimator(str(checkpoint), overlap=6))
        shutil.copytree(checkpoint, tmp_path / "copy")
        assert run(frames, tmp_path / "out", load_estimator(str(tmp_path / "copy"), overlap=6)).skipped == 6
        draw_checkpoint(tmp_path / "copy", train_size=(24, 40), seed=2)
        with pytest.raises(UsageError, match="another model"):
            run(frames, tmp_path / "out", load_estimator(str(tmp_path / "copy"), overlap=6))

    def test_outputs_that_no_run_has_recorded_are_neither_taken_nor_replaced(
        self, frames: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        flow = np.full((40, 60, 2), 3, np.float32)
        write_flow(out / "s1/8.flo", flow)
        write_flow(out / "s1/9.flo", flow)
        write_flow(out / "s2/8.flo", flow)  # of another size
        (out / "s1/9.flo").write_bytes((out / "s1/9.flo").read_bytes()[:-7])
        before = files(out)
        with pytest.raises(UsageError, match=r"does not say how it was made.*adopt.*force"):
            run(frames, out)
        assert files(out) == before
        assert counts(run(frames, out, adopt=True)) == (5, 1, 0)
        assert (out / "s1/8.flo").read_bytes() == before["s1/8.flo"]
        assert counts(run(frames, out)) == (0, 6, 0)
        time.sleep(0.02)
        os.utime(frames / "s1/8.png")  # an adopted output is made again like any other
        assert counts(run(frames, out)) == (1, 5, 0)
        assert counts(run(frames, out, force=True)) == (6, 0, 0)
        np.testing.assert_array_equal(read_flow(out / "s1/8.flo"), expected(frames, "s1", 8))

    def test_what_lay_in_the_folder_of_tasks_that_come_one_by_one(self, frames: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        write_flow(out / "s1/9.flo", np.full((40, 60, 2), 3, np.float32))
        before = (out / "s1/9.flo").read_bytes()
        for expected_counts in ((5, 0, 1), (0, 5, 1)):
            assert counts(run_tasks(folder_tasks(frames, ".flo", out), out)) == expected_counts
            assert listed(out)[0]["exit_code"] == 2
            assert (out / "s1/9.flo").read_bytes() == before

    def test_a_record_of_an_earlier_version_is_none(self, frames: Path, tmp_path: Path) -> None:
        run(frames, tmp_path / "out")
        (tmp_path / "out/flowcli.json").write_text('{"made_by": {"model": "dis"}, "notes": {}}')
        with pytest.raises(UsageError, match=r"of another version.*adopt.*force"):
            run(frames, tmp_path / "out")
        assert counts(run(frames, tmp_path / "out", adopt=True)) == (0, 6, 0)

    @pytest.mark.parametrize(
        "entry",
        [
            {"settings": [1], "noted": {}, "since": 0, "outdated_since": None},
            {"settings": {}, "noted": {}, "since": "x", "outdated_since": None},
            {"settings": {}, "noted": None, "since": 0, "outdated_since": None},
            {"settings": {}},
            5,
        ],
    )
    def test_an_edited_record(self, frames: Path, tmp_path: Path, entry: object) -> None:
        (tmp_path / "out").mkdir()
        record = json.dumps({"schema": 2, "outputs": {"flow": entry}})
        (tmp_path / "out/flowcli.json").write_text(record)
        with pytest.raises(UsageError, match="is damaged or of another version"):
            run(frames, tmp_path / "out")
        assert (tmp_path / "out/flowcli.json").read_text() == record

    @pytest.mark.parametrize("option", ["force", "adopt"])
    def test_what_a_run_was_not_about_stays_foreign(self, frames: Path, tmp_path: Path, option: str) -> None:
        out = tmp_path / "out"
        tasks = list(folder_tasks(frames, ".flo", out))
        write_flow(out / "s1/8.flo", np.full((40, 60, 2), 3, np.float32))
        write_flow(out / "s1/9.flo", np.full((40, 60, 2), 4, np.float32))
        before = (out / "s1/9.flo").read_bytes()
        time.sleep(0.02)
        options: dict[str, Any] = {option: True}
        assert run_tasks(tasks[:1], out, **options).failed == 0
        summary = run_tasks(tasks, out)
        assert counts(summary) == (4, 1, 1)
        assert listed(out)[0]["exit_code"] == 2
        assert (out / "s1/9.flo").read_bytes() == before
        assert counts(run_tasks(tasks, out, adopt=True)) == (0, 6, 0)  # also where there is a record
        assert (out / "s1/9.flo").read_bytes() == before

    def test_a_run_notices_that_another_one_changed_the_record(self, frames: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"

        def interfere(result: PairResult) -> None:
            if result.pair == 0:
                tasks = list(folder_tasks(frames, ".flo", out))
                run_tasks(tasks[:1], out, load_estimator("dis", scale=0.5), force=True)

        with pytest.raises(UsageError, match="another scale"):
            estimate_batch(
                load_estimator("dis"), list(folder_tasks(frames, ".flo", out)), BatchOutputs(out), on_pair=interfere
            )

    def test_a_size_that_the_reference_grid_cannot_cover_fails_alone(
        self, frames: Path, tmp_path: Path, checkpoint: Path
    ) -> None:
        estimator = load_estimator(str(checkpoint), overlap=14, grid="reference")
        assert counts(run(frames, tmp_path / "out", estimator)) == (0, 0, 6)
        assert listed(tmp_path / "out")[0]["exit_code"] == 2


def test_flows_of_other_pairs_are_not_taken_over(frames: Path, tmp_path: Path) -> None:
    (tmp_path / "attributes").touch()
    if not hasattr(os, "setxattr"):
        pytest.skip("no extended attributes on this system")
    try:
        os.setxattr(tmp_path / "attributes", "user.x", b"")
    except OSError:
        pytest.skip("no extended attributes here")
    out = tmp_path / "out"
    pair = [frames / "s1/8.png", frames / "s1/9.png", frames / "s1/11.png"]
    for second, expected_counts in ((1, (1, 0, 0)), (1, (0, 1, 0)), (2, (1, 0, 0))):
        item = Task(0, pair[0], pair[second], Path("a.flo"), "line 1", made_from(pair[0], pair[second]))
        assert counts(run_tasks([item], out)) == expected_counts
    flow = load_estimator("dis").estimate(read_image(pair[0]), read_image(pair[2]))
    np.testing.assert_array_equal(read_flow(out / "a.flo"), flow)
    run(frames, tmp_path / "folder")
    (frames / "s1/9.png").unlink()  # so that 8 and 10 are a pair
    assert counts(run(frames, tmp_path / "folder")) == (1, 4, 0)


def test_odd_items_fail_alone(frames: Path, tmp_path: Path) -> None:
    (frames / "m.csv").write_text(
        f's1/8.png,s1/9.png,{"x" * 300}\n"s1/8.png,s1/9.png\ns1/9.png,s1/10.png,good\n' + "s1/8.png,s1/9.png,a\n" * 2
    )
    with (frames / "m.csv").open() as lines:
        items = list(Manifest(lines, "m", frames, ".flo").tasks())
    assert counts(run_tasks(items, tmp_path / "out")) == (2, 0, 3)
    assert "name too long" in str(listed(tmp_path / "out"))


def test_frames_are_never_overwritten(frames: Path) -> None:
    before = files(frames)
    items = list(folder_tasks(frames, ".png", frames))
    assert counts(run_tasks(items, frames)) == (0, 0, 6)
    (frames / "failures.jsonl").unlink()
    assert files(frames) == before
    assert counts(run(frames, frames)) == (6, 0, 0)  # flows beside the frames


def test_frames_from_the_future_are_not_estimated_again(frames: Path, tmp_path: Path) -> None:
    for path in frames.rglob("*.png"):
        os.utime(path, (4e9, 4e9))
    assert counts(run(frames, tmp_path / "out")) == (6, 0, 0)
    assert counts(run(frames, tmp_path / "out")) == (0, 6, 0)


def test_flows_and_their_pictures_share_a_folder(frames: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(frames, out)
    items = list(folder_tasks(frames, ".png", out))
    for expected_counts in ((6, 0, 0), (0, 6, 0)):
        assert counts(run_tasks(items, out, flow_format="png")) == expected_counts
    assert counts(run(frames, out)) == (0, 6, 0)
    before = files(out)
    with pytest.raises(UsageError, match=r"8\.png holds a picture, not numbers"):
        run_tasks(items, out, flow_format="kitti")
    with pytest.raises(UsageError, match=r"another wheel \(middlebury there, hsv now\)"):
        run_tasks(items, out, flow_format="png", style=Style(wheel="hsv"))
    assert files(out) == before


def test_the_pictures_of_a_manifest_are_recorded_as_pictures(frames: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    items = [Task(0, frames / "s1/8.png", frames / "s1/9.png", Path("x.png"), "line 1")]
    assert counts(run_tasks(items, out)) == (1, 0, 0)
    before = files(out)
    with pytest.raises(UsageError, match=r"x\.png exists, but|x\.png holds a picture"):
        run_tasks(items, out, flow_format="kitti")
    with pytest.raises(UsageError, match="another wheel"):
        run_tasks(items, out, style=Style(wheel="hsv"))
    with pytest.raises(UsageError, match="another max_flow"):
        run_tasks(items, out, style=Style(max_flow=5.0))
    assert files(out) == before
    assert counts(run_tasks(items, out)) == (0, 1, 0)


def test_the_scale_of_colours_does_not_matter_to_flows(frames: Path, tmp_path: Path) -> None:
    run(frames, tmp_path / "out")
    assert counts(run(frames, tmp_path / "out", style=Style(max_flow=5.0))) == (0, 6, 0)


def test_failures_that_were_cut_off_are_dropped(tmp_path: Path) -> None:
    nameless = '{"frame1": "a.png", "origin": null, "error": "x"}'
    (tmp_path / "failures.jsonl").write_text(f'{nameless}\n{{"out": "a.flo", "error": "x"}}\n{{"out": "b.fl')
    with Failures(tmp_path) as failures:
        task = Task(0, Path("a.png"), Path("b.png"), Path("c.flo"), "line 1")
        failures.note(Outcome(task, "failed", error=InputError("no")))
        assert json.loads((tmp_path / "failures.jsonl").read_text().splitlines()[-1])["out"] == "c.flo"
    assert [entry.get("out") for entry in listed(tmp_path)] == [None, "a.flo", "c.flo"]


def test_nothing_is_kept_of_items_that_do_not_fail(tmp_path: Path) -> None:
    (tmp_path / "failures.jsonl").write_text('{"out": "5.flo", "origin": "line 5"}\n{"out": "x.flo"}\n')

    def outcome(number: int) -> Outcome:
        return Outcome(Task(number, Path("a.png"), Path("b.png"), Path(f"{number}.flo"), f"line {number}"), "done")

    with Failures(tmp_path) as failures:
        tracemalloc.start()
        for number in range(2000):
            failures.note(outcome(number))
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert kept < 20_000
    assert [entry["out"] for entry in listed(tmp_path)] == ["x.flo"]


def test_pictures_and_pairs_of_jpegs_are_told_apart(frames: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    items = [
        Task(number, frames / "s1/8.png", frames / "s1/9.png", Path(name), f"line {number}")
        for number, name in enumerate(("a_x.jpg", "a_y.jpg", "b.jpeg"))
    ]
    for expected_counts in ((3, 0, 0), (0, 3, 0)):  # pictures that are called like pairs
        assert counts(run_tasks(items, out)) == expected_counts
    assert sorted(path.name for path in out.glob("*.jp*")) == ["a_x.jpg", "a_y.jpg", "b.jpeg"]
    pair = [Task(0, frames / "s1/8.png", frames / "s1/9.png", Path("a.jpg"), "line 1")]
    before = files(out)
    with pytest.raises(UsageError, match=r"a_x\.jpg"):
        run_tasks(pair, out, flow_format="jpg")
    assert files(out) == before
    assert counts(run_tasks(pair, tmp_path / "pairs", flow_format="jpg")) == (1, 0, 0)
    (tmp_path / "pairs/a_x.jpg").unlink()
    assert counts(run_tasks(pair, tmp_path / "pairs", flow_format="jpg")) == (1, 0, 0)
    assert counts(run_tasks(pair, tmp_path / "pairs", flow_format="jpg")) == (0, 1, 0)


def test_a_pair_of_jpegs_never_replaces_a_frame(frames: Path) -> None:
    (frames / "s1/8.png").rename(frames / "s1/a_y.jpg")
    items = [Task(0, frames / "s1/a_y.jpg", frames / "s1/9.png", Path("s1/a.jpg"), "line 1")]
    results: list[PairResult] = []
    outputs = BatchOutputs(frames, flow_format="jpg")
    estimate_batch(load_estimator("dis"), items, outputs, on_pair=results.append)
    assert "a_y.jpg is a frame" in str(results[0].error)


@pytest.mark.parametrize(
    "options",
    [{}, {"video_format": "mp4"}, {"video_format": "mp4", "flow_format": "npz"}, {"pairing": Pairing(gaps=(1, -2))}],
    ids=["flow", "video", "both", "gaps"],
)
def test_finished_videos_are_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    (tmp_path / "in").mkdir()
    videos = [write_video(tmp_path / "in" / name, moving_frames(5)) for name in ("a.mp4", "b.mp4")]
    opened: list[Path] = []

    def opening(path: Path, *arguments: Any) -> FrameSource:
        opened.append(path)
        return open_source(path, *arguments)

    monkeypatch.setattr(video_item, "open_source", opening)
    first = estimate_batch(load_estimator("dis"), tmp_path / "in", BatchOutputs(tmp_path / "out", **options))
    assert sorted(opened) == videos
    for changed in ([], videos[:1]):
        for video in changed:
            os.utime(video)
        opened.clear()
        again = estimate_batch(load_estimator("dis"), tmp_path / "in", BatchOutputs(tmp_path / "out", **options))
        assert opened == changed
        done = first.done * len(changed) // 2
        assert counts(again) == (done, first.done - done, 0)
