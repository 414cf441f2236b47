"""BlindSRLoss against the golden figures; weights, padding, missing kernels, half precision."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS

import csbsr_mm  # noqa: F401
from csbsr_mm.models.losses import BlindSRLoss


@pytest.fixture(scope='module')
def golden():
    with np.load(Path(__file__).parents[2] / 'data' / 'blind_sr.npz') as figures:
        return {name: torch.from_numpy(figures[name]) for name in figures.files}


def images(golden, dtype=torch.float64):
    names = ('sr', 'hr', 'lr', 'kernel_pred', 'kernel_gt')
    return [golden[name].to(dtype) for name in names]


def sample(seed=0, batch=2, height=24, width=32, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    sr, hr = torch.rand(2, batch, 3, height, width, generator=generator, dtype=dtype)
    lr = torch.rand(batch, 3, height // 4, width // 4, generator=generator, dtype=dtype)
    kernels = torch.rand(2, batch, 1, 5, 5, generator=generator, dtype=dtype)
    return sr, hr, lr, *(kernels / kernels.sum((-2, -1), keepdim=True))


@pytest.mark.parametrize('antialias', [0, 1])
@pytest.mark.parametrize('dtype', [torch.float64, torch.float32])
def test_golden_figures(golden, antialias, dtype):
    figures = golden[f'terms_hr_lr_kernel_antialias{antialias}']
    loss = BlindSRLoss(1, 1, 1, antialias=bool(antialias))
    for index in range(2):
        terms = loss(*(image[index : index + 1] for image in images(golden, dtype)))
        actual = [terms[name].item() for name in ('hr', 'lr', 'kernel')]
        np.testing.assert_allclose(actual, figures[:, index], rtol=0, atol=1e-6)
    terms = MODELS.build(dict(type='BlindSRLoss', antialias=bool(antialias)))(*images(golden))
    actual = [terms[name].item() for name in ('hr', 'lr', 'kernel')]
    np.testing.assert_allclose(actual, figures.mean(1).numpy() * [0.4, 0.4, 0.2], rtol=0, atol=1e-9)


def test_networks_without_a_kernel():
    sr, hr, lr, kernel, gt_kernel = sample()
    torch.testing.assert_close(BlindSRLoss(hr_weight=1)(sr, hr, lr), {'hr': (sr - hr).abs().mean()})
    assert set(BlindSRLoss()(sr, hr, lr, kernel)) == {'hr', 'lr'}
    assert set(BlindSRLoss()(sr, hr, lr, None, gt_kernel)) == {'hr'}


def test_zero_weights_switch_terms_off():
    terms = BlindSRLoss(0, 0, 0)(*sample())
    assert all(value == 0 for value in terms.values())


def test_weight_multiplies_the_image_terms_only():
    sr, hr, lr, kernel, gt_kernel = sample()
    loss = BlindSRLoss()
    plain = loss(sr, hr, lr, kernel, gt_kernel)
    double = loss(sr, hr, lr, kernel, gt_kernel, weight=torch.full_like(sr[:, :1], 2.0))
    torch.testing.assert_close(double['hr'], 2 * plain['hr'])
    torch.testing.assert_close(double['lr'], 2 * plain['lr'])
    torch.testing.assert_close(double['kernel'], plain['kernel'])
    weight = torch.rand_like(sr[:, :1])
    weighted = loss(sr, hr, lr, kernel, gt_kernel, weight=weight)
    torch.testing.assert_close(weighted['hr'], 0.4 * (weight * (sr - hr).abs()).mean())


def test_weight_is_bilinear_at_lr():
    sr, hr, lr, kernel, _ = sample()
    weight = torch.zeros_like(sr[:, :1])
    weight[:, :, 5, 9] = 1  # one of the four pixels around the centre (5.5, 9.5) of LR pixel (1, 2)
    at_one = torch.zeros_like(lr[:, :1])
    at_one[:, :, 1, 2] = 0.25
    pseudo_lr_error = BlindSRLoss(lr_weight=1)(sr, hr, lr, kernel, weight=weight)['lr']
    one = torch.zeros_like(lr)
    for row in (5, 6):
        for column in (9, 10):
            weight[:, :, row, column] = 1
    full = BlindSRLoss(lr_weight=1)(sr, hr, lr, kernel, weight=weight)['lr']
    assert one.shape == lr.shape
    torch.testing.assert_close(pseudo_lr_error, full / 4)
    assert full > 0


@pytest.mark.parametrize('antialias', [False, True])
@pytest.mark.parametrize('padding', ['zeros', 'reflect'])
@pytest.mark.parametrize('weighted', [False, True])
def test_padding_changes_nothing(antialias, padding, weighted):
    loss = BlindSRLoss(antialias=antialias, padding=padding)
    samples = [sample(1, 1, 24, 32), sample(2, 1, 16, 36)]
    weights = [torch.rand(1, 1, *s[0].shape[-2:], dtype=torch.float64) if weighted else None for s in samples]
    alone = [loss(*s, weight=w) for s, w in zip(samples, weights, strict=True)]
    padded, masks, padded_weights = [], [], []
    for s, w in zip(samples, weights, strict=True):
        bottom, right = 24 - s[0].shape[-2], 40 - s[0].shape[-1]
        pads = [(0, right, 0, bottom)] * 2 + [(0, right // 4, 0, bottom // 4)]
        padded.append([F.pad(x, pad, value=0.7) for x, pad in zip(s[:3], pads, strict=True)] + list(s[3:]))
        masks.append(F.pad(torch.ones_like(s[0][:, :1]), pads[0]).bool())
        padded_weights.append(F.pad(w, pads[0], value=9.0) if weighted else None)
    batch = [torch.cat(parts) for parts in zip(*padded, strict=True)]
    weight = torch.cat(padded_weights) if weighted else None
    terms = loss(*batch, weight=weight, valid=torch.cat(masks))
    for name, value in terms.items():
        torch.testing.assert_close(value, sum(one[name] for one in alone) / 2)


def test_valid_everywhere_changes_nothing():
    images = sample()
    everywhere = torch.ones_like(images[0][:, :1], dtype=torch.bool)
    torch.testing.assert_close(BlindSRLoss()(*images, valid=everywhere), BlindSRLoss()(*images))


def test_gradcheck():
    sr, hr, lr, kernel, gt_kernel = sample(height=8, width=8)
    loss = BlindSRLoss()

    def total(sr, kernel):
        return sum(loss(sr, hr, lr, kernel, gt_kernel).values())

    assert torch.autograd.gradcheck(total, (sr.requires_grad_(), kernel.requires_grad_()))


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype):
    images = [image.to(dtype) for image in sample()]
    expected = BlindSRLoss()(*(image.float() for image in images))
    with torch.autocast('cpu', dtype=torch.bfloat16):
        terms = BlindSRLoss()(*images)
    torch.testing.assert_close(terms, expected)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(hr_image=torch.zeros(2, 3, 24, 28)), r'one size, a multiple of the LR size'),
        (dict(lr_image=torch.zeros(2, 3, 7, 8)), r'LR \(2, 3, 7, 8\)'),
        (dict(gt_blur_kernel=torch.zeros(2, 1, 7, 7)), r'the true one \(2, 1, 7, 7\); give the SR network'),
        (
            dict(valid=torch.zeros(2, 1, 24, 32).bool()),
            r'valid must mark one rectangle .* 0 scattered',
        ),
        (dict(valid=torch.eye(24, 32).expand(2, 1, -1, -1).bool()), r'24 scattered pixels in image 0'),
    ],
)
def test_bad_input(change, message):
    names = ('sr_image', 'hr_image', 'lr_image', 'blur_kernel', 'gt_blur_kernel')
    with pytest.raises(ValueError, match=message):
        BlindSRLoss()(**{**dict(zip(names, sample(), strict=True)), **change})


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(hr_weight=-1), 'hr_weight must be >= 0, got -1'),
        (dict(kernel_weight=float('nan')), 'kernel_weight must be >= 0, got nan'),
        (dict(padding='wrap'), "padding must be 'zeros' or 'reflect', got 'wrap'"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        BlindSRLoss(**options)
