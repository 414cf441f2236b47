"""The schedule of alpha, as a function and in real training runs."""

import pytest
import torch
from helpers.boundary_training import Recorder, bc_unet, config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from csbsr_mm.engine.hooks import BoundaryRebalanceHook
from csbsr_mm.engine.hooks.boundary_losses import boundary_losses


@pytest.fixture
def recorder(monkeypatch):
    init_default_scope('mmseg')
    return Recorder(monkeypatch)


# The schedule as a function.


def test_paper_schedule():
    hook = BoundaryRebalanceHook(epoch_iters=1521, begin=30000)
    assert hook.alpha_at(0) == hook.alpha_at(31520) == 0
    assert hook.alpha_at(31521) == 0.01
    epochs = [hook.alpha_at(30000 + 1521 * epoch) for epoch in range(150)]
    assert epochs == [min(epoch, 99) / 100 for epoch in range(150)]


def test_fraction_schedule():
    hook = BoundaryRebalanceHook(fraction=0.25, begin=200)
    alphas = [hook.alpha_at(iteration, 1000) for iteration in range(1000)]
    assert alphas[:203] == [0] * 203
    assert alphas[400:] == [0.99] * 600
    assert alphas == sorted(alphas)
    assert len(set(alphas)) == 100


def test_custom_range():
    hook = BoundaryRebalanceHook(start=0.2, end=0.5, step=0.2, epoch_iters=10)
    assert [hook.alpha_at(i) for i in (0, 9, 10, 20, 30)] == [0.2, 0.2, 0.4, 0.5, 0.5]


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(start=-0.1), r'alpha must rise within \[0, 1\], got start=-0.1, end=0.99'),
        (dict(end=1.5), r'got start=0.0, end=1.5'),
        (dict(start=0.5, end=0.4), r'alpha must rise'),
        (dict(step=0), r'step must be > 0, got 0'),
        (dict(epoch_iters=0), r'epoch_iters must be >= 1, got 0'),
        (dict(fraction=0), r'fraction must be in \(0, 1\], got 0'),
        (dict(fraction=0.5, epoch_iters=3), r'epoch_iters or fraction, not both'),
        (dict(begin=-1), r'begin must be >= 0, got -1'),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        BoundaryRebalanceHook(**options)


# The schedule in training.


def test_iteration_loop_counts_epochs_of_the_data_set(tmp_path, recorder, capsys):
    hook = dict(type='BoundaryRebalanceHook', begin=1)
    runner = Runner.from_cfg(config(tmp_path, bc_unet(auxiliary=True), hooks=[hook]))
    runner.train()
    expected = [max(0, i - 1) // 3 / 100 for i in range(7) for _ in range(2)]
    assert recorder.alphas == expected
    log = capsys.readouterr().out
    assert 'alpha of decode_head.loss_decode, auxiliary_head.loss_decode rises from 0 to 0.99' in log
    assert 'by 0.01 every 3 iterations, beginning at iteration 2' in log
    assert 'alpha = 0.01 from iteration 5' in log
    assert 'alpha: 0.0100' in log
    state = torch.load(tmp_path / 'iter_7.pth', weights_only=False)['state_dict']
    for head in ('decode_head', 'auxiliary_head'):
        assert state[f'{head}.loss_decode.alpha'].item() == pytest.approx(0.01)


def test_epoch_loop(tmp_path, recorder):
    hook = dict(type='BoundaryRebalanceHook', step=0.1)
    Runner.from_cfg(config(tmp_path, bc_unet(), hooks=[hook], epochs=3)).train()
    assert recorder.alphas == [0.0] * 3 + [0.1] * 3 + [0.2] * 3


def test_fraction_of_training(tmp_path, recorder):
    hook = dict(type='BoundaryRebalanceHook', fraction=0.5, end=0.9, step=0.3)
    Runner.from_cfg(config(tmp_path, bc_unet(), hooks=[hook], max_iters=6)).train()
    assert recorder.alphas == [0.0, 0.3, 0.6, 0.9, 0.9, 0.9]


def test_resumed_run_goes_on(tmp_path, recorder):
    hooks = [dict(type='BoundaryRebalanceHook', epoch_iters=2, step=0.1)]
    Runner.from_cfg(config(tmp_path, bc_unet(), hooks=hooks, max_iters=3)).train()
    again = config(tmp_path, bc_unet(), hooks=hooks, max_iters=6, resume=True, experiment_name='again')
    Runner.from_cfg(again).train()
    assert recorder.alphas == [0.0, 0.0, 0.1, 0.1, 0.2, 0.2]


def test_fixed_losses_stay(tmp_path, recorder):
    model = bc_unet(auxiliary=True)
    model['auxiliary_head']['loss_decode'] = dict(type='BoundaryComboLoss', alpha=0.7)
    hook = dict(type='BoundaryRebalanceHook', epoch_iters=1)
    Runner.from_cfg(config(tmp_path, model, hooks=[hook], max_iters=2)).train()
    assert recorder.alphas == [0.0, 0.7, 0.01, 0.7]


def test_a_config_that_fixes_every_alpha_wins(tmp_path, recorder):
    hook = dict(type='BoundaryRebalanceHook', epoch_iters=1)
    Runner.from_cfg(config(tmp_path, bc_unet(alpha=0.5), hooks=[hook], max_iters=2)).train()
    assert recorder.alphas == [0.5, 0.5]


def test_a_model_without_a_boundary_loss_is_refused():
    with pytest.raises(TypeError, match=r'Linear has no boundary loss; give a head'):
        boundary_losses(torch.nn.Linear(1, 1))
