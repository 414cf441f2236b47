"""The kernel report and ``csbsr test --cut-border``: two ways to the same figures."""

import json

import numpy as np
import pytest
import torch
from helpers.crack_files import write_set
from helpers.models import TINY_KBPN, tiny_csbsr
from helpers.saved_model import save_model
from helpers.tools import load_tool
from mmengine.config import Config
from mmseg.registry import MODELS, TRANSFORMS

from csbsr_mm.apis import load_model
from csbsr_mm.apis.kernel_report import report_kernels
from csbsr_mm.cli import main
from csbsr_mm.engine.blur_border import cut_test_border
from csbsr_mm.functional.degradation import degrade

KERNEL_SIZE = TINY_KBPN['kernel_size']
PIPELINE = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='BinarizeMask', threshold=127),
    dict(type='BlindDegradation', scale=4, kernel_size=KERNEL_SIZE, sigma=(0.4, 1.5)),
    dict(type='PackBlindSRInputs'),
]


@pytest.fixture
def run(tmp_path):
    """Config and checkpoint of a tiny model, and three photos to test it on."""
    write_set(tmp_path / 'data')
    dataset = dict(
        type='CrackDataset', data_root=str(tmp_path / 'data' / 'train'), test_mode=True, pipeline=PIPELINE
    )
    loader = dict(batch_size=1, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False))
    config, checkpoint, _ = save_model(
        tmp_path,
        tiny_csbsr(),
        custom_imports=dict(imports=['csbsr_mm']),
        test_dataloader={**loader, 'dataset': dataset},
        test_cfg=dict(type='TestLoop'),
        test_evaluator=[dict(type='SRQualityMetric')],
    )
    return config, checkpoint


def metrics_of(run, folder, *options):
    words = ['test', *run, '--json', str(folder / 'metrics.json'), '--work-dir', str(folder), *options]
    assert main(words) == 0
    return json.loads((folder / 'metrics.json').read_text())['metrics']


def test_report_and_test_measure_the_same(run, tmp_path):
    tool = load_tool('analysis_tools/kernel_report')
    out = [tmp_path / 'report' / name for name in ('figures.json', 'kernels.png')]
    assert tool.main([*run, '--images', '--json', str(out[0]), '--out', str(out[1])]) == 0
    figures = json.loads(out[0].read_text())
    for case, options in (('with rim', ()), ('without rim', ('--cut-border',))):
        metrics = metrics_of(run, tmp_path / case.replace(' ', '_'), *options)
        for name in ('kernel_PSNR', 'kernel_PSNR_constant', 'kernel_size_R2', 'kernel_size_error'):
            assert figures[case][name] == pytest.approx(metrics[name], rel=1e-4), name
        assert figures[case]['PSNR_estimated_kernel'] == pytest.approx(metrics['PSNR'], rel=1e-4)
    assert figures['with rim'] != figures['without rim']
    assert out[1].stat().st_size > 10_000


def test_cut_border_leaves_no_rim(run):
    """A white photo stays white where nothing beyond its border is blurred in."""
    config = Config.fromfile(run[0])
    cut_test_border(config)
    assert config.test_dataloader.dataset.pipeline[3].cut_border
    step = TRANSFORMS.build(config.test_dataloader.dataset.pipeline[3])
    white = np.full((64, 96, 3), 200, np.uint8)
    cut = step.transform(dict(img=white, img_path='a.png'))
    assert cut['img'].shape == (14, 22, 3)
    assert np.allclose(cut['img'], 200, atol=1e-3)
    whole = degrade(white.transpose(2, 0, 1).astype(np.float32), cut['gt_blur_kernel'])
    assert whole.min() < 199


def test_a_network_that_uses_the_kernel_shows_it(run):
    """With a stand-in that restores perfectly if and only if it is told the true kernel."""
    config = Config.fromfile(run[0])
    model = load_model(config, run[1])
    true = report_kernels(config, model, cut_border=True).true

    def super_resolve(lr, blur_kernel=None):
        given = (
            torch.ones(1, 1, KERNEL_SIZE, KERNEL_SIZE) / KERNEL_SIZE**2
            if blur_kernel is None
            else blur_kernel
        )
        miss = min(float((given[0, 0] - torch.from_numpy(kernel)).abs().max()) for kernel in true)
        return torch.full((1, 3, 4 * lr.shape[-2], 4 * lr.shape[-1]), 0.5 + min(miss, 0.4)), given

    model.super_resolve = super_resolve
    report = report_kernels(config, model, cut_border=True, images=True, limit=2)
    assert len(report.true) == 2
    assert report.image_psnr['true'] > max(report.image_psnr['estimated'], report.image_psnr['constant'])
    assert report.agreement.size_r2 <= 0


def test_what_has_no_blur_to_report(run, capsys):
    config = Config.fromfile(run[0])
    del config.test_dataloader.dataset.pipeline[3]
    with pytest.raises(ValueError, match='no BlindDegradation'):
        cut_test_border(config)
    tool = load_tool('analysis_tools/kernel_report')
    assert tool.main([run[0], 'missing.pth']) == 2
    assert 'does not exist' in capsys.readouterr().out
    blind = MODELS.build(tiny_csbsr(sr=dict(type='BicubicUpsampler'), sr_loss=None))
    with pytest.raises(ValueError, match='estimates no blur kernel'):
        report_kernels(Config.fromfile(run[0]), blind, cut_border=True)
