"""BoundaryComboLoss: golden figures, every form of output, ignored pixels, half precision, errors."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.models.losses import CrossEntropyLoss
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

import csbsr_mm  # noqa: F401
from csbsr_mm.functional.boundary import boundary_loss, boundary_map
from csbsr_mm.functional.region import dice_loss, generalized_dice_loss, weighted_cross_entropy
from csbsr_mm.functional.weights import fail_oriented_weight
from csbsr_mm.models.losses import BoundaryComboLoss

ROWS = {
    'wce': dict(alpha=0, gamma=1),
    'dice': dict(alpha=0, gamma=0),
    'combo': dict(alpha=0, gamma=0.5),
    'boundary_gdice': dict(alpha=0.25, gamma=0, region='gdice'),
    'bc': dict(alpha=0.25),
    'gbc': dict(alpha=0.25, region='gdice'),
}
FIGURES = {
    'wce': 'wbce_per_image_w1_1',
    'dice': 'dice_per_image',
    'combo': 'combo_per_image',
    'boundary_gdice': 'boundary_gdice_per_image_alpha0.25',
    'bc': 'bc_per_image_alpha0.25',
    'gbc': 'gbc_per_image_alpha0.25',
}


@pytest.fixture(scope='module')
def golden():
    with np.load(Path(__file__).parents[2] / 'data' / 'losses.npz') as figures:
        return dict(figures)


def golden_sample(golden, outputs):
    prob = golden['prob'][:, None]
    logits = torch.from_numpy(np.log(prob) - np.log1p(-prob))
    logits = logits if outputs == 1 else torch.cat([torch.ones_like(logits), logits + 1], 1)
    return logits, torch.from_numpy(golden['gt'])


def sample(classes=2, outputs=None, shape=(3, 9, 11), seed=0, ignored=0.2, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(shape[0], outputs or classes, *shape[1:], generator=generator, dtype=dtype)
    label = torch.randint(classes, shape, generator=generator)
    label[torch.rand(shape, generator=generator) < ignored] = 255
    return logits, label


@pytest.mark.parametrize('outputs', [1, 2])
@pytest.mark.parametrize('row', ROWS)
def test_every_row_of_the_table_gives_its_golden_figures(golden, row, outputs):
    logits, label = golden_sample(golden, outputs)
    values = BoundaryComboLoss(**ROWS[row])(logits, label, reduction_override='image')
    np.testing.assert_allclose(values, golden[FIGURES[row]], rtol=0, atol=1e-6)


@pytest.mark.parametrize('alpha', [0.0, 0.25, 0.99])
@pytest.mark.parametrize('name', ['bc', 'gbc', 'boundary_gdice'])
def test_moving_alpha_gives_golden_figures(golden, name, alpha):
    loss = BoundaryComboLoss(**{**ROWS[name], 'alpha': None})
    loss.set_alpha(alpha)
    values = loss(*golden_sample(golden, 1), reduction_override='image')
    np.testing.assert_allclose(values, golden[f'{name}_per_image_alpha{alpha}'], rtol=0, atol=1e-6)


def test_class_weight_golden_figure(golden):
    loss = BoundaryComboLoss(alpha=0, gamma=1, class_weight=[1, 20])
    values = loss(*golden_sample(golden, 2), reduction_override='image')
    np.testing.assert_allclose(values, golden['wbce_per_image_w20_1'], rtol=0, atol=1e-6)


@pytest.mark.parametrize(('classes', 'outputs'), [(2, 1), (2, 2), (4, 4)])
@pytest.mark.parametrize('region', ['dice', 'gdice'])
def test_is_the_weighted_sum_of_its_terms(classes, outputs, region):
    logits, label = sample(classes, outputs)
    weight = torch.rand(label.shape, dtype=torch.float64)
    class_weight = list(range(1, classes + 1))
    loss = BoundaryComboLoss(
        alpha=0.3,
        gamma=0.2,
        region=region,
        class_weight=class_weight,
        normalize_distance=False,
        loss_weight=5,
    )
    region_loss = dice_loss if region == 'dice' else generalized_dice_loss
    terms = (
        0.3 * boundary_loss(logits, label, normalize=False, weight=weight),
        0.7 * 0.8 * region_loss(logits, label, weight=weight),
        0.7 * 0.2 * weighted_cross_entropy(logits, label, class_weight, weight=weight),
    )
    torch.testing.assert_close(loss(logits, label, weight=weight), 5 * sum(terms), rtol=1e-6, atol=0)
    torch.testing.assert_close(loss(logits, label, weight[:, None]), 5 * sum(terms), rtol=1e-6, atol=0)


def test_all_classes_concern_dice_and_not_the_boundary():
    logits, label = sample(2, 1)
    loss = BoundaryComboLoss(alpha=0.5, gamma=0, classes='all')
    expected = (boundary_loss(logits, label) + dice_loss(logits, label, 'all')) / 2
    torch.testing.assert_close(loss(logits, label), expected, rtol=1e-6, atol=0)


def test_two_logits_equal_their_difference():
    logits, label = sample(2, 2)
    loss = BoundaryComboLoss(alpha=0.5)
    torch.testing.assert_close(loss(logits, label), loss(logits[:, 1:] - logits[:, :1], label))


def test_cross_entropy_row_equals_mmsegmentations():
    logits, label = sample(3, ignored=0)
    ours = BoundaryComboLoss(alpha=0, gamma=1)(logits, label)
    torch.testing.assert_close(3 * ours, CrossEntropyLoss()(logits, label, ignore_index=255))


def test_reductions():
    logits, label = sample()
    loss = BoundaryComboLoss(alpha=0.5)
    per_image = loss(logits, label, reduction_override='image')
    alone = torch.stack([loss(z[None], t[None]) for z, t in zip(logits, label, strict=True)])
    torch.testing.assert_close(per_image, alone)
    torch.testing.assert_close(loss(logits, label), per_image.mean())
    torch.testing.assert_close(loss(logits, label, reduction_override='sum'), per_image.sum())
    torch.testing.assert_close(loss(logits, label, avg_factor=10), per_image.sum() / 10)
    torch.testing.assert_close(BoundaryComboLoss(alpha=0.5, reduction='sum')(logits, label), per_image.sum())
    with pytest.raises(ValueError, match="avg_factor can not be used with reduction='sum'"):
        loss(logits, label, avg_factor=3, reduction_override='sum')


@pytest.mark.parametrize('name', ROWS)
@pytest.mark.parametrize('classes', [2, 4])
def test_batch_order_does_not_matter(name, classes):
    logits, label = sample(classes, shape=(4, 8, 9))
    order = torch.tensor([2, 0, 3, 1])
    loss = BoundaryComboLoss(**ROWS[name])
    values = loss(logits, label, reduction_override='image')
    assert torch.equal(loss(logits[order], label[order], reduction_override='image'), values[order])


@pytest.mark.parametrize('name', ROWS)
@pytest.mark.parametrize(('classes', 'outputs'), [(2, 1), (2, 2), (4, 4)])
def test_ignored_pixels_change_nothing(name, classes, outputs):
    logits, label = sample(classes, outputs)
    loss = BoundaryComboLoss(**ROWS[name], fail_weight_m=0.5)
    value = loss(logits, label)
    known = (label != 255)[:, None]
    changed = torch.where(known, logits, torch.full_like(logits, -7.0)).requires_grad_()
    again = loss(changed, label)
    assert torch.equal(again, value)
    gradient = torch.autograd.grad(again, changed)[0]
    assert not gradient[~known.expand_as(gradient)].any()
    pad = (1, 5, 3, 2)
    padded = loss(F.pad(logits, pad, value=3.0), F.pad(label, pad, value=255))
    torch.testing.assert_close(padded, value)
    other = torch.where(label == 255, -100, label)
    assert torch.equal(loss(logits, other, ignore_index=-100), value)


@pytest.mark.parametrize('name', ROWS)
@pytest.mark.parametrize(('classes', 'outputs'), [(2, 1), (2, 2), (3, 3)])
def test_gradcheck(name, classes, outputs):
    logits, label = sample(classes, outputs, shape=(2, 3, 4))
    loss = BoundaryComboLoss(**ROWS[name], class_weight=[1] + [3] * (classes - 1)).double()
    assert torch.autograd.gradcheck(lambda z: loss(z, label), logits.requires_grad_())


def test_gradcheck_with_pixel_weight():
    logits, label = sample(2, 1, shape=(2, 3, 4))
    weight = torch.rand(label.shape, dtype=torch.float64)
    loss = BoundaryComboLoss(alpha=0.5).double()
    assert torch.autograd.gradcheck(lambda z: loss(z, label, weight), logits.requires_grad_())


@pytest.mark.parametrize('name', ROWS)
@pytest.mark.parametrize('outputs', [1, 2, 4])
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
@pytest.mark.parametrize('fill', [0, 1, 255, 'mixed'])
def test_finite_in_half_precision(name, outputs, dtype, fill):
    generator = torch.Generator().manual_seed(0)
    signs = torch.randint(2, (2, outputs, 12, 12), generator=generator)
    logits = (60.0 * signs - 30).to(dtype).requires_grad_()
    label = torch.full((2, 12, 12), fill) if fill != 'mixed' else torch.randint(2, (2, 12, 12))
    with torch.autocast('cpu', dtype=torch.bfloat16):
        value = BoundaryComboLoss(**ROWS[name], fail_weight_m=0.5)(logits, label)
    value.backward()
    assert value.dtype == torch.float32
    assert torch.isfinite(value)
    assert torch.isfinite(logits.grad).all()
    if fill == 255:
        assert value == 0
        assert not logits.grad.any()


def test_autocast_changes_nothing():
    logits, label = sample(dtype=torch.float32)
    loss = BoundaryComboLoss(alpha=0.5)
    value = loss(logits, label)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert torch.equal(loss(logits, label), value)


def test_can_be_negative_and_falls_towards_the_truth():
    label = torch.zeros(1, 32, 32, dtype=torch.long)
    label[:, 8:24, 8:24] = 1
    truth = 2.0 * label[:, None] - 1
    loss = BoundaryComboLoss(alpha=0.9)
    values = [loss(scale * truth, label) for scale in (-10, -1, 0, 1, 10)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0


# Weights.


def test_fail_weight_is_a_detached_pixel_weight():
    logits, label = sample(2, 1, ignored=0.1)
    weighted = BoundaryComboLoss(alpha=0.4, fail_weight_m=0.5)
    plain = BoundaryComboLoss(alpha=0.4)
    weight = fail_oriented_weight(logits[:, 0].sigmoid(), label, 0.5)
    logits.requires_grad_()
    values = weighted(logits, label), plain(logits, label, weight=weight)
    torch.testing.assert_close(*values)
    torch.testing.assert_close(*(torch.autograd.grad(value, logits)[0] for value in values))
    given = torch.rand(label.shape, dtype=torch.float64)
    torch.testing.assert_close(weighted(logits, label, given), plain(logits, label, weight * given))


def test_weight_of_wrong_shape():
    logits, label = sample()
    with pytest.raises(
        ValueError, match=r'weight must have the shape of the label, \(3, 9, 11\), got \(3,\)'
    ):
        BoundaryComboLoss(alpha=0.5)(logits, label, weight=torch.ones(3))


@pytest.mark.parametrize('outputs', [1, 2, 3])
def test_inverse_frequency_counts_what_training_has_seen(outputs):
    classes = max(2, outputs)
    loss = BoundaryComboLoss(alpha=0, gamma=1, class_weight='inverse_frequency')
    counts = np.zeros(classes)
    for seed in range(3):
        logits, label = sample(classes, outputs, seed=seed)
        value = loss(logits, label)
        counts += [(label == index).sum() for index in range(classes)]
        expected = weighted_cross_entropy(logits, label, counts.sum() / counts)
        torch.testing.assert_close(value, expected)
    loss.eval()
    loss(logits, label)
    loss.pixel_loss(logits, label)
    np.testing.assert_array_equal(loss.class_pixels[:classes], counts)
    assert 'class_pixels' in loss.state_dict()


def test_inverse_frequency_weighs_alike_until_every_class_was_seen():
    loss = BoundaryComboLoss(alpha=0, gamma=1, class_weight='inverse_frequency')
    logits, label = sample(2, 1)
    no_crack = torch.where(label == 1, 0, label)
    torch.testing.assert_close(loss(logits, no_crack), weighted_cross_entropy(logits, no_crack))


def test_class_weight_from_a_file_or_an_array(tmp_path):
    np.save(tmp_path / 'weights.npy', [1.0, 20.0])
    assert BoundaryComboLoss(alpha=0, class_weight=np.array([1, 20])).class_weight == (1, 20)
    assert BoundaryComboLoss(alpha=0, class_weight=str(tmp_path / 'weights.npy')).class_weight == (1, 20)


def mining_head(loss_decode, **sampler):
    return MODELS.build(
        dict(
            type='FCNHead',
            in_channels=3,
            channels=4,
            num_classes=2,
            num_convs=1,
            sampler=dict(type='OHEMPixelSampler', **sampler),
            loss_decode=loss_decode,
        )
    )


def test_works_with_hard_pixel_mining():
    """OHEM hands a pixel weight to the loss."""
    head = mining_head(dict(type='BoundaryComboLoss', alpha=0.3), thresh=0.6, min_kept=20)
    logits, label = sample(dtype=torch.float32)
    samples = [SegDataSample(gt_sem_seg=PixelData(data=mask[None])) for mask in label]
    chosen = head.sampler.sample(logits, label[:, None])
    assert 0 < chosen.sum() < chosen.numel()
    losses = head.loss_by_feat(logits, samples)
    torch.testing.assert_close(losses['loss_bc'], head.loss_decode(logits, label, weight=chosen))


@pytest.mark.parametrize('beside', [None, 'CrossEntropyLoss', 'CenterlineDiceLoss', 'SkeletonRecallLoss'])
def test_works_with_hard_pixel_mining_by_loss(beside):
    """Without a threshold OHEM asks the losses what each pixel costs, and keeps the dearest."""
    losses = [dict(type='BoundaryComboLoss', alpha=0.3)]
    if beside:
        losses.append(dict(type=beside, loss_name='loss_beside'))
    head = mining_head(losses[0] if len(losses) == 1 else losses, min_kept=7)
    logits, label = sample(dtype=torch.float32, shape=(3, 9, 11))
    chosen = head.sampler.sample(logits, label[:, None])
    known = label != 255
    assert not chosen[~known].any()
    assert chosen.sum() == 3 * 7
    modules = [head.loss_decode] if len(losses) == 1 else list(head.loss_decode)
    pixels = modules[0](logits, label, reduction_override='none')
    for module in modules[1:]:
        rest = module(logits, label, reduction_override='none', ignore_index=255)
        assert rest.shape == pixels.shape == label.shape
        pixels = pixels + rest
    assert pixels[chosen > 0].min() >= pixels[known & (chosen == 0)].max()
    samples = [SegDataSample(gt_sem_seg=PixelData(data=mask[None])) for mask in label]
    logits.requires_grad_()
    sum(value for name, value in head.loss_by_feat(logits, samples).items() if 'loss' in name).backward()
    assert logits.grad.isfinite().all()


# Per pixel.


@pytest.mark.parametrize('name', ROWS)
@pytest.mark.parametrize(('classes', 'outputs'), [(2, 1), (2, 2), (4, 4)])
def test_losses_of_pixels_average_to_the_image_loss(name, classes, outputs):
    logits, label = sample(classes, outputs)
    weight = torch.rand(label.shape, dtype=torch.float64)
    loss = BoundaryComboLoss(**ROWS[name], loss_weight=2, fail_weight_m=0.5)
    leaf = logits.clone().requires_grad_()
    pixels = loss(leaf, label, weight=weight, reduction_override='none')
    assert pixels.shape == label.shape
    known = label != 255
    assert not pixels[~known].any()
    means = torch.stack([p[k].mean() for p, k in zip(pixels, known, strict=True)])
    images = loss(logits, label, weight=weight, reduction_override='image')
    torch.testing.assert_close(means, images, rtol=1e-6, atol=1e-9)
    means.sum().backward()
    twin = logits.clone().requires_grad_()
    loss(twin, label, weight=weight, reduction_override='sum').backward()
    torch.testing.assert_close(leaf.grad, twin.grad, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize('name', ROWS)
@pytest.mark.parametrize('fail_weight_m', [None, 0.5])
@pytest.mark.parametrize('ignored', [0, 0.2])
def test_pixel_loss_averages_to_the_image_loss(name, fail_weight_m, ignored):
    _, label = sample(ignored=ignored)
    logits = torch.where(label == 1, -9.0, 9.0)[:, None]  # so wrong that no pixel's loss is negative
    loss = BoundaryComboLoss(**ROWS[name], loss_weight=2, fail_weight_m=fail_weight_m)
    per_pixel = loss.pixel_loss(logits.requires_grad_(), label)
    assert per_pixel.shape == (3, 1, 9, 11)
    assert not per_pixel.requires_grad
    known = label != 255
    assert not per_pixel[:, 0][~known].any()
    means = torch.stack([p[0][k].mean() for p, k in zip(per_pixel, known, strict=True)])
    torch.testing.assert_close(means, loss(logits, label, reduction_override='image'), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('name', ROWS)
@pytest.mark.parametrize('classes', [2, 4])
def test_pixel_loss_is_never_negative(name, classes):
    logits, label = sample(classes)
    loss = BoundaryComboLoss(**{**ROWS[name], 'alpha': 0.99})
    assert (loss.pixel_loss(logits, label) >= 0).all()


def test_pixel_loss_follows_its_equation(golden):
    logits, label = golden_sample(golden, 1)
    phi = boundary_map(label)[:, 0]
    prob = logits[:, 0].sigmoid()
    cross_entropy = F.binary_cross_entropy_with_logits(logits[:, 0], label.double(), reduction='none') / 2
    dice = torch.from_numpy(golden['dice_per_image'])[:, None, None]
    expected = 0.25 * phi * prob + 0.75 * (0.5 * dice + 0.5 * cross_entropy)
    ours = BoundaryComboLoss(alpha=0.25).pixel_loss(logits, label)[:, 0]
    torch.testing.assert_close(ours, expected.clamp(min=0), rtol=0, atol=1e-6)


def test_overrides_a_cross_entropy_loss_by_its_type_alone():
    """MMEngine merges a base config's other arguments into the override."""
    base = dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=0.4)
    loss = MODELS.build({**base, 'type': 'BoundaryComboLoss'})
    assert loss.loss_weight == 0.4
