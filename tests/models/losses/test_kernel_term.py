"""The relative kernel loss, the border left out of the LR term, and a stage of the estimator alone."""

import pytest
import torch
from helpers.models import TINY_KBPN, batch, tiny_csbsr
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

from csbsr_mm.functional import degrade
from csbsr_mm.models.losses import BlindSRLoss


def test_relative_loss_by_hand():
    torch.manual_seed(0)
    estimate, true = torch.rand(3, 1, 5, 5, dtype=torch.float64), torch.rand(3, 1, 5, 5, dtype=torch.float64)
    expected = sum(((e - t) ** 2).sum() / (t**2).sum() for e, t in zip(estimate, true, strict=True)) / 3
    loss = BlindSRLoss(kernel_loss='relative', kernel_weight=0.05)
    assert loss.kernel_term(estimate, true).item() == pytest.approx(0.05 * expected.item(), abs=1e-12)
    assert loss.kernel_term(7 * estimate, 7 * true).item() == pytest.approx(0.05 * expected.item(), abs=1e-12)


def test_border_is_left_out_of_the_lr_term_alone():
    torch.manual_seed(1)
    sr, hr, lr = torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32), torch.rand(2, 3, 8, 8)
    kernel, weight = torch.rand(2, 1, 5, 5).flatten(1).softmax(1).view(2, 1, 5, 5), torch.rand(2, 1, 32, 32)
    terms = BlindSRLoss(border=2, lr_weight=1.0)(sr, hr, lr, kernel, kernel, weight=weight)
    small = torch.nn.functional.interpolate(weight, (8, 8), mode='bilinear')
    error = (degrade(sr, kernel, 4) - lr).abs() * small
    assert terms['lr'].item() == pytest.approx(error[..., 2:-2, 2:-2].mean().item(), rel=1e-5)
    assert terms['hr'].item() == pytest.approx(0.4 * ((sr - hr).abs() * weight).mean().item(), rel=1e-5)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(kernel_loss='l1'), "kernel_loss must be 'mse' or 'relative', got 'l1'"),
        (dict(border=-1), 'border must be >= 0 pixels, got -1'),
    ],
)
def test_bad_values_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        BlindSRLoss(**options)


def build(**changes):
    init_default_scope('mmseg')
    return MODELS.build(ConfigDict(tiny_csbsr(**changes))).train()


@pytest.mark.parametrize('estimator', ['published', 'log_variance'])
def test_a_stage_for_the_estimator_runs_nothing_else(estimator):
    model = build(sr=dict(TINY_KBPN, kernel_estimator=estimator))
    data = model.data_preprocessor(batch(size=(10, 11)), True)
    model.kernel_only = True
    model.segmentor = None
    losses = model.loss(data['inputs'], data['data_samples'])
    true = torch.stack([sample.gt_blur_kernel.data for sample in data['data_samples']])
    expected = 0.2 * (model.sr.estimate_kernel(data['inputs']) - true).square().mean()
    assert list(losses) == ['sr.loss_kernel']
    torch.testing.assert_close(losses['sr.loss_kernel'], expected)


def test_an_estimator_is_needed():
    model = build(sr=dict(type='BicubicUpsampler'))
    data = model.data_preprocessor(batch(), True)
    model.kernel_only = True
    with pytest.raises(ValueError, match='needs an SR network that estimates kernels, got BicubicUpsampler'):
        model.loss(data['inputs'], data['data_samples'])
