"""Crack- and fail-oriented weights against the golden figures and brute force."""

from pathlib import Path

import numpy as np
import pytest
import torch

from csbsr_mm.functional.weights import crack_oriented_weight, fail_oriented_weight


@pytest.fixture(scope='module')
def golden():
    with np.load(Path(__file__).parents[1] / 'data' / 'losses.npz') as figures:
        return dict(figures)


@pytest.mark.parametrize('m', [0.125, 8.0])
def test_crack_oriented_golden_figures(golden, m):
    weight = crack_oriented_weight(golden['gt'], m)
    np.testing.assert_allclose(weight, golden[f'co_weight_m{m}'], rtol=0, atol=1e-6)


@pytest.mark.parametrize('m', [0.5, 8.0])
def test_fail_oriented_golden_figures(golden, m):
    weight = fail_oriented_weight(golden['prob'], golden['gt'], m)
    np.testing.assert_allclose(weight, golden[f'fo_weight_m{m}'], rtol=1e-6, atol=0)


def test_crack_oriented_equals_brute_force():
    target = np.random.default_rng(0).choice([0, 1, 255], (6, 7), p=[0.7, 0.1, 0.2])
    crack = np.argwhere(target == 1)
    distance = np.sqrt(((np.argwhere(target > -1)[:, None] - crack) ** 2).sum(-1)).min(1)
    expected = np.exp(-0.5 * distance).reshape(6, 7)
    np.testing.assert_allclose(crack_oriented_weight(target, 0.5), expected, atol=1e-6)


def test_image_without_crack_weighs_one_everywhere():
    target = torch.zeros(2, 5, 5, dtype=torch.long)
    target[1, 2, 2] = 1
    weight = crack_oriented_weight(target, 8.0)
    assert (weight[0] == 1).all()
    assert weight[1, 2, 2] == 1
    assert (weight[1] < 1).sum() == 24


def test_fail_oriented_weight_of_ignored_pixels_is_one():
    prob, target = torch.tensor([0.3, 0.3, 0.3]), torch.tensor([0, 1, 255])
    weight = fail_oriented_weight(prob, target, 2.0)
    torch.testing.assert_close(weight, torch.tensor([0.6, 1.4, 0.0]).exp())
    assert fail_oriented_weight(prob, target, 2.0, ignore_index=None)[2] > 1


def test_zero_rate_weighs_one():
    prob, target = torch.rand(4, 4), torch.randint(2, (4, 4))
    assert (crack_oriented_weight(target, 0) == 1).all()
    assert (fail_oriented_weight(prob, target, 0) == 1).all()


@pytest.mark.parametrize('m', [-1, float('nan')])
def test_bad_rate(m):
    with pytest.raises(ValueError, match=r'm must be a number >= 0, got (-1|nan)'):
        crack_oriented_weight(torch.zeros(2, 2), m)
    with pytest.raises(ValueError, match=r'm must be a number >= 0, got (-1|nan)'):
        fail_oriented_weight(torch.zeros(2, 2), torch.zeros(2, 2), m)


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r'one shape, got \(1, 2\) and \(2, 2\)'):
        fail_oriented_weight(torch.zeros(1, 2), torch.zeros(2, 2), 1.0)
