import pytest
from helpers.training import tiny_config
from mmengine.runner import Runner

from csbsr_mm.engine.hooks import TaskWeightHook


def test_increasing_schedule_of_table_iii():
    hook = TaskWeightHook([(30_000, 0.0), (170_000, 1.0)])
    points = {1: 0.0, 30_000: 0.0, 65_000: 0.25, 100_000: 0.5, 170_000: 1.0, 180_000: 1.0}
    assert {iteration: hook.value_at(iteration) for iteration in points} == points


def test_a_list_of_steps():
    hook = TaskWeightHook([(1, 0.0), (30_001, 0.3), (90_001, 0.9)], interpolate=False)
    assert [hook.value_at(i) for i in (1, 30_000, 30_001, 90_000, 90_001)] == [0, 0, 0.3, 0.3, 0.9]


def test_a_number():
    assert TaskWeightHook(0.9).value_at(12345) == 0.9


@pytest.mark.parametrize(
    ('points', 'message'),
    [
        (1.2, r'1\.2'),
        ([(10, 0.1), (5, 0.2)], r'must increase, got \[10, 5\]'),
        ([(1, 0.0, 0.5)], 'points'),
        ([], 'points'),
    ],
)
def test_refuses(points, message):
    with pytest.raises(ValueError, match=message):
        TaskWeightHook(points)


def test_sets_beta_in_every_iteration_and_logs_it(tmp_path):
    hook = dict(type='TaskWeightHook', task_weight=[(1, 0.2), (3, 0.8)])
    runner = Runner.from_cfg(tiny_config(tmp_path, max_iters=3, hooks=[hook]))
    runner.train()
    logged = runner.message_hub.get_scalar('train/task_weight').data[0]
    assert logged.tolist() == pytest.approx([0.2, 0.5, 0.8])
    assert runner.model.task_weight == pytest.approx(0.8)


def test_refuses_models_without_beta(tmp_path):
    from helpers.models import tiny_unet

    cfg = tiny_config(tmp_path, model=tiny_unet(), hooks=[dict(type='TaskWeightHook')])
    with pytest.raises(TypeError, match='EncoderDecoder has none'):
        Runner.from_cfg(cfg).train()
