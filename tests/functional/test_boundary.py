"""Boundary term against the golden figures, brute-force distances and properties."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from csbsr_mm.functional.boundary import boundary_loss, boundary_map


@pytest.fixture(scope='module')
def golden():
    with np.load(Path(__file__).parents[1] / 'data' / 'losses.npz') as figures:
        return dict(figures)


def sample(classes=2, outputs=None, shape=(3, 7, 9), seed=0, ignored=0.2):
    generator = torch.Generator().manual_seed(seed)
    size = (shape[0], outputs or classes, *shape[1:])
    logits = 2 * torch.randn(size, generator=generator, dtype=torch.float64)
    target = torch.randint(classes, shape, generator=generator)
    target[torch.rand(shape, generator=generator) < ignored] = 255
    return logits, target


def brute_force_map(target, index, normalize):
    """Signed distances from every pair of pixels, in float64; ignored pixels are on neither side."""
    inside, outside = np.argwhere(target == index), np.argwhere((target != index) & (target != 255))
    phi = np.zeros(target.shape)
    if not len(inside) or not len(outside):
        return phi
    distance = np.sqrt(((inside[:, None] - outside[None]) ** 2).sum(-1))
    d_in, d_out = distance.min(1), distance.min(0)
    scale_in, scale_out = (d_in.max(), d_out.max()) if normalize else (1, 1)
    phi[tuple(inside.T)] = np.where(d_in == 1, 0, -d_in / scale_in)
    phi[tuple(outside.T)] = d_out / scale_out
    return phi


@pytest.mark.parametrize('dtype', [torch.float64, torch.float32])
def test_golden_figures(golden, dtype):
    prob = golden['prob'][:, None]
    logits = torch.from_numpy(np.log(prob) - np.log1p(-prob)).to(dtype)
    target = torch.from_numpy(golden['gt'])
    expected = golden['boundary_per_image']
    ours = boundary_loss(logits, target, reduction='image')
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-6)
    two = torch.cat([torch.ones_like(logits), logits + 1], 1)
    ours = boundary_loss(two, target, reduction='image')
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**20),
    ignored=st.floats(0, 0.9),
    normalize=st.booleans(),
    classes=st.sampled_from([2, 4]),
)
def test_maps_equal_brute_force(seed, ignored, normalize, classes):
    _, target = sample(classes, seed=seed, ignored=ignored)
    maps = boundary_map(target, tuple(range(classes)), normalize)
    for image, phi in zip(target.numpy(), maps.numpy(), strict=True):
        expected = np.stack([brute_force_map(image, c, normalize) for c in range(classes)])
        np.testing.assert_allclose(phi, expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize(('classes', 'outputs'), [(2, 1), (2, 2), (4, 4)])
@pytest.mark.parametrize('normalize', [True, False])
def test_value_equals_brute_force(classes, outputs, normalize):
    logits, target = sample(classes, outputs)
    weight = torch.rand(target.shape, dtype=torch.float64)
    both = torch.cat([torch.zeros_like(logits), logits], 1) if outputs == 1 else logits
    chosen = [1] if classes == 2 else list(range(4))
    prob = both.softmax(1)[:, chosen].numpy()
    expected = []
    for b, image in enumerate(target.numpy()):
        phi = np.stack([brute_force_map(image, c, normalize) for c in chosen])
        total = (phi * prob[b] * weight[b].numpy()).mean(0).sum()
        expected.append(total / (image != 255).sum())
    ours = boundary_loss(logits, target, normalize=normalize, weight=weight, reduction='image')
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-6)


def test_given_maps_are_used():
    logits, target = sample(2, 1)
    phi = boundary_map(target)
    assert torch.equal(boundary_loss(logits, target, phi), boundary_loss(logits, target))
    assert torch.equal(boundary_loss(logits, target, 2 * phi), 2 * boundary_loss(logits, target))


def test_one_map_beside_two_masks_is_the_cracks():
    logits, target = sample(2)
    phi = boundary_map(target)
    assert torch.allclose(boundary_loss(logits, target, phi, 'all'), boundary_loss(logits, target))


def test_perfect_prediction_is_the_negative_minimum():
    target = torch.zeros(1, 12, 12, dtype=torch.long)
    target[:, 3:9, 2:9] = 1
    best = boundary_loss(100.0 * (2 * target[:, None] - 1), target)
    assert best < 0
    for seed in range(20):
        other = torch.randn(1, 1, 12, 12, generator=torch.Generator().manual_seed(seed)) * 9
        assert boundary_loss(other, target) > best


@pytest.mark.parametrize('fill', [0, 1, 255])
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_one_sided_images_give_zero(fill, dtype):
    logits = torch.full((2, 1, 8, 8), 30.0, dtype=dtype, requires_grad=True)
    value = boundary_loss(logits, torch.full((2, 8, 8), fill))
    value.backward()
    assert value == 0
    assert not logits.grad.any()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**20), ignored=st.floats(0, 1))
def test_ignored_pixels_change_nothing(seed, ignored):
    logits, target = sample(2, 1, seed=seed, ignored=ignored)
    known = target != 255
    values = boundary_loss(logits, target, reduction='image')
    changed = torch.where(known[:, None], logits, torch.full_like(logits, 1e3)).requires_grad_()
    again = boundary_loss(changed, target, reduction='image')
    assert torch.equal(values, again)
    gradient = torch.autograd.grad(again.sum(), changed)[0]
    assert not gradient[~known[:, None]].any()
    padded = boundary_loss(F.pad(logits, (2, 3, 1, 4), value=7.0), F.pad(target, (2, 3, 1, 4), value=255))
    torch.testing.assert_close(padded, values.mean())


def test_gradcheck():
    logits, target = sample(2, 1, shape=(2, 3, 4))
    assert torch.autograd.gradcheck(lambda z: boundary_loss(z, target), logits.requires_grad_())


def test_pixel_map_averages_to_the_image():
    logits, target = sample(4)
    per_pixel = boundary_loss(logits, target, reduction='pixel')
    known = target != 255
    mean = torch.stack([p[k].mean() for p, k in zip(per_pixel, known, strict=True)])
    torch.testing.assert_close(mean, boundary_loss(logits, target, reduction='image'))


def test_arrays_in_array_out():
    logits, target = sample(2, 1)
    value = boundary_loss(logits.numpy(), target.numpy(), reduction='image')
    np.testing.assert_array_equal(value, boundary_loss(logits, target, reduction='image'))
    assert isinstance(boundary_map(target.numpy()), np.ndarray)


def test_map_of_wrong_shape():
    logits, target = sample(4)
    with pytest.raises(ValueError, match=r'distance_map must be \(3, 4, 7, 9\), one map for each'):
        boundary_loss(logits, target, torch.zeros(3, 2, 7, 9))
