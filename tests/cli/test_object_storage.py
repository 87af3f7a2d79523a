"""Commands that read from and write to a bucket of a real S3 server."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from flowcli import chain, read_flow, read_image
from flowcli.flows.formats.flo import encode
from flowcli.flows.warp import warp
from flowcli.frames.images import write_image
from support.folders import files
from support.processes import PROGRAM, started, wait_until
from support.s3_server import KEY, SECRET, Bucket, wait_for_another_second
from support.videos import moving_frames, write_video
from tests.conftest import Run

Done = subprocess.CompletedProcess[bytes]


@pytest.fixture
def frames(tmp_path: Path, bucket: Bucket) -> Path:
    """Five frames, in a folder and in the bucket's ``frames/``."""
    folder = tmp_path / "frames"
    for index, image in enumerate(moving_frames(5, 40, 60)):
        write_image(folder / f"f{index}.png", image)
    bucket.upload(folder, "frames/")
    bucket.server.heal()
    return folder


def run_batch(flowcli: Run, bucket: Bucket, *arguments: object, source: str = "frames", out: str = "out") -> Done:
    return flowcli("batch", f"{bucket.url}/{source}", "--out-dir", f"{bucket.url}/{out}", "-m", "dis", *arguments)


def counts(done: Done) -> str:
    """The pairs that were done, skipped and failed."""
    found = re.search(r"(\d+ done, \d+ skipped, \d+ failed)", done.stderr.decode())
    assert found is not None, done.stderr
    return found[1]


def outputs(bucket: Bucket, prefix: str = "out/") -> dict[str, bytes]:
    """All objects that are not flowcli's own."""
    return {name: data for name, data in bucket.files(prefix).items() if not name.startswith(".flowcli")}


def test_estimate_reads_and_writes_objects(flowcli: Run, bucket: Bucket, frames: Path, tmp_path: Path) -> None:
    pair = [f"{bucket.url}/frames/f{index}.png" for index in (0, 1)]
    flowcli("estimate", *pair, "-o", f"{bucket.url}/x/flow.flo", "-o", f"{bucket.url}/x/flow.png", "-m", "dis")
    assert bucket.server.requests.count(f"GET /{bucket.name}/frames/f0.png") == 1
    assert not any(name.startswith(("HEAD", "LIST")) and "/frames/" in name for name in bucket.server.requests)
    flowcli("estimate", frames / "f0.png", frames / "f1.png", "-o", "flow.flo", "-o", "flow.png", "-m", "dis")
    for name in ("flow.flo", "flow.png"):
        assert bucket.get(f"x/{name}") == (tmp_path / name).read_bytes()
    assert bucket.keys("x/") == ["x/flow.flo", "x/flow.png"]
    again = flowcli("estimate", *pair, "-o", f"{bucket.url}/x/flow.flo", "-m", "dis")
    assert again.returncode == 2
    assert b"exists; add --force" in again.stderr
    own = flowcli("estimate", *pair, "-o", pair[1], "-m", "dis", "--force")
    assert own.returncode == 2
    assert b"is also an input" in own.stderr


def test_reading_commands_read_objects(flowcli: Run, bucket: Bucket, frames: Path, tmp_path: Path) -> None:
    flowcli("batch", frames, "--out-dir", "out", "-m", "dis")
    bucket.upload(tmp_path / "out", "out/")
    flow, local = f"{bucket.url}/out/f0.flo", tmp_path / "out" / "f0.flo"
    bucket.server.heal()
    assert json.loads(flowcli("info", flow, "--json").stdout)["width"] == 60
    assert bucket.server.requests == [f"GET /{bucket.name}/out/f0.flo"]
    assert flowcli("convert", flow, "x.npy").returncode == 0
    assert (np.load(tmp_path / "x.npy") == read_flow(local)).all()
    assert flowcli("chain", f"{bucket.url}/out", "-o", "x.flo").returncode == 0
    whole = chain(read_flow(path) for path in sorted(local.parent.glob("*.flo")))
    assert np.array_equal(read_flow(tmp_path / "x.flo"), whole, equal_nan=True)
    assert flowcli("warp", f"{bucket.url}/frames/f1.png", flow, "-o", "x.png").returncode == 0
    warped, _ = warp(read_image(frames / "f1.png"), read_flow(local))
    assert (read_image(tmp_path / "x.png") == warped).all()
    table = flowcli("warp", f"{bucket.url}/frames", f"{bucket.url}/out", "--errors", "e.csv", "--json")
    assert json.loads(table.stdout.splitlines()[-1])["pairs"] == 4
    figures = flowcli("eval", f"{bucket.url}/out", tmp_path / "out", "--json")
    assert json.loads(figures.stdout.splitlines()[-1])["subsets"]["all"]["epe"] == 0


def test_batch_is_that_of_files(flowcli: Run, bucket: Bucket, frames: Path, tmp_path: Path) -> None:
    done = run_batch(flowcli, bucket)
    assert done.returncode == 0, done.stderr
    flowcli("batch", frames, "--out-dir", "out", "-m", "dis")
    own = {name: data for name, data in files(tmp_path / "out").items() if name != "flowcli.json"}
    assert outputs(bucket) == own
    assert all(name.startswith("out/.flowcli-record-") for name in set(bucket.keys("out/")) - {f"out/{n}" for n in own})


def test_resume_asks_once_for_each_output(flowcli: Run, bucket: Bucket, frames: Path) -> None:
    run_batch(flowcli, bucket)
    wait_for_another_second()
    bucket.server.heal()
    assert counts(run_batch(flowcli, bucket)) == "0 done, 4 skipped, 0 failed"
    requests = bucket.server.requests
    assert not any("/frames/" in name for name in requests)
    assert len(requests) < 4 + 20
    assert sum(name.endswith(".flo") for name in requests) == 4
    kept = {key: bucket.changed(key) for key in ("out/f0.flo", "out/f2.flo")}
    bucket.delete("out/f1.flo")
    bucket.put("frames/f4.png", (frames / "f3.png").read_bytes())  # newer than its flow
    wait_for_another_second()
    assert counts(run_batch(flowcli, bucket)) == "2 done, 2 skipped, 0 failed"
    assert {key: bucket.changed(key) for key in kept} == kept
    bucket.delete("frames/f1.png")  # f0.flo was made from another pair
    assert counts(run_batch(flowcli, bucket)) == "1 done, 2 skipped, 0 failed"


def test_listings_do_not_grow_into_requests(flowcli: Run, bucket: Bucket, tmp_path: Path) -> None:
    small = tmp_path / "small.png"
    write_image(small, moving_frames(1, 16, 16)[0])
    data = small.read_bytes()
    for index in range(1100):
        bucket.put(f"many/{index:04d}.png", data)
    bucket.server.heal()
    done = flowcli("batch", f"{bucket.url}/many", "--out-dir", "out", "-m", "dis", "--shard", "1/100")
    assert counts(done) == "11 done, 0 skipped, 0 failed"
    requests = bucket.server.requests
    assert requests.count(f"LIST /{bucket.name}") == 2  # a thousand objects each
    assert len(requests) == 2 + 22  # and two frames for each pair
    bucket.server.heal()
    again = flowcli("batch", f"{bucket.url}/many", "--out-dir", "out", "-m", "dis", "--shard", "1/100")
    assert counts(again) == "0 done, 11 skipped, 0 failed"
    assert len(bucket.server.requests) == 2 + 11  # and the header of a frame, which a file's size is compared with


@pytest.mark.usefixtures("frames")
def test_settings_that_differ(flowcli: Run, bucket: Bucket) -> None:
    run_batch(flowcli, bucket)
    before = outputs(bucket)
    other = run_batch(flowcli, bucket, "--scale", "0.5")
    assert other.returncode == 2
    assert b"made with another scale (1.0 there, 0.5 now)" in other.stderr
    assert outputs(bucket) == before
    assert counts(run_batch(flowcli, bucket, "--scale", "0.5", "--force")) == "4 done, 0 skipped, 0 failed"
    assert outputs(bucket) != before
    assert len([name for name in bucket.keys("out/") if "record" in name]) == 1
    assert counts(run_batch(flowcli, bucket, "--scale", "0.5")) == "0 done, 4 skipped, 0 failed"


@pytest.mark.usefixtures("frames")
def test_objects_without_a_record(flowcli: Run, bucket: Bucket) -> None:
    whole = encode(np.zeros((40, 60, 2), np.float32))
    others = {"f1": b"PIEH", "f2": encode(np.zeros((20, 60, 2), np.float32))}
    for name in ("f0", "f1", "f2", "f3"):
        bucket.put(f"out/{name}.flo", others.get(name, whole))
    refused = run_batch(flowcli, bucket)
    assert refused.returncode == 2
    assert b"--adopt" in refused.stderr
    assert b"--force" in refused.stderr
    assert counts(run_batch(flowcli, bucket, "--adopt")) == "2 done, 2 skipped, 0 failed"
    assert counts(run_batch(flowcli, bucket)) == "0 done, 4 skipped, 0 failed"


def test_manifests(flowcli: Run, bucket: Bucket, frames: Path, tmp_path: Path) -> None:
    rows = [
        "frames/f0.png,frames/f1.png,",
        f"{bucket.url}/frames/f1.png,frames/f2.png,named/x.png",
        f"{bucket.url}/frames/f2.png,{frames}/f3.png,",
        "frames/f3.png,frames/none.png,",
        f"frames/f3.png,frames/f4.png,{bucket.url}/elsewhere.flo",
    ]
    bucket.put("pairs.csv", "\n".join(["frame1,frame2,out", *rows]).encode("utf-16"))
    done = run_batch(flowcli, bucket, source="pairs.csv")
    assert done.returncode == 6
    assert counts(done) == "3 done, 0 skipped, 2 failed"
    assert sorted(outputs(bucket)) == ["frames/f0.flo", "frames/f2.flo", "named/x.png"]
    (failures,) = [name for name in bucket.keys("out/") if "failures" in name]
    assert f"{bucket.url}/{failures}" in done.stderr.decode()
    lines = [json.loads(line) for line in bucket.get(failures).splitlines()]
    assert [line["origin"] for line in lines] == [f"{bucket.url}/pairs.csv, line {number}" for number in (5, 6)]
    assert "is outside the output folder" in lines[1]["error"]
    bucket.put("frames/none.png", (frames / "f4.png").read_bytes())
    repaired = run_batch(flowcli, bucket, source=failures)
    assert counts(repaired) == "1 done, 0 skipped, 0 failed"
    local = tmp_path / "pairs.csv"
    local.write_text("\n".join(rows[:3]))
    assert counts(flowcli("batch", local, "--out-dir", "here", "-m", "dis")) == "3 done, 0 skipped, 0 failed"
    assert (tmp_path / "here" / "named" / "x.png").read_bytes() == bucket.get("out/named/x.png")


@pytest.mark.usefixtures("frames")
def test_shards_at_once_agree(flowcli: Run, bucket: Bucket, environment: dict[str, str]) -> None:
    command = [PROGRAM, "batch", f"{bucket.url}/frames", "--out-dir", f"{bucket.url}/out", "-m", "dis", "--shard"]
    with started([*command, "1/2"], env=environment) as one, started([*command, "2/2"], env=environment) as two:
        assert [process.wait(60) for process in (one, two)] == [0, 0]
    assert sorted(outputs(bucket)) == [f"f{index}.flo" for index in range(4)]
    assert 1 <= len([name for name in bucket.keys("out/") if "record" in name]) <= 2
    wait_for_another_second()
    assert counts(run_batch(flowcli, bucket)) == "0 done, 4 skipped, 0 failed"


def test_videos_are_fetched_once(flowcli: Run, bucket: Bucket, tmp_path: Path) -> None:
    write_video(tmp_path / "in.mp4", moving_frames(4, 40, 60))
    bucket.put("in.mp4", (tmp_path / "in.mp4").read_bytes())
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    done = flowcli("video", f"{bucket.url}/in.mp4", "--flow-dir", "flows", "-m", "dis", TMPDIR=str(temporary))
    assert counts(done) == "3 done, 0 skipped, 0 failed"
    assert bucket.server.requests.count(f"GET /{bucket.name}/in.mp4") == 1
    assert not list(temporary.iterdir())
    assert counts(flowcli("video", f"{bucket.url}/in.mp4", "--flow-dir", "flows", "-m", "dis")).startswith("0 done")
    flowcli("video", "in.mp4", "--flow-dir", "here", "-m", "dis")
    flows = {name: data for name, data in files(tmp_path / "flows").items() if name.endswith(".flo")}
    assert flows == {name: data for name, data in files(tmp_path / "here").items() if name.endswith(".flo")}
    bucket.put("bad.mp4", b"no video")
    bad = flowcli("video", f"{bucket.url}/bad.mp4", "--flow-dir", "bad", "-m", "dis")
    assert bad.returncode == 3
    assert f"{bucket.url}/bad.mp4" in bad.stderr.decode()


@pytest.mark.usefixtures("frames")
def test_patterns(flowcli: Run, bucket: Bucket) -> None:
    for pattern, pairs in (("*/f[0-2].png", 2), ("frames/f%d.png", 4)):
        done = flowcli("video", f"{bucket.url}/{pattern}", "--flow-dir", f"flows{pairs}", "-m", "dis", "--force")
        assert counts(done).startswith(f"{pairs} done"), pattern


def test_eval_of_a_data_set(flowcli: Run, bucket: Bucket, frames: Path) -> None:
    flowcli("estimate", frames / "f0.png", frames / "f1.png", "-o", "gt.flo", "-m", "dis")
    for name, source in (("frame10.png", "f0.png"), ("frame11.png", "f1.png")):
        bucket.put(f"data/Urban/{name}", (frames / source).read_bytes())
    bucket.put("data/Urban/flow10.flo", (frames.parent / "gt.flo").read_bytes())
    place = f"{bucket.url}/data"
    done = flowcli("eval", "--dataset", "middlebury", place, "--out-dir", f"{bucket.url}/est", "-m", "dis", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["subsets"]["all"]["epe"] == 0
    assert list(outputs(bucket, "est/")) == ["Urban.flo"]
    itself = flowcli("eval", "--dataset", "middlebury", place, "--out-dir", f"{place}/", "-m", "dis")
    assert itself.returncode == 2


@pytest.mark.usefixtures("frames")
def test_what_cannot_be_reached(flowcli: Run, bucket: Bucket) -> None:
    def refused(code: int, cause: str, *arguments: object, **changes: str) -> None:
        done = flowcli(*arguments, **changes)
        text = done.stderr.decode()
        assert done.returncode == code, text
        assert cause in text
        assert text.count("\n") == 1, text
        assert SECRET not in text
        assert KEY not in text

    flow, no_bucket = f"{bucket.url}/none.flo", "s3://no-such-bucket-of-flowcli"
    dis = ("-m", "dis")
    refused(3, "there is no such object", "info", flow)
    refused(3, "the bucket does not exist", "info", f"{no_bucket}/x.flo")
    refused(3, "the bucket does not exist", "batch", f"{no_bucket}/frames", "--out-dir", "out", *dis)
    refused(5, "the bucket does not exist", "batch", f"{bucket.url}/frames", "--out-dir", f"{no_bucket}/out", *dis)
    pair = [f"{bucket.url}/frames/f{index}.png" for index in (0, 1)]
    bucket.server.denied = "GET"
    refused(3, "access was denied", "info", flow)
    bucket.server.denied = "PUT"
    refused(5, "access was denied", "batch", f"{bucket.url}/frames", "--out-dir", f"{bucket.url}/out", *dis)
    bucket.server.denied = "LIST"
    refused(3, "access was denied", "batch", f"{bucket.url}/frames", "--out-dir", "out", *dis)
    bucket.server.heal()
    refused(3, "no credentials were found", "info", flow, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    bucket.server.throttled = 2
    assert flowcli("estimate", *pair, "-o", "ok.flo", *dis).returncode == 0
    bucket.server.throttled = 100_000
    remedy = "the server refuses so many requests; try again later or with fewer workers"
    refused(3, remedy, "info", flow)
    refused(5, remedy, "batch", "frames", "--out-dir", f"{bucket.url}/out", *dis)


@pytest.mark.usefixtures("frames")
def test_a_server_that_goes_in_the_middle(flowcli: Run, bucket: Bucket) -> None:
    bucket.server.cut = r"PUT .*/out/f2\.flo"
    done = run_batch(flowcli, bucket)
    assert done.returncode == 5
    assert b"the connection to the server failed" in done.stderr
    bucket.server.heal()
    there = outputs(bucket)
    assert sorted(there) == ["f0.flo", "f1.flo"]
    assert all(len(data) == 12 + 8 * 40 * 60 for data in there.values())
    assert not bucket.uploads()
    assert counts(run_batch(flowcli, bucket)) == "2 done, 2 skipped, 0 failed"


@pytest.mark.usefixtures("frames")
def test_a_run_that_is_killed(flowcli: Run, bucket: Bucket, environment: dict[str, str], tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment["TMPDIR"] = str(temporary)
    command = [PROGRAM, "batch", f"{bucket.url}/frames", "--out-dir", f"{bucket.url}/out", "-m", "dis"]
    with started(command, env=environment) as process:
        wait_until(process, lambda: any(name.endswith("out/f0.flo") for name in list(bucket.server.requests)))
        process.kill()
    assert all(len(data) == 12 + 8 * 40 * 60 for data in outputs(bucket).values())
    done = run_batch(flowcli, bucket)
    assert done.returncode == 0
    assert len(outputs(bucket)) == 4
    assert not list(temporary.iterdir())


@pytest.mark.usefixtures("frames")
def test_offline_opens_no_url(flowcli: Run, bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text(f"{bucket.url}/frames/f0.png,{bucket.url}/frames/f1.png\n")
    for arguments in (
        ("estimate", f"{bucket.url}/frames/f0.png", "frames/f1.png", "-o", "x.flo"),
        ("estimate", "frames/f0.png", "frames/f1.png", "-o", f"{bucket.url}/x.flo"),
        ("batch", "frames", "--out-dir", f"{bucket.url}/out"),
        ("batch", "pairs.csv", "--out-dir", "out"),
        ("video", f"{bucket.url}/in.mp4", "--flow-dir", "out"),
        ("eval", "--dataset", "sintel", f"{bucket.url}/sintel"),
    ):
        done = flowcli(*arguments, "-m", "dis", "--offline")
        assert done.returncode == 2, done.stderr
        assert b"--offline" in done.stderr
    assert bucket.server.requests == []


@pytest.mark.usefixtures("frames")
def test_other_commands_do_not_write_to_urls(flowcli: Run, bucket: Bucket) -> None:
    target = f"{bucket.url}/x.png"
    for arguments in (
        ("video", "frames", "--flow-dir", f"{bucket.url}/x"),
        ("convert", "none.flo", target),
        ("chain", "none.flo", "-o", target),
        ("eval", "none.flo", "none.flo", "--error-map", target),
    ):
        done = flowcli(*arguments)
        assert done.returncode == 2, done.stderr
        assert b"write a file and copy it" in done.stderr
    assert bucket.server.requests == []


def test_what_exists_as_a_file_is_that_file(flowcli: Run, bucket: Bucket, frames: Path, tmp_path: Path) -> None:
    folder = tmp_path / f"s3:/{bucket.name}"
    folder.mkdir(parents=True)
    for name in ("f0.png", "f1.png"):
        (folder / name).write_bytes((frames / name).read_bytes())
    done = flowcli("estimate", f"{bucket.url}/f0.png", f"{bucket.url}/f1.png", "-o", "x.flo", "-m", "dis", "--offline")
    assert done.returncode == 0, done.stderr
    flowcli("batch", bucket.url, "--out-dir", "out", "-m", "dis")
    assert (tmp_path / "out" / "f0.flo").read_bytes() == (tmp_path / "x.flo").read_bytes()
    assert bucket.server.requests == []


@pytest.mark.usefixtures("frames")
def test_nothing_says_the_credentials(flowcli: Run, bucket: Bucket) -> None:
    bucket.put("pairs.csv", b"frames/f0.png,frames/f1.png\nframes/f1.png,frames/none.png\n")
    done = run_batch(flowcli, bucket, "--json", "--verbose", source="pairs.csv")
    said = [done.stdout, done.stderr, *bucket.files("out/").values()]
    assert not any(secret.encode() in text for secret in (KEY, SECRET) for text in said)
