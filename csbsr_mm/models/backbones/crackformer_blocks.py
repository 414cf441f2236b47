"""Transformer bottleneck of CrackFormer: lambda attention and an MLP between 1x1 convolutions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn


def group_norm(channels: int) -> dict:
    """Config of a group norm with four channels per group, as everywhere in CrackFormer."""
    return dict(type='GN', num_groups=channels // 4)


def conv_norm(in_channels: int, out_channels: int, kernel_size: int = 1, **kwargs) -> ConvModule:
    """Convolution and group norm; without an activation unless ``act_cfg`` names one."""
    kwargs.setdefault('act_cfg', None)
    return ConvModule(
        in_channels,
        out_channels,
        kernel_size,
        padding=kernel_size // 2,
        norm_cfg=group_norm(out_channels),
        **kwargs,
    )


class LambdaAttention(BaseModule):
    """Attention without an attention map: queries read two summaries ("lambdas") of the values.

    The content lambda sums the values of all positions, weighted by a softmax of the keys over space; the
    position lambda sums the values of a ``window`` around each position, weighted by learned embeddings.
    Memory grows linearly with the number of pixels.

    Args:
        channels: Channels of input and output, a multiple of 16 (values are normalised in groups of 4).
        num_heads: Queries per position; each reads ``channels / num_heads`` values.
        key_channels: Length of a query and of a key.
        window: Side of the window of the position lambda, odd.

    Reference:
        Bello, "LambdaNetworks: Modeling Long-Range Interactions Without Attention", ICLR 2021.

    Example:
        >>> LambdaAttention(16)(torch.rand(2, 16, 6, 5)).shape
        torch.Size([2, 16, 6, 5])
    """

    def __init__(self, channels: int, num_heads: int = 4, key_channels: int = 16, window: int = 7) -> None:
        super().__init__()
        if channels % (4 * num_heads):
            raise ValueError(f'channels must be a multiple of {4 * num_heads}, got {channels}')
        self.num_heads = num_heads
        self.key_channels = key_channels
        value_channels = channels // num_heads
        self.queries = conv_norm(channels, num_heads * key_channels)
        self.keys = conv_norm(channels, key_channels)
        self.values = conv_norm(channels, value_channels)
        # The two dimensions of size 1: embeddings do not depend on the value channel (the depth of a 3-D
        # convolution in the released model, whose checkpoint has this shape).
        self.embedding = nn.Parameter(torch.randn(key_channels, 1, 1, window, window) / window)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, C, h, w)."""
        batch, _, height, width = x.shape
        queries = self.queries(x).view(batch, self.num_heads, self.key_channels, height, width)
        keys = self.keys(x).flatten(2).softmax(dim=-1)
        values = self.values(x)
        content = torch.einsum('bkn,bvn->bkv', keys, values.flatten(2))
        read = torch.einsum('bqkhw,bkv->bqvhw', queries, content)
        read = read + torch.einsum('bqkhw,bvkhw->bqvhw', queries, self._positions(values))
        return read.flatten(1, 2)

    def _positions(self, values: Tensor) -> Tensor:
        """Position lambdas (B, V, K, h, w) of the values (B, V, h, w)."""
        batch, channels = values.shape[:2]
        maps = values.flatten(0, 1).unsqueeze(1)
        embedding = self.embedding.squeeze(2)
        lambdas = F.conv2d(maps, embedding, padding=embedding.shape[-1] // 2)
        return lambdas.unflatten(0, (batch, channels))


class ConvMLP(BaseModule):
    """Two 1x1 convolutions with a grouped 3x3 convolution between them, a quarter as wide inside.

    Args:
        channels: Channels of input and output, a multiple of 16.
        dropout: Probability to drop a value after the inner activation and at the end.
    """

    def __init__(self, channels: int, dropout: float = 0.3) -> None:
        super().__init__()
        hidden = channels // 4
        self.reduce = conv_norm(channels, hidden, bias=True)
        self.mix = conv_norm(hidden, hidden, 3, groups=hidden // 4, bias=True, act_cfg=dict(type='GELU'))
        self.expand = conv_norm(hidden, channels, bias=True)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, C, h, w)."""
        return self.dropout(self.expand(self.dropout(self.mix(self.reduce(x)))))


class TransformerBottleneck(BaseModule):
    """Residual bottleneck with attention and MLP in place of its 3x3 convolution.

    Args:
        in_channels: Channels of the input, a multiple of 64.
        out_channels: Channels of the output, a multiple of 64.
        dropout: See :class:`ConvMLP`.

    Reference:
        Liu et al., "CrackFormer: Transformer Network for Fine-Grained Crack Detection", ICCV 2021.

    Example:
        >>> TransformerBottleneck(64, 128)(torch.rand(1, 64, 6, 5)).shape
        torch.Size([1, 128, 6, 5])
    """

    def __init__(self, in_channels: int, out_channels: int, dropout: float = 0.3) -> None:
        super().__init__()
        hidden = max(in_channels, out_channels) // 4
        self.enter = conv_norm(in_channels, hidden, act_cfg=dict(type='GELU'))
        self.attention = LambdaAttention(hidden)
        self.mlp = ConvMLP(hidden, dropout)
        self.leave = conv_norm(hidden, out_channels, act_cfg=dict(type='GELU'))
        self.shortcut = (
            nn.Identity() if in_channels == out_channels else conv_norm(in_channels, out_channels, bias=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, h, w) -> (B, out_channels, h, w)."""
        y = self.enter(x)
        y = y + self.attention(y)
        y = y + self.mlp(y)
        return F.gelu(self.leave(F.gelu(y)) + self.shortcut(x))
