"""The step that benchmarks time is the one that training takes."""

import copy

import pytest
import torch
from helpers.models import batch as make_batch
from helpers.models import tiny_csbsr
from helpers.training import load, tiny_config
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmseg.registry import MODELS

from csbsr_mm.engine.profiling.training_step import TrainingStep, check_device, synthetic_batch

PIPELINE = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='BinarizeMask'),
    dict(type='KeyedRandomCrop', crop_size=16),
    dict(type='KeyedRandomFlip'),
    dict(type='BlindDegradation', kernel_size=5),
    dict(type='PackBlindSRInputs'),
]


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmseg')


@MODELS.register_module(force=True)
class OneConvolution(BaseModel):
    """Keeps its input for the backward pass, and nothing else."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 5, 3)

    def forward(self, inputs, data_samples=None, mode='loss'):
        return dict(loss=self.conv(torch.stack(inputs)).mean())


def test_one_step_is_one_iteration_of_training(tmp_path):
    """Weights after a step equal those of MMEngine's runner, which began with the same."""
    runner = Runner.from_cfg(tiny_config(tmp_path, max_iters=1))
    runner.model.init_weights()
    start = copy.deepcopy(runner.model.state_dict())
    batch = next(iter(Runner.build_dataloader(runner.cfg.train_dataloader, seed=0)))
    runner.train()
    trained = load(tmp_path / 'iter_1.pth')['state_dict']

    step = TrainingStep(runner.cfg)
    step.model.load_state_dict(start)
    step(batch)
    for name, value in step.model.state_dict().items():
        torch.testing.assert_close(value, trained[name], msg=name)
    assert any(not torch.equal(start[name], trained[name]) for name in start)


def test_a_batch_serves_many_steps():
    step = TrainingStep(tiny_config('unused'))
    batch = make_batch()
    image = batch['data_samples'][0].gt_hr_img.data.clone()
    assert step.seconds(batch) > 0
    assert step.seconds(batch, clock=lambda: 3.0) == 0
    assert torch.equal(batch['data_samples'][0].gt_hr_img.data, image)
    assert step.peak_memory(batch) is None


def test_saved_tensor_memory_of_one_convolution():
    cfg = Config(
        dict(model=dict(type='OneConvolution'), optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)))
    )
    step = TrainingStep(cfg)
    kept = step.saved_tensor_memory(dict(inputs=[torch.rand(3, 64, 64), torch.rand(3, 64, 64)]))
    assert kept == pytest.approx(2 * 3 * 64 * 64 * 4 / 2**20)


def test_folding_and_checkpointing_keep_less():
    kept = {}
    for name, options in dict(
        literal=dict(fold=False), folded={}, checkpointed=dict(checkpoint_stages=True)
    ).items():
        cfg = tiny_config('unused', model=tiny_csbsr())
        cfg.model.sr.update(options)
        kept[name] = TrainingStep(cfg).saved_tensor_memory(make_batch())
    assert kept['checkpointed'] < kept['folded'] < kept['literal']


def test_synthetic_batch_has_the_size_that_is_asked_for():
    cfg = Config(dict(train_dataloader=dict(dataset=dict(pipeline=PIPELINE))))
    batch = synthetic_batch(cfg, batch_size=2, size=48)
    assert [image.shape for image in batch['inputs']] == [(3, 12, 12)] * 2
    first, second = batch['data_samples']
    assert first.gt_hr_img.shape == first.gt_sem_seg.shape == (48, 48)
    assert set(first.gt_sem_seg.data.unique().tolist()) == {0, 1}
    assert not torch.equal(first.gt_blur_kernel.data, second.gt_blur_kernel.data)
    with pytest.raises(ValueError, match=r'no train_dataloader\.dataset\.pipeline'):
        synthetic_batch(Config(), 1, 16)


def test_what_is_missing_is_named():
    with pytest.raises(ValueError, match='the config has no model and no optim_wrapper'):
        TrainingStep(Config())


@pytest.mark.parametrize(
    ('device', 'gpu', 'message'),
    [('cuda', False, 'device cuda, but torch finds no GPU'), ('cpu', True, 'CUDA_VISIBLE_DEVICES=-1')],
)
def test_device_that_does_not_fit(monkeypatch, device, gpu, message):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: gpu)
    with pytest.raises(ValueError, match=message):
        check_device(device)
    check_device('cuda' if gpu else 'cpu')
