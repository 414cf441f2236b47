"""Centre lines of labels made in the data pipeline."""

import numpy as np
import pytest
import torch
from helpers.boundary_training import PACK, RenderedBars
from mmseg.registry import TRANSFORMS
from mmseg.structures import SegDataSample

from csbsr_mm.functional.label_skeletons import skeleton_tubes, soft_label_skeletons
from csbsr_mm.losses import BoundaryComboLoss, CenterlineDiceLoss, SkeletonRecallLoss


def packed(**transform):
    return RenderedBars([PACK[0], transform])[1]['data_samples']


def test_tubes_are_those_of_the_packed_label():
    sample = packed(type='SkeletonTubeTransform', classes=(0, 1), radius=1)
    tubes = sample.gt_skeleton_tube.data
    assert tubes.dtype == torch.uint8
    assert sample.metainfo['skeleton_tube_radius'] == 1
    expected = skeleton_tubes(sample.gt_sem_seg.data, (0, 1), 1)[0]
    assert torch.equal(tubes.float(), expected)
    # Nothing that is ignored is in a tube.
    assert not tubes[:, sample.gt_sem_seg.data[0] == 255].any()
    assert tubes.flatten(1).any(1).all()


def test_soft_skeletons_are_whole_numbers_and_those_of_the_packed_label():
    sample = packed(type='SoftSkeletonTransform', iterations=3)
    lines, label = sample.gt_soft_skeleton.data, sample.gt_sem_seg.data
    assert torch.equal(lines.float(), soft_label_skeletons(label, (1,), 3)[0])
    assert lines.any()
    assert (lines <= (label == 1)).all()


def test_of_random_labels_they_are_whole_numbers():
    rng = np.random.default_rng(0)
    for share in (0.05, 0.4, 0.9, 1.0):
        label = torch.from_numpy((rng.random((1, 20, 24)) < share).astype(np.int64))
        lines = soft_label_skeletons(label, (0, 1), 4)
        assert torch.equal(lines, lines.to(torch.uint8).float())


@pytest.mark.parametrize(('outputs', 'classes'), [(1, (1,)), (2, (1,)), (3, (1, 2))])
def test_recall_of_workers_tubes_is_that_of_the_losss_own(outputs, classes):
    samples = [packed(type='SkeletonTubeTransform', classes=classes, radius=1)] * 2
    label = torch.cat([sample.gt_sem_seg.data for sample in samples])
    logits = torch.randn(2, outputs, *label.shape[1:], generator=torch.Generator().manual_seed(0))
    loss = SkeletonRecallLoss(radius=1)
    value = loss(logits, label)
    loss.set_tubes([sample.gt_skeleton_tube.data for sample in samples], 1)
    assert torch.equal(loss(logits, label), value)
    loss.set_tubes([torch.ones_like(sample.gt_skeleton_tube.data) for sample in samples], 1)
    assert not torch.equal(loss(logits, label), value)
    loss.set_tubes(None)
    assert torch.equal(loss(logits, label), value)


@pytest.mark.parametrize(
    'loss',
    [CenterlineDiceLoss(), BoundaryComboLoss(alpha=0.2, topology='centerline_dice')],
    ids=['own', 'combo'],
)
def test_cldice_of_workers_skeletons_is_that_of_the_losss_own(loss):
    samples = [packed(type='SoftSkeletonTransform')] * 2
    label = torch.cat([sample.gt_sem_seg.data for sample in samples])
    logits = torch.randn(2, 2, *label.shape[1:], generator=torch.Generator().manual_seed(0))
    value = loss(logits, label)
    maps = [sample.gt_soft_skeleton.data for sample in samples]
    loss.set_skeletons(maps, 10)
    assert torch.equal(loss(logits, label), value)
    loss.set_skeletons([torch.zeros_like(m) for m in maps])
    assert not torch.equal(loss(logits, label), value)
    with pytest.raises(
        ValueError, match='have iterations=3, the loss has iterations=10; give SoftSkeletonTr'
    ):
        loss.set_skeletons(maps, 3)
    loss.set_skeletons(maps[:1])
    with pytest.raises(ValueError, match='nothing after SoftSkeletonTransform may crop'):
        loss(logits, label)


def test_padded_labels_have_padded_tubes():
    sample = packed(type='SkeletonTubeTransform')
    label = torch.nn.functional.pad(sample.gt_sem_seg.data, (0, 5, 0, 3), value=255)
    logits = torch.randn(1, 1, *label.shape[1:])
    loss = SkeletonRecallLoss()
    value = loss(logits, label)
    loss.set_tubes([sample.gt_skeleton_tube.data], 2)
    assert torch.equal(loss(logits, label), value)


def test_what_is_refused():
    loss = SkeletonRecallLoss(radius=1)
    with pytest.raises(ValueError, match='have radius=2, the loss has radius=1; give SkeletonTubeTransform'):
        loss.set_tubes([], 2)
    loss.set_tubes([torch.zeros(1, 9, 9)], 1)
    with pytest.raises(ValueError, match='nothing after SkeletonTubeTransform may crop'):
        loss(torch.zeros(1, 1, 8, 9), torch.zeros(1, 8, 9, dtype=torch.long))
    for name in ('SkeletonTubeTransform', 'SoftSkeletonTransform'):
        transform = TRANSFORMS.build(dict(type=name))
        assert len(transform(dict(data_samples=SegDataSample()))['data_samples'].all_keys()) == 0
        with pytest.raises(ValueError, match=f'{name} found no data_samples; put it last'):
            transform(dict(gt_seg_map=np.zeros((4, 4))))
        with pytest.raises(ValueError, match='classes must be class indices, at least one'):
            TRANSFORMS.build(dict(type=name, classes=(-1,)))
    with pytest.raises(ValueError, match='radius must be >= 0 pixels, got -1'):
        TRANSFORMS.build(dict(type='SkeletonTubeTransform', radius=-1))
    with pytest.raises(ValueError, match='iterations must be at least 1, got 0'):
        TRANSFORMS.build(dict(type='SoftSkeletonTransform', iterations=0))
