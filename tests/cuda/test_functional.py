"""The mathematics on the GPU against the same on the CPU."""

import pytest
import torch

from csbsr_mm.functional import (
    boundary_loss,
    boundary_map,
    crack_oriented_weight,
    degrade,
    dice_loss,
    distance_to,
    fail_oriented_weight,
    generalized_dice_loss,
    hausdorff_sweep,
    iou_sweep,
    psnr,
    signed_distance,
    ssim,
    tolerance_sweep,
    weighted_cross_entropy,
)

pytestmark = pytest.mark.cuda
FLOAT32 = dict(rtol=1e-5, atol=1e-6)
FLOAT64 = dict(rtol=1e-10, atol=1e-10)
LOSSES = [weighted_cross_entropy, dice_loss, generalized_dice_loss, boundary_loss]


def sample(channels=1, size=(3, 60, 70), dtype=torch.float64, seed=0):
    """Logits and labels of thin and thick shapes, a few pixels unknown."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(size[0], channels, size[1] // 6, size[2] // 6, generator=generator, dtype=dtype)
    logits = torch.nn.functional.interpolate(4 * coarse, size[1:], mode='bicubic')
    label = (logits[:, -1] + torch.randn(size, generator=generator, dtype=dtype) > 2).long()
    label[:, :2] = 255
    return logits, label


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('channels', [1, 2])
@pytest.mark.parametrize('loss', LOSSES)
def test_losses_and_gradients(device, loss, channels, dtype):
    logits, label = sample(channels, dtype=dtype)
    values = []
    for where in ('cpu', device):
        leaf = logits.to(where, copy=True).requires_grad_()
        value = loss(leaf, label.to(where))
        (gradient,) = torch.autograd.grad(value, leaf)
        assert value.device.type == torch.device(where).type
        values.append((value.detach().cpu(), gradient.cpu()))
    tolerance = FLOAT64 if dtype == torch.float64 else FLOAT32
    torch.testing.assert_close(values[1], values[0], **tolerance)


@pytest.mark.parametrize('shape', [(1, 1), (1, 50), (64, 64), (448, 448)])
def test_distance_maps_are_equal_to_the_bit(device, shape):
    mask = torch.rand(2, *shape, generator=torch.Generator().manual_seed(0)) > 0.98
    assert torch.equal(distance_to(mask.to(device)).cpu(), distance_to(mask))
    assert torch.equal(signed_distance(mask.to(device)).cpu(), signed_distance(mask))


def test_boundary_maps(device):
    _, label = sample()
    torch.testing.assert_close(boundary_map(label.to(device)).cpu(), boundary_map(label), **FLOAT32)


def test_sweeps(device):
    logits, label = sample(dtype=torch.float32)
    prob, target = logits[:, 0].sigmoid(), label == 1
    found = hausdorff_sweep(prob.to(device), target.to(device), percentile=(95, 100))
    torch.testing.assert_close(found.cpu(), hausdorff_sweep(prob, target, percentile=(95, 100)), **FLOAT32)
    for image, mask in zip(prob, target, strict=True):
        assert torch.equal(iou_sweep(image.to(device), mask.to(device)).cpu(), iou_sweep(image, mask))


def test_image_quality_and_degradation(device):
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(2, 3, 48, 64, generator=generator, dtype=torch.float64)
    kernel = torch.rand(2, 1, 21, 21, generator=generator, dtype=torch.float64)
    kernel = kernel / kernel.sum((-2, -1), keepdim=True)
    results = []
    for where in ('cpu', device):
        hr = image.to(where)
        lr = degrade(hr, kernel.to(where), 4)
        results.append([lr.cpu(), psnr(hr, 0.9 * hr).cpu(), ssim(hr, 0.9 * hr).cpu()])
    torch.testing.assert_close(results[1], results[0], **FLOAT64)


def test_weights(device):
    logits, label = sample()
    prob, on_device = logits[:, 0].sigmoid(), label.to(device)
    found = [crack_oriented_weight(on_device, 0.1), fail_oriented_weight(prob.to(device), on_device, 1.0)]
    expected = [crack_oriented_weight(label, 0.1), fail_oriented_weight(prob, label, 1.0)]
    for weight, twin in zip(found, expected, strict=True):
        torch.testing.assert_close(weight.cpu(), twin, **FLOAT32)


def test_tolerant_counts_are_equal(device):
    logits, label = sample(dtype=torch.float32)
    for prob, target in zip(logits[:, 0].sigmoid(), label == 1, strict=True):
        expected = tolerance_sweep(prob, target, tolerance=(0, 2, 5))
        found = tolerance_sweep(prob.to(device), target.to(device), tolerance=(0, 2, 5))
        for actual, truth in zip(found, expected, strict=True):
            assert (actual == truth).all()
