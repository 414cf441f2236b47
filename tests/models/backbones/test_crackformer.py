"""CrackFormer's parts against loops over pixels, and which blocks it runs how often."""

from collections import Counter

import numpy as np
import pytest
import torch

from csbsr_mm.models.backbones import CrackFormer
from csbsr_mm.models.backbones.crackformer import ScalingAttention
from csbsr_mm.models.backbones.crackformer_blocks import LambdaAttention, TransformerBottleneck


def lambda_attention_by_pixel(attention, x):
    """Bello 2021, Eq. 1-2: at each pixel n, y = lambda_n^T q with lambda_n = content + position lambda."""
    queries, keys, values = (
        part(x)[0].detach().numpy() for part in (attention.queries, attention.keys, attention.values)
    )
    embedding = attention.embedding.detach().numpy()[:, 0, 0]
    heads, depth, window = attention.num_heads, attention.key_channels, embedding.shape[-1]
    channels, height, width = values.shape
    exponential = np.exp(keys - keys.max(axis=(1, 2), keepdims=True))
    softmax = exponential / exponential.sum(axis=(1, 2), keepdims=True)
    content = np.einsum('kyx,vyx->kv', softmax, values)
    result = np.zeros((heads, channels, height, width))
    for row in range(height):
        for column in range(width):
            position = np.zeros((depth, channels))
            for dy in range(window):
                for dx in range(window):
                    y, x_ = row + dy - window // 2, column + dx - window // 2
                    if 0 <= y < height and 0 <= x_ < width:
                        position += np.outer(embedding[:, dy, dx], values[:, y, x_])
            for head in range(heads):
                query = queries[head * depth : (head + 1) * depth, row, column]
                result[head, :, row, column] = query @ (content + position)
    return result.reshape(heads * channels, height, width)


def test_lambda_attention_by_pixel():
    torch.manual_seed(0)
    attention = LambdaAttention(32).double()
    x = torch.randn(1, 32, 9, 5, dtype=torch.float64)
    expected = lambda_attention_by_pixel(attention, x)
    np.testing.assert_allclose(attention(x)[0].detach().numpy(), expected, atol=1e-12)


def test_gate_of_zero_logits_halves():
    """A gate whose last norm is zeroed is sigmoid(0) everywhere."""
    torch.manual_seed(0)
    fusion = ScalingAttention(8, 12, channels=4)
    torch.nn.init.zeros_(fusion.gate[1].gn.weight)
    encoder = [torch.randn(1, 8, 5, 6), torch.randn(1, 8, 5, 6)]
    decoder = [torch.randn(1, 8, 5, 6), torch.randn(1, 4, 5, 6)]
    expected = fusion.fuse(torch.cat([encoder[-1], decoder[-1]], dim=1)) / 2
    torch.testing.assert_close(fusion(encoder, decoder), expected)


def test_deep_encoder_levels_apply_their_last_block_twice():
    network = CrackFormer(widths=(64,) * 5).eval()
    calls = Counter()
    for name, module in network.named_modules():
        if isinstance(module, TransformerBottleneck):
            module.register_forward_hook(lambda *_, name=name: calls.update([name]))
    network(torch.rand(1, 3, 32, 32))
    assert {name for name, count in calls.items() if count == 2} == {f'encoder.{n}.1' for n in (2, 3, 4)}
    assert sum(calls.values()) == (1 + 2 + 3 * 3) + (2 + 2 + 3 * 3)


def test_odd_sizes():
    features = CrackFormer(widths=(64,) * 5)(torch.rand(1, 3, 37, 50))
    assert [tuple(x.shape) for x in features] == [
        (1, 64, 37, 50), (1, 64, 18, 25), (1, 64, 9, 12), (1, 64, 4, 6), (1, 64, 2, 3),
    ]  # fmt: skip


def test_refusals():
    with pytest.raises(ValueError, match='at least 32x32 pixels, got 31x64'):
        CrackFormer(widths=(64,) * 5)(torch.rand(1, 3, 31, 64))
    with pytest.raises(ValueError, match=r'multiples of 64, got \(64, 96'):
        CrackFormer(widths=(64, 96, 128, 128, 128))
    with pytest.raises(ValueError, match='multiple of 16, got 24'):
        LambdaAttention(24)
