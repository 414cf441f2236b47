"""Curves that the metrics wrote, drawn by the tool."""

import numpy as np
import pytest
import torch
from helpers.tools import load_tool

from csbsr_mm.evaluation import AIUMetric, HD95Metric
from csbsr_mm.visualization.threshold_curves import draw_threshold_curves


@pytest.fixture(scope='module')
def tool():
    return load_tool('analysis_tools/threshold_curves')


@pytest.fixture
def runs(tmp_path):
    """Two folders of curve files, written by the metrics, and what the metrics said."""
    said = {}
    for seed, name in enumerate(('csbsr', 'bicubic')):
        generator = torch.Generator().manual_seed(seed)
        label = (torch.rand(1, 24, 24, generator=generator) > 0.8).long()
        prob = (0.6 * label + 0.4 * torch.rand(1, 24, 24, generator=generator)).float()
        sample = dict(seg_prob=dict(data=prob), gt_sem_seg=dict(data=label), img_path='a.png')
        said[name] = {}
        for kind, file in ((AIUMetric, 'iou.csv'), (HD95Metric, 'hd95.csv')):
            metric = kind(curve_csv=str(tmp_path / name / file))
            metric.process({}, [sample])
            said[name].update(metric.evaluate(size=1))
    return tmp_path, said


def test_best_and_mean_are_the_metrics_own(tool, runs):
    folder, said = runs
    curves = dict(
        tool.read_run(f'{label}={folder / name}') for label, name in (('CSBSR', 'csbsr'), ('B', 'bicubic'))
    )
    iou, distance = draw_threshold_curves(curves).axes
    for axis, best, average in ((iou, 'IoU_max', 'AIU'), (distance, 'HD95_min', 'AHD95')):
        labels = [text.get_text() for text in axis.get_legend().get_texts()]
        for name, label in zip(('csbsr', 'bicubic'), labels, strict=True):
            assert f'best {said[name][best]:.4g} at {said[name][best + "_threshold"]:g}' in label
            assert f'mean {said[name][average]:.4g}' in label
    assert np.array_equal(iou.lines[0].get_ydata(), curves['CSBSR']['IoU'][1])


@pytest.mark.parametrize('suffix', ['png', 'pdf', 'svg'])
def test_command(tool, runs, tmp_path, suffix):
    folder, _ = runs
    out = tmp_path / 'pictures' / f'curves.{suffix}'
    assert tool.main([str(folder / 'csbsr'), str(folder / 'bicubic' / 'iou.csv'), '--out', str(out)]) == 0
    assert out.stat().st_size > 1000


def test_names_without_a_label_are_the_folders(tool, runs):
    folder, _ = runs
    assert (
        tool.read_run(str(folder / 'csbsr'))[0]
        == tool.read_run(str(folder / 'csbsr' / 'iou.csv'))[0]
        == 'csbsr'
    )


def test_what_cannot_be_drawn(tool, runs, tmp_path, capsys):
    folder, _ = runs
    (tmp_path / 'empty').mkdir()
    for arguments, message in (
        ([str(tmp_path / 'empty')], 'holds no curves'),
        ([str(tmp_path / 'missing.csv')], 'cannot be read'),
        ([str(folder / 'csbsr'), '--quantities', 'PSNR'], 'no run has PSNR; there are'),
    ):
        assert tool.main(arguments) == 2
        assert message in capsys.readouterr().err
