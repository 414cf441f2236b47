"""MMSegmentation's own models train with the boundary combo loss, and our metrics evaluate them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.boundary_training import RenderedBars
from helpers.crack_files import write_pair
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmseg.registry import DATASETS

import csbsr_mm  # noqa: F401

ROOT = Path(__file__).parents[1]
CONFIGS = sorted((ROOT / 'configs' / 'boundary_combo').glob('*.py'))


def short_config(path, tmp_path, **head_options):
    """The config as it is, but for its length, the size of its crops, and weights from the network."""
    cfg = Config.fromfile(path)
    cfg.work_dir = str(tmp_path / 'work')
    cfg.model.pretrained = None
    cfg.model.backbone.pop('init_cfg', None)
    cfg.model.data_preprocessor.size = (64, 64)
    for name in ('decode_head', 'auxiliary_head'):
        if name in cfg.model:
            cfg.model[name].update(head_options)
    cfg.train_cfg.update(max_iters=2, val_interval=2)
    cfg.param_scheduler = None
    cfg.train_dataloader.update(batch_size=2, num_workers=0, persistent_workers=False)
    cfg.default_hooks.logger.interval = 1
    cfg.default_hooks.checkpoint.save_last = False
    cfg.randomness = dict(seed=0)
    return cfg


def without_validation(cfg):
    for part in ('val', 'test'):
        cfg.update({f'{part}_{what}': None for what in ('dataloader', 'cfg', 'evaluator')})
    return cfg


def with_crack_files(cfg, root):
    """The config's own data set and pipelines on four small photos."""
    for split in ('train', 'test'):
        for seed in range(2):
            write_pair(root / split, f'{split}{seed}.jpg', size=(64, 64), seed=seed, crack=seed == 0)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.dataset.update(data_root=str(root), ann_file='')
        loader.update(num_workers=0, persistent_workers=False)
    return cfg


@DATASETS.register_module()
class FourClasses(RenderedBars):
    """Bars of three kinds on the background, and a stripe without a label."""

    metainfo = dict(classes=tuple('abcd'), palette=[[40 * c] * 3 for c in range(4)])

    def __getitem__(self, index):
        packed = super().__getitem__(index)
        label = packed['data_samples'].gt_sem_seg.data
        label[label == 1] = 1 + int(index) % 3
        return packed


def train(cfg):
    """Train; returns the runner and the losses of every iteration."""
    runner = Runner.from_cfg(cfg)
    before = {name: value.clone() for name, value in runner.model.named_parameters()}
    runner.train()
    history = runner.message_hub.log_scalars
    losses = {name: history[name].data[0] for name in history if 'loss' in name}
    assert len(losses['train/loss']) == 2
    assert all(np.isfinite(values).all() for values in losses.values())
    assert any(not torch.equal(value, before[name]) for name, value in runner.model.named_parameters())
    alpha = history['train/alpha'].data[0]
    assert alpha[0] == 0
    assert alpha[1] > 0
    return runner, losses


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmseg')


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
@pytest.mark.parametrize('outputs', [pytest.param(2, marks=pytest.mark.slow), 1])
def test_trains_and_is_evaluated(path, outputs, tmp_path):
    options = dict(out_channels=1, threshold=0.5) if outputs == 1 else {}
    cfg = with_crack_files(short_config(path, tmp_path, **options), tmp_path / 'data')
    runner, losses = train(cfg)
    assert 'train/decode.loss_bc' in losses
    assert ('train/aux.loss_bc' in losses) == ('auxiliary_head' in cfg.model)
    for key in ('IoU_max', 'AIU', 'HD95_min', 'AHD95'):
        assert np.isfinite(runner.message_hub.get_scalar(f'val/{key}').current())


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_trains_four_classes_with_ignored_pixels(path, tmp_path):
    cfg = without_validation(short_config(path, tmp_path, num_classes=4))
    cfg.train_dataloader.dataset = dict(type='FourClasses', pipeline=[dict(type='PackSegInputs')])
    cfg.train_dataloader.sampler = dict(type='InfiniteSampler', shuffle=False)
    runner, _ = train(cfg)
    assert runner.model.decode_head.conv_seg.out_channels == 4


def test_every_config_is_a_short_delta():
    assert len(CONFIGS) >= 3
    for path in CONFIGS:
        cfg = Config.fromfile(path)
        heads = [cfg.model.decode_head, cfg.model.get('auxiliary_head')]
        assert {head.loss_decode.type for head in heads if head} == {'BoundaryComboLoss'}
        assert cfg.default_hooks.boundary_rebalance == dict(type='BoundaryRebalanceHook', fraction=1.0)
