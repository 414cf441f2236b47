"""SrcNet's S: EDSR's baseline by its parameters, and what its parts do."""

import pytest
import torch
import torch.nn.functional as F

from csbsr_mm.models.sr import SrcNet


@pytest.mark.parametrize(('scale', 'thousands'), [(2, 1370), (4, 1518)])
def test_parameters_of_the_edsr_baseline(scale: int, thousands: int) -> None:
    """The counts that the super-resolution literature gives for EDSR-baseline."""
    with torch.device('meta'):
        network = SrcNet(scale)
    assert round(sum(p.numel() for p in network.parameters()) / 1e3) == thousands


@pytest.mark.parametrize('scale', [2, 4, 8])
def test_enlarges_and_trains(scale: int) -> None:
    torch.manual_seed(0)
    network = SrcNet(scale, num_blocks=2, channels=4)
    sr, kernel = network(torch.rand(2, 3, 1, 3))
    assert sr.shape == (2, 3, scale, 3 * scale)
    assert kernel is None
    sr.square().mean().backward()
    assert all(p.grad.isfinite().all() and p.grad.abs().sum() > 0 for p in network.parameters())


def test_formula_of_one_block() -> None:
    torch.manual_seed(1)
    network, lr = (
        SrcNet(2, num_blocks=1, channels=4, residual_scale=0.5).double(),
        torch.rand(1, 3, 4, 5).double(),
    )
    p = dict(network.named_parameters())

    def conv(name: str, x: torch.Tensor) -> torch.Tensor:
        return F.conv2d(x, p[f'{name}.weight'], p[f'{name}.bias'], padding=1)

    head = conv('head', lr)
    block = head + 0.5 * conv('blocks.0.layers.2', F.relu(conv('blocks.0.layers.0', head)))
    large = conv('upsample.0.0', head + conv('blocks.1', block))
    large = large.reshape(1, 4, 2, 2, 4, 5).permute(0, 1, 4, 2, 5, 3).reshape(1, 4, 8, 10)
    torch.testing.assert_close(network(lr)[0], conv('tail', large), rtol=0, atol=1e-13)


def test_refused_options() -> None:
    with pytest.raises(ValueError, match=r'scale must be one of .* got 3'):
        SrcNet(scale=3)
    with pytest.raises(ValueError, match='num_blocks must be at least 1, got 0'):
        SrcNet(num_blocks=0)
