"""FeatureAffinityLoss against loops over pairs of pixels, and what leaves it unchanged."""

import numpy as np
import pytest
import torch

from csbsr_mm.models.losses import FeatureAffinityLoss


def by_pairs(a, b, side):
    """Mean |cos - cos| over all pairs of pooled pixels, image by image; incomplete squares are dropped."""

    def pooled(x):
        height, width = x.shape[1:]
        return [
            x[:, y : y + side, x_ : x_ + side].mean(axis=(1, 2))
            for y in range(0, height - side + 1, side)
            for x_ in range(0, width - side + 1, side)
        ]

    def cosine(u, v):
        return u @ v / np.linalg.norm(u) / np.linalg.norm(v)

    values = []
    for first, second in zip(a, b, strict=True):
        p, q = pooled(first), pooled(second)
        values += [abs(cosine(p[i], p[j]) - cosine(q[i], q[j])) for i in range(len(p)) for j in range(len(p))]
    return np.mean(values)


@pytest.mark.parametrize('side', [1, 2, 3])
def test_by_pairs(side):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 3, 5, 4)), rng.standard_normal((2, 6, 5, 4))
    loss = FeatureAffinityLoss(subsample=side, normalize=True, reduction='mean', loss_weight=0.5)
    value = loss(torch.from_numpy(a), torch.from_numpy(b)).item()
    assert value == pytest.approx(0.5 * by_pairs(a, b, side), abs=1e-12)


def test_scaling_and_rotating_features_changes_nothing():
    a, b = torch.randn(1, 4, 6, 6, dtype=torch.float64), torch.randn(1, 4, 6, 6, dtype=torch.float64)
    rotation = torch.linalg.qr(torch.randn(4, 4, dtype=torch.float64))[0]
    loss = FeatureAffinityLoss(subsample=1, normalize=True)
    moved = torch.einsum('oc,bchw->bohw', 7 * rotation, a)
    assert loss(moved, b).item() == pytest.approx(loss(a, b).item(), abs=1e-12)
    assert loss(moved, a).item() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_and_dead_features(dtype):
    a = torch.zeros(1, 4, 8, 8, dtype=dtype, requires_grad=True)
    value = FeatureAffinityLoss(subsample=2, normalize=True)(a, torch.randn(1, 4, 8, 8).to(dtype))
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(a.grad).all()


def test_autocast_keeps_full_precision():
    a, b = torch.randn(1, 4, 16, 16), torch.randn(1, 4, 16, 16)
    loss = FeatureAffinityLoss(subsample=2)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        value = loss(a, b)
    torch.testing.assert_close(value, loss(a, b))


def test_refusals():
    with pytest.raises(ValueError, match='as many 4x4 squares'):
        FeatureAffinityLoss(subsample=4)(torch.rand(1, 2, 8, 8), torch.rand(1, 2, 8, 12))
    with pytest.raises(ValueError, match='at least 16 pixels a side'):
        FeatureAffinityLoss()(torch.rand(1, 2, 16, 15), torch.rand(1, 2, 16, 15))
    with pytest.raises(ValueError, match="got 'none'"):
        FeatureAffinityLoss(reduction='none')
    with pytest.raises(ValueError, match='got 0'):
        FeatureAffinityLoss(subsample=0)
