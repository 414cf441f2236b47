"""Region terms against the golden figures, brute force and properties."""

import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from csbsr_mm.functional.region import dice_loss, generalized_dice_loss, weighted_cross_entropy
from csbsr_mm.functional.soft_masks import check_labels, soft_masks

LOSSES = [weighted_cross_entropy, dice_loss, generalized_dice_loss]
WEIGHTED = [partial(weighted_cross_entropy, class_weight=(1.0, 20.0)), dice_loss, generalized_dice_loss]


@pytest.fixture(scope='module')
def golden():
    with np.load(Path(__file__).parents[1] / 'data' / 'losses.npz') as figures:
        return dict(figures)


def logits_of(prob, outputs):
    """Logits (B, 1 or 2, H, W) with the crack probability ``prob``; two have an arbitrary offset."""
    logit = torch.from_numpy(np.log(prob) - np.log1p(-prob))[:, None]
    if outputs == 1:
        return logit
    offset = torch.linspace(-5, 5, logit.numel(), dtype=logit.dtype).view_as(logit)
    return torch.cat([offset, logit + offset], 1)


def sample(classes=2, outputs=None, shape=(3, 7, 9), seed=0, ignored=0.2, dtype=torch.float64):
    """Random logits and labels, a share of which is ignored."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(shape[0], outputs or classes, *shape[1:], generator=generator, dtype=dtype)
    target = torch.randint(classes, shape, generator=generator)
    target[torch.rand(shape, generator=generator) < ignored] = 255
    return logits, target


def brute_force(name, logits, target, weight=None, class_weight=None, classes=None):
    """Values per image from the equations, pixel by pixel, in float64."""
    logits, target = logits.double().numpy(), target.numpy()
    if logits.shape[1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], 1)
    count = logits.shape[1]
    class_weight = class_weight or [1] * count
    classes = classes or ([1] if count == 2 else range(count))
    values = []
    for b in range(len(logits)):
        pixels, cross_entropy = 0, 0.0
        overlap, squares, probs, trues, sizes = (np.zeros(count) for _ in range(5))
        for y, x in np.ndindex(target.shape[1:]):
            c = target[b, y, x]
            if c == 255:
                continue
            s = np.exp(logits[b, :, y, x]) / np.exp(logits[b, :, y, x]).sum()
            w = 1.0 if weight is None else float(weight[b, y, x])
            g = np.eye(count)[c]
            pixels += 1
            cross_entropy -= w * class_weight[c] * math.log(s[c]) / sum(class_weight)
            overlap += w * s * g
            squares += w * s * s
            probs += w * s
            trues += w * g
            sizes += g
        c = list(classes)
        v = 1 / (sizes[c] + 1e-5) ** 2
        if len(c) > 1:
            v[sizes[c] == 0] = v[sizes[c] > 0].max(initial=0)
        total = (v * (probs + trues)[c]).sum()
        values.append(
            {
                'weighted_cross_entropy': cross_entropy / max(pixels, 1),
                'dice_loss': 1 - (2 * overlap[c].sum() + 1e-6) / ((squares + trues)[c].sum() + 1e-6),
                'generalized_dice_loss': 1 - 2 * ((v * overlap[c]).sum() + 1e-5) / (total + 1e-5),
            }[name]
        )
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize('dtype', [torch.float64, torch.float32])
@pytest.mark.parametrize('outputs', [1, 2])
@pytest.mark.parametrize(
    ('loss', 'figure'),
    [
        (weighted_cross_entropy, 'wbce_per_image_w1_1'),
        (partial(weighted_cross_entropy, class_weight=(1, 20)), 'wbce_per_image_w20_1'),
        (partial(weighted_cross_entropy, class_weight=torch.tensor([1, 20])), 'wbce_per_image_w20_1'),
        (dice_loss, 'dice_per_image'),
        (generalized_dice_loss, 'gdice_per_image'),
    ],
)
def test_golden_figures(golden, loss, figure, outputs, dtype):
    logits, target = logits_of(golden['prob'], outputs).to(dtype), torch.from_numpy(golden['gt'])
    np.testing.assert_allclose(loss(logits, target, reduction='image'), golden[figure], rtol=0, atol=1e-6)


@pytest.mark.parametrize('loss', LOSSES)
@pytest.mark.parametrize(('classes', 'outputs'), [(2, 1), (2, 2), (4, 4)])
@pytest.mark.parametrize('weighted', [False, True])
def test_equals_brute_force(loss, classes, outputs, weighted):
    logits, target = sample(classes, outputs)
    weight = torch.rand(target.shape, dtype=torch.float64) * 3 if weighted else None
    options = {'weight': weight}
    expected = {'weight': weight}
    if loss is weighted_cross_entropy:
        options['class_weight'] = expected['class_weight'] = list(range(1, classes + 1))
    torch.testing.assert_close(
        loss(logits, target, reduction='image', **options),
        brute_force(loss.__name__, logits, target, **expected),
        rtol=0,
        atol=1e-10,
    )


@pytest.mark.parametrize('loss', LOSSES[1:])
@pytest.mark.parametrize(('outputs', 'classes'), [(1, 'all'), (2, 'all'), (2, (0, 1)), (4, (1, 3))])
def test_chosen_classes_equal_brute_force(loss, outputs, classes):
    logits, target = sample(max(2, outputs), outputs)
    target[0][target[0] == 1] = 0  # image 0 lacks class 1
    torch.testing.assert_close(
        loss(logits, target, classes, reduction='image'),
        brute_force(loss.__name__, logits, target, classes=(0, 1) if classes == 'all' else classes),
    )


def test_cross_entropy_equals_torch():
    logits, target = sample(5)
    class_weight = torch.tensor([1, 5, 2, 0.1, 1], dtype=torch.float64)
    expected = [
        F.cross_entropy(z[None], t[None], class_weight, ignore_index=255, reduction='sum')
        / ((t != 255).sum() * class_weight.sum())
        for z, t in zip(logits, target, strict=True)
    ]
    ours = weighted_cross_entropy(logits, target, class_weight, reduction='image')
    torch.testing.assert_close(ours, torch.stack(expected))


@pytest.mark.parametrize('loss', WEIGHTED)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**20), ignored=st.floats(0, 1), outputs=st.sampled_from([1, 2]))
def test_ignored_pixels_change_nothing(loss, seed, ignored, outputs):
    logits, target = sample(2, outputs, seed=seed, ignored=ignored)
    known = target != 255
    values = loss(logits, target, reduction='image')
    changed = torch.where(known[:, None], logits, torch.full_like(logits, 1e3)).requires_grad_()
    again = loss(changed, target, reduction='image')
    assert torch.equal(values, again)
    gradient = torch.autograd.grad(again.sum(), changed)[0]
    assert not gradient[~known[:, None].expand_as(gradient)].any()
    padded = loss(F.pad(logits, (2, 3, 1, 4), value=7.0), F.pad(target, (2, 3, 1, 4), value=255))
    torch.testing.assert_close(padded, values.mean())


@pytest.mark.parametrize('loss', WEIGHTED)
@pytest.mark.parametrize('ignore_index', [None, -100, 0, 1])
def test_any_ignore_index(loss, ignore_index):
    logits, target = sample(2, 1, ignored=0)
    value = loss(logits, target, ignore_index=ignore_index)
    if ignore_index in (0, 1):
        moved = torch.where(target == ignore_index, 255, target)
        assert torch.equal(value, loss(logits, moved))
    else:
        assert torch.equal(value, loss(logits, target))


@pytest.mark.parametrize('loss', WEIGHTED)
@pytest.mark.parametrize('outputs', [1, 2])
def test_gradcheck(loss, outputs):
    logits, target = sample(2, outputs, shape=(2, 3, 4))
    assert torch.autograd.gradcheck(lambda z: loss(z, target), logits.requires_grad_())


@pytest.mark.parametrize('loss', LOSSES)
def test_gradcheck_of_many_classes(loss):
    logits, target = sample(4, shape=(2, 3, 4))
    assert torch.autograd.gradcheck(lambda z: loss(z, target), logits.requires_grad_())


@pytest.mark.parametrize('loss', WEIGHTED)
@pytest.mark.parametrize('outputs', [1, 2])
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
@pytest.mark.parametrize('fill', [0, 1, 255, 'mixed'])
def test_finite_in_half_precision(loss, outputs, dtype, fill):
    signs = torch.tensor([-30.0, 30.0], dtype=dtype)
    logits = signs[torch.randint(2, (2, outputs, 16, 16))].requires_grad_()
    target = torch.randint(2, (2, 16, 16)) if fill == 'mixed' else torch.full((2, 16, 16), fill)
    value = loss(logits, target)
    value.backward()
    assert value.dtype == torch.float32
    assert torch.isfinite(value)
    assert torch.isfinite(logits.grad).all()
    if fill == 255:
        assert value == 0
        assert not logits.grad.any()


@pytest.mark.parametrize('loss', LOSSES)
@pytest.mark.parametrize('classes', [2, 4])
def test_batch_order_does_not_matter(loss, classes):
    logits, target = sample(classes, shape=(5, 6, 7))
    order = torch.tensor([3, 0, 4, 1, 2])
    values = loss(logits, target, reduction='image')
    assert torch.equal(loss(logits[order], target[order], reduction='image'), values[order])
    torch.testing.assert_close(loss(logits, target), values.mean(), rtol=1e-14, atol=0)
    torch.testing.assert_close(loss(logits, target, reduction='sum'), values.sum(), rtol=1e-14, atol=0)


@pytest.mark.parametrize('loss', WEIGHTED)
def test_pixel_map_averages_to_the_image(loss):
    logits, target = sample()
    per_pixel = loss(logits, target, reduction='pixel')
    known = target != 255
    assert per_pixel.shape == target.shape
    assert not per_pixel[~known].any()
    mean = torch.stack([p[k].mean() for p, k in zip(per_pixel, known, strict=True)])
    torch.testing.assert_close(mean, loss(logits, target, reduction='image'))


@pytest.mark.parametrize('loss', LOSSES)
def test_arrays_in_array_out(loss):
    logits, target = sample()
    value = loss(logits.numpy()[:, :, ::-1], target.numpy()[:, ::-1], reduction='image')
    assert isinstance(value, np.ndarray)
    np.testing.assert_allclose(value, loss(logits, target, reduction='image'), rtol=1e-12)


def test_target_forms_agree():
    logits, target = sample(2, 1)
    value = dice_loss(logits, target)
    assert torch.equal(dice_loss(logits, target[:, None]), value)
    assert torch.equal(dice_loss(logits, target.to(torch.uint8)), value)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'target': torch.full((3, 7, 9), 2)}, r'labels must be 0..1 or ignore_index \(255\), got 2..2'),
        ({'target': torch.full((3, 7, 9), -1)}, r'got -1..-1; map the mask values'),
        ({'target': torch.zeros(3, 7, 8)}, r'logits must be .* got \(3, 2, 7, 9\) and \(3, 7, 8\)'),
        ({'classes': 'crack'}, r"classes must be 'auto', 'all' or class indices, got 'crack'"),
        ({'classes': (2,)}, r'distinct indices in 0..1, got \[2\]'),
        ({'classes': (1, 1)}, r'distinct indices'),
        ({'reduction': 'none'}, r"reduction must be .*got 'none'"),
    ],
)
def test_bad_input(change, message):
    logits, target = sample()
    with pytest.raises(ValueError, match=message):
        dice_loss(logits, **{'target': target, **change})


def test_class_weight_of_wrong_length():
    logits, target = sample(2, 1)
    with pytest.raises(ValueError, match='one weight for each of 2 classes, background first, got 3'):
        weighted_cross_entropy(logits, target, class_weight=(1, 2, 3))


def test_label_check_counts_ignored_pixels_as_fine():
    check_labels(torch.tensor([[[0, 1, 255]]]), 2)
    with pytest.raises(ValueError, match=r'got 0..3'):
        check_labels(torch.tensor([[[0, 3, 255]]]), 2)
    assert soft_masks(torch.zeros(1, 1, 1, 2), torch.tensor([[[0, 1]]])).known is None


@pytest.mark.parametrize('channels', [1, 2, 3])
def test_order_of_classes_changes_nothing(channels):
    """Each predicted mask meets the true mask of its own class."""
    generator = torch.Generator().manual_seed(0)
    label = torch.randint(0, max(2, channels), (2, 6, 5), generator=generator)
    perfect = F.one_hot(label, max(2, channels)).movedim(-1, 1) * 200.0 - 100
    perfect = perfect if channels > 1 else perfect[:, 1:]
    noisy = perfect / 100 + torch.randn(perfect.shape, generator=generator)
    ascending = list(range(max(2, channels)))
    for classes in (ascending, ascending[::-1]):
        assert dice_loss(perfect, label, classes=classes).max() < 1e-5
    for chosen in ([0, 1], ascending):
        assert torch.allclose(
            dice_loss(noisy, label, classes=chosen), dice_loss(noisy, label, classes=chosen[::-1])
        )
