"""The pipelines on real photos of the Khanhha set, where they are at hand."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS

from csbsr_mm.datasets import KeyedIndex

ROOT = Path(__file__).parents[2]
DATA = ROOT / 'data' / 'khanhha_mini'
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f'the photos of {DATA} may not be shipped')


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmseg')


def dataset(split):
    cfg = Config.fromfile(ROOT / 'configs/_base_/datasets/khanhha_mini.py')
    return DATASETS.build(cfg[f'{split}_dataloader'].dataset | dict(data_root=str(DATA)))


def test_training_samples():
    train = dataset('train')
    assert len(train) == 630
    cracked = 0
    for draw, index in enumerate(range(0, 630, 70)):
        sample = train[KeyedIndex(index, draw=draw)]
        data = sample['data_samples']
        assert sample['inputs'].shape == (3, 32, 32)
        assert data.gt_hr_img.shape == data.gt_sem_seg.shape == (128, 128)
        assert set(data.gt_sem_seg.data.unique().tolist()) <= {0, 1}
        cracked += bool(data.gt_sem_seg.data.any())
    assert cracked >= 5


def test_test_samples_are_the_same_each_time():
    first, again = dataset('test'), dataset('test')
    assert len(first) == 120
    for index in (0, 60, 119):
        a, b = first[index], again[index]
        assert a['inputs'].shape == (3, 112, 112)
        assert torch.equal(a['inputs'], b['inputs'])
        assert 0.001 < (a['data_samples'].gt_sem_seg.data == 1).float().mean() < 0.4
