import pytest
from helpers.training import csbsr, dump, load, loader, tiny_config

from csbsr_mm.engine.checkpoint.settings import ChangedSettings, check_settings, decisive_settings


@pytest.fixture
def train(tmp_path):
    """Train, and later go on, with ``csbsr train``."""

    def run(*arguments, max_iters=1, **changes):
        config = dump(tiny_config(tmp_path / 'run', max_iters=max_iters, **changes), tmp_path / 'config.py')
        csbsr('train', config, *arguments)

    return run


@pytest.mark.parametrize(
    ('changes', 'difference', 'option'),
    [
        (
            dict(optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=1e-3, momentum=0.9))),
            "optim_wrapper.optimizer.type: 'Adam' -> 'SGD'",
            'optim_wrapper.optimizer',
        ),
        (dict(train_dataloader=loader(batch_size=4)), 'images_per_update: 2 -> 4', 'images_per_update'),
        (dict(train_dataloader=loader(length=7)), 'dataset.length: not set -> 7', 'train_dataloader.dataset'),
        (dict(randomness=dict(seed=1)), 'seed: 0 -> 1', 'seed'),
        (
            dict(param_scheduler=[dict(type='MultiStepLR', milestones=[1], by_epoch=False)]),
            "param_scheduler.0.type: not set -> 'MultiStepLR'",
            'param_scheduler',
        ),
        (
            dict(hooks=[dict(type='TaskWeightHook', task_weight=[(0, 0.5)])]),
            "hooks.0.type: not set -> 'TaskWeightHook'",
            'hooks',
        ),
    ],
)  # fmt: skip
def test_another_config_is_refused_by_name_and_allowed_by_option(
    train, tmp_path, changes, difference, option, capsys
):
    train()
    with pytest.raises(SystemExit) as caught:
        train('--resume', max_iters=2, **changes)
    message = str(caught.value)
    assert message.startswith('error: the checkpoint was trained with other settings')
    assert difference in message
    assert option in message.split('--allow-changed ')[1].split()
    assert '\n' not in message
    train('--resume', '--allow-changed', option, max_iters=2, **changes)
    assert load(tmp_path / 'run' / 'iter_2.pth')['meta']['iter'] == 2
    assert difference in capsys.readouterr().out


def test_what_changes_no_result_may_change(train, tmp_path):
    train()
    data = loader(batch_size=1, workers=1)
    wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-3), accumulative_counts=2)
    hooks = [dict(type='ThroughputHook')]
    train('--resume', max_iters=2, interval=1, train_dataloader=data, optim_wrapper=wrapper, hooks=hooks)
    assert (tmp_path / 'run' / 'iter_2.pth').is_file()


def test_processes_divide_the_same_images():
    one, two = (
        decisive_settings(tiny_config('x', train_dataloader=loader(batch_size=size)), processes)
        for size, processes in ((4, 1), (2, 2))
    )
    assert one == two


def test_all_differences_are_listed():
    before = {f'model.{number}': number for number in range(9)}
    with pytest.raises(
        ChangedSettings, match=r'model\.0: 0 -> not set; .*; and 4 more.*--allow-changed model$'
    ):
        check_settings(before, {})
    assert len(check_settings(before, {}, ['all'])) == 9
    with pytest.raises(ChangedSettings):
        check_settings({'seeds': 1}, {}, ['seed'])
