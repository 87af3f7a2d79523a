"""Random checkpoints that make errors visible: peaked attention, biases everywhere, flow of several pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import PerceiverConfig, PerceiverForOpticalFlow, logging

from flowcli.arrays import Flow, Frame

from .reference import window_flow

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
    config: PerceiverConfig, *, seed: int, gain: float = 2.5, residual: float = 1.0, is_scaled: bool = True
) -> PerceiverForOpticalFlow:
    """A stock module with random weights, in evaluation mode.

    Args:
        config: the sizes.
        seed: of the random numbers.
        gain: of the query and key maps over ``1 / sqrt(fan_in)``; larger makes attention more peaked.
        residual: of the self-attention layers' residual branches; below 1 keeps deep networks well conditioned.
        is_scaled: whether the flow spreads by several pixels around zero, which takes a forward pass to see to.
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
        if is_scaled:
            height, width = config.train_size
            output = model(inputs=torch.rand(1, 2, 27, height, width) * 2 - 1).logits
            scale_output(model, output.flatten(0, -2) * 100 * PIXELS_PER_OUTPUT)
    return model


def scale_output(model: PerceiverForOpticalFlow, flow: torch.Tensor) -> torch.Tensor:
    """Scale and shift the final, linear layer so that a flow spreads by several pixels around zero.

    Args:
        model: a stock module, which is changed.
        flow: what it says so far, ``(N, 2)`` in pixels.

    Returns:
        What it says now for the same frames.
    """
    final = model.perceiver.decoder.decoder.final_layer
    factor, mean = FLOW_SPREAD / flow.std(dim=0), flow.mean(dim=0)
    with torch.no_grad():
        final.weight *= factor.to(final.weight.dtype)[:, None]
        final.bias.copy_((final.bias - mean / PIXELS_PER_OUTPUT) * factor)
    return (flow - mean) * factor


def fit_output(model: PerceiverForOpticalFlow, frame1: Frame, frame2: Frame, truth: Flow) -> None:
    """Make a random stock module good on one pair of frames: fit its final, linear layer to the true flow.

    Args:
        model: a stock module, which is changed.
        frame1: ``(h, w, 3)`` uint8 RGB, as large as its window.
        frame2: likewise.
        truth: the flow, ``(h, w, 2)`` in pixels.
    """
    final = model.perceiver.decoder.decoder.final_layer
    seen: list[torch.Tensor] = []
    with final.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0][0].double())):
        window_flow(model, frame1, frame2)
    features = torch.cat([seen[0], torch.ones(len(seen[0]), 1)], dim=1)
    wanted = torch.from_numpy(truth).flatten(0, 1).double() / PIXELS_PER_OUTPUT
    ridge = 1e-2 * torch.eye(features.shape[1], dtype=torch.float64)  # keeps the weights, and rounding errors, small
    solution = torch.linalg.solve(features.T @ features + ridge, features.T @ wanted).float()
    with torch.no_grad():
        final.weight.copy_(solution[:-1].T)
        final.bias.copy_(solution[-1])


def draw_checkpoint(folder: Path, *, train_size: tuple[int, int], seed: int, **changes: object) -> Path:
    """Save a small random checkpoint as ``save_pretrained`` does and return its folder."""
    draw_model(small_config(train_size, **changes), seed=seed).save_pretrained(folder)
    return folder
