"""Back-projection units and transforms against their formulas, written with torch's functions."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from csbsr_mm.models.sr import DBPN, KBPN
from csbsr_mm.models.sr.layers import BackProjection, ConvPReLU, SpatialFeatureTransform


def conv_of(layer: ConvPReLU, x: torch.Tensor, transposed: bool, stride: int, padding: int) -> torch.Tensor:
    op = F.conv_transpose2d if transposed else F.conv2d
    y = op(x, layer.conv.weight, layer.conv.bias, stride=stride, padding=padding)
    return torch.where(y > 0, y, y * layer.act.weight)


@pytest.mark.parametrize(('scale', 'geometry'), [(2, (6, 2, 2)), (4, (8, 4, 2)), (8, (12, 8, 2))])
@pytest.mark.parametrize('up', [True, False])
@pytest.mark.parametrize('bias', [True, False])
def test_back_projection(scale: int, geometry: tuple[int, int, int], up: bool, bias: bool) -> None:
    torch.manual_seed(0)
    unit = BackProjection(up, 4, scale, in_channels=6, bias=bias).double()
    kernel_size, stride, padding = geometry
    assert unit.project.conv.kernel_size == (kernel_size, kernel_size)
    size = (3, 5) if up else (3 * scale, 5 * scale)
    parts = torch.randn(2, 2, *size, dtype=torch.float64), torch.randn(2, 4, *size, dtype=torch.float64)

    x = conv_of(unit.compress, torch.cat(parts, 1), False, 1, 0)
    there = conv_of(unit.project, x, up, stride, padding)
    back = conv_of(unit.project_back, there, not up, stride, padding)
    expected = there + conv_of(unit.project_error, back - x, up, stride, padding)

    got = unit(*parts)
    assert got.shape[-2:] == ((3 * scale, 5 * scale) if up else (3, 5))
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize('see_features', [True, False])
@pytest.mark.parametrize('size', [(1, 1), (2, 7), (9, 6)])
def test_spatial_feature_transform(see_features: bool, size: tuple[int, int]) -> None:
    torch.manual_seed(1)
    features = torch.randn(2, 4, *size, dtype=torch.float64)
    condition = torch.randn(2, 9, 1, 1, dtype=torch.float64)
    whole = condition.expand(-1, -1, *size)
    z = torch.cat([features, whole], 1) if see_features else whole
    for fold in (True, False):
        sft = SpatialFeatureTransform(4, 9, nn.Tanh, see_features, fold).double()

        def run(branch: nn.ModuleDict) -> torch.Tensor:
            inner = torch.tanh(F.conv2d(z, branch['first'].weight, branch['first'].bias, padding=1))
            return F.conv2d(inner, branch['second'].weight, branch['second'].bias, padding=1)

        expected = features * torch.sigmoid(run(sft.scale)) + run(sft.shift)
        torch.testing.assert_close(sft(features, condition), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize('network', [KBPN(num_stages=2, channels=32), DBPN(num_stages=2, channels=32)])
def test_released_initialisation(network: nn.Module) -> None:
    torch.manual_seed(0)
    network.init_weights()
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) and layer.weight.numel() > 2000:
            # PyTorch's fan in: the second axis, also of a transposed convolution's weight (in, out, k, k).
            fan = layer.weight[0].numel()
            assert layer.weight.std().item() == pytest.approx((2 / fan) ** 0.5, rel=0.06), name
        if getattr(layer, 'bias', None) is not None:
            assert layer.bias.abs().sum() == 0
        if isinstance(layer, nn.PReLU):
            assert layer.weight.item() == pytest.approx(0.01)
