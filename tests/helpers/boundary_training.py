"""Training runs of a second with boundary losses, and a record of what their losses saw."""

from itertools import count

import numpy as np
import torch
from mmengine.config import Config
from mmseg.registry import DATASETS, TRANSFORMS

from csbsr_mm.models.losses import BoundaryComboLoss
from helpers.models import tiny_unet

RUNS = count()
PACK = [dict(type='PackSegInputs'), dict(type='SignedDistanceTransform')]
BLIND = [
    dict(type='BlindDegradation', kernel_size=5),
    dict(type='PackBlindSRInputs'),
    dict(type='SignedDistanceTransform'),
]


@DATASETS.register_module(force=True)
class RenderedBars(torch.utils.data.Dataset):
    """HR images with one bright bar each, of sizes that differ."""

    metainfo = dict(classes=('background', 'crack'), palette=[[0, 0, 0], [255, 0, 0]])

    def __init__(self, pipeline, length=5):
        self.transforms = [TRANSFORMS.build(transform) for transform in pipeline]
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        rng = np.random.default_rng(int(index))
        image = rng.integers(0, 100, (32, 24 + 8 * (int(index) % 2), 3), np.uint8)
        mask = np.zeros(image.shape[:2], np.uint8)
        row = rng.integers(4, 24)
        mask[row : row + 3, 4:20], mask[:2] = 1, 255
        image[mask == 1] += 100
        results = dict(img=image, gt_seg_map=mask, img_path=f'{index}.png', draw=int(index))
        for transform in self.transforms:
            results = transform(results)
        return results


def config(tmp_path, model, pipeline=PACK, hooks=(), max_iters=7, epochs=None, batch_size=2, **changes):
    loop = dict(type='IterBasedTrainLoop', max_iters=max_iters)
    if epochs:
        loop = dict(type='EpochBasedTrainLoop', max_epochs=epochs)
    cfg = dict(
        default_scope='mmseg',
        work_dir=str(tmp_path),
        model=model,
        train_dataloader=dict(
            batch_size=batch_size,
            num_workers=0,
            sampler=dict(type='DefaultSampler' if epochs else 'InfiniteSampler', shuffle=False),
            dataset=dict(type='RenderedBars', pipeline=pipeline),
        ),
        train_cfg=loop,
        optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01)),
        default_hooks=dict(
            logger=dict(type='LoggerHook', interval=1),
            checkpoint=dict(type='CheckpointHook', by_epoch=bool(epochs), interval=1000, save_last=True),
        ),
        custom_hooks=list(hooks),
        log_processor=dict(by_epoch=bool(epochs)),
        randomness=dict(seed=0),
        log_level='INFO',
        # MMEngine keeps the log of a run under its name and second; two runs of one test must not share it.
        experiment_name=f'{tmp_path.name}_{next(RUNS)}',
    )
    cfg.update(changes)
    return Config(cfg)


def bc_unet(auxiliary=False, **loss):
    model = tiny_unet(loss_decode=dict(type='BoundaryComboLoss', **loss), auxiliary=auxiliary)
    preprocessor = dict(
        type='SegDataPreProcessor', mean=[50] * 3, std=[50] * 3, size_divisor=16, seg_pad_val=255
    )
    return {**model, 'data_preprocessor': preprocessor}


class Recorder:
    """Collects alpha, and the maps in use, of every loss call."""

    def __init__(self, monkeypatch):
        self.alphas, self.maps = [], []
        forward = BoundaryComboLoss.forward

        def record(loss, cls_score, label, *args, **kwargs):
            self.alphas.append(round(loss.alpha.item(), 6))
            self.maps.append((loss._boundary_maps, label))
            return forward(loss, cls_score, label, *args, **kwargs)

        monkeypatch.setattr(BoundaryComboLoss, 'forward', record)
