"""The installed ``model check``: agreement with the stock module, and flow that is better than none."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from flowcli.frames.images import write_image
from flowcli.models.perceiver.weights import DECODER, FINAL_MAP, PATCH_MAP
from flowcli.run.check import LARGEST_DIFFERENCE
from flowcli.scene import render_scene
from support.processes import finished, one_line

from ..conftest import Run

PROC = Path("/proc/self/clear_refs")  # Linux, which alone can count the peak anew
DISAGREE = "from the stock module"
WORSE = "no better than zero flow"

BROKEN_NETWORK = """
import sys, flowcli.cli
from flowcli.models.perceiver.model import PerceiverFlow
run = PerceiverFlow.estimate_tensors
PerceiverFlow.estimate_tensors = lambda *arguments: run(*arguments) * float("nan")
sys.exit(flowcli.cli.run(sys.argv[1:]))
"""


def with_weights(folder: Path, copy: Path, **changes: Any) -> Path:
    """A copy of a checkpoint with some weights replaced: the function of each is given its old value."""
    shutil.copytree(folder, copy)
    weights = load_file(folder / "model.safetensors")
    weights |= {name: change(weights[name]).contiguous() for name, change in changes.items()}
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    return copy


def said(done: Any) -> str:
    """What stands on stderr, but for lines about progress, which only a busy machine sees."""
    lines = done.stderr.decode().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("flowcli: checking: "))


def report(done: Any, *, code: int) -> dict[str, Any]:
    """The JSON object, after the exit code is compared; of an error there is one line on stderr."""
    assert done.returncode == code, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    shown = f"flowcli: error: {found['error']}\n" if code else ""
    assert said(done).replace("--float64", "float64") == shown
    assert found["ok"] is (code == 0)
    return found


def test_a_checkpoint_that_is_good(flowcli: Run, good_checkpoint: Path) -> None:
    found = report(flowcli("model", "check", "-m", good_checkpoint, "--device", "cpu", "--json"), code=0)
    assert [check["precision"] for check in found["checks"]] == ["fp32", "bf16"]
    exact, rough = found["checks"]
    assert 0 < exact["mean_difference"] < exact["max_difference"] < LARGEST_DIFFERENCE
    assert exact["max_difference"] < rough["mean_difference"] < rough["max_difference"]
    for check in found["checks"]:
        assert check["seconds"] > 0
        assert check["stock_seconds"] == found["stock"]["seconds"] > 0
        assert check["max_difference_float64"] is check["mean_difference_float64"] is None
    assert 0 < found["scene"]["epe"] < found["scene"]["epe_zero"]
    assert found["scene"]["epe_dis"] < found["scene"]["epe_zero"]
    assert (found["model"], found["window"], found["device"]) == (str(good_checkpoint), "24 x 40", "cpu")
    assert found["error"] is found["frame1"] is None
    peaks = [check["peak_bytes"] for check in found["checks"]]
    if PROC.exists():
        assert 5e7 < max(peaks) < found["stock"]["peak_bytes"], "transformers is not loaded before ours have run"
    else:
        assert peaks == [None, None]


def test_the_text_has_a_row_for_each_network(flowcli: Run, good_checkpoint: Path) -> None:
    done = flowcli("model", "check", "-m", good_checkpoint, "--device", "cpu", "--float64")
    assert done.returncode == 0, done.stderr
    assert said(done) == "", "nothing of the libraries' chatter"
    lines = done.stdout.decode().splitlines()
    assert [line[:12] for line in lines[3:6]] == ["fp32        ", "bf16        ", "stock fp32  "]
    assert lines[7].startswith("end-point error on the rendered scene: 2.")
    assert "float64 largest px" in done.stdout.decode()


def test_float64_is_nearer_to_both(flowcli: Run, good_checkpoint: Path) -> None:
    found = report(flowcli("model", "check", "-m", good_checkpoint, "--device", "cpu", "--float64", "--json"), code=0)
    exact, _ = found["checks"]
    assert 0 < exact["mean_difference_float64"] < exact["max_difference_float64"] < LARGEST_DIFFERENCE
    assert 0 < found["stock"]["mean_difference_float64"] < found["stock"]["max_difference_float64"] < 0.01


def test_random_weights_agree_and_are_worse_than_zero_flow(flowcli: Run, checkpoint: Path) -> None:
    found = report(flowcli("model", "check", "-m", checkpoint, "--json"), code=6)
    assert found["checks"][0]["max_difference"] < 1e-3
    assert found["scene"]["epe"] > found["scene"]["epe_zero"]
    assert WORSE in found["error"]
    assert DISAGREE not in found["error"]


def test_weights_whose_order_is_broken_in_the_file(flowcli: Run, good_checkpoint: Path, tmp_path: Path) -> None:
    """Both networks read the same, so only the scene tells."""

    def channels_first(weight: Any) -> Any:
        return weight.view(-1, 2, 9, 3).transpose(2, 3).reshape(weight.shape)

    broken = with_weights(good_checkpoint, tmp_path / "broken", **{f"{PATCH_MAP}.weight": channels_first})
    found = report(flowcli("model", "check", "-m", broken, "--json"), code=6)
    assert found["checks"][0]["max_difference"] < LARGEST_DIFFERENCE
    assert WORSE in found["error"]


def test_a_network_whose_flow_is_no_number(environment: dict[str, str], good_checkpoint: Path) -> None:
    """The installed command, with a mistake in how our network runs."""
    arguments = ["model", "check", "-m", str(good_checkpoint), "--device", "cpu", "--json"]
    command = [sys.executable, "-c", BROKEN_NETWORK, *arguments]
    found = report(finished(command, env=environment, capture_output=True), code=6)
    assert found["checks"][0]["max_difference"] is found["scene"]["epe"] is None
    assert "in fp32, the flow of flowcli's network or of the stock module is not finite" in found["error"]
    assert WORSE in found["error"]


def test_weights_that_overflow(flowcli: Run, good_checkpoint: Path, tmp_path: Path) -> None:
    """Both networks say infinity or NaN, which is no agreement."""
    changes = {f"{DECODER}.mlp.dense2.weight": lambda weight: weight * 1e25, f"{FINAL_MAP}.weight": lambda w: w * 1e20}
    broken = with_weights(good_checkpoint, tmp_path / "broken", **changes)
    found = report(flowcli("model", "check", "-m", broken, "--json"), code=6)
    assert found["checks"][0]["max_difference"] is None
    assert "not finite" in found["error"]


@pytest.mark.usefixtures("frames")
def test_frames(flowcli: Run, good_checkpoint: Path) -> None:
    frames = ("--frames", "a.png", "b.png")
    found = report(flowcli("model", "check", "-m", good_checkpoint, "--device", "cpu", *frames, "--json"), code=0)
    assert (found["frame1"], found["frame2"]) == ("a.png", "b.png")


@pytest.mark.usefixtures("frames")
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--frames", "gone.png", "b.png"], 3, "gone.png: no such file"),
        (["--frames", "a.png", "small.png"], 3, "small.png is 40 x 32"),
        (["--frames", "a.png"], 2, "--frames"),
        (["--device", "cuda:7"], 2, "--device cuda:7"),
        (["--precision", "bf16"], 2, "--precision"),
        (["-m", "dis"], 2, "--model"),
        (["-m", "some/other", "--frames", "gone.png", "b.png"], 3, "gone.png"),
        (["-m", "some/other"], 4, "some/other"),
    ],
)
def test_wrong_usage_and_bad_input(
    flowcli: Run, checkpoint: Path, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    write_image(tmp_path / "small.png", render_scene(32, 40).frame1)
    model = [] if "-m" in arguments else ["-m", str(checkpoint)]
    done = flowcli("model", "check", *model, *arguments)
    assert done.returncode == code
    assert words in one_line(done)
