"""The shipped configs train what the paper trains, when the paper trains it."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import HOOKS, MODELS

import csbsr_mm  # noqa: F401

CONFIGS = Path(__file__).parents[2] / 'configs' / 'csbsr'


def staged(name):
    """For some iterations of a config: learning parts of S and C, true kernel, β."""
    init_default_scope('mmseg')
    config = Config.fromfile(CONFIGS / name)
    with torch.device('meta'):
        model = MODELS.build(config.model)
    hook = HOOKS.build(config.default_hooks.training_stage)
    configured = model.task_weight

    def at(iteration):
        stage = hook.stages[hook.stage_at(iteration)]
        model.set_trainable(stage.get('trainable'), stage.get('frozen') or ())
        learning = {name for name, value in model.named_parameters() if value.requires_grad}
        parts = {'predictor' if 'kernel_' in name else name.split('.')[0] for name in learning}
        weight = stage.get('task_weight')
        return parts, stage.get('use_gt_kernel', False), configured if weight is None else weight

    return config, at


@pytest.mark.parametrize(
    ('name', 'task_weight'), [('kbpn_pspnet_khanhha.py', 0.3), ('kbpn_crackformer_khanhha.py', 0.9)]
)
def test_steps_2_and_3(name, task_weight):
    config, at = staged(name)
    assert config.train_cfg.max_iters == 180_000
    for iteration in (1, 10_000):
        assert at(iteration) == ({'sr', 'segmentor'}, True, 0)
    for iteration in (10_001, 20_000):
        assert at(iteration) == ({'predictor'}, False, 0)
    for iteration in (20_001, 30_000):
        assert at(iteration) == ({'sr', 'predictor', 'segmentor'}, False, 0)
    assert at(30_001) == ({'sr', 'predictor', 'segmentor'}, False, task_weight)
    assert config.default_hooks.boundary_rebalance.begin == 30_000


def test_cssr_has_no_kernel_predictor():
    _, at = staged('dbpn_pspnet_khanhha.py')
    assert at(1) == ({'sr', 'segmentor'}, False, 0)
    assert at(30_001) == ({'sr', 'segmentor'}, False, 0.7)


def test_blur_skip_trains_with_everything_in_step_3():
    _, at = staged('kbpn_pspnet_blurskip_khanhha.py')
    assert at(1)[1:] == (True, 0)
    assert at(30_001) == ({'sr', 'predictor', 'segmentor', 'blur_skip'}, False, 0.3)


def test_blur_skip_trains_alone_as_released():
    _, at = staged('blur_skip/frozen_khanhha.py')
    assert at(1) == ({'blur_skip'}, False, 1)


def test_step_1_and_separate_steps():
    first = Config.fromfile(CONFIGS / 'pretrain' / 'kbpn_div2k_flickr2k.py')
    assert first.model.type == 'BlindSRPretrainer'
    _, at = staged('steps/kbpn_khanhha_step2.py')
    assert at(10_000) == ({'sr'}, True, 0)
    assert at(20_000) == ({'predictor'}, False, 0)
    assert at(20_001) == ({'sr', 'predictor'}, False, 0)
    third, at = staged('steps/kbpn_pspnet_khanhha_step3.py')
    assert at(1) == ({'sr', 'predictor', 'segmentor'}, False, 0.3)
    assert third.load_from.endswith('kbpn_khanhha_step2/iter_30000.pth')
