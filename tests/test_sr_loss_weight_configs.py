"""Table V's configs: each row is one change to CSBSR with PSPNet, and m is within reach of --cfg-options."""

from pathlib import Path

import pytest
import torch
from mmengine.config import DictAction
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

from csbsr_mm.engine.config import load_config

CONFIGS = Path(__file__).parents[1] / 'configs' / 'csbsr'
SR_WEIGHTS = {
    'seg_loss_on_sr_loss': dict(type='SegLossWeight'),
    'crack_oriented_on_sr_loss': dict(type='CrackOrientedWeight', m=8.0),
    'fail_oriented_on_sr_loss': dict(type='FailOrientedWeight', m=1.0),
}
ON_SEG_LOSS = [
    f'model.segmentor.{head}.loss_decode.fail_weight_m' for head in ('decode_head', 'auxiliary_head')
]


def read(name, *options):
    """A config as the tools read it, with its command line's options."""
    pairs = dict(option.split('=') for option in options)
    parsed = {key: DictAction._parse_iterable(value) for key, value in pairs.items()}
    return load_config(str(CONFIGS / 'sr_loss_weights' / f'{name}.py'), parsed)


def build(config):
    init_default_scope('mmseg')
    with torch.device('meta'):
        return MODELS.build(config.model)


def without_work_dir(config):
    return {key: value for key, value in config.to_dict().items() if key not in ('work_dir', 'fail_weighted')}


@pytest.mark.parametrize(('name', 'weight'), SR_WEIGHTS.items())
def test_a_map_on_the_sr_loss_is_the_only_change(name, weight):
    config = read(name)
    assert config.model.pop('sr_loss_weights') == [weight]
    plain = load_config(str(CONFIGS / 'kbpn_pspnet_khanhha.py'))
    assert without_work_dir(config) == without_work_dir(plain)


def test_the_fail_weight_on_both_heads_is_the_only_change():
    config = read('fail_oriented_on_seg_loss')
    for head in ('decode_head', 'auxiliary_head'):
        assert config.model.segmentor[head].loss_decode.pop('fail_weight_m') == 0.5
    plain = load_config(str(CONFIGS / 'kbpn_pspnet_khanhha.py'))
    assert without_work_dir(config) == without_work_dir(plain)


@pytest.mark.parametrize('m', [2.0**k for k in range(-3, 4)])
def test_every_m_of_the_paper_reaches_the_model(m):
    for name in ('crack_oriented_on_sr_loss', 'fail_oriented_on_sr_loss'):
        config = read(name, f'model.sr_loss_weights.0.m={m}')
        assert MODELS.build(config.model.sr_loss_weights[0]).m == m
    config = read('fail_oriented_on_seg_loss', *(f'{key}={m}' for key in ON_SEG_LOSS))
    for head in ('decode_head', 'auxiliary_head'):
        assert MODELS.build(config.model.segmentor[head].loss_decode).fail_weight_m == m


def test_models_hold_what_the_configs_ask_for():
    (weight,) = build(read('crack_oriented_on_sr_loss', 'model.sr_loss_weights.0.m=0.125')).sr_loss_weights
    assert weight.m == 0.125
    segmentor = build(read('fail_oriented_on_seg_loss')).segmentor
    heads = (segmentor.decode_head, segmentor.auxiliary_head)
    assert [head.loss_decode.fail_weight_m for head in heads] == [0.5, 0.5]
