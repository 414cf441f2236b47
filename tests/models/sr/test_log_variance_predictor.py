"""The kernel read from texture: its equation written out, what it must not see, and where KBPN uses it."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from csbsr_mm.models.sr import KBPN
from csbsr_mm.models.sr.blur_kernel import blur_and_sample
from csbsr_mm.models.sr.log_variance_predictor import LogVariancePredictor, corrected_kernel


def predictor(seed=0):
    torch.manual_seed(seed)
    return LogVariancePredictor(6, kernel_size=9, estimated_kernel_size=3).double()


def lr_images(count=2, size=20):
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_equation():
    network, lr = predictor(), lr_images()
    standardised = torch.stack([(x - x.mean()) / (x.std(correction=0) + 1e-4) for x in lr])
    maps = network.layers(standardised)[..., 3:-3, 3:-3].detach().numpy()
    weight, bias = (p.detach().numpy() for p in network.to_logits.parameters())
    cells = (np.arange(3) - 1) * 3.0
    prior = -(cells[:, None] ** 2 + cells**2).ravel() / 8
    for image, found in zip(maps, network(lr).detach(), strict=True):
        logits = weight @ np.log(image.reshape(9, -1).var(1) + 1e-4) + bias + prior
        enlarged = F.interpolate(torch.from_numpy(logits).view(1, 1, 3, 3), size=(9, 9), mode='bicubic')
        kernel = np.exp(enlarged.numpy().ravel())
        np.testing.assert_allclose(found[:, 0, 0], kernel / kernel.sum(), atol=1e-7)


def test_brightness_and_contrast_tell_nothing():
    network, lr = predictor(), lr_images()
    torch.testing.assert_close(network(0.5 * lr + 0.3), network(lr), rtol=0.02, atol=1e-5)


def test_an_untrained_kernel_is_a_gaussian_of_two_pixels():
    network = LogVariancePredictor(4, kernel_size=21, estimated_kernel_size=7)
    torch.nn.init.zeros_(network.to_logits.weight)
    kernel = network(torch.rand(1, 3, 16, 16)).reshape(21, 21).detach().numpy()
    offsets = np.arange(21) - 10
    assert (kernel.sum(0) * offsets**2).sum() == pytest.approx(4, rel=0.15)
    assert kernel.sum() == pytest.approx(1, abs=1e-5)


def test_corrections_act_on_logits():
    kernel = torch.rand(2, 25, 1, 1, dtype=torch.float64).softmax(1)
    update = torch.randn(2, 25, 1, 1, dtype=torch.float64)
    torch.testing.assert_close(corrected_kernel(kernel, torch.zeros_like(update)), kernel)
    product = kernel * update.exp()
    torch.testing.assert_close(corrected_kernel(kernel, update), product / product.sum(1, keepdim=True))


def test_updates_start_at_zero():
    torch.manual_seed(0)
    network = KBPN(
        num_stages=2, channels=4, kernel_size=5, estimated_kernel_size=3, kernel_estimator='log_variance'
    )
    network.init_weights()
    lr = torch.rand(1, 3, 9, 9)
    _, kernel = network(lr)
    torch.testing.assert_close(kernel, network.estimate_kernel(lr))
    assert 'stages.0.kernel_update' in network.kernel_predictor_modules()


def test_without_updates_and_with_a_code():
    options = dict(num_stages=2, channels=4, kernel_size=5, estimated_kernel_size=3)
    network = KBPN(**options, kernel_estimator='log_variance', kernel_updates=False, kernel_code=3)
    assert network.kernel_predictor_modules() == ['kernel_predictor']
    sr_image, _ = network(torch.rand(2, 3, 8, 9))
    assert sr_image.shape == (2, 3, 32, 36)
    sr_image.sum().backward()
    assert network.kernel_code.weight.grad.abs().sum() > 0
    published = KBPN(**options)
    assert not [name for name in published.state_dict() if 'kernel_code' in name or 'to_logits' in name]


def test_replicated_borders_leave_no_dark_rim():
    image = torch.full((1, 3, 24, 24), 0.7)
    kernel = torch.full((1, 49, 1, 1), 1 / 49)
    for method in ('grouped', 'unfold'):
        low = blur_and_sample(image, kernel, 4, method, padding='replicate')
        torch.testing.assert_close(low, torch.full((1, 3, 6, 6), 0.7))
    assert blur_and_sample(image, kernel, 4).min() < 0.5


@pytest.mark.parametrize('option', ['kernel_estimator', 'blur_padding'])
def test_unknown_choices_are_named(option):
    with pytest.raises(ValueError, match=f"KBPN: {option} must be '.* got 'best'"):
        KBPN(num_stages=1, channels=4, **{option: 'best'})
