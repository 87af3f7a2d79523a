"""The inference network: the stock module's function in a fraction of its operations and memory.

The ideas, each exact up to rounding:

* what depends only on the weights is folded once (``folding.py``);
* position features are two small tables instead of 258 channels per pixel (``positions.py``);
* both cross-attentions run in blocks of image rows that stay in cache, so that neither of the two attention matrices
  (2048 x 182 528 in the published checkpoint) is ever written;
* the softmax over pixels keeps a running maximum and running sums.

In ``bf16`` and ``fp16`` the large products and the attention weights are in that precision; the residual stream of
the latents, the norms, the running sums of the softmax over pixels and the last map stay in float32.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import nn

from ...errors import ModelError
from .folding import Double, fold_decoder, fold_encoder, fold_patches
from .positions import X_CHANNELS, Y_CHANNELS, Positions
from .weights import DECODER, ENCODER, IMAGE_CHANNELS, INPUT_CHANNELS, Sizes, Weights, layer_name

NORM_EPSILON = 1e-5  # the stock module's norms use PyTorch's default, whatever its configuration says

ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "gelu": F.gelu,
    "gelu_new": lambda x: F.gelu(x, approximate="tanh"),
    "gelu_pytorch_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "relu": F.relu,
    "silu": F.silu,
    "swish": F.silu,
}

_BLOCK_BYTES = {"cpu": 8192, "cuda": 65536, "mps": 65536}
"""Bytes of a block's weights for each latent: on a CPU a block stays in cache, on a GPU it keeps all units busy."""


def block_rows(width: int, device: torch.device, dtype: torch.dtype) -> int:
    """How many image rows make a block of a cross-attention."""
    rows = max(1, _BLOCK_BYTES[device.type] // (width * dtype.itemsize))
    return rows if rows < 8 else rows // 8 * 8  # a GPU's matrix units want multiples of 8


def row_blocks(height: int, step: int) -> Iterator[tuple[slice, int]]:
    """Consecutive blocks of ``step`` rows, the last one perhaps shorter: the slice and its length."""
    for start in range(0, height, step):
        count = min(step, height - start)
        yield slice(start, start + count), count


class Folded(nn.Module):
    """A module whose tensors are buffers: they follow ``to(device)`` and are no parameters."""

    def keep(self, name: str, tensor: torch.Tensor, dtype: torch.dtype = torch.float32) -> None:
        """Register ``tensor`` as the buffer ``name``."""
        self.register_buffer(name, tensor.to(dtype).contiguous(), persistent=False)


class PixelInputs(Folded):
    """From two frames to what the attentions need of every pixel.

    Args:
        double: the weights.
        positions: the position features of the window.
        dtype: of the scaled pixels.
    """

    weight: torch.Tensor
    bias: torch.Tensor
    position_sums: torch.Tensor
    position_squares: torch.Tensor

    def __init__(self, double: Double, positions: Positions, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype
        weight, bias = fold_patches(double)
        self.keep("weight", weight)
        self.keep("bias", bias)
        self.keep("position_sums", positions.sums(1))
        self.keep("position_squares", positions.sums(2))

    def forward(self, frames1: torch.Tensor, frames2: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """``(B, h, w, 3)`` uint8 RGB twice to the pixels of a batch of windows.

        Returns:
            Scaled pixels ``(B, h, w, 64 + n)`` and the norm's scales ``r`` ``(B, h, w)``. A scaled pixel holds its 64
            image channels times ``r``, and then ``r`` itself in the place of its row among the ``n`` rows of a block
            and zeros in the others: a product with it adds a term per row for free.
        """
        stacked = torch.cat([frames1, frames2], dim=-1).permute(0, 3, 1, 2)
        # The border of zeros is added after the mapping to [-1, 1]: it is mid-grey.
        levels = (stacked.float() / 255 * 2 - 1).contiguous(memory_format=torch.channels_last)
        image = F.conv2d(levels, self.weight, self.bias, padding=1).permute(0, 2, 3, 1)
        mean = (image.sum(-1) + self.position_sums) / INPUT_CHANNELS
        square = (torch.linalg.vector_norm(image, dim=-1).square() + self.position_squares) / INPUT_CHANNELS
        r = torch.rsqrt(square - mean.square() + NORM_EPSILON)[..., None]
        height, width = r.shape[1:3]
        rows = block_rows(width, r.device, self.dtype)
        place = torch.eye(rows, device=r.device).repeat(-(-height // rows), 1)[:height, None, :]
        pixels = torch.empty(*r.shape[:3], IMAGE_CHANNELS + rows, dtype=self.dtype, device=r.device)
        torch.mul(image, r, out=pixels[..., :IMAGE_CHANNELS])
        torch.mul(place, r, out=pixels[..., IMAGE_CHANNELS:])
        return pixels, r[..., 0].to(self.dtype)


class EncoderAttention(Folded):
    """The cross-attention of the latents over all pixels.

    Args:
        double: the weights.
        sizes: the configuration.
        positions: the position features of the window.
        dtype: of the large products and of the attention weights.
    """

    image: torch.Tensor
    rows: torch.Tensor
    columns: torch.Tensor
    output: torch.Tensor
    residual: torch.Tensor
    positions_y: torch.Tensor
    positions_x: torch.Tensor

    def __init__(self, double: Double, sizes: Sizes, positions: Positions, dtype: torch.dtype) -> None:
        super().__init__()
        fold = fold_encoder(double, sizes, positions)
        for name in ("image", "rows", "columns"):
            self.keep(name, getattr(fold.queries, name), dtype)
        self.keep("output", fold.output)
        self.keep("residual", fold.residual)
        self.keep("positions_y", positions.y)
        self.keep("positions_x", positions.x)

    def forward(self, pixels: torch.Tensor, r: torch.Tensor) -> torch.Tensor:
        """Scaled pixels ``(h, w, 64 + n)`` and scales ``(h, w)`` of one window to latents ``(latents, d)``."""
        heads = self._weighted_mean(pixels, r).view(len(self.output), -1, INPUT_CHANNELS)
        return torch.bmm(heads, self.output).sum(dim=0) + self.residual

    def _weighted_mean(self, pixels: torch.Tensor, r: torch.Tensor) -> torch.Tensor:
        """The softmax-weighted mean of ``r * x`` for each query: ``(queries, 322)``.

        The image channels are summed pixel by pixel; of the position features only the weights' sums along rows and
        along columns are needed. Each block of rows has a softmax of its own; the blocks' sums are brought to the
        common maximum so far as they are added.
        """
        height, width, channels = pixels.shape
        queries, step = len(self.image), channels - IMAGE_CHANNELS
        workspace = pixels.new_empty(queries, step * width)
        block_columns = pixels.new_empty(queries, width)
        lhs = torch.cat([self.image, self.rows[:, :step]], dim=1)
        # Running values, one row per query, all in float32.
        top = self.positions_y.new_full((queries, 1), -torch.inf)
        total = top.new_zeros(queries, 1)
        sums = top.new_zeros(queries, IMAGE_CHANNELS)
        row_sums = top.new_zeros(queries, height)
        column_sums = top.new_zeros(queries, width)
        for block, count in row_blocks(height, step):
            inputs = pixels[block].view(-1, channels)[:, : IMAGE_CHANNELS + count]
            weights = workspace[:, : count * width]
            lhs[:, IMAGE_CHANNELS : IMAGE_CHANNELS + count] = self.rows[:, block]
            torch.mm(lhs[:, : inputs.shape[1]], inputs.T, out=weights)
            grid = weights.view(queries, count, width)
            grid.addcmul_(self.columns[:, None, :], r[block])
            block_top = weights.amax(dim=1, keepdim=True).float()
            torch.softmax(weights, dim=1, out=weights)
            # The largest weight is exp(0) over the sum, which gives the sum.
            block_total = 1 / weights.amax(dim=1, keepdim=True).float()
            new_top = torch.maximum(top, block_top)
            keep, add = torch.exp(top - new_top), torch.exp(block_top - new_top) * block_total
            top = new_top
            total.mul_(keep).add_(add)
            block_sums = torch.mm(weights, inputs).float().mul_(add)
            sums.mul_(keep).add_(block_sums[:, :IMAGE_CHANNELS])
            row_sums.mul_(keep)[:, block] = block_sums[:, IMAGE_CHANNELS:]
            torch.mul(grid[:, 0], r[block][0], out=block_columns)
            for row in range(1, count):
                block_columns.addcmul_(grid[:, row], r[block][row])
            column_sums.mul_(keep).addcmul_(block_columns, add)
        mean = top.new_empty(queries, INPUT_CHANNELS)
        mean[:, :IMAGE_CHANNELS] = sums
        mean[:, Y_CHANNELS] = row_sums @ self.positions_y
        mean[:, X_CHANNELS] = column_sums @ self.positions_x
        return mean / total


class FeedForward(Folded):
    """``x + W2 act(W1 LN(x))`` on a float32 residual stream, its products in ``dtype``."""

    def __init__(self, weights: Weights, name: str, activation: str, dtype: torch.dtype) -> None:
        super().__init__()
        self.norm = _norm(weights, f"{name}.layernorm")
        self.first = _linear(weights, f"{name}.mlp.dense1", dtype)
        self.second = _linear(weights, f"{name}.mlp.dense2", dtype)
        self.activation = ACTIVATIONS[activation]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(..., d)`` float32 to the same."""
        hidden = self.activation(self.first(self.norm(x).to(self.first.weight.dtype)))
        added: torch.Tensor = self.second(hidden)
        return x + added.float()


class SelfAttentionLayer(Folded):
    """A transformer layer of the latents: queries, keys and values in one product, fused attention, an MLP."""

    def __init__(self, weights: Weights, name: str, sizes: Sizes, dtype: torch.dtype) -> None:
        super().__init__()
        attention = f"{name}.attention.self"
        self.norm = _norm(weights, f"{attention}.layernorm1")
        parts = [_linear(weights, f"{attention}.{part}", dtype) for part in ("query", "key", "value")]
        self.widths = [part.out_features for part in parts]
        self.query_key_value = _make_linear(
            torch.cat([part.weight for part in parts]), torch.cat([part.bias for part in parts]), dtype
        )
        self.out = _linear(weights, f"{name}.attention.output.dense", dtype)
        self.heads = sizes.num_self_attention_heads
        self.mlp = FeedForward(weights, name, sizes.hidden_act, dtype)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Latents ``(B, latents, d)`` float32 to the same."""
        batch, count, _ = z.shape
        together = self.query_key_value(self.norm(z).to(self.out.weight.dtype))
        query, key, value = (
            part.view(batch, count, self.heads, -1).transpose(1, 2) for part in together.split(self.widths, dim=-1)
        )
        mixed = attend(query, key, value).transpose(1, 2).reshape(batch, count, -1)
        z = z + self.out(mixed).float()
        return self.mlp(z)  # type: ignore[no-any-return]


def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Attention of ``(B, heads, N, channels)``: fused where that is fastest."""
    if query.device.type != "cpu" or query.dtype == torch.float32:
        return F.scaled_dot_product_attention(query, key, value)
    # On a CPU the fused kernel does not use the bfloat16 units. One head's scores at a time stay in the cache.
    batch, heads, count, channels = query.shape
    mixed = query.new_empty(batch, heads, count, value.shape[-1])
    scores = query.new_empty(count, count)
    query, key, value = (query * channels**-0.5).contiguous(), key.contiguous(), value.contiguous()
    for item, head in itertools.product(range(batch), range(heads)):
        torch.mm(query[item, head], key[item, head].T, out=scores)
        torch.softmax(scores, dim=1, out=scores)
        torch.mm(scores, value[item, head], out=mixed[item, head])
    return mixed


class Decoder(Folded):
    """The cross-attention of all pixels over the latents, and the maps to flow.

    Args:
        weights: the weights.
        double: the same in float64.
        sizes: the configuration.
        positions: the position features of the window.
        dtype: of the large products and of the attention weights.
    """

    keys: torch.Tensor
    keys_bias: torch.Tensor
    values: torch.Tensor
    values_bias: torch.Tensor
    hidden: torch.Tensor
    hidden_bias: torch.Tensor
    flow: torch.Tensor
    flow_bias: torch.Tensor
    positions_y: torch.Tensor
    positions_x: torch.Tensor

    def __init__(
        self, weights: Weights, double: Double, sizes: Sizes, positions: Positions, dtype: torch.dtype
    ) -> None:
        super().__init__()
        self.norm = _norm(weights, f"{DECODER}.attention.self.layernorm2")
        fold = fold_decoder(double)
        for name in ("keys", "keys_bias", "values", "values_bias", "flow", "flow_bias"):
            self.keep(name, getattr(fold, name))
        for name in ("hidden", "hidden_bias"):
            self.keep(name, getattr(fold, name), dtype)
        self.keep("positions_y", positions.y)
        self.keep("positions_x", positions.x)
        self.activation = ACTIVATIONS[sizes.hidden_act]
        self.dtype = dtype

    def forward(self, pixels: torch.Tensor, r: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """Scaled pixels ``(h, w, 64 + n)``, scales ``(h, w)`` and latents ``(latents, d)`` to flow ``(h, w, 2)``."""
        height, width, channels = pixels.shape
        step = channels - IMAGE_CHANNELS
        latents = self.norm(z)
        keys = F.linear(latents, self.keys, self.keys_bias).T
        values = torch.addmm(self.values_bias[:, None], self.values, latents.T).to(self.dtype)
        image_keys, constant = keys[:IMAGE_CHANNELS].to(self.dtype), keys[INPUT_CHANNELS].to(self.dtype)
        row_scores = (self.positions_y @ keys[Y_CHANNELS]).to(self.dtype)
        column_scores = (self.positions_x @ keys[X_CHANNELS]).to(self.dtype)

        workspace = pixels.new_empty(step * width, len(z))
        flow = z.new_empty(height, width, 2)
        for block, count in row_blocks(height, step):
            inputs = pixels[block].view(-1, channels)[:, : IMAGE_CHANNELS + count]
            weights = workspace[: count * width]
            torch.addmm(constant, inputs, torch.cat([image_keys, row_scores[block]]), out=weights)
            weights.view(count, width, -1).addcmul_(column_scores, r[block][..., None])
            torch.softmax(weights, dim=1, out=weights)
            mixed = F.linear(weights, values).float()
            flow[block] = self._flow(mixed).view(count, width, 2)
        return flow

    def _flow(self, mixed: torch.Tensor) -> torch.Tensor:
        """The attention's centred output ``(N, 322)`` and its share of the flow ``(N, 2)`` to the flow ``(N, 2)``."""
        output, share = mixed[:, :INPUT_CHANNELS], mixed[:, INPUT_CHANNELS:]
        scale = torch.rsqrt(output.square().mean(dim=1, keepdim=True) + NORM_EPSILON)
        hidden = F.linear((output * scale).to(self.dtype), self.hidden, self.hidden_bias)
        return share + F.linear(self.activation(hidden).float(), self.flow, self.flow_bias)


class FlowNetwork(nn.Module):
    """Flow of a batch of windows.

    Args:
        weights: a checkpoint's weights.
        sizes: its configuration.
        dtype: of the large products: float32, bfloat16 or float16.

    Raises:
        ModelError: the configuration asks for an activation that flowcli does not know.
    """

    def __init__(self, weights: Weights, sizes: Sizes, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        double = Double(weights)
        positions = Positions.of(sizes.train_size)
        if sizes.hidden_act not in ACTIVATIONS:
            raise ModelError(
                f"flowcli does not support the checkpoint's activation {sizes.hidden_act!r}; it must be one of "
                f"{', '.join(ACTIVATIONS)}"
            )
        self.sizes = sizes
        self.inputs = PixelInputs(double, positions, dtype)
        self.encoder = EncoderAttention(double, sizes, positions, dtype)
        self.encoder_mlp = FeedForward(weights, ENCODER, sizes.hidden_act, dtype)
        self.layers = nn.ModuleList(
            SelfAttentionLayer(weights, layer_name(index), sizes, dtype)
            for index in range(sizes.num_self_attends_per_block)
        )
        self.decoder = Decoder(weights, double, sizes, positions, dtype)

    def forward(self, frames1: torch.Tensor, frames2: torch.Tensor) -> torch.Tensor:
        """``(B, h, w, 3)`` uint8 RGB twice to the flow ``(B, h, w, 2)`` in pixels, float32."""
        pixels, r = self.inputs(frames1, frames2)
        z = torch.stack([self.encoder(*window) for window in zip(pixels, r, strict=True)])
        z = self.encoder_mlp(z)
        for _ in range(self.sizes.num_blocks):
            for layer in self.layers:
                z = layer(z)
        return torch.stack([self.decoder(*window) for window in zip(pixels, r, z, strict=True)])

    def bytes_per_window(self) -> int:
        """About how much memory one more window in a batch takes."""
        height, width = self.sizes.train_size
        rows = block_rows(width, self.inputs.weight.device, self.inputs.dtype)
        pixels = 4 * height * width * (3 * IMAGE_CHANNELS + 2 * rows + 8)
        latents = 4 * self.sizes.num_latents * self.sizes.d_latents * 12
        return pixels + latents


def _norm(weights: Weights, name: str) -> nn.LayerNorm:
    gain = weights[f"{name}.weight"]
    norm = nn.LayerNorm(len(gain), eps=NORM_EPSILON, device="meta")
    norm.weight, norm.bias = _frozen(gain), _frozen(weights[f"{name}.bias"])
    return norm


def _linear(weights: Weights, name: str, dtype: torch.dtype) -> nn.Linear:
    return _make_linear(weights[f"{name}.weight"], weights[f"{name}.bias"], dtype)


def _make_linear(weight: torch.Tensor, bias: torch.Tensor, dtype: torch.dtype) -> nn.Linear:
    linear = nn.Linear(weight.shape[1], weight.shape[0], device="meta")
    linear.weight, linear.bias = _frozen(weight.to(dtype)), _frozen(bias.to(dtype))
    return linear


def _frozen(tensor: torch.Tensor) -> nn.Parameter:
    return nn.Parameter(tensor.detach(), requires_grad=False)
