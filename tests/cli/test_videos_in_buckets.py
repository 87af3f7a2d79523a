"""``batch`` with videos in a bucket of a real S3 server, alone and on a Ray cluster."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flowcli.frames.images import write_image
from support.folders import files
from support.processes import PROGRAM, finished, started, wait_until
from support.ray_cluster import MISSING, ray_cluster
from support.s3_server import Bucket, wait_for_another_second
from support.videos import moving_frames, write_video
from tests.conftest import Run

DIS = ("-m", "dis")
BOTH = ("--video-out", "mp4", "--flow-format", "npz")


@pytest.fixture
def clips(tmp_path: Path, bucket: Bucket) -> Path:
    """Two short clips, in a folder and in the bucket's ``in/``."""
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    frames = moving_frames(6, 48, 64)
    write_video(folder / "a.mp4", frames)
    write_video(folder / "sub" / "b.mp4", frames[:4])
    bucket.upload(folder, "in/")
    bucket.server.heal()
    return folder


def without_own(found: dict[str, bytes]) -> dict[str, bytes]:
    """All outputs, without what flowcli keeps for itself."""
    return {name: data for name, data in found.items() if "flowcli" not in name}


def statuses(done: Any) -> dict[str, str]:
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {Path(line["video"]).name: line["status"] for line in lines if line["type"] == "video"}


@pytest.mark.usefixtures("clips")
def test_the_same_as_with_files(flowcli: Run, bucket: Bucket, tmp_path: Path) -> None:
    assert flowcli("batch", "in", "--out-dir", "out", *BOTH, *DIS).returncode == 0
    arguments = ("batch", f"{bucket.url}/in", "--out-dir", f"{bucket.url}/out", *BOTH, *DIS, "--json")
    done = flowcli(*arguments)
    assert done.returncode == 0, done.stderr
    assert statuses(done) == dict.fromkeys(("a.mp4", "b.mp4"), "done")
    ours = bucket.files("out/")
    assert without_own(ours) == without_own(files(tmp_path / "out"))
    again = flowcli(*arguments)
    assert statuses(again) == dict.fromkeys(("a.mp4", "b.mp4"), "skipped"), again.stderr
    bucket.delete("out/a/000002.npz")
    assert statuses(flowcli(*arguments))["a.mp4"] == "done"
    assert without_own(bucket.files("out/")) == without_own(ours)
    other = flowcli(*arguments, "--overlap", "30")
    assert other.returncode == 2
    assert b"made with another overlap" in other.stderr


@pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
@pytest.mark.slow
def test_a_long_video_and_frames_on_a_cluster(flowcli: Run, bucket: Bucket, clips: Path, tmp_path: Path) -> None:
    frames = moving_frames(26, 48, 64)
    write_video(clips / "long.mp4", (frames + frames[::-1]) * 5)  # which is cut into parts
    for index, frame in enumerate(frames[:12]):
        write_image(tmp_path / "in" / "frames" / f"{index:02d}.png", frame)
    bucket.upload(tmp_path / "in", "in/")
    for place in ("in", f"{bucket.url}/in"):
        is_remote = place != "in"
        out = f"{bucket.url}/out" if is_remote else "out"
        cluster = ("--ray", "local", "--workers", "2") if is_remote else ()
        done = flowcli("batch", place, "--out-dir", out, "--video-out", "mp4", *DIS, *cluster, "--json")
        assert done.returncode == 0, done.stderr
        assert statuses(done) == dict.fromkeys(("a.mp4", "b.mp4", "long.mp4"), "done")
        assert f'"pairs": {5 + 3 + 259 + 11}'.encode() in done.stdout.splitlines()[-1]
    ours = bucket.files("out/")
    assert without_own(ours) == without_own(files(tmp_path / "out"))
    assert not [name for name in ours if name.endswith(".part")]


@pytest.mark.usefixtures("clips")
def test_manifests_of_videos(flowcli: Run, bucket: Bucket, tmp_path: Path) -> None:
    rows = ["video,out,end", f"{bucket.url}/in/a.mp4,first,3", "in/sub/b.mp4,,", "in/none.mp4,,"]
    bucket.put("videos.csv", "\n".join(rows).encode())
    done = flowcli("batch", f"{bucket.url}/videos.csv", "--out-dir", "out", *DIS, "--json")
    assert done.returncode == 6
    assert statuses(done) == {"a.mp4": "done", "b.mp4": "done", "none.mp4": "failed"}
    names = {name for name in files(tmp_path / "out") if name.endswith(".flo")}
    assert names == {"first/000000.flo", "first/000001.flo", *(f"b/{n:06d}.flo" for n in range(3))}


@pytest.mark.usefixtures("clips")
def test_videos_of_the_same_key(flowcli: Run, bucket: Bucket, tmp_path: Path) -> None:
    """In one list they get different names; as the only one, the other is not taken for done."""
    other = bucket.server.make_bucket()
    write_video(tmp_path / "other.mp4", moving_frames(9, 48, 64))
    other.put("in/a.mp4", (tmp_path / "other.mp4").read_bytes())
    urls = [f"{each.url}/in/a.mp4" for each in (bucket, other)]
    (tmp_path / "both.txt").write_text("".join(f"{url}\n" for url in urls))
    done = flowcli("batch", "both.txt", "--out-dir", "both", *DIS)
    assert done.returncode == 0, done.stderr
    found = {str(path.parent.relative_to(tmp_path / "both")) for path in (tmp_path / "both").rglob("000000.flo")}
    assert found == {url.removeprefix("s3://") for url in urls}
    for url, count in zip(urls, (5, 8), strict=True):
        (tmp_path / "one.txt").write_text(f"{url}\n")
        done = flowcli("batch", "one.txt", "--out-dir", "one", "--video-out", "mp4", *DIS)
        assert f"{count} done, 0 skipped".encode() in done.stderr


@pytest.mark.parametrize("options", [(), BOTH], ids=["flow", "both"])
def test_a_finished_clip_takes_two_requests(
    flowcli: Run, bucket: Bucket, tmp_path: Path, options: tuple[str, ...]
) -> None:
    clip = write_video(tmp_path / "clip.mp4", moving_frames(3, 48, 64)).read_bytes()
    requests: dict[int, list[str]] = {}
    for count in (2, 4):
        for number in range(count):
            bucket.put(f"{count}/in/{number}.mp4", clip)
        wait_for_another_second()
        arguments = ("batch", f"{bucket.url}/{count}/in", "--out-dir", f"{bucket.url}/{count}/out", *options, *DIS)
        assert flowcli(*arguments).returncode == 0
        bucket.server.heal()
        assert f"0 done, {2 * count} skipped".encode() in flowcli(*arguments).stderr
        requests[count] = list(bucket.server.requests)
    assert len(requests[4]) <= len(requests[2]) + 2 * 2
    assert not any("/in/" in name for name in requests[4])
    bucket.put("4/in/3.mp4", clip)  # newer than its flow
    assert statuses(flowcli(*arguments, "--json"))["3.mp4"] == "done"


@pytest.mark.usefixtures("clips")
def test_s3a_is_s3(flowcli: Run, bucket: Bucket) -> None:
    wait_for_another_second()
    other = f"s3a://{bucket.name}"
    assert flowcli("batch", f"{bucket.url}/in/sub", "--out-dir", f"{bucket.url}/out", *DIS).returncode == 0
    assert b"0 done, 3 skipped" in flowcli("batch", f"{other}/in/sub", "--out-dir", f"{other}/out", *DIS).stderr
    refused = flowcli("batch", f"{bucket.url}/in", "--out-dir", f"{other}/in", "--video-out", "mp4", *DIS)
    assert refused.returncode == 2
    assert b"has the videos themselves" in refused.stderr


@pytest.mark.usefixtures("clips")
def test_killed_between_videos(environment: dict[str, str], bucket: Bucket, tmp_path: Path) -> None:
    for number in range(60):
        bucket.put(f"many/{number:02d}.mp4", (tmp_path / "in/a.mp4").read_bytes())
    command = [PROGRAM, "batch", f"{bucket.url}/many", "--out-dir", f"{bucket.url}/out", "--video-out", "mp4", *DIS]
    with started(command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL) as process:
        wait_until(process, lambda: any("flowcli-videos" in key for key in bucket.keys("out/")))
        process.kill()
        process.wait()
    done = finished([*command, "--json"], cwd=tmp_path, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert "skipped" in statuses(done).values()
    assert len([key for key in bucket.keys("out/") if key.endswith(".mp4")]) == 60


@pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
@pytest.mark.skipif(sys.platform != "linux", reason="a machine has several loopback addresses only on Linux")
@pytest.mark.slow
@pytest.mark.usefixtures("clips")
def test_a_node_without_credentials(bucket: Bucket, tmp_path: Path) -> None:
    known = bucket.server.environment
    with ray_cluster(0) as cluster:
        node = cluster.add_node(changes={**known, "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""})
        for source, out, code, what in (
            ("in", f"{bucket.url}/out", 5, f"cannot write into {bucket.url}/out"),
            (f"{bucket.url}/in", "out", 3, f"cannot read {bucket.url}/in/a.mp4"),
        ):
            done = finished(
                [PROGRAM, "batch", source, "--out-dir", out, *DIS, "--ray", cluster.address],
                cwd=tmp_path,
                env={**cluster.environment, **known},
                capture_output=True,
            )
            assert done.returncode == code, done.stderr
            cause = "no credentials were found; check the credentials in the environment"
            assert done.stderr.decode() == f"flowcli: error: {what}: {cause} (on node {node.address})\n"
