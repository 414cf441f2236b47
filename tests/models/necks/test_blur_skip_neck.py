"""The blur skip against its formula, written with torch's functions."""

import pytest
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS

from csbsr_mm.models.necks import BlurSkipNeck


def make(sft: str, fold: bool = True, code: int | None = None) -> BlurSkipNeck:
    torch.manual_seed(0)
    return BlurSkipNeck(in_channels=4, kernel_size=3, sft=sft, fold=fold, kernel_code=code).double()


def formula(module: BlurSkipNeck, features: torch.Tensor, kernel: torch.Tensor, sft: str) -> torch.Tensor:
    def branch(layers: torch.nn.ModuleDict, z: torch.Tensor) -> torch.Tensor:
        inner = F.conv2d(z, layers['first'].weight, layers['first'].bias, padding=1)
        inner = F.prelu(inner, layers['act'].weight)
        return F.conv2d(inner, layers['second'].weight, layers['second'].bias, padding=1)

    vector = kernel.flatten(1)
    if module.kernel_code is not None:
        vector = vector @ module.kernel_code.weight[:, :, 0, 0].T + module.kernel_code.bias
    kernel_map = vector[..., None, None].expand(-1, -1, *features.shape[-2:])
    y = features
    for transform, block in zip(module.transforms, module.blocks, strict=True):
        z = torch.cat([y, kernel_map], 1) if sft == 'modified' else kernel_map
        y = y * torch.sigmoid(branch(transform.scale, z)) + branch(transform.shift, z)
        y = F.conv2d(y, block.conv.weight, padding=1)
        y = F.relu(F.batch_norm(y, None, None, block.bn.weight, block.bn.bias, training=True))
    return features + y


@pytest.mark.parametrize('sft', ['modified', 'original'])
@pytest.mark.parametrize('fold', [True, False])
@pytest.mark.parametrize('code', [None, 2])
@pytest.mark.parametrize('size', [(1, 2), (4, 3), (7, 9)])
def test_formula(sft: str, fold: bool, size: tuple[int, int], code: int | None) -> None:
    module = make(sft, fold, code)
    features, kernel = torch.randn(2, 4, *size).double(), torch.rand(2, 1, 3, 3).double()
    expected = formula(module, features, kernel, sft)
    torch.testing.assert_close(module(features, kernel), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize('sft', ['modified', 'original'])
def test_gradients_of_the_folded_form(sft: str) -> None:
    features, kernel = torch.randn(2, 4, 6, 7).double(), torch.rand(2, 1, 3, 3).double()
    grads = []
    for fold in (True, False):
        module, condition = make(sft, fold), kernel.clone().requires_grad_()
        module(features, condition).square().sum().backward()
        assert all(p.grad is not None for p in module.parameters())
        grads.append(torch.cat([condition.grad.flatten(), *(p.grad.flatten() for p in module.parameters())]))
    assert (grads[0] - grads[1]).norm() <= 1e-11 * grads[1].norm()


def test_as_an_ordinary_neck() -> None:
    neck = MODELS.build(dict(type='BlurSkipNeck', in_channels=4, kernel_size=3, in_index=1)).eval()
    maps = [torch.rand(2, 8, 4, 4), torch.rand(2, 4, 2, 2)]
    with pytest.raises(ValueError, match='no blur kernel; pass blur_kernel, or call set_blur_kernel'):
        neck(maps)
    kernel = torch.rand(2, 1, 3, 3)
    neck.set_blur_kernel(kernel)
    first, second = neck(maps)
    assert first is maps[0]
    torch.testing.assert_close(second, neck(maps[1], kernel))
    neck.set_blur_kernel(None)
    with pytest.raises(ValueError, match='no blur kernel'):
        neck(maps)


def test_parameters_that_the_blur_skip_adds() -> None:
    """The publication's PSPNet has 89.25 M parameters, with the blur skip 99.67 M."""
    with torch.device('meta'):
        added = sum(p.numel() for p in BlurSkipNeck().parameters()) / 1e6
    assert added == pytest.approx(99.67 - 89.25, abs=0.01)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(kernel_size=8), 'kernel_size must be odd and positive, got 8'),
        (dict(sft='both'), "'modified' or 'original', got 'both'"),
        (dict(num_blocks=0), 'num_blocks must be at least 1, got 0'),
        (dict(kernel_code=0), 'kernel_code must be at least 1, or None, got 0'),
    ],
)
def test_refused_options(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BlurSkipNeck(**options)


def test_refused_kernel() -> None:
    with pytest.raises(ValueError, match=r'must have shape \(2, 1, 3, 3\), got \(1, 1, 3, 3\)'):
        make('modified')(torch.rand(2, 4, 5, 5).double(), torch.rand(1, 1, 3, 3).double())


def test_other_number_of_channels_is_refused_in_words() -> None:
    neck = BlurSkipNeck(in_channels=4, kernel_size=5)
    with pytest.raises(ValueError, match='features have 6 channels, in_channels is 4'):
        neck(torch.zeros(1, 6, 3, 3), torch.full((1, 1, 5, 5), 1 / 25))
