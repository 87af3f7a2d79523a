"""Random checkpoints that make errors visible: peaked attention, biases everywhere, flow of several pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import PerceiverConfig, PerceiverForOpticalFlow, logging

logging.disable_progress_bar()

FLOW_SPREAD = 4.0  # pixels
PIXELS_PER_OUTPUT = 20 / 100  # the decoder's output, divided by 100 in the model, times 20


PUBLISHED_SIZES: dict[str, Any] = {
    "num_latents": 2048,
    "d_latents": 512,
    "num_self_attends_per_block": 24,
    "num_self_attention_heads": 16,
}
"""The sizes of ``deepmind/optical-flow-perceiver`` that differ from the small configuration."""


def small_config(train_size: tuple[int, int], **changes: object) -> PerceiverConfig:
    settings: dict[str, object] = {
        "num_latents": 20,
        "d_latents": 32,
        "d_model": 322,
        "num_blocks": 1,
        "num_self_attends_per_block": 2,
        "num_self_attention_heads": 4,
        "num_cross_attention_heads": 1,
        "self_attention_widening_factor": 1,
        "cross_attention_widening_factor": 1,
        "cross_attention_shape_for_attention": "kv",
        "train_size": list(train_size),
        "attn_implementation": "eager",
    }
    return PerceiverConfig(**{**settings, **changes})


def draw_model(
    config: PerceiverConfig, *, seed: int, gain: float = 2.5, residual: float = 1.0
) -> PerceiverForOpticalFlow:
    """A stock module with random weights, in evaluation mode.

    Args:
        config: the sizes.
        seed: of the random numbers.
        gain: of the query and key maps over ``1 / sqrt(fan_in)``; larger makes attention more peaked.
        residual: of the self-attention layers' residual branches; below 1 keeps deep networks well conditioned.
    """
    torch.manual_seed(seed)
    model = PerceiverForOpticalFlow(config).eval()
    with torch.no_grad():
        for name, module in model.named_modules():
            if isinstance(module, nn.Linear):
                strength = gain if name.endswith(("query", "key")) else 1.0
                if "self_attends" in name and name.endswith(("output.dense", "mlp.dense2")):
                    strength = residual
                nn.init.normal_(module.weight, std=strength / module.in_features**0.5)
                nn.init.normal_(module.bias, std=0.2)
            elif isinstance(module, nn.LayerNorm):
                nn.init.normal_(module.weight, mean=1.0, std=0.2)
                nn.init.normal_(module.bias, std=0.2)
        nn.init.normal_(model.perceiver.embeddings.latents)
        _scale_output(model, config)
    return model


def _scale_output(model: PerceiverForOpticalFlow, config: PerceiverConfig) -> None:
    """Scale the final layer so that the flow spreads by several pixels around zero."""
    height, width = config.train_size
    output = model(inputs=torch.rand(1, 2, 27, height, width) * 2 - 1).logits * 100
    final = model.perceiver.decoder.decoder.final_layer
    factor = FLOW_SPREAD / PIXELS_PER_OUTPUT / output.std(dim=(0, 1, 2))
    final.weight *= factor[:, None]
    final.bias.copy_((final.bias - output.mean(dim=(0, 1, 2))) * factor)


def draw_checkpoint(folder: Path, *, train_size: tuple[int, int], seed: int, **changes: object) -> Path:
    """Save a small random checkpoint as ``save_pretrained`` does and return its folder."""
    draw_model(small_config(train_size, **changes), seed=seed).save_pretrained(folder)
    return folder
