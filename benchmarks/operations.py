"""The floating-point operations of one window, which bound its time."""

from __future__ import annotations

from flowcli.models.perceiver.weights import IMAGE_CHANNELS, INPUT_CHANNELS, PATCH_CHANNELS, Sizes


def _self_attention(sizes: Sizes) -> int:
    latents, d = sizes.num_latents, sizes.d_latents
    products = 2 * latents * d * d * (4 + 2 * sizes.self_attention_widening_factor)
    attention = 2 * 2 * latents * latents * d
    return sizes.num_blocks * sizes.num_self_attends_per_block * (products + attention)


def stock_operations(sizes: Sizes) -> int:
    """The number of multiplications and additions in the stock module's matrix products."""
    pixels = sizes.train_size[0] * sizes.train_size[1]
    latents, d, c = sizes.num_latents, sizes.d_latents, INPUT_CHANNELS
    encoder = 2 * pixels * c * c * 2 + 2 * 2 * latents * pixels * c
    decoder = 2 * pixels * c * d * 2 + 2 * 2 * latents * pixels * d + 2 * pixels * c * c * 2
    return 2 * pixels * PATCH_CHANNELS * IMAGE_CHANNELS + encoder + _self_attention(sizes) + decoder


def remaining_operations(sizes: Sizes) -> int:
    """The number of multiplications and additions in flowcli's matrix products."""
    pixels = sizes.train_size[0] * sizes.train_size[1]
    latents, c = sizes.num_latents, INPUT_CHANNELS
    encoder = 2 * 2 * latents * pixels * IMAGE_CHANNELS
    decoder = 2 * latents * pixels * (IMAGE_CHANNELS + c + 2) + 2 * pixels * c * (c + 2)
    return 2 * pixels * PATCH_CHANNELS * IMAGE_CHANNELS + encoder + _self_attention(sizes) + decoder
