"""Parity with the stock module and the published tiling (see reference.py), up to the written file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from flowcli import load_estimator, read_flow
from flowcli.errors import ModelError, UsageError
from flowcli.frames.images import write_image
from flowcli.models.perceiver.checkpoint import find_checkpoint
from flowcli.scene import render_scene
from support.checkpoints import draw_checkpoint
from support.reference import even_starts, load_stock, published_starts, tiled_flow

from ...conftest import Run

OVERLAP = 6


@pytest.mark.parametrize("size", [(24, 40), (33, 40), (24, 66), (41, 74), (55, 101), (60, 70)])
def test_flow_is_that_of_the_stock_module_tiled_evenly(checkpoint: Path, size: tuple[int, int]) -> None:
    scene = render_scene(70, 110, seed=3)
    frame1, frame2 = (frame[: size[0], : size[1]] for frame in (scene.frame1, scene.frame2))
    rows, columns = even_starts(size[0], 24, OVERLAP), even_starts(size[1], 40, OVERLAP)
    expected = tiled_flow(load_stock(checkpoint), frame1, frame2, rows, columns)
    flow = load_estimator(str(checkpoint), overlap=OVERLAP).estimate(frame1, frame2)
    assert expected.std() > 1, "a flow that hardly varies tells nothing"
    np.testing.assert_allclose(flow, expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (10, 60), (30, 9)])
def test_small_frames_are_extended_by_their_edges(checkpoint: Path, size: tuple[int, int]) -> None:
    scene = render_scene(70, 110, seed=4)
    frame1, frame2 = (frame[: size[0], : size[1]] for frame in (scene.frame1, scene.frame2))
    rows, columns = even_starts(size[0], 24, OVERLAP), even_starts(size[1], 40, OVERLAP)
    expected = tiled_flow(load_stock(checkpoint), frame1, frame2, rows, columns)
    flow = load_estimator(str(checkpoint), overlap=OVERLAP).estimate(frame1, frame2)
    assert flow.shape == (*size, 2)
    np.testing.assert_allclose(flow, expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize("size", [(24, 40), (42, 108), (60, 74)])
def test_reference_grid_is_the_published_procedure(checkpoint: Path, size: tuple[int, int]) -> None:
    scene = render_scene(70, 110, seed=5)
    frame1, frame2 = (frame[: size[0], : size[1]] for frame in (scene.frame1, scene.frame2))
    rows, columns = published_starts(size[0], 24, OVERLAP), published_starts(size[1], 40, OVERLAP)
    expected = tiled_flow(load_stock(checkpoint), frame1, frame2, rows, columns)
    flow = load_estimator(str(checkpoint), overlap=OVERLAP, grid="reference").estimate(frame1, frame2)
    np.testing.assert_allclose(flow, expected, rtol=0, atol=1e-3)


def test_the_file_on_disk_holds_the_stock_flow(checkpoint: Path, flowcli: Run, tmp_path: Path) -> None:
    scene = render_scene(57, 100, seed=6)
    for name, frame in (("a.png", scene.frame1), ("b.png", scene.frame2)):
        write_image(tmp_path / name, frame)
    done = flowcli("estimate", "a.png", "b.png", "-o", "out/flow.flo", "-m", checkpoint, "--overlap", OVERLAP, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == b"", "nothing of the libraries' chatter"
    rows, columns = even_starts(57, 24, OVERLAP), even_starts(100, 40, OVERLAP)
    assert (len(rows), len(columns)) == (3, 3)
    expected = tiled_flow(load_stock(checkpoint), scene.frame1, scene.frame2, rows, columns)
    np.testing.assert_allclose(read_flow(tmp_path / "out/flow.flo"), expected, rtol=0, atol=1e-3)
    report = json.loads(done.stdout)
    assert report["windows"] == 9
    assert report["flow"]["u_max"] == pytest.approx(expected[..., 0].max(), abs=1e-3)


def test_pickled_checkpoints_give_the_same_flow(checkpoint: Path, tmp_path: Path) -> None:
    pickled = tmp_path / "pickled"
    stock = load_stock(checkpoint).float()
    shutil.copytree(checkpoint, pickled)
    (pickled / "model.safetensors").unlink()
    torch.save(stock.state_dict(), pickled / "pytorch_model.bin")
    scene = render_scene(40, 60)
    flows = [
        load_estimator(str(folder)).estimate(scene.frame1[:24, :40], scene.frame2[:24, :40])
        for folder in (checkpoint, pickled)
    ]
    np.testing.assert_array_equal(flows[0], flows[1])


def test_a_pickle_with_code_in_it_is_not_run(checkpoint: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "sprung",)

    shutil.copy(checkpoint / "config.json", tmp_path)
    torch.save({"weights": Trap()}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match="more than tensors"):
        load_estimator(str(tmp_path))
    assert not (tmp_path / "sprung").exists()


def test_sizes_come_from_the_configuration(tmp_path: Path) -> None:
    folder = draw_checkpoint(tmp_path, train_size=(18, 22), seed=2, num_latents=7, d_latents=48)
    estimator = load_estimator(str(folder), overlap=4)
    assert estimator.model.window == (18, 22)
    scene = render_scene(32, 50)
    expected = tiled_flow(
        load_stock(folder), scene.frame1, scene.frame2, even_starts(32, 18, 4), even_starts(50, 22, 4)
    )
    np.testing.assert_allclose(estimator.estimate(scene.frame1, scene.frame2), expected, rtol=0, atol=1e-3)


def test_bfloat16_stays_near_float32(checkpoint: Path) -> None:
    scene = render_scene(40, 60)
    exact, rough = (
        load_estimator(str(checkpoint), precision=precision).estimate(scene.frame1, scene.frame2)
        for precision in ("fp32", "bf16")
    )
    assert 0 < np.abs(rough - exact).mean() < 0.15 * exact.std()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"device": "cuda:99"}, "cuda:99"),
        ({"device": "abacus"}, "abacus"),
        ({"device": "meta"}, "meta"),
        ({"device": "cpu", "precision": "tf32"}, "tf32"),
        ({"device": "cpu", "precision": "fp16"}, "fp16"),
    ],
)
def test_devices_and_precisions_that_are_not_there_are_refused(
    checkpoint: Path, arguments: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        load_estimator(str(checkpoint), **arguments)  # type: ignore[arg-type]


class TestDamage:
    """A checkpoint folder with something wrong in it."""

    @pytest.fixture
    def folder(self, checkpoint: Path, tmp_path: Path) -> Path:
        shutil.copytree(checkpoint, tmp_path / "model")
        return tmp_path / "model"

    def change_config(self, folder: Path, **changes: object) -> None:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, **changes}))

    def test_truncated_weights(self, folder: Path) -> None:
        weights = folder / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-1000])
        with pytest.raises(ModelError, match=r"model\.safetensors"):
            load_estimator(str(folder))

    @pytest.mark.parametrize("content", [b"", b"no pickle", b"PK\x03\x04 half a zip"])
    def test_damaged_pickle(self, folder: Path, content: bytes) -> None:
        (folder / "model.safetensors").unlink()
        (folder / "pytorch_model.bin").write_bytes(content)
        with pytest.raises(ModelError, match=r"pytorch_model\.bin"):
            load_estimator(str(folder))

    def test_weights_of_another_size(self, folder: Path) -> None:
        self.change_config(folder, num_latents=21)
        with pytest.raises(ModelError, match=r"model\.safetensors"):
            load_estimator(str(folder))

    def test_missing_layers(self, folder: Path) -> None:
        self.change_config(folder, num_self_attends_per_block=3)
        with pytest.raises(ModelError, match="lacks"):
            load_estimator(str(folder))

    def test_layers_that_the_configuration_does_not_know(self, folder: Path) -> None:
        self.change_config(folder, num_self_attends_per_block=1)
        with pytest.raises(ModelError, match="more layers"):
            load_estimator(str(folder))

    def test_values_that_are_no_numbers(self, folder: Path) -> None:
        tensors = load_file(folder / "model.safetensors")
        tensors["perceiver.embeddings.latents"][3, 4] = float("nan")
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        with pytest.raises(ModelError, match="latents contains NaN or infinity"):
            load_estimator(str(folder))

    @pytest.mark.parametrize("changes", [{"num_latents": "abc"}, {"d_latents": 0}, {"architectures": 5}])
    def test_nonsense_in_the_configuration(self, folder: Path, changes: dict[str, object]) -> None:
        self.change_config(folder, **changes)
        with pytest.raises(ModelError):
            load_estimator(str(folder))

    def test_a_shard_that_is_missing(self, folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "model-1.safetensors"}}')
        with pytest.raises(ModelError, match=r"lacks model-1\.safetensors"):
            find_checkpoint(str(folder))

    @pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
    def test_a_pointer_of_git_lfs(self, folder: Path, name: str) -> None:
        (folder / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 164000000\n")
        with pytest.raises(ModelError, match=rf"{name} is a Git LFS pointer.*git lfs pull"):
            find_checkpoint(str(folder))

    @pytest.mark.parametrize("entry", ["state_dict", "model"])
    def test_a_training_checkpoint(self, folder: Path, entry: str) -> None:
        weights = load_file(folder / "model.safetensors")
        (folder / "model.safetensors").unlink()
        torch.save({entry: weights, "epoch": 7}, folder / "pytorch_model.bin")
        with pytest.raises(ModelError, match=rf"training checkpoint, whose weights are in its entry '{entry}'"):
            load_estimator(str(folder))

    def test_a_folder_is_not_mended_by_fetching(self, folder: Path) -> None:
        (folder / "model.safetensors").write_bytes(b"broken")
        with pytest.raises(ModelError, match="copy it again") as caught:
            load_estimator(str(folder))
        assert "fetch" not in str(caught.value)

    def test_a_byte_order_mark(self, folder: Path) -> None:
        config = folder / "config.json"
        config.write_bytes(b"\xef\xbb\xbf" + config.read_bytes())
        assert find_checkpoint(str(folder)).window == (24, 40)

    def test_another_model(self, folder: Path) -> None:
        self.change_config(folder, model_type="bert")
        with pytest.raises(ModelError, match=r"not an optical-flow Perceiver.*bert"):
            find_checkpoint(str(folder))

    def test_another_perceiver(self, folder: Path) -> None:
        self.change_config(folder, architectures=["PerceiverForMaskedLM"])
        with pytest.raises(ModelError, match="PerceiverForMaskedLM"):
            find_checkpoint(str(folder))

    @pytest.mark.parametrize("size", [[0, 10], [24], "24x40", [24.5, 40]])
    def test_impossible_window(self, folder: Path, size: object) -> None:
        self.change_config(folder, train_size=size)
        with pytest.raises(ModelError, match="train_size"):
            find_checkpoint(str(folder))

    def test_configuration_that_is_no_json(self, folder: Path) -> None:
        (folder / "config.json").write_text("{")
        with pytest.raises(ModelError, match=r"config\.json is damaged"):
            find_checkpoint(str(folder))

    def test_no_weights(self, folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        with pytest.raises(ModelError, match="no weights"):
            find_checkpoint(str(folder))

    def test_an_empty_folder(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match=r"config\.json"):
            find_checkpoint(str(tmp_path))
