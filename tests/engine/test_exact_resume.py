"""12 iterations in one run = 5, kill -9, resume, 7: to the last bit."""

import signal

import pytest
import torch
from helpers.models import tiny_csbsr, tiny_unet
from helpers.training import dump, load, loader, run_tool, tiny_config
from mmengine.runner import Runner

from csbsr_mm.engine.config import set_resume
from csbsr_mm.engine.hooks import TrainingStopped
from csbsr_mm.engine.runtime import stop_on_signals

STAGES = [
    dict(end=3, frozen=['sr.kernel_predictor'], use_gt_kernel=True, task_weight=0.0),
    dict(end=6, frozen=['segmentor']),
    dict(),
]


def schedule(work_dir, workers, max_iters=12, **changes):
    """Everything that has a state: stages, α, β, learning rate, EMA, dropout, batch norm, validation."""
    unet = tiny_unet(loss_decode=dict(type='BoundaryComboLoss'))
    unet['decode_head']['dropout_ratio'] = 0.5
    validation = loader(batch_size=1, length=1)
    validation['sampler'] = dict(type='DefaultSampler', shuffle=False)
    settings = dict(
        model=tiny_csbsr(segmentor=unet),
        train_dataloader=loader(batch_size=2, workers=workers),
        optim_wrapper=dict(
            type='OptimWrapper',
            optimizer=dict(type='Adam', lr=1e-3),
            accumulative_counts=2,
            clip_grad=dict(max_norm=1.0),
        ),
        param_scheduler=[dict(type='MultiStepLR', milestones=[6], gamma=0.1, by_epoch=False)],
        train_cfg=dict(type='ResumableIterBasedTrainLoop', max_iters=max_iters, val_interval=2),
        val_dataloader=validation,
        val_cfg=dict(type='ValLoop'),
        val_evaluator=[dict(type='IoUMetric')],
        hooks=[
            dict(type='TrainingStageHook', stages=STAGES),
            dict(type='TaskWeightHook', task_weight=[(3, 0.0), (10, 0.7)]),
            dict(type='BoundaryRebalanceHook', begin=3, epoch_iters=2, step=0.1),
            dict(type='EMAHook', momentum=0.1),
            dict(type='NonFiniteLossHook'),
        ],
    )
    return tiny_config(work_dir, interval=5, **{**settings, **changes})


def train(cfg):
    Runner.from_cfg(cfg).train()
    return load(f'{cfg.work_dir}/iter_{cfg.train_cfg.max_iters}.pth')


def assert_equal(first, second, path=''):
    """Compare nested checkpoints, tensors bit by bit."""
    assert type(first) is type(second), path
    if isinstance(first, dict):
        assert first.keys() == second.keys(), path
        for key in first:
            assert_equal(first[key], second[key], f'{path}/{key}')
    elif isinstance(first, (list, tuple)):
        assert len(first) == len(second), path
        for index, (a, b) in enumerate(zip(first, second, strict=True)):
            assert_equal(a, b, f'{path}/{index}')
    elif isinstance(first, torch.Tensor):
        assert torch.equal(first, second), path
    else:
        assert first == second, path


def losses(checkpoint):
    """History of everything that is logged, but for clocks."""
    scalars = checkpoint['message_hub']['log_scalars']
    return {name: values.data[0].tolist() for name, values in scalars.items() if 'time' not in name}


@pytest.fixture(scope='module')
def uninterrupted(tmp_path_factory):
    return train(schedule(tmp_path_factory.mktemp('uninterrupted'), workers=0))


@pytest.mark.parametrize('workers', [0, 2])
def test_killed_and_resumed_run_equals_an_uninterrupted_one(tmp_path, workers, uninterrupted):
    cfg = schedule(tmp_path / 'run', workers)
    killed = schedule(tmp_path / 'run', workers)
    killed.custom_hooks.append(dict(type='KillHook', after_iter=5))
    done = run_tool('train.py', dump(killed, tmp_path / 'killed.py'), check=False)
    assert done.returncode == -signal.SIGKILL
    set_resume(cfg, 'auto')
    resumed = train(cfg)
    for part in ('state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers', 'random_states'):
        assert_equal(uninterrupted[part], resumed[part], part)
    assert_equal(losses(uninterrupted), losses(resumed))
    assert resumed['message_hub']['runtime_info']['draw_position'] == 12 * 2 * 2
    assert resumed['state_dict']['_training_stage'] == 2
    assert uninterrupted['state_dict']['_task_weight'] == pytest.approx(0.7)
    alpha = resumed['state_dict']['segmentor.decode_head.loss_decode.alpha']
    assert alpha == pytest.approx(0.4)


def test_kill_while_saving_leaves_the_previous_checkpoint(tmp_path):
    kill = dict(type='KillHook', while_saving=4)
    cfg = tiny_config(tmp_path / 'run', max_iters=5, interval=2, hooks=[kill])
    done = run_tool('train.py', dump(cfg, tmp_path / 'config.py'), check=False)
    assert done.returncode == -signal.SIGKILL
    names = {path.name for path in (tmp_path / 'run').glob('iter_*')}
    assert names == {'iter_2.pth', 'iter_4.pth.partial'}
    cfg.custom_hooks.clear()
    set_resume(cfg, 'auto')
    assert cfg.load_from == str(tmp_path / 'run' / 'iter_2.pth')
    assert train(cfg)['meta']['iter'] == 5
    names = {path.name for path in (tmp_path / 'run').glob('iter_*')}
    assert names == {'iter_4.pth', 'iter_5.pth'}


@pytest.mark.parametrize('workers', [0, 2])
def test_resuming_late_does_not_replay_the_data(tmp_path, workers):
    log = tmp_path / 'draws.txt'
    short = tiny_config(tmp_path / 'run', max_iters=1, train_dataloader=loader(workers=workers))
    checkpoint = train(short)
    checkpoint['meta']['iter'] = 100_000
    checkpoint['message_hub']['runtime_info']['draw_position'] = 200_000
    torch.save(checkpoint, tmp_path / 'late.pth')
    data = loader(workers=workers, log=str(log))
    cfg = tiny_config(
        tmp_path / 'late', max_iters=100_003, train_dataloader=data, allow_changed=['train_dataloader']
    )
    set_resume(cfg, str(tmp_path / 'late.pth'))
    train(cfg)
    draws = sorted(map(int, log.read_text().split()))
    assert draws[:6] == list(range(200_000, 200_006))
    # Workers fetch two batches each ahead of training, nothing more.
    assert len(draws) <= 6 + 4 * workers


def test_resume_means_the_work_dir_even_if_the_config_loads_a_pretrained_model(tmp_path):
    cfg = tiny_config(tmp_path / 'run', max_iters=2, load_from=str(tmp_path / 'pretrained.pth'))
    (tmp_path / 'pretrained.pth').touch()
    set_resume(cfg, 'auto')
    assert not cfg.resume
    assert cfg.load_from == str(tmp_path / 'pretrained.pth')
    (tmp_path / 'run').mkdir()
    torch.save({}, tmp_path / 'run' / 'iter_2.pth')
    (tmp_path / 'run' / 'last_checkpoint').write_text('/moved/away/iter_2.pth')
    set_resume(cfg, 'auto')
    assert cfg.resume
    assert cfg.load_from == str(tmp_path / 'run' / 'iter_2.pth')
    with pytest.raises(FileNotFoundError, match='gone'):
        set_resume(cfg, 'gone.pth')


def test_stock_checkpoints_resume_by_iteration(tmp_path):
    """A run begun with MMEngine's own hook and loop can be continued."""
    stock = tiny_config(tmp_path / 'run', max_iters=2, train_cfg=dict(type='IterBasedTrainLoop', max_iters=2))
    stock.default_hooks.checkpoint = dict(type='CheckpointHook', interval=2, by_epoch=False)
    train(stock)
    log = tmp_path / 'draws.txt'
    cfg = tiny_config(tmp_path / 'run', max_iters=3, train_dataloader=loader(log=str(log)))
    set_resume(cfg, 'auto')
    train(cfg)
    assert log.read_text().split() == ['4', '5']


class TestDropoutGoesOn:
    """With dropout on and nothing frozen, weights tell whether the generators are where they should be."""

    @staticmethod
    def config(work_dir, *hooks, **changes):
        unet = tiny_unet()
        unet['decode_head']['dropout_ratio'] = 0.5
        return tiny_config(
            work_dir, max_iters=4, interval=2, model=tiny_csbsr(segmentor=unet), hooks=hooks, **changes
        )

    @staticmethod
    def validation():
        data = loader(batch_size=1, length=1)
        data['sampler'] = dict(type='DefaultSampler', shuffle=False)
        return dict(
            val_dataloader=data,
            val_cfg=dict(type='ValLoop'),
            val_evaluator=[dict(type='IoUMetric')],
            train_cfg=dict(type='ResumableIterBasedTrainLoop', max_iters=4, val_interval=1),
        )

    def test_after_resuming(self, tmp_path):
        whole = train(self.config(tmp_path / 'whole'))['state_dict']
        stop_after_two = self.config(tmp_path / 'run', dict(type='SignalHook', after_iter=2))
        stop_on_signals(stop_after_two)
        with pytest.raises(TrainingStopped):
            Runner.from_cfg(stop_after_two).train()
        resumed = self.config(tmp_path / 'run', randomness=dict(seed=0))
        set_resume(resumed, 'auto')
        assert_equal(whole, train(resumed)['state_dict'])

    def test_after_validating(self, tmp_path):
        """Every iteration is validated, which draws a seed for workers each time."""
        whole = train(self.config(tmp_path / 'whole'))['state_dict']
        validated = train(self.config(tmp_path / 'validated', **self.validation()))['state_dict']
        assert_equal(whole, validated)

    def test_dropout_is_on(self, tmp_path):
        """Otherwise the two tests above could not fail."""
        states = []
        for seed in (0, 1):
            cfg = self.config(tmp_path / str(seed), dict(type='DisturbHook', seed=seed))
            states.append(train(cfg)['state_dict'])
        differing = [name for name in states[0] if not torch.equal(states[0][name], states[1][name])]
        assert len(differing) > 10
