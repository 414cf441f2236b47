"""A codebase with a scope of its own, as Open-CD is one, in a process of its own.

python other_scope.py (alone | prefixed | everywhere)
"""

import sys
import tempfile
from importlib import import_module

import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.registry import DATASETS as ROOT_DATASETS
from mmengine.registry import METRICS as ROOT_METRICS
from mmengine.registry import MODELS as ROOT_MODELS
from mmengine.registry import Registry
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement, PixelData
from torch.utils.data import Dataset

SCOPE = 'otherlab'
MODELS = Registry('model', parent=ROOT_MODELS, scope=SCOPE, locations=['sys'])
DATASETS = Registry('dataset', parent=ROOT_DATASETS, scope=SCOPE, locations=['sys'])
METRICS = Registry('metric', parent=ROOT_METRICS, scope=SCOPE, locations=['sys'])


@MODELS.register_module()
class ChangeNet(BaseModel):
    """A model of that codebase with a loss by name."""

    def __init__(self, loss):
        super().__init__(data_preprocessor=dict(type='BaseDataPreprocessor'))
        self.layer = torch.nn.Conv2d(3, 1, 3, padding=1)
        self.loss = MODELS.build(loss)

    def forward(self, inputs, data_samples, mode='tensor'):
        logits = self.layer(torch.stack(inputs))
        if mode == 'loss':
            labels = torch.cat([sample.gt_sem_seg.data for sample in data_samples])
            return dict(loss=self.loss(logits, labels))
        for sample, logit in zip(data_samples, logits, strict=True):
            sample.seg_prob = PixelData(data=logit.sigmoid())
        return data_samples


@DATASETS.register_module()
class Squares(Dataset):
    """Images with a bright square."""

    def __len__(self):
        return 4

    def __getitem__(self, index):
        label = torch.zeros(1, 16, 16, dtype=torch.long)
        label[:, 4:9, index : index + 6] = 1
        sample = BaseDataElement(gt_sem_seg=PixelData(data=label))
        return dict(inputs=label.float().repeat(3, 1, 1), data_samples=sample)


def config(prefix: str, work_dir: str) -> Config:
    """A training of two iterations with our loss, hook and metrics."""
    loader = dict(
        batch_size=2,
        num_workers=0,
        dataset=dict(type='Squares'),
        sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=dict(type='pseudo_collate'),
    )
    return Config(
        dict(
            default_scope=SCOPE,
            work_dir=work_dir,
            model=dict(type='ChangeNet', loss=dict(type=f'{prefix}BoundaryComboLoss')),
            train_dataloader=loader,
            val_dataloader=loader,
            train_cfg=dict(by_epoch=False, max_iters=2, val_interval=2),
            val_cfg=dict(),
            val_evaluator=[dict(type=f'{prefix}AIUMetric'), dict(type=f'{prefix}HD95Metric')],
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
            custom_hooks=[dict(type=f'{prefix}BoundaryRebalanceHook', epoch_iters=1)],
        )
    )


def main(way: str) -> None:
    """Train, and print the metrics and the loss's α."""
    import_module('csbsr_mm.everywhere' if way == 'everywhere' else 'csbsr_mm')
    with tempfile.TemporaryDirectory() as work_dir:
        runner = Runner.from_cfg(config('mmseg.' if way == 'prefixed' else '', work_dir))
        runner.train()
        metrics = runner.val_loop.run()
    print('alpha', float(runner.model.loss.alpha), sorted(metrics))


if __name__ == '__main__':
    main(sys.argv[1])
