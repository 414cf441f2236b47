"""What a person can follow: the log line, the scalars file and TensorBoard, with the house's runtime."""

import json
import math

import pytest
from helpers.models import tiny_csbsr, tiny_unet
from helpers.training import ROOT, tiny_config
from mmengine.config import Config
from mmengine.runner import Runner
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

STAGES = [dict(end=1, frozen=['sr.kernel_predictor'], use_gt_kernel=True, task_weight=0.0), dict()]


@pytest.fixture(scope='module')
def work_dir(tmp_path_factory):
    """Three iterations under the runtime and the hooks of every config."""
    work_dir = tmp_path_factory.mktemp('run')
    hooks = [
        dict(type='TrainingStageHook', stages=STAGES),
        dict(type='BoundaryRebalanceHook', begin=1, epoch_iters=1),
    ]
    model = tiny_csbsr(segmentor=tiny_unet(loss_decode=dict(type='BoundaryComboLoss')))
    tiny = tiny_config(work_dir, max_iters=3, model=model, hooks=hooks, log_level='INFO')
    for key in ('default_hooks', 'log_processor', 'custom_imports'):
        tiny.pop(key)
    base = ROOT / 'configs' / '_base_'
    cfg = Config.fromfile(base / 'default_runtime.py')
    cfg.merge_from_dict(dict(Config.fromfile(base / 'default_hooks.py')._cfg_dict))
    cfg.merge_from_dict(dict(tiny._cfg_dict))
    cfg.merge_from_dict({'default_hooks.logger.interval': 1, 'default_hooks.training_picture.interval': 3})
    Runner.from_cfg(cfg).train()
    return work_dir


@pytest.fixture(scope='module')
def scalars(work_dir):
    (file,) = work_dir.rglob('scalars.json')
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_schedule_is_in_every_line(scalars):
    assert [line['stage'] for line in scalars] == [1, 2, 2]
    assert [line['task_weight'] for line in scalars] == [0, 0.3, 0.3]
    assert [line['alpha'] for line in scalars] == pytest.approx([0, 0, 0.01])


def test_terms_before_and_after_weighting(scalars):
    """β weights L_C, 1 - β weights L_S; MMEngine's own line averages over the iterations so far."""
    first, second = scalars[:2]
    for term in ('hr_image', 'lr_image', 'kernel'):
        assert first[f'sr.loss_{term}'] == pytest.approx(first[f'raw_sr.{term}'])
        raw = 2 * second[f'raw_sr.{term}'] - first[f'raw_sr.{term}']
        weighted = 2 * second[f'sr.loss_{term}'] - first[f'sr.loss_{term}']
        assert weighted == pytest.approx(0.7 * raw, rel=1e-4, abs=1e-9)
    assert second['decode.loss_bc'] == pytest.approx(0.3 * second['raw_decode.bc'], rel=1e-4)


def test_pace(scalars):
    for line in scalars:
        assert line['it_per_s'] == pytest.approx(1 / line['time'], rel=1e-6)
        assert math.isfinite(line['data_time'])


def test_log_line_for_people(work_dir):
    (log,) = work_dir.rglob('*.log')
    line = next(line for line in log.read_text().splitlines() if 'Iter(train) [3/3]' in line)
    for entry in ('lr: ', 'eta: ', 'time: ', 'data_time: ', 'it_per_s: ', 'stage: 2', 'task_weight: 0.3000'):
        assert entry in line
    for entry in ('alpha: 0.0100', 'raw_sr.lr_image: ', 'raw_decode.bc: '):
        assert entry in line


def test_tensorboard_has_scalars_and_pictures(work_dir):
    (events,) = work_dir.rglob('events.out.tfevents*')
    board = EventAccumulator(str(events)).Reload()
    assert {'alpha', 'task_weight', 'stage', 'loss', 'raw_sr.kernel', 'it_per_s'} <= set(
        board.Tags()['scalars']
    )
    assert board.Tags()['images'] == ['progress']
