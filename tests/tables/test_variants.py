"""Rows as the released code runs them, and with the class weights that Eq. 8 prints."""

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS, TRANSFORMS

from csbsr_mm.engine.config import load_config
from csbsr_mm.tables.command import paper_figures
from csbsr_mm.tables.paper import TABLES, published
from csbsr_mm.tables.runner import CONFIGS, TableRunner
from csbsr_mm.tables.variants import apply

RUNS = {row.full.name: row.full for table in TABLES.values() for row in table.rows if row.full is not None}


def varied(run, *variants):
    config = load_config(str(CONFIGS / run.config), dict(run.options))
    apply(config, variants)
    return config


def named(table, key):
    return next(row for row in TABLES[table].rows if row.key == key)


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmseg')


@pytest.mark.parametrize('name', RUNS)
def test_every_row_as_released(name):
    config = varied(RUNS[name], 'as_released')
    model = config.model
    if 'kernel_weight' in (model.get('sr_loss') or {}):
        assert model.sr_loss.kernel_weight == 0
    transforms = {step['type']: TRANSFORMS.build(step) for step in config.train_dataloader.dataset.pipeline}
    assert transforms['KeyedRandomCrop'].crop_size in (224, (224, 224))
    assert list(transforms).index('KeyedRandomCrop') < list(transforms).index('PackBlindSRInputs')
    assert (transforms['KeyedRandomFlip'].horizontal, transforms['KeyedRandomFlip'].vertical) == (0.5, 0)
    stored = [step for step in config.test_dataloader.dataset.pipeline if step['type'] == 'BlindDegradation']
    assert all(TRANSFORMS.build(step).quantize for step in stored)
    with torch.device('meta'):
        MODELS.build(model)


def test_weight_of_the_released_crack_oriented_map():
    (weight,) = varied(named('table5', 'crack_oriented_on_sr_loss').full, 'as_released').model.sr_loss_weights
    target = torch.tensor([[[0, 1]]])
    plain = MODELS.build(dict(type='CrackOrientedWeight', m=8.0))(target, None, None)
    torch.testing.assert_close(MODELS.build(weight)(target, None, None), 2 * plain)


def test_released_srcnet_trains_with_its_segnet():
    config = varied(named('table2', 'srcnet').full, 'as_released')
    assert config.default_hooks.training_stage.stages == [dict(end=30000, task_weight=0.0), {}]
    assert config.model.task_weight == 0.3


@pytest.mark.parametrize('name', ['kbpn_pspnet_khanhha', 'kbpn_ocr_khanhha', 'segmentation_losses-gbc'])
def test_class_weights_of_equation_8_in_every_loss(name):
    with torch.device('meta'):
        model = MODELS.build(varied(RUNS[name], 'inverse_frequency').model)
    losses = [module for module in model.modules() if type(module).__name__ == 'BoundaryComboLoss']
    assert len(losses) == 2
    assert {loss.class_weight for loss in losses} == {'inverse_frequency'}


def test_a_variant_is_written_beside_its_runs(tmp_path):
    run = named('table3', 'csbsr_0.9').full.varied(['as_released'])
    assert run.name == 'kbpn_pspnet_khanhha+task_weight=0.9+as_released'
    assert run.start.name == 'pretrain-kbpn_div2k_flickr2k+as_released'
    config = TableRunner(tmp_path).config(run, seed=3)
    assert (config.model.task_weight, config.model.sr_loss.kernel_weight) == (0.9, 0)
    assert config.randomness.seed == 3
    written = Config.fromfile(tmp_path / run.name / 'seed3' / 'kbpn_pspnet_khanhha.py')
    assert written.model.sr_loss.kernel_weight == 0


@pytest.mark.parametrize('scale', ['full', 'mini'])
def test_super_resolution_alone_knows_no_class_weights(scale):
    """Step 1 takes hundreds of thousands of iterations: rows with other class weights share it."""
    run = named('table4', 'bc').run(scale)
    assert run.varied(['inverse_frequency']).start == run.start
    both = run.varied(['as_released', 'inverse_frequency'])
    assert (both.variants, both.start.variants) == (('as_released', 'inverse_frequency'), ('as_released',))


@pytest.mark.parametrize('scale', ['full', 'mini'])
def test_what_a_row_starts_from_as_released(scale):
    config = varied(named('table4', 'bc').run(scale).start, 'as_released')
    assert config.model.sr_loss.kernel_weight == 0
    for step in config.train_dataloader.dataset.pipeline:
        TRANSFORMS.build(step)
    with torch.device('meta'):
        MODELS.build(config.model)


def test_a_plain_row_is_the_config_itself(tmp_path):
    run = named('table4', 'bc').full.varied([])
    TableRunner(tmp_path).config(run, seed=0)
    assert not list(tmp_path.iterdir())


def test_figures_stand_at_the_paper_s_scale_alone():
    assert paper_figures('table2', 'mini', released=False) == {}
    figures = published('table2')['hr']
    assert paper_figures('table2', 'full', released=False)['hr'] == figures
    released = paper_figures('table2', 'full', released=True)['hr']
    assert (released['HD50_min'], released['AHD50']) == (figures['HD95_min'], figures['AHD95'])
    assert 'HD95_min' not in released
