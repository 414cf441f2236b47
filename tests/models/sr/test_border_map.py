"""Border maps against the same convolutions of whole maps."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from csbsr_mm.models.sr.border_map import BorderMap, convolve, mean_of_convolution

SIDES = range(1, 9)


def vector(channels: int = 3) -> torch.Tensor:
    return torch.randn(2, channels, 1, 1, dtype=torch.float64, requires_grad=True)


def weights(*shape: int) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize('width', SIDES)
@pytest.mark.parametrize('height', SIDES)
def test_three_convolutions_of_a_constant_map(height: int, width: int) -> None:
    torch.manual_seed(height * 10 + width)
    x, first, second, third = vector(), weights(4, 3, 3, 3), weights(4, 4, 5, 5), weights(2, 4, 3, 3)
    bias = weights(4)
    inputs = [x, first, second, third, bias]

    folded = BorderMap.constant(x, (height, width))
    folded = folded.conv(first, bias).apply(torch.tanh).conv(second).apply(torch.tanh).conv(third)
    whole = torch.tanh(F.conv2d(x.expand(-1, -1, height, width), first, bias, padding=1))
    whole = F.conv2d(torch.tanh(F.conv2d(whole, second, padding=2)), third, padding=1)

    assert folded.values.shape[-2:] == (min(height, 9), min(width, 9))
    torch.testing.assert_close(folded.expand(), whole, rtol=0, atol=1e-13)
    probe = torch.randn_like(whole)
    ours = torch.autograd.grad((folded.expand() * probe).sum(), inputs)
    theirs = torch.autograd.grad((whole * probe).sum(), inputs)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-11)


@pytest.mark.parametrize('size', [(1, 1), (1, 9), (2, 3), (6, 5), (12, 16)])
@pytest.mark.parametrize('kernel_size', [1, 3])
def test_convolve_is_the_convolution_of_the_concatenation(size: tuple[int, int], kernel_size: int) -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(4 + 3 + 2, 5, kernel_size, padding=kernel_size // 2, dtype=torch.float64)
    features = torch.randn(2, 4, *size, dtype=torch.float64)
    constant = BorderMap.constant(vector(), size)
    others = torch.randn(2, 2, *size, dtype=torch.float64)
    whole = conv(torch.cat([features, constant.expand(), others], 1))
    for fold in (True, False):
        got = convolve(conv, [features, constant, others], fold)
        torch.testing.assert_close(got, whole, rtol=0, atol=1e-13)


@pytest.mark.parametrize('size', [(1, 1), (1, 5), (2, 2), (3, 7), (8, 9)])
def test_mean_of_a_convolution(size: tuple[int, int]) -> None:
    torch.manual_seed(1)
    x, weight = torch.randn(2, 4, *size, dtype=torch.float64), weights(3, 4, 3, 3)
    expected = F.conv2d(x, weight, padding=1).mean((2, 3), keepdim=True)
    torch.testing.assert_close(mean_of_convolution(x, weight), expected, rtol=0, atol=1e-14)


def test_mean_of_a_convolution_accumulates_half_precision_in_single() -> None:
    x = torch.full((1, 1, 300, 300), 1.0, dtype=torch.float16)  # its sum, 90000, overflows float16
    mean = mean_of_convolution(x, torch.ones(1, 1, 3, 3, dtype=torch.float16))
    assert mean.dtype == torch.float32
    exact = F.conv2d(x.double(), torch.ones(1, 1, 3, 3).double(), padding=1).mean()
    assert mean.item() == pytest.approx(exact.item(), rel=1e-6)
