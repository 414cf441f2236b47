"""Skeleton recall against its definition with scikit-image's thinning, and in MMSegmentation's call form."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from csbsr_mm.losses import SkeletonRecallLoss, skeleton_tubes


def cracks(seed=0, images=2, size=48):
    """Labels of wandering bands."""
    rng = np.random.default_rng(seed)
    label = np.zeros((images, size, size), np.int64)
    for image in label:
        rows = np.cumsum(rng.integers(-1, 2, size)) + size // 2
        for column, row in enumerate(rows):
            image[row - 3 : row + 3, column] = 1
    return torch.from_numpy(label)


def test_by_definition():
    skimage = pytest.importorskip('skimage.morphology')
    label = cracks()
    logits = torch.randn(2, 1, 48, 48, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = []
    for truth, score in zip(label.numpy() == 1, logits[:, 0].numpy(), strict=True):
        tube = ndimage.binary_dilation(skimage.thin(truth), np.ones((5, 5))) & truth
        prob = 1 / (1 + np.exp(-score))
        expected.append(1 - ((tube * prob).sum() + 1) / (tube.sum() + 1))
    assert float(SkeletonRecallLoss()(logits, label)) == pytest.approx(np.mean(expected), abs=1e-12)


def test_tubes_from_the_workers_are_those_made_here():
    label, logits = cracks(1), torch.randn(2, 3, 48, 48)
    loss = SkeletonRecallLoss(radius=1, reduction='image')
    tubes = skeleton_tubes(label, (1, 2), 1)
    assert torch.equal(loss(logits, label), loss(logits, label, tubes=tubes))
    assert tubes[:, 1].sum() == 0
    assert ((tubes[:, 0] > 0) <= (label == 1)).all()


def test_mmsegmentation_builds_and_trains_with_it():
    from mmseg.registry import MODELS

    import csbsr_mm  # noqa: F401

    loss = MODELS.build(dict(type='mmseg.SkeletonRecallLoss', loss_weight=2.0))
    label = cracks(2)
    label[:, :4] = 255
    logits = torch.zeros(2, 2, 48, 48, requires_grad=True)
    loss(logits, label, weight=None, ignore_index=255).backward()
    assert logits.grad[:, 1].min() < 0
    assert logits.grad[:, :, :4].abs().max() == 0


def test_bad_values_are_named():
    with pytest.raises(ValueError, match='radius must be >= 0 pixels, got -1'):
        SkeletonRecallLoss(radius=-1)
    with pytest.raises(
        ValueError, match="reduction must be one of 'none', 'image', 'mean', 'sum', got 'max'"
    ):
        SkeletonRecallLoss(reduction='max')
