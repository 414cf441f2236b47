"""A search of hyper-parameters: what it sets, gives up, keeps, and goes on with."""

import pytest
from helpers.tools import load_tool
from helpers.training import dump, loader, tiny_config
from mmengine.registry import init_default_scope
from mmseg.registry import HOOKS

optuna = pytest.importorskip('optuna')

from csbsr_mm.engine import search as search_module  # noqa: E402
from csbsr_mm.engine.search import PruningHook, Range, Search, parse_space  # noqa: E402


@pytest.fixture
def config(tmp_path):
    """A config that trains for four iterations and validates after every second."""
    init_default_scope('mmseg')
    data = loader(batch_size=1, length=2)
    data['sampler'] = dict(type='DefaultSampler', shuffle=False)
    cfg = tiny_config(
        tmp_path / 'unused',
        max_iters=4,
        interval=2,
        val_dataloader=data,
        val_cfg=dict(type='ValLoop'),
        val_evaluator=[dict(type='AIUMetric', thresholds=[0.3, 0.5]), dict(type='SRQualityMetric')],
        load_from=None,
    )
    return dump(cfg, tmp_path / 'config.py')


class Noting:
    """In place of a training: reports scores that follow from the drawn β, and notes the configs."""

    def __init__(self, stop_at=None):
        self.configs, self.stop_at = [], stop_at

    def __call__(self, cfg, hook):
        self.configs.append(cfg)
        beta = cfg.model.task_weight
        for iteration in (1, 2, 3):
            hook.score = (1 - (beta - 0.4) ** 2) * iteration
            hook.trial.report(hook.score, iteration)
            if len(self.configs) == self.stop_at:
                raise KeyboardInterrupt
            if hook.trial.should_prune():
                raise optuna.TrialPruned
        return hook.score


def make(config, tmp_path, **changes):
    settings = dict(name='tiny', interval=2, seed=0)
    return Search(str(config), parse_space(['beta']), tmp_path / 'studies', **{**settings, **changes})


def test_finds_the_best_value_and_gives_up_the_hopeless(config, tmp_path):
    train = Noting()
    study = make(config, tmp_path).run(25, train)
    assert len(study.trials) == 25
    assert abs(study.best_params['beta'] - 0.4) < 0.1
    states = {trial.state.name for trial in study.trials}
    assert states == {'COMPLETE', 'PRUNED'}
    for trial, cfg in zip(study.trials, train.configs, strict=True):
        assert cfg.model.task_weight == trial.params['beta']
        assert cfg.train_cfg.val_interval == 2
        assert cfg.work_dir == str(tmp_path / 'studies' / 'tiny' / f'trial{trial.number}')
    assert len({cfg.experiment_name for cfg in train.configs}) == 25


def test_a_study_goes_on_and_ends_at_so_many_trials_of_all_workers(config, tmp_path):
    make(config, tmp_path).run(3, Noting())
    train = Noting()
    study = make(config, tmp_path).run(5, train)
    assert (len(study.trials), len(train.configs)) == (5, 2)
    make(config, tmp_path).run(5, train)
    assert len(train.configs) == 2


def test_a_dead_worker_s_training_goes_on_in_its_folder(config, tmp_path, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        make(config, tmp_path).run(3, Noting(stop_at=2))
    study = make(config, tmp_path).study()
    # An interrupted optimisation tells the storage; a killed one does not. Both count as failed at last.
    assert study.trials[1].state.name in ('FAIL', 'RUNNING')
    trial = study.trials[1]
    retried = optuna.create_trial(
        params=trial.params,
        distributions=trial.distributions,
        state=optuna.trial.TrialState.WAITING,
        system_attrs={'failed_trial': trial.number, 'retry_history': [trial.number]},
    )
    study.add_trial(retried)
    train = Noting()
    make(config, tmp_path).run(3, train)
    assert train.configs[0].work_dir.endswith('trial1')
    assert train.configs[0].model.task_weight == trial.params['beta']


def test_distances_are_minimised(config, tmp_path):
    assert make(config, tmp_path, metric='HD95_min').study().direction.name == 'MINIMIZE'
    assert make(config, tmp_path, name='other', metric='IoU_max').study().direction.name == 'MAXIMIZE'


def test_trains_for_real_and_resumes(config, tmp_path, capsys):
    """The tool on two trials of four iterations, and again for a third."""
    tool = load_tool('analysis_tools/search')
    arguments = [str(config), '--space', 'beta', 'lr', '--interval', '2', '--work-dir', str(tmp_path / 's')]
    assert tool.main([*arguments, '--trials', '2', '--seed', '1']) == 0
    assert tool.main([*arguments, '--trials', '3', '--seed', '2']) == 0
    printed = capsys.readouterr().out
    study = (
        make(config, tmp_path, name='search')
        .__class__(str(config), parse_space(['beta', 'lr']), tmp_path / 's')
        .study()
    )
    assert len(study.trials) == 3
    for trial in study.trials:
        assert set(trial.intermediate_values) == {2, 4}
        assert trial.value == trial.intermediate_values[4]
        assert f'{trial.value:.4f}' in printed
        assert (tmp_path / 's' / 'search' / f'trial{trial.number}' / 'iter_4.pth').is_file()
    assert tool.main([*arguments, '--collect']) == 0


def test_a_trial_that_falls_behind_is_given_up():
    study = optuna.create_study(direction='maximize', pruner=optuna.pruners.MedianPruner(n_startup_trials=1))

    class Runner:
        iter = 10

    def objective(trial):
        hook = PruningHook(trial, 'AIU')
        hook.after_val_epoch(Runner, {'AIU': 1.0 if trial.number == 0 else 0.5})
        return hook.score

    study.optimize(objective, n_trials=2)
    assert [trial.state.name for trial in study.trials] == ['COMPLETE', 'PRUNED']
    with pytest.raises(ValueError, match='no metric AIU; it has PSNR'):
        PruningHook(study.ask(), 'AIU').after_val_epoch(Runner, {'PSNR': 1.0})


def test_spaces():
    space = parse_space(['beta=0.2:0.6', 'm', 'model.sr.x=1e-3:1:log'])
    assert space['beta'] == Range(('model.task_weight',), 0.2, 0.6)
    assert space['m'].log
    assert space['model.sr.x'] == Range(('model.sr.x',), 1e-3, 1.0, log=True)
    for word, message in (
        ('gamma', 'without a range only beta, m, alpha_end, lr'),
        ('beta=0.5', 'give NAME=LOW:HIGH'),
        ('beta=0.5:0.1', 'must rise'),
        ('lr=0:1', 'positive on a logarithmic scale'),
    ):
        with pytest.raises(ValueError, match=message):
            parse_space([word])


@pytest.mark.parametrize(
    ('name', 'words'),
    [
        ('mini/kbpn_unet', ['beta', 'alpha_end', 'lr']),
        ('sr_loss_weights/crack_oriented_on_sr_loss', ['beta', 'm', 'alpha_end', 'lr']),
        (
            'steps/kbpn_pspnet_khanhha_step3',
            ['beta', 'alpha_end', 'model.segmentor.decode_head.loss_decode.gamma=0:1'],
        ),
    ],
)
def test_known_names_reach_the_shipped_configs(name, words, tmp_path):
    """Also options that a config leaves at their defaults, such as where α ends."""
    if name.startswith('sr_loss_weights'):
        name = 'csbsr/' + name
    search = Search(name, parse_space(words), tmp_path)
    trial = optuna.create_study().ask()
    cfg = search.trial_config(trial)
    assert cfg.model.task_weight == trial.params['beta']
    assert cfg.default_hooks.boundary_rebalance.end == trial.params['alpha_end']
    HOOKS.build(cfg.default_hooks.boundary_rebalance)


def test_refusals(config, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r'has no model\.sr_loss_weights\.0\.m, which m sets'):
        Search(str(config), parse_space(['m']), tmp_path)
    with pytest.raises(ValueError, match='has no validation photos'):
        Search(str(config), parse_space(['beta']), tmp_path, options={'val_evaluator': None})
    monkeypatch.setattr(search_module, 'need', lambda *_: (_ for _ in ()).throw(ImportError('install')))
    with pytest.raises(ImportError, match='install'):
        Search(str(config), parse_space(['beta']), tmp_path)
