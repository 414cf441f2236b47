"""The configs train with what the paper prints: ``tests/data/paper_settings.toml``."""

import math
import sys
from pathlib import Path

import pytest
import torch
from mmengine.registry import init_default_scope
from mmseg.registry import HOOKS, MODELS, TRANSFORMS

from csbsr_mm.datasets.preparation.khanhha_layout import split_names
from csbsr_mm.engine.config import load_config
from csbsr_mm.tables.paper import TABLES, Run

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip('tomli')

ROOT = Path(__file__).parents[1]
CONFIGS = ROOT / 'configs' / 'csbsr'
PAPER = tomllib.loads((ROOT / 'tests' / 'data' / 'paper_settings.toml').read_text())

ROWS = {
    row.full.name: (table, row.key, row.full)
    for table in TABLES
    for row in TABLES[table].rows
    if row.full is not None
}
# Rows that are not the paper's: the released way to train the blur skip.
NOT_OF_THE_PAPER = {'blur_skip_frozen'}
# Rows whose segmentation network has a cross entropy of its own (Sec. IV-B1).
BASELINES = {'srcnet', 'dsrl'}


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmseg')


def read(run: Run):
    return load_config(str(CONFIGS / run.config), dict(run.options))


def built(config):
    with torch.device('meta'):
        return MODELS.build(config.model)


def check_optimizer(config, step: str) -> None:
    expected = {key: PAPER['optimizer'][key] for key in ('type', 'betas', 'eps')}
    found = dict(config.optim_wrapper.optimizer)
    assert found.pop('lr') == PAPER[step]['learning_rate']
    assert {**found, 'betas': list(found['betas'])} == expected
    assert config.get('param_scheduler') is None
    assert config.global_batch_size == config.train_dataloader.batch_size == PAPER['optimizer']['batch_size']


def degradation(pipeline):
    found = [TRANSFORMS.build(step) for step in pipeline if step.type == 'BlindDegradation']
    return found[0] if found else None


@pytest.fixture(params=ROWS, scope='module')
def row(request):
    table, key, run = ROWS[request.param]
    return table, key, read(run)


def test_steps_2_and_3(row):
    _, key, config = row
    if key in NOT_OF_THE_PAPER:
        return
    check_optimizer(config, 'step3')
    assert PAPER['step2']['learning_rate'] == PAPER['step3']['learning_rate']
    step2 = PAPER['step2']['iterations'] if key not in ('hr', 'bicubic') else 0
    assert config.train_cfg.max_iters == step2 + PAPER['step3']['iterations']
    if key not in ('dsrl', 'hr', 'bicubic'):
        *first, second, _ = config.default_hooks.training_stage.stages
        assert {stage.task_weight for stage in (*first, second)} == {PAPER['step2']['task_weight']}
        assert second.end == step2


def test_degradation(row):
    _, key, config = row
    for loader in (config.train_dataloader, config.test_dataloader):
        assert loader.dataset.type == 'CrackDataset'
        blur = degradation(loader.dataset.pipeline)
        if key == 'hr':
            assert blur is None
            continue
        expected = PAPER['degradation']
        assert (blur.scale, blur.kernel_size) == (expected['scale'], expected['kernel_size'])
        assert list(blur.sigma) == expected['sigma']
        assert [angle / math.pi for angle in blur.theta] == expected['theta_over_pi']
    crops = [step for step in config.train_dataloader.dataset.pipeline if 'Crop' in step.type]
    assert not crops, 'whole photos of 448x448'


def test_alpha_and_gamma(row):
    table, key, config = row
    if key in BASELINES | NOT_OF_THE_PAPER or table == 'table4':
        return
    expected = PAPER['boundary_combo']
    iterations = math.ceil(PAPER['khanhha']['train'] / PAPER['optimizer']['batch_size'])
    hook = HOOKS.build({**config.default_hooks.boundary_rebalance, 'epoch_iters': iterations})
    begin = config.train_cfg.max_iters - PAPER['step3']['iterations']
    assert hook.alpha_at(begin) == expected['alpha_start']
    assert hook.alpha_at(begin + iterations) == expected['alpha_step']
    assert hook.alpha_at(config.train_cfg.max_iters - 1) == expected['alpha_end']
    losses = [module for module in built(config).modules() if type(module).__name__ == 'BoundaryComboLoss']
    assert losses
    assert {loss.gamma for loss in losses} == {expected['gamma']}
    assert {loss.fixed_alpha for loss in losses} == {None}


@pytest.mark.parametrize('key', [key for key in PAPER['task_weight'] if key != 'sweep'])
def test_task_weights_of_table2(key):
    (found,) = (row for row in TABLES['table2'].rows if row.key == key)
    assert built(read(found.full)).task_weight == PAPER['task_weight'][key]


@pytest.mark.parametrize('network', ['csbsr', 'cssr'])
def test_task_weights_of_table3(network):
    by_key = {row.key: row.full for row in TABLES['table3'].rows}
    for weight in PAPER['task_weight']['sweep']:
        assert built(read(by_key[f'{network}_{weight}'])).task_weight == weight


@pytest.mark.parametrize(('key', 'm'), PAPER['weights'].items())
def test_weights_of_table5(key, m):
    (found,) = (row for row in TABLES['table5'].rows if row.key == key)
    model = built(read(found.full))
    if key == 'fail_oriented_on_seg_loss':
        assert model.decode_head.loss_decode.fail_weight_m == m
        assert model.segmentor.auxiliary_head.loss_decode.fail_weight_m == m
    else:
        (weight,) = model.sr_loss_weights
        assert weight.m == m


def test_row_3_of_table6():
    (found,) = (row for row in TABLES['table6'].rows if row.key == 'blur_skip_fail_oriented')
    (weight,) = built(read(found.full)).sr_loss_weights
    assert (type(weight).__name__, weight.m) == ('FailOrientedWeight', PAPER['blur_skip']['fail_oriented_m'])


@pytest.mark.parametrize('network', ['kbpn', 'dbpn'])
def test_step_1(network):
    config = load_config(str(CONFIGS / 'pretrain' / f'{network}_div2k_flickr2k.py'))
    check_optimizer(config, 'step1')
    assert config.train_cfg.max_iters == PAPER['step1']['iterations']
    assert degradation(config.train_dataloader.dataset.pipeline).scale == PAPER['degradation']['scale']


@pytest.mark.parametrize('path', sorted((CONFIGS / 'steps').glob('*.py')), ids=lambda path: path.stem)
def test_steps_of_their_own(path):
    config = load_config(str(path))
    step = 'step2' if path.stem.endswith('step2') else 'step3'
    check_optimizer(config, step)
    assert config.train_cfg.max_iters == PAPER[step]['iterations']


def test_sizes_of_the_split():
    total = PAPER['khanhha']['train'] + PAPER['khanhha']['validation']
    train, validation = split_names([f'{number:05}.jpg' for number in range(total)], share=0.05, seed=0)
    assert (len(train), len(validation)) == (PAPER['khanhha']['train'], PAPER['khanhha']['validation'])
