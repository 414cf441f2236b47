"""Metrics do not depend on the number of processes."""

import json

import pytest
import torch
from helpers.training import dump, free_port, loader, run_tool, tiny_config
from mmengine.runner import Runner

pytestmark = pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason='torch without gloo')


def test_two_processes_measure_what_one_does(tmp_path):
    """To the last digit, on a set of odd size, whose last image both processes would see."""
    data = loader(batch_size=1, length=5)
    data['sampler'] = dict(type='DefaultSampler', shuffle=False)
    cfg = tiny_config(
        tmp_path / 'run',
        max_iters=1,
        test_dataloader=data,
        test_cfg=dict(type='TestLoop'),
        test_evaluator=[
            dict(type='AIUMetric'),
            dict(type='HD95Metric'),
            dict(type='SRQualityMetric'),
            dict(type='IoUMetric'),
        ],
    )
    config = dump(cfg, tmp_path / 'config.py')
    Runner.from_cfg(cfg).train()
    checkpoint = tmp_path / 'run' / 'iter_1.pth'
    values = []
    for script, count in (('test.py', []), ('dist_test.sh', [2])):
        report = tmp_path / f'{script}.json'
        run_tool(script, config, checkpoint, *count, '--json', report, PORT=free_port())
        values.append(json.loads(report.read_text())['metrics'])
    one, two = values
    assert {'IoU_max', 'AIU', 'HD95_min', 'AHD95', 'PSNR', 'SSIM', 'kernel_PSNR', 'mIoU'} <= set(one)
    assert one == two
