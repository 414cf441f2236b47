import pytest
import torch
from helpers.models import tiny_csbsr
from helpers.training import tiny_config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from csbsr_mm.engine.hooks import TrainingStageHook

WARM_UP = [
    dict(end=1, frozen=['sr.kernel_predictor'], use_gt_kernel=True, task_weight=0.0),
    dict(end=2, trainable=['sr.kernel_predictor'], task_weight=0.0),
    dict(end=3, task_weight=0.0),
    dict(end=4, frozen=['sr'], task_weight=1.0),
    dict(),
]


class Recorder(Hook):
    """The model's state after every iteration."""

    def __init__(self):
        self.states = []

    def before_train(self, runner):
        self.after_train_iter(runner)

    def after_train_iter(self, runner, *args, **kwargs):
        model = runner.model
        self.states.append(
            dict(
                weights={name: value.clone() for name, value in model.state_dict().items()},
                stage=model.training_stage,
                use_gt_kernel=model.use_gt_kernel,
                task_weight=model.task_weight,
            )
        )


@pytest.fixture(scope='module')
def recorder(tmp_path_factory):
    recorder = Recorder()
    cfg = tiny_config(
        tmp_path_factory.mktemp('run'), max_iters=5, hooks=[dict(type='TrainingStageHook', stages=WARM_UP)]
    )
    runner = Runner.from_cfg(cfg)
    runner.register_hook(recorder)
    runner.train()
    recorder.log = runner.message_hub.get_scalar('train/stage').data[0].tolist()
    return recorder


def changed(recorder, iteration):
    """Which parts an iteration (from 1) changed."""
    before, after = (recorder.states[i]['weights'] for i in (iteration - 1, iteration))
    names = {name for name in after if after[name].ndim > 0 and not torch.equal(before[name], after[name])}
    parts = set()
    for name in names:
        if name.startswith('sr.'):
            parts.add('predictor' if 'kernel_' in name else 'sr')
        else:
            parts.add('statistics' if 'running' in name else name.split('.')[0])
    return parts


def test_each_stage_changes_only_what_it_trains(recorder):
    assert changed(recorder, 1) == {'sr'}
    assert changed(recorder, 2) == {'predictor'}
    assert changed(recorder, 3) == {'sr', 'predictor'}
    # The segmentor trains alone, its batch norm learns statistics.
    assert changed(recorder, 4) == {'segmentor', 'statistics'}
    assert changed(recorder, 5) == {'sr', 'predictor', 'segmentor', 'statistics'}


def test_state_of_each_stage(recorder):
    states = recorder.states[1:]
    assert [state['stage'] for state in states] == [0, 1, 2, 3, 4]
    assert [state['use_gt_kernel'] for state in states] == [True, False, False, False, False]
    # The last stage has the β of the model's config.
    assert [state['task_weight'] for state in states] == [0, 0, 0, 1, 0.3]
    assert recorder.log == [1, 2, 3, 4, 5]


def test_frozen_batch_norm_keeps_its_statistics(tmp_path):
    hook = dict(type='TrainingStageHook', stages=[dict(frozen=['segmentor'], task_weight=0.5)])
    runner = Runner.from_cfg(tiny_config(tmp_path, max_iters=2, hooks=[hook]))
    recorder = Recorder()
    runner.register_hook(recorder)
    runner.train()
    assert changed(recorder, 2) == {'sr', 'predictor'}


def test_blur_skip_alone(tmp_path):
    """On top of a joint model that stays as it is, batch norm included."""
    skip = dict(type='BlurSkipNeck', in_channels=4, kernel_size=5)
    hook = dict(type='TrainingStageHook', stages=[dict(trainable=['blur_skip'], task_weight=1.0)])
    runner = Runner.from_cfg(
        tiny_config(tmp_path, max_iters=1, model=tiny_csbsr(blur_skip=skip), hooks=[hook])
    )
    recorder = Recorder()
    runner.register_hook(recorder)
    runner.train()
    before, after = (recorder.states[i]['weights'] for i in (0, 1))
    names = {name for name in after if after[name].ndim > 0 and not torch.equal(before[name], after[name])}
    assert {name.split('.')[0] for name in names} == {'blur_skip'}


@pytest.mark.parametrize(
    ('stages', 'message'),
    [
        ([], 'at least one'),
        ([dict(stop=3)], r"unknown keys \['stop'\]"),
        ([dict(task_weight=2)], 'got 2'),
        ([dict(), dict()], r'got \[None\]'),
        ([dict(end=5), dict(end=5), dict()], r'got \[5, 5\]'),
        ([dict(end=0), dict()], r'got \[0\]'),
    ],
)
def test_refuses(stages, message):
    with pytest.raises(ValueError, match=message):
        TrainingStageHook(stages)


def test_names_the_parts_there_are(tmp_path):
    hook = dict(type='TrainingStageHook', stages=[dict(frozen=['backbone'])])
    with pytest.raises(ValueError, match=r"no part 'backbone'; it has \['segmentor', 'sr'"):
        Runner.from_cfg(tiny_config(tmp_path, hooks=[hook])).train()


def test_refuses_a_stage_in_which_nothing_learns(tmp_path):
    hook = dict(type='TrainingStageHook', stages=[dict(frozen=['sr', 'segmentor'])])
    with pytest.raises(ValueError, match=r'stage 1 .* leaves nothing to train'):
        Runner.from_cfg(tiny_config(tmp_path, hooks=[hook])).train()


def test_config_decides_over_the_schedule_of_a_loaded_checkpoint(tmp_path):
    """`load_from` takes weights; β, stage and kernel source are the new run's own."""
    hook = dict(type='TrainingStageHook', stages=[dict(use_gt_kernel=True, task_weight=0.0)])
    Runner.from_cfg(tiny_config(tmp_path / 'first', max_iters=1, hooks=[hook])).train()
    checkpoint = str(tmp_path / 'first' / 'iter_1.pth')
    runner = Runner.from_cfg(tiny_config(tmp_path / 'second', max_iters=1, load_from=checkpoint))
    runner.train()
    assert runner.model.task_weight == 0.3
    assert runner.model.training_stage == -1
    assert not runner.model.use_gt_kernel
