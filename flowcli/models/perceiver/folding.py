"""Everything that depends on the weights and not on the frames, computed once when a checkpoint is loaded.

Notation: ``x`` is a pixel's 322 input channels, ``n(x) = (x - mean) * r`` with ``r = 1 / sqrt(variance + eps)`` its
normalised form, so that ``LN(x) = n(x) * gamma + beta``. Since ``(x - mean) . a = x . (a - mean(a))``, centring a
folded vector ``a`` makes ``a . n(x) = r * (a . x)``: of the normalisation only the scale ``r`` per pixel remains.

All products here are taken in float64 and rounded once.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from .positions import X_CHANNELS, Y_CHANNELS, Positions
from .weights import DECODER, ENCODER, FINAL_MAP, IMAGE_CHANNELS, LATENTS, PATCH_MAP, Sizes, Weights

PIXELS_PER_OUTPUT = 20.0 / 100.0
"""The final map's outputs are divided by 100 inside the model and multiplied by 20 by the published procedure."""


def centered(rows: torch.Tensor) -> torch.Tensor:
    """Each row minus its mean."""
    return rows - rows.mean(dim=-1, keepdim=True)


class Double:
    """The weights in float64, by name."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    def tensor(self, name: str) -> torch.Tensor:
        """A weight that stands alone."""
        return self._weights[name].double()

    def pair(self, name: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Weight and bias of a linear map, or gain and bias of a norm."""
        return self.tensor(f"{name}.weight"), self.tensor(f"{name}.bias")


def fold_patches(double: Double) -> tuple[torch.Tensor, torch.Tensor]:
    """Patches and the 54 -> 64 map as one 3 x 3 convolution of the six stacked channels: ``(64, 6, 3, 3)``, bias."""
    weight, bias = double.pair(PATCH_MAP)
    # A patch is ordered frame, row, column, channel; a convolution's weight is ordered channel, row, column.
    return weight.view(-1, 2, 3, 3, 3).permute(0, 1, 4, 2, 3).reshape(-1, 6, 3, 3), bias


@dataclass(frozen=True)
class SplitQueries:
    """Vectors ``a`` that are multiplied with every pixel's ``n(x)``, split by what the product depends on.

    ``a . n(x) = r * (image . x_image + rows[y] + columns[x])``: only 64 channels need a product per pixel.
    """

    image: torch.Tensor
    """``(N, 64)``"""

    rows: torch.Tensor
    """``(N, h)``"""

    columns: torch.Tensor
    """``(N, w)``"""


def split_queries(queries: torch.Tensor, positions: Positions) -> SplitQueries:
    """Split ``(N, 322)`` vectors, which are centred here."""
    queries = centered(queries)
    return SplitQueries(
        queries[:, :IMAGE_CHANNELS],
        queries[:, Y_CHANNELS] @ positions.y.T,
        queries[:, X_CHANNELS] @ positions.x.T,
    )


@dataclass(frozen=True)
class EncoderFold:
    """The encoder's cross-attention, absorbed.

    ``softmax(q K^T) V`` with ``K = LN(x) Wk + bk`` and ``V = LN(x) Wv + bv`` is attention over ``n(x)`` itself, with
    ``gamma * (Wk q)`` for queries (what is constant along the softmax axis drops out), followed by ``Wv`` and the
    output map on the latents' rows instead of on all pixels.
    """

    queries: SplitQueries
    """Of ``heads * latents`` rows, head after head, scaled."""

    output: torch.Tensor
    """``(heads, 322, d)``: from the weighted mean of ``r * x`` to the attention's output."""

    residual: torch.Tensor
    """``(latents, d)``: what is added to that: biases and, with a query residual, the latents."""


def fold_encoder(double: Double, sizes: Sizes, positions: Positions) -> EncoderFold:
    """Absorb the encoder's projections."""
    attention = f"{ENCODER}.attention.self"
    latents = double.tensor(LATENTS)
    gamma, beta = double.pair(f"{attention}.layernorm2")
    query = F.linear(_norm(latents, double, f"{attention}.layernorm1"), *double.pair(f"{attention}.query"))
    key, _ = double.pair(f"{attention}.key")
    value, value_bias = double.pair(f"{attention}.value")
    out, out_bias = double.pair(f"{ENCODER}.attention.output.dense")

    heads = sizes.num_cross_attention_heads
    width = query.shape[1] // heads
    absorbed = torch.cat([q @ k for q, k in zip(query.chunk(heads, 1), key.chunk(heads, 0), strict=True)])
    output = torch.stack([o @ v for o, v in zip(out.chunk(heads, 1), value.chunk(heads, 0), strict=True)])
    residual = out @ (value @ beta + value_bias) + out_bias
    if sizes.use_query_residual:
        residual = residual + latents
    return EncoderFold(
        split_queries(absorbed * gamma / width**0.5, positions),
        centered(output * gamma).transpose(1, 2),
        residual.expand(len(latents), -1),
    )


@dataclass(frozen=True)
class DecoderFold:
    """The decoder, absorbed: queries and output maps fold into the latents' keys and values.

    Both products of the attention then run in the pixels' 322 dimensions instead of 512 (of which the positions'
    258 are two small tables). The last map folds into the MLP's second one: with ``a`` the attention's output,
    ``Wf (a + W2 g + b2) = Wf a + (Wf W2) g + Wf b2``, two columns instead of 322.
    """

    keys: torch.Tensor
    """``(322 + 1, d)``: from ``LN(latents)`` to the vectors that ``n(x)`` is multiplied with, and to a constant."""

    keys_bias: torch.Tensor
    values: torch.Tensor
    """``(322 + 2, d)``: from ``LN(latents)`` to the centred attention output, and to its share of the flow."""

    values_bias: torch.Tensor
    hidden: torch.Tensor
    """``(322, 322)``: the MLP's first map, for normalised inputs."""

    hidden_bias: torch.Tensor
    flow: torch.Tensor
    """``(2, 322)``: from the MLP's activations to pixels of flow."""

    flow_bias: torch.Tensor


def fold_decoder(double: Double) -> DecoderFold:
    """Absorb the decoder's projections and the final map."""
    attention = f"{DECODER}.attention.self"
    gamma, beta = double.pair(f"{attention}.layernorm1")
    query, query_bias = double.pair(f"{attention}.query")
    key, key_bias = double.pair(f"{attention}.key")
    value, value_bias = double.pair(f"{attention}.value")
    out, out_bias = double.pair(f"{DECODER}.attention.output.dense")
    # One row for each channel of n(x), and one for what does not depend on the pixel.
    absorbed = torch.cat([centered(query * gamma), (query @ beta + query_bias)[:, None]], dim=1)
    absorbed = absorbed / len(query) ** 0.5

    final, final_bias = double.pair(FINAL_MAP)
    final, final_bias = final * PIXELS_PER_OUTPUT, final_bias * PIXELS_PER_OUTPUT
    mlp_gamma, mlp_beta = double.pair(f"{DECODER}.layernorm")
    first, first_bias = double.pair(f"{DECODER}.mlp.dense1")
    second, second_bias = double.pair(f"{DECODER}.mlp.dense2")
    # The attention's weights sum to one, so its output's bias can be part of every value.
    output = out @ value
    output_bias = out @ value_bias + out_bias
    return DecoderFold(
        keys=absorbed.T @ key,
        keys_bias=absorbed.T @ key_bias,
        values=torch.cat([output - output.mean(dim=0), final @ output]),
        values_bias=torch.cat([output_bias - output_bias.mean(), final @ output_bias]),
        hidden=first * mlp_gamma,
        hidden_bias=first @ mlp_beta + first_bias,
        flow=final @ second,
        flow_bias=final @ second_bias + final_bias,
    )


def _norm(rows: torch.Tensor, double: Double, name: str) -> torch.Tensor:
    return F.layer_norm(rows, rows.shape[-1:], *double.pair(name))
