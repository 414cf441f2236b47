"""Distance maps made in the data pipeline."""

import numpy as np
import pytest
import torch
from helpers.boundary_training import PACK, RenderedBars
from mmseg.registry import TRANSFORMS
from mmseg.structures import SegDataSample

from csbsr_mm.functional.boundary import boundary_map


def test_transform_makes_the_maps_of_the_packed_label():
    packed = RenderedBars(PACK)[1]
    sample = packed['data_samples']
    assert torch.equal(sample.gt_signed_distance.data, boundary_map(sample.gt_sem_seg.data[0]))
    assert sample.metainfo['signed_distance_normalized'] is True
    pixels = dict(type='SignedDistanceTransform', classes=(0, 1, 2), normalize=False)
    sample = RenderedBars([PACK[0], pixels])[1]['data_samples']
    assert sample.gt_signed_distance.shape == (32, 32)
    assert torch.equal(
        sample.gt_signed_distance.data, boundary_map(sample.gt_sem_seg.data[0], (0, 1, 2), False)
    )


def test_transform_leaves_photos_without_a_label_alone():
    transform = TRANSFORMS.build(dict(type='SignedDistanceTransform'))
    packed = transform(dict(data_samples=SegDataSample()))
    assert 'gt_signed_distance' not in packed['data_samples']
    with pytest.raises(ValueError, match='put it last in the pipeline'):
        transform(dict(gt_seg_map=np.zeros((4, 4))))
    with pytest.raises(ValueError, match=r'classes must be class indices, at least one, got \(\)'):
        TRANSFORMS.build(dict(type='SignedDistanceTransform', classes=()))
