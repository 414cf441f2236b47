"""MMSegmentation's own scripts, with what they cannot do by themselves."""

import sys

import cv2
import numpy as np
import pytest
from helpers.training import csbsr, dump, loader, tiny_config
from mmengine.config import Config
from mmengine.runner import Runner

from csbsr_mm.cli.mmseg import script_path

INHERITING = """
_base_ = ['mmseg::_base_/default_runtime.py', {base!r}]
custom_imports = dict(imports=['csbsr_mm'], allow_failed_imports=False)
"""


@pytest.fixture
def config(tmp_path):
    """A tiny config that inherits MMSegmentation's runtime too."""
    data = loader(batch_size=1, length=2)
    data['sampler'] = dict(type='DefaultSampler', shuffle=False)
    cfg = tiny_config(
        tmp_path / 'run',
        max_iters=1,
        test_dataloader=data,
        test_cfg=dict(type='TestLoop'),
        test_evaluator=[dict(type='SRQualityMetric'), dict(type='IoUMetric', prefix='stock')],
    )
    for key in (
        'default_scope',
        'env_cfg',
        'log_level',
        'log_processor',
        'load_from',
        'resume',
        'visualizer',
    ):
        cfg.pop(key, None)
    base = dump(cfg, tmp_path / 'base.py')
    path = tmp_path / 'config.py'
    path.write_text(INHERITING.format(base=str(base)))
    return path


def test_trains_and_tests_with_a_list_of_evaluators(tmp_path, config, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words, reader = list(sys.argv), Config.__dict__['fromfile'].__func__
    assert csbsr('mmseg', 'train', config, '--work-dir', 'run') == 0
    checkpoint = tmp_path / 'run' / 'iter_1.pth'
    assert checkpoint.is_file()
    scores = {}
    monkeypatch.setattr(
        Runner, 'test', lambda self, test=Runner.test: scores.update(test(self)), raising=True
    )
    stock = ['--cfg-options', 'test_evaluator.1.output_dir=stock']
    assert csbsr('mmseg', 'test', config, checkpoint, '--out', 'masks', '--work-dir', 'run', *stock) == 0
    assert {'PSNR', 'stock/mIoU'} <= set(scores)
    names = sorted(path.name for path in (tmp_path / 'masks').iterdir())
    assert names == ['0.png', '1.png']
    for name in names:
        ours, theirs = (
            cv2.imread(str(tmp_path / d / name), cv2.IMREAD_UNCHANGED) for d in ('masks', 'stock')
        )
        assert np.array_equal(ours, theirs)
    assert sys.argv == words
    assert Config.__dict__['fromfile'].__func__ is reader


def test_a_stack_without_scripts_is_named(tmp_path, monkeypatch):
    import mmseg

    monkeypatch.setattr(mmseg, '__file__', str(tmp_path / 'mmseg' / '__init__.py'))
    with pytest.raises(FileNotFoundError, match=r'installed without tools/train.py; use `csbsr train`'):
        script_path('train')
