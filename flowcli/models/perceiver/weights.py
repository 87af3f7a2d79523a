"""Reads the weights and sizes of a checkpoint, under the names of the stock module.

A checkpoint in the layout of ``save_pretrained`` is read directly, without importing transformers. All other layouts
(names from older versions, a missing prefix) are read by transformers, which knows them.
"""

from __future__ import annotations

import os
import pickle
import warnings
from dataclasses import dataclass, fields
from typing import Any

import torch
from safetensors import SafetensorError

from ...errors import ModelError
from . import hub
from .checkpoint import Checkpoint, remedy

_READ_ERRORS = (SafetensorError, EOFError, OSError, RuntimeError, ValueError, TypeError, KeyError, AttributeError)
"""The exceptions that the libraries raise for a damaged weight file."""

_NESTED = ("state_dict", "model_state_dict", "model", "module")  # where training programs put the weights

Weights = dict[str, torch.Tensor]
"""Float32 tensors by the names they have in ``PerceiverForOpticalFlow``."""

IMAGE_CHANNELS = 64  # per pixel, of the map from patches
POSITION_CHANNELS = 258  # per pixel, of the Fourier features: y, x and 64 sines and cosines of each
INPUT_CHANNELS = IMAGE_CHANNELS + POSITION_CHANNELS
PATCH_CHANNELS = 54  # 3 x 3 pixels of 3 colours in 2 frames

ENCODER = "perceiver.encoder.cross_attention"
DECODER = "perceiver.decoder.decoder.decoding_cross_attention"
LATENTS = "perceiver.embeddings.latents"
PATCH_MAP = "perceiver.input_preprocessor.conv_after_patches"
FINAL_MAP = "perceiver.decoder.decoder.final_layer"


def layer_name(index: int) -> str:
    """Name of a self-attention layer."""
    return f"perceiver.encoder.self_attends.{index}"


@dataclass(frozen=True)
class Sizes:
    """The numbers of the configuration that matter for inference, with ``PerceiverConfig``'s defaults."""

    train_size: tuple[int, int]
    num_latents: int = 256
    d_latents: int = 1280
    num_blocks: int = 1
    num_self_attends_per_block: int = 26
    num_self_attention_heads: int = 8
    num_cross_attention_heads: int = 8
    cross_attention_shape_for_attention: str = "kv"
    self_attention_widening_factor: int = 1
    cross_attention_widening_factor: int = 1
    qk_channels: int | None = None
    v_channels: int | None = None
    hidden_act: str = "gelu"
    use_query_residual: bool = True

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Sizes:
        """The sizes in the checkpoint's configuration."""
        given = {name: checkpoint.config[name] for name in cls.__dataclass_fields__ if name in checkpoint.config}
        sizes = cls(**{**given, "train_size": checkpoint.window})
        for field in fields(cls):
            value = getattr(sizes, field.name)
            if field.type in {"int", "int | None"} and not (value is None or (isinstance(value, int) and value > 0)):
                raise ModelError(f"{checkpoint.folder / hub.CONFIG}: {field.name} is {value!r}, not a number above 0")
        fault = sizes.fault()
        if fault:
            raise ModelError(f"{checkpoint.folder / hub.CONFIG} contradicts itself: {fault}")
        return sizes

    def fault(self) -> str | None:
        """Why the stock module would refuse these sizes; ``None`` if it would not."""
        if self.cross_attention_shape_for_attention not in {"kv", "q"}:
            return f"cross_attention_shape_for_attention is {self.cross_attention_shape_for_attention!r}"
        if not isinstance(self.hidden_act, str):
            return f"hidden_act is {self.hidden_act!r}"
        encoder = self.qk_channels or (
            self.d_latents if self.cross_attention_shape_for_attention == "q" else INPUT_CHANNELS
        )
        latents = self.qk_channels or self.d_latents
        for heads, widths in (
            (self.num_cross_attention_heads, (self.d_latents, encoder, self.v_channels or encoder)),
            (self.num_self_attention_heads, (self.d_latents, latents, self.v_channels or latents)),
        ):
            for width in widths:
                if width % heads:
                    return f"{width} channels cannot be split into {heads} heads"
        return None


def read_weights(checkpoint: Checkpoint, sizes: Sizes) -> Weights:
    """The checkpoint's weights.

    Raises:
        ModelError: they are damaged, incomplete, of wrong shapes, or a pickle that contains more than tensors.
    """
    expected = expected_shapes(sizes)
    try:
        found = _read_files(checkpoint)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{checkpoint.weights} is damaged, or is a pickle that contains more than tensors; refusing to load it"
        ) from error
    except _READ_ERRORS as error:
        raise _cannot_load(checkpoint, error) from error
    nested = [name for name in _NESTED if isinstance(found.get(name), dict)]
    if nested:
        raise ModelError(
            f"{checkpoint.weights} is a training checkpoint, whose weights are in its entry {nested[0]!r}; "
            "load these into the model and save it with save_pretrained"
        )
    shapes = {name: tensor.shape for name, tensor in found.items() if isinstance(tensor, torch.Tensor)}
    if {name: shapes[name] for name in expected if name in shapes} != expected:
        found = load_stock_module(checkpoint).state_dict()
    surplus = layer_name(sizes.num_self_attends_per_block)
    if any(name.startswith(f"{surplus}.") for name in found):
        raise ModelError(
            f"{checkpoint.weights} has more layers than {hub.CONFIG} says; they are from different checkpoints"
        )
    weights = {name: found[name].float() for name in expected}
    for name, tensor in weights.items():
        if not torch.isfinite(tensor.sum()):
            raise ModelError(
                f"{checkpoint.weights} is damaged: {name} contains NaN or infinity; {remedy(checkpoint.revision)}"
            )
    return weights


def expected_shapes(sizes: Sizes) -> dict[str, torch.Size]:
    """Names and shapes of all weights of a model of these sizes, as the stock module has them."""
    d, inputs = sizes.d_latents, INPUT_CHANNELS
    shapes: dict[str, tuple[int, ...]] = {LATENTS: (sizes.num_latents, d)}

    def linear(name: str, fan_in: int, fan_out: int) -> None:
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (fan_out, fan_in), (fan_out,)

    def norm(name: str, width: int) -> None:
        shapes[f"{name}.weight"] = shapes[f"{name}.bias"] = (width,)

    def layer(name: str, query: int, context: int | None, qk: int, value: int, widening: int) -> None:
        attention = f"{name}.attention.self"
        norm(f"{attention}.layernorm1", query)
        if context is not None:
            norm(f"{attention}.layernorm2", context)
        linear(f"{attention}.query", query, qk)
        linear(f"{attention}.key", context or query, qk)
        linear(f"{attention}.value", context or query, value)
        linear(f"{name}.attention.output.dense", value, query if context is not None else value)
        norm(f"{name}.layernorm", query)
        linear(f"{name}.mlp.dense1", query, widening * query)
        linear(f"{name}.mlp.dense2", widening * query, query)

    linear(PATCH_MAP, PATCH_CHANNELS, IMAGE_CHANNELS)
    shape_is_query = sizes.cross_attention_shape_for_attention == "q"
    encoder_qk = sizes.qk_channels or (d if shape_is_query else inputs)
    layer(ENCODER, d, inputs, encoder_qk, sizes.v_channels or encoder_qk, sizes.cross_attention_widening_factor)
    self_qk = sizes.qk_channels or d
    for index in range(sizes.num_self_attends_per_block):
        layer(layer_name(index), d, None, self_qk, sizes.v_channels or self_qk, sizes.self_attention_widening_factor)
    decoder_qk = inputs if shape_is_query else d
    layer(DECODER, inputs, d, decoder_qk, decoder_qk, 1)
    linear(FINAL_MAP, inputs, 2)
    return {name: torch.Size(shape) for name, shape in shapes.items()}


def _read_files(checkpoint: Checkpoint) -> Weights:
    files = [checkpoint.folder / shard for shard in hub.shards(checkpoint.weights)] or [checkpoint.weights]
    weights: Weights = {}
    for file in files:
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file

            weights.update(load_file(file))
        else:
            with warnings.catch_warnings():  # of pickles written in an older protocol
                warnings.simplefilter("ignore")
                weights.update(torch.load(file, map_location="cpu", weights_only=True))
    return weights


def load_stock_module(checkpoint: Checkpoint) -> Any:
    """The checkpoint as a ``PerceiverForOpticalFlow`` in float32, read by transformers without a word.

    Raises:
        ModelError: it is damaged or incomplete.
    """
    # Otherwise, transformers starts a thread that asks the hub to convert pickled checkpoints.
    os.environ["DISABLE_SAFETENSORS_CONVERSION"] = "1"
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    try:
        loaded: Any = transformers.PerceiverForOpticalFlow.from_pretrained(
            checkpoint.folder,
            local_files_only=True,
            use_safetensors="safetensors" in checkpoint.weights.name,
            weights_only=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    except _READ_ERRORS as error:
        raise _cannot_load(checkpoint, error) from error
    model, report = loaded
    missing = sorted(report["missing_keys"]) + sorted(str(key[0]) for key in report["mismatched_keys"])
    if missing:
        raise ModelError(
            f"{checkpoint.weights} lacks {len(missing)} of the weights that its configuration requires, "
            f"such as {missing[0]}; {remedy(checkpoint.revision)}"
        )
    return model


def _cannot_load(checkpoint: Checkpoint, error: Exception) -> ModelError:
    cause = (str(error).strip() or type(error).__name__).splitlines()[0]
    return ModelError(f"cannot load {checkpoint.weights}: {cause}; {remedy(checkpoint.revision)}")
