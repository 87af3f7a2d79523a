"""The inference network against the stock module in float64, step by step."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import PerceiverConfig

from flowcli import load_estimator
from flowcli.errors import ModelError
from flowcli.models.perceiver import network
from flowcli.models.perceiver.checkpoint import open_checkpoint
from flowcli.models.perceiver.network import FlowNetwork
from flowcli.models.perceiver.positions import X_CHANNELS, Y_CHANNELS, Positions
from flowcli.models.perceiver.weights import Sizes, expected_shapes, read_weights
from flowcli.scene import render_scene
from support.checkpoints import draw_checkpoint, draw_model, small_config
from support.reference import patches

# Sizes that divide nothing evenly, and every kind of cross-attention that a configuration can ask for.
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {"train_size": (24, 40)},
    "odd": {"train_size": (17, 23), "num_latents": 13, "d_latents": 20},
    "tall": {"train_size": (37, 5), "num_latents": 3},
    "deep": {"train_size": (9, 14), "num_self_attends_per_block": 5, "num_blocks": 2},
    "heads": {"train_size": (13, 19), "num_cross_attention_heads": 2, "d_latents": 28, "num_self_attention_heads": 7},
    "shape q": {"train_size": (13, 19), "cross_attention_shape_for_attention": "q"},
    "channels": {"train_size": (13, 19), "qk_channels": 24, "v_channels": 32},
    "wide": {"train_size": (13, 19), "self_attention_widening_factor": 3, "cross_attention_widening_factor": 2},
    "no residual": {"train_size": (13, 19), "use_query_residual": False},
    "relu": {"train_size": (13, 19), "hidden_act": "relu"},
}


class Pair:
    """A stock module in float64 with what each of its steps gave, and our network with the same weights."""

    def __init__(self, folder: Path, changes: dict[str, Any], gain: float = 2.5) -> None:
        stock = draw_model(small_config(**changes), seed=len(str(changes)), gain=gain)
        stock.save_pretrained(folder)
        checkpoint = open_checkpoint("drawn", folder, None)
        self.sizes = Sizes.of(checkpoint)
        self.ours = FlowNetwork(read_weights(checkpoint, self.sizes), self.sizes)
        self.steps: dict[str, torch.Tensor] = {}
        stock = stock.double()
        self._watch(stock.perceiver.encoder.cross_attention, "encoder")
        for index, layer in enumerate(stock.perceiver.encoder.self_attends):
            self._watch(layer, f"layer {index}")
        self._watch(stock.perceiver.input_preprocessor, "inputs")
        height, width = self.sizes.train_size
        scene = render_scene(max(32, height), max(32, width))
        frames = [frame[:height, :width] for frame in (scene.frame1, scene.frame2)]
        with torch.inference_mode():
            self.logits = stock(inputs=torch.from_numpy(np.stack([patches(frame) for frame in frames])[None])).logits
        self.frames = [torch.from_numpy(np.ascontiguousarray(frame))[None] for frame in frames]

    def _watch(self, module: Any, name: str) -> None:
        def keep(_module: object, arguments: tuple[torch.Tensor, ...], output: tuple[torch.Tensor, ...]) -> None:
            self.steps[f"{name} in"], self.steps[name] = arguments[0], output[0]

        module.register_forward_hook(keep)


@pytest.fixture(params=VARIANTS, scope="module")
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return Pair(tmp_path_factory.mktemp("pair"), VARIANTS[request.param])


def close(ours: torch.Tensor, stock: torch.Tensor, tolerance: float) -> None:
    assert ours.dtype == torch.float32
    np.testing.assert_allclose(ours.numpy(), stock.numpy(), rtol=0, atol=tolerance)


@torch.inference_mode()
def test_pixels_are_the_normalised_inputs(pair: Pair) -> None:
    pixels, r = pair.ours.inputs(*pair.frames)
    inputs = pair.steps["inputs"].view(*pair.sizes.train_size, -1)
    variance = inputs.var(dim=-1, unbiased=False)
    close(r[0], torch.rsqrt(variance + 1e-5), 1e-5)
    close(pixels[0, ..., :64], inputs[..., :64] * torch.rsqrt(variance + 1e-5)[..., None], 1e-5)
    step = pixels.shape[-1] - 64
    for row in range(inputs.shape[0]):
        place = pixels[0, row, :, 64:]
        assert (place[:, row % step] == r[0, row]).all()
        assert (place != 0).sum() == inputs.shape[1]


def test_position_features_are_split_by_axis(pair: Pair) -> None:
    positions = Positions.of(pair.sizes.train_size)
    inputs = pair.steps["inputs"].view(*pair.sizes.train_size, -1)
    assert sorted(Y_CHANNELS + X_CHANNELS) == list(range(64, 322))
    np.testing.assert_allclose(
        inputs[..., Y_CHANNELS], positions.y[:, None].expand_as(inputs[..., Y_CHANNELS]), atol=1e-6
    )
    np.testing.assert_allclose(inputs[..., X_CHANNELS], positions.x[None].expand_as(inputs[..., X_CHANNELS]), atol=1e-6)


@torch.inference_mode()
def test_encoder(pair: Pair) -> None:
    pixels, r = pair.ours.inputs(*pair.frames)
    latents = pair.ours.encoder_mlp(pair.ours.encoder(pixels[0], r[0]))
    stock = pair.steps["layer 0 in"] if pair.sizes.num_blocks == 1 else pair.steps["encoder"]
    close(latents, stock[0], 5e-5)


@torch.inference_mode()
def test_self_attention_layers(pair: Pair) -> None:
    for index, layer in enumerate(pair.ours.layers):
        close(layer(pair.steps[f"layer {index} in"].float()), pair.steps[f"layer {index}"], 5e-5)


@torch.inference_mode()
def test_decoder(pair: Pair) -> None:
    pixels, r = pair.ours.inputs(*pair.frames)
    latents = pair.steps[f"layer {len(pair.ours.layers) - 1}"].float()
    close(pair.ours.decoder(pixels[0], r[0], latents[0]), pair.logits[0] * 20, 3e-4)


@torch.inference_mode()
def test_the_whole_window(pair: Pair) -> None:
    close(pair.ours(*pair.frames), pair.logits * 20, 1e-3)


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 100])
@torch.inference_mode()
def test_the_size_of_the_blocks_changes_nothing(pair: Pair, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(network._BLOCK_BYTES, "cpu", 4 * rows * pair.sizes.train_size[1])
    close(pair.ours(*pair.frames), pair.logits * 20, 1e-3)


@torch.inference_mode()
def test_attention_so_peaked_that_scores_overflow_an_exponential(tmp_path: Path) -> None:
    pair = Pair(tmp_path, {"train_size": (17, 23)}, gain=60.0)
    pixels, r = pair.ours.inputs(*pair.frames)
    latents = pair.ours.encoder(pixels[0], r[0])
    assert torch.isfinite(latents).all()
    close(pair.ours.encoder_mlp(latents), pair.steps["encoder"][0], 5e-3)


@torch.inference_mode()
def test_a_batch_is_its_windows(pair: Pair) -> None:
    forward, backward = pair.frames, pair.frames[::-1]
    both = pair.ours(torch.cat([forward[0], backward[0]]), torch.cat([forward[1], backward[1]]))
    close(both[:1], pair.ours(*forward), 1e-4)
    close(both[1:], pair.ours(*backward), 1e-4)


def test_sizes_have_the_defaults_of_the_stock_configuration() -> None:
    stock = PerceiverConfig()
    for field in fields(Sizes):
        if field.default is not MISSING:
            assert getattr(stock, field.name) == field.default, field.name


@pytest.mark.parametrize("variant", VARIANTS)
def test_expected_shapes_are_those_of_the_stock_module(variant: str) -> None:
    stock = draw_model(small_config(**VARIANTS[variant]), seed=0)
    sizes = Sizes(**{field.name: getattr(stock.config, field.name) for field in fields(Sizes)})
    assert expected_shapes(sizes) == {name: tensor.shape for name, tensor in stock.state_dict().items()}


def test_names_without_their_prefix_are_left_to_transformers(checkpoint: Path, tmp_path: Path) -> None:
    tensors = load_file(checkpoint / "model.safetensors")
    renamed = {name.removeprefix("perceiver."): tensor for name, tensor in tensors.items()}
    save_file(renamed, tmp_path / "model.safetensors", metadata={"format": "pt"})
    (tmp_path / "config.json").write_bytes((checkpoint / "config.json").read_bytes())
    scene = render_scene(32, 50)
    flows = [
        load_estimator(str(folder), overlap=6).estimate(scene.frame1, scene.frame2) for folder in (checkpoint, tmp_path)
    ]
    np.testing.assert_array_equal(flows[0], flows[1])


def test_half_precision_and_sharded_checkpoints(tmp_path: Path) -> None:
    stock = draw_model(small_config((18, 22)), seed=5)
    stock.half().save_pretrained(tmp_path / "half")
    stock.float().save_pretrained(tmp_path / "shards", max_shard_size="100KB")
    assert len(list((tmp_path / "shards").glob("*.safetensors"))) > 1
    scene = render_scene(32, 50)
    flows = [
        load_estimator(str(tmp_path / name), overlap=6).estimate(scene.frame1, scene.frame2)
        for name in ("half", "shards")
    ]
    np.testing.assert_array_equal(flows[0], flows[1])


@pytest.mark.parametrize(
    "changes",
    [
        {"num_cross_attention_heads": 3},
        {"num_self_attention_heads": 5},
        {"cross_attention_shape_for_attention": "bogus"},
        {"hidden_act": ["gelu"]},
    ],
)
def test_configurations_that_the_stock_module_refuses_are_refused(
    checkpoint: Path, tmp_path: Path, changes: dict[str, object]
) -> None:
    config = json.loads((checkpoint / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, **changes}))
    (tmp_path / "model.safetensors").write_bytes((checkpoint / "model.safetensors").read_bytes())
    with pytest.raises(ModelError, match="contradicts itself"):
        load_estimator(str(tmp_path))


def test_an_unknown_activation_is_refused(tmp_path: Path) -> None:
    folder = draw_checkpoint(tmp_path, train_size=(9, 14), seed=1, hidden_act="mish")
    with pytest.raises(ModelError, match="mish"):
        load_estimator(str(folder))
