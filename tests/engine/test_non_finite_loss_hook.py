from itertools import islice

import pytest
import torch
from helpers.models import tiny_unet
from helpers.training import load, loader, tiny_config
from mmengine.runner import Runner

from csbsr_mm.engine.hooks import NonFiniteLossError

GUARD = dict(type='NonFiniteLossHook')


def poisoned(work_dir, **changes):
    """Draw 5, the second image of iteration 3, holds a NaN."""
    settings = dict(
        max_iters=5, interval=1, hooks=[GUARD], train_dataloader=loader(batch_size=2, length=6, nan_at=5)
    )
    return Runner.from_cfg(tiny_config(work_dir, **{**settings, **changes}))


def test_stops_before_the_update_and_says_where(tmp_path):
    runner = poisoned(tmp_path)
    with pytest.raises(NonFiniteLossError) as caught:
        runner.train()
    message = str(caught.value)
    assert 'iteration 3: the loss is not finite' in message
    assert 'sr.loss_hr_image=nan' in message
    assert 'raw_' in message
    names = [f'{int(index)}.png' for index in islice(runner.train_dataloader.sampler, 4, 6)]
    assert ', '.join(names) in message
    saved = load(tmp_path / 'non_finite_iter_3.pth')
    previous = load(tmp_path / 'iter_2.pth')
    for name, value in runner.model.named_parameters():
        assert torch.equal(value, previous['state_dict'][name])
        assert torch.equal(value, saved['state_dict'][name])
    assert (tmp_path / 'last_checkpoint').read_text().endswith('iter_2.pth')


def test_guards_a_stock_segmentor(tmp_path):
    model = {**tiny_unet(), 'data_preprocessor': dict(type='SegDataPreProcessor', size=(16, 16))}
    # Labels of this model are at input size.
    data = loader(batch_size=2, size=(16, 16), nan_at=2)
    data['dataset']['label_scale'] = 1
    runner = poisoned(tmp_path, model=model, train_dataloader=data)
    with pytest.raises(NonFiniteLossError, match=r'iteration 2: .*decode\.loss_ce=nan'):
        runner.train()


def test_stops_at_gradients_that_are_not_finite(tmp_path):
    runner = poisoned(tmp_path, train_dataloader=loader())
    parameter = next(runner.model.parameters())
    parameter.register_hook(lambda gradient: gradient * float('inf'))
    with pytest.raises(NonFiniteLossError, match=r'gradient of 1 parameter tensors \(sr\.'):
        runner.train()
    # Nothing was updated: Adam has not seen a gradient yet.
    assert not runner.optim_wrapper.optimizer.state


def test_leaves_a_healthy_run_alone(tmp_path):
    guarded = Runner.from_cfg(tiny_config(tmp_path / 'guarded', max_iters=2, hooks=[GUARD]))
    guarded.train()
    bare = Runner.from_cfg(tiny_config(tmp_path / 'bare', max_iters=2))
    bare.train()
    for a, b in zip(guarded.model.parameters(), bare.model.parameters(), strict=True):
        assert torch.equal(a, b)
    assert 'train_step' not in vars(guarded.model)
    assert 'update_params' not in vars(guarded.optim_wrapper)
