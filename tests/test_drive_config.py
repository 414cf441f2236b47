"""The retina config trains and tests on rendered vessels in MMSegmentation's DRIVE layout."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.models import TINY_KBPN, tiny_unet
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmseg.registry import DATASETS

import csbsr_mm  # noqa: F401
from csbsr_mm.datasets import KeyedDRIVEDataset, KeyedIndex

ROOT = Path(__file__).parents[1]
SIZE = (70, 65)  # no multiples of the scale, like DRIVE's 584x565


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmseg')


def render_vessels(seed):
    """A round orange field on black with dark branches that start at the optic disc, and their mask."""
    rng = np.random.default_rng(seed)
    field = np.zeros(SIZE, np.uint8)
    cv2.circle(field, (SIZE[1] // 2, SIZE[0] // 2), 31, 1, -1)
    vessels = np.zeros(SIZE, np.uint8)
    for angle in rng.uniform(0, 2 * np.pi, 5):
        turns = angle + np.cumsum(rng.normal(0, 0.3, 8))
        steps = 5 * np.stack([np.cos(turns), np.sin(turns)], axis=-1)
        path = np.cumsum(np.vstack([[20, 35], steps]), axis=0)
        cv2.polylines(vessels, [path.round().astype(np.int32)], False, 1, int(rng.integers(1, 4)))
    vessels *= field
    colour = np.where(vessels[..., None], (20, 30, 110), (50, 90, 200)) * field[..., None]
    return (colour + rng.integers(0, 9, (*SIZE, 3))).astype(np.uint8), vessels


@pytest.fixture
def drive(tmp_path):
    """Two photos a split, named as MMSegmentation's converter names them; masks of 0 and 1."""
    for split, first in (('training', 21), ('validation', 1)):
        for number in (first, first + 1):
            image, mask = render_vessels(number)
            for folder, name, picture in (
                ('images', f'{number:02}.png', image),
                ('annotations', f'{number:02}_manual1.png', mask),
                ('annotations', f'{number:02}_manual2.png', 1 - mask),
            ):
                (tmp_path / folder / split).mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(tmp_path / folder / split / name), picture)
    return tmp_path


def reduced(root):
    """The config with a tiny network, small crops and one iteration of S before one of both."""
    cfg = Config.fromfile(ROOT / 'configs' / 'medical' / 'kbpn_unet_drive.py')
    cfg.work_dir = str(root / 'work')
    cfg.model.sr = TINY_KBPN
    cfg.model.segmentor = tiny_unet(loss_decode=dict(type='BoundaryComboLoss'))
    cfg.model.data_preprocessor = dict(size_divisor=2)
    cfg.train_cfg.update(max_iters=2, val_interval=2)
    cfg.param_scheduler = None
    cfg.default_hooks.training_stage.stages = [dict(end=1, use_gt_kernel=True, task_weight=0.0), dict()]
    cfg.default_hooks.boundary_rebalance.begin = 0
    cfg.default_hooks.logger.interval = 1
    cfg.default_hooks.checkpoint.save_last = False
    cfg.vis_backends = cfg.visualizer.vis_backends = [dict(type='LocalVisBackend')]
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.dataset.data_root = str(root)
        loader.update(num_workers=0, persistent_workers=False)
    cfg.train_dataloader.batch_size = 2
    cfg.train_dataloader.dataset.pipeline[3].crop_size = 32
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        for step in loader.dataset.pipeline:
            if step.type == 'BlindDegradation':
                step.kernel_size = TINY_KBPN['kernel_size']
    return cfg


def test_trains_and_is_evaluated(drive):
    runner = Runner.from_cfg(reduced(drive))
    runner.train()
    history = runner.message_hub.log_scalars
    losses = history['train/loss'].data[0]
    assert len(losses) == 2
    assert np.isfinite(losses).all()
    assert 'train/decode.loss_bc' in history
    assert 'train/sr.loss_kernel' in history
    metrics = runner.test()
    for key in ('IoU_max', 'AIU', 'HD95_min', 'AHD95', 'PSNR', 'SSIM', 'kernel_PSNR'):
        assert np.isfinite(metrics[key]), key


def test_masks_are_the_first_annotator_s(drive):
    dataset = DATASETS.build(reduced(drive).test_dataloader.dataset)
    assert dataset.metainfo['classes'] == ('background', 'vessel')
    assert len(dataset) == 2
    sample = dataset[0]['data_samples']
    _, vessels = render_vessels(1)
    assert np.array_equal(sample.gt_sem_seg.data[0], vessels[:68, :64])
    assert tuple(sample.gt_hr_img.data.shape) == (3, 68, 64)
    assert tuple(dataset[0]['inputs'].shape) == (3, 17, 16)


def test_another_draw_is_another_sample(drive):
    dataset = DATASETS.build(reduced(drive).train_dataloader.dataset)
    first, again, other = (dataset[KeyedIndex(0, draw, seed=3)] for draw in (5, 5, 6))
    assert first['inputs'].equal(again['inputs'])
    kernels = [sample['data_samples'].gt_blur_kernel.data for sample in (first, again, other)]
    assert kernels[0].equal(kernels[1])
    assert not kernels[0].equal(kernels[2])


def test_photos_with_another_suffix(drive):
    for photo in (drive / 'images' / 'training').glob('*.png'):
        cv2.imwrite(str(photo.with_suffix('.tif')), cv2.imread(str(photo)))
        photo.unlink()
    config = reduced(drive).train_dataloader.dataset
    assert len(KeyedDRIVEDataset(img_suffix='.tif', **{k: v for k, v in config.items() if k != 'type'})) == 2
