"""SrcNet's S: sizes, and what its parts do; tests/models/segmentors has the figures of the released code."""

import pytest
import torch
import torch.nn.functional as F

from csbsr_mm.models.sr import SrcNet


@pytest.mark.parametrize('scale', [2, 4, 8])
def test_enlarges_and_trains(scale: int) -> None:
    torch.manual_seed(0)
    network = SrcNet(scale, num_groups=1, num_blocks=1, channels=4)
    for gate in (network.body[0].blocks[0].gate[3],):
        torch.nn.init.ones_(gate.bias)  # a gate of 0 would pass nothing
    sr, kernel = network(torch.rand(2, 3, 1, 3))
    assert sr.shape == (2, 3, scale, 3 * scale)
    assert kernel is None
    sr.square().mean().backward()
    assert all(p.grad.isfinite().all() and p.grad.abs().sum() > 0 for p in network.parameters())


def test_formula_of_one_block() -> None:
    torch.manual_seed(1)
    network, lr = SrcNet(4, num_groups=1, num_blocks=1, channels=4).double(), torch.rand(1, 3, 4, 5).double()
    p = dict(network.named_parameters())

    def conv(name: str, x: torch.Tensor) -> torch.Tensor:
        return F.conv2d(x, p[f'{name}.weight'], p[f'{name}.bias'], padding=p[f'{name}.weight'].shape[-1] // 2)

    head, block = conv('head', lr), 'body.0.blocks.0.'
    mapped = conv(block + 'layers.2', F.relu(conv(block + 'layers.0', head)))
    inner = conv(block + 'gate.1', mapped.mean((2, 3), keepdim=True)).sigmoid()
    gated = mapped * F.relu(conv(block + 'gate.3', inner))
    group = head + conv('body.0.conv', gated)
    large = F.conv_transpose2d(
        head + conv('body.1', group), p['upscale.weight'], p['upscale.bias'], stride=4, padding=2
    )
    torch.testing.assert_close(network(lr)[0], conv('tail', large), rtol=0, atol=1e-13)


def test_refused_options() -> None:
    with pytest.raises(ValueError, match=r'scale must be one of .* got 3'):
        SrcNet(scale=3)
    with pytest.raises(ValueError, match='num_groups and num_blocks must be at least 1, got 10 and 0'):
        SrcNet(num_blocks=0)
    with pytest.raises(ValueError, match='channels must be even and positive, got 5'):
        SrcNet(channels=5)
