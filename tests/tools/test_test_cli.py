import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers.models import tiny_csbsr, tiny_unet
from helpers.training import csbsr, dump, load, loader, tiny_config
from mmengine.runner import Runner
from mmseg.registry import DATASETS, MODELS

from csbsr_mm.datasets.image_files import source_of

ODD = 5


def make_config(work_dir, **changes):
    """Trains one iteration, tests on a set of odd size."""
    data = loader(batch_size=1, length=ODD)
    data['sampler'] = dict(type='DefaultSampler', shuffle=False)
    settings = dict(
        max_iters=1,
        test_dataloader=data,
        test_cfg=dict(type='TestLoop'),
        test_evaluator=[dict(type='SRQualityMetric'), dict(type='IoUMetric', prefix='stock')],
        visualizer=dict(type='BlindSRLocalVisualizer', vis_backends=[dict(type='LocalVisBackend')]),
    )
    cfg = tiny_config(work_dir, **{**settings, **changes})
    cfg.default_hooks.visualization = dict(type='SegVisualizationHook')
    return cfg


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A config file and a checkpoint of it."""
    folder = tmp_path_factory.mktemp('trained')
    cfg = make_config(folder / 'run')
    config = dump(cfg, folder / 'config.py')
    Runner.from_cfg(cfg).train()
    return config, folder / 'run' / 'iter_1.pth'


@pytest.fixture
def run_test(monkeypatch, tmp_path):
    """Run ``csbsr test`` within this process, in a folder of its own."""

    def run(*arguments):
        monkeypatch.chdir(tmp_path)
        assert csbsr('test', *arguments) == 0

    return run


def test_prints_a_table_and_writes_json(tmp_path, trained, run_test, capsys):
    config, checkpoint = trained
    run_test(config, checkpoint, '--json', 'reports/metrics.json', '--work-dir', tmp_path)
    report = json.loads((tmp_path / 'reports' / 'metrics.json').read_text())
    printed = capsys.readouterr().out
    assert list(report['metrics'])[:3] == ['PSNR', 'SSIM', 'kernel_PSNR']
    assert 'stock/mIoU' in report['metrics']
    for name, value in report['metrics'].items():
        assert f'{name} ' in printed
        assert f'{value:.4f}' in printed
    assert report['config'] == str(config)
    assert report['checkpoint'] == str(checkpoint)
    assert report['versions']['torch'] == torch.__version__


def test_metrics_by_source(tmp_path, trained, run_test, capsys):
    """Means over the photos of each prefix, from the values that the metrics write of each image."""
    run_test(*trained, '--by-source', '--work-dir', tmp_path)
    printed = capsys.readouterr().out.split('by source')[1]
    with (tmp_path / 'per_image' / 'SRQualityMetric.csv').open(newline='') as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == ODD
    for name in {source_of(Path(row['image']).name) for row in rows}:
        own = [float(row['PSNR']) for row in rows if source_of(Path(row['image']).name) == name]
        assert name in printed
        assert f'{sum(own) / len(own):.4f}' in printed


def test_a_report_that_cannot_be_written_is_refused_before_the_test(tmp_path, trained, run_test, monkeypatch):
    (tmp_path / 'file').touch()
    monkeypatch.setattr(Runner, 'test', lambda self: pytest.fail('tested first'))
    for path in ('file/metrics.json', '.'):
        assert path.split('/')[0] in refusal(run_test, *trained, '--json', path, '--work-dir', tmp_path)


def test_out_saves_masks_as_mmsegmentation_does(tmp_path, trained, run_test):
    """Equal to what IoUMetric writes."""
    config, checkpoint = trained
    options = ['--cfg-options', 'test_evaluator.1.output_dir=stock']
    run_test(config, checkpoint, '--out', 'masks', '--work-dir', tmp_path, *options)
    names = sorted(path.name for path in (tmp_path / 'masks').iterdir())
    assert names == [f'{index}.png' for index in range(ODD)]
    for name in names:
        ours, stock = (cv2.imread(str(tmp_path / d / name), cv2.IMREAD_UNCHANGED) for d in ('masks', 'stock'))
        assert np.array_equal(ours, stock)
        assert ours.shape == (24, 32)


def test_show_dir_paints_every_image(tmp_path, trained, run_test):
    config, checkpoint = trained
    for index in range(ODD):
        cv2.imwrite(str(tmp_path / f'{index}.png'), np.zeros((6, 8, 3), np.uint8))
    run_test(config, checkpoint, '--show-dir', 'painted', '--work-dir', tmp_path)
    painted = list((tmp_path / 'painted').rglob('*.png'))
    assert len(painted) == ODD
    # Ground truth beside prediction, at SR size.
    assert cv2.imread(str(painted[0])).shape == (24, 64, 3)


def refusal(run_test, *arguments):
    with pytest.raises(SystemExit) as caught:
        run_test(*arguments)
    message = str(caught.value)
    assert message.startswith('error: ')
    assert '\n' not in message
    return message


def test_refuses_what_is_no_checkpoint(tmp_path, trained, run_test):
    config, checkpoint = trained
    assert 'gone.pth does not exist' in refusal(run_test, config, 'gone.pth')
    (tmp_path / 'half.pth').write_bytes(checkpoint.read_bytes()[:5000])
    assert 'truncated, damaged' in refusal(run_test, config, tmp_path / 'half.pth')
    torch.save(dict(epoch=3), tmp_path / 'log.pth')
    assert 'holds no state_dict' in refusal(run_test, config, tmp_path / 'log.pth')
    assert 'nowhere.py does not exist' in refusal(run_test, 'nowhere.py', checkpoint)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda weights: {k: v for k, v in weights.items() if k.startswith('sr.')}, 'weights missing'),
        (lambda weights: {**weights, 'blur_skip.conv.weight': torch.ones(1)}, '1 weights unknown'),
        (lambda weights: {k: v[..., :1] if v.ndim == 4 else v for k, v in weights.items()}, 'reshaped'),
    ],
)
def test_refuses_a_checkpoint_that_fits_in_parts(tmp_path, trained, run_test, change, message):
    config, checkpoint = trained
    torch.save(dict(state_dict=change(load(checkpoint)['state_dict'])), tmp_path / 'other.pth')
    assert message in refusal(run_test, config, tmp_path / 'other.pth')


def test_refuses_a_checkpoint_of_another_network(tmp_path, trained, run_test):
    _, checkpoint = trained
    larger = dict(type='KBPN', num_stages=3, channels=4, kernel_size=5, estimated_kernel_size=3)
    config = dump(make_config(tmp_path, model=tiny_csbsr(sr=larger)), tmp_path / 'larger.py')
    assert 'does not fit BlindSRSegmentor' in refusal(run_test, config, checkpoint)


def test_refuses_switches_that_the_config_lacks(trained, run_test):
    config, checkpoint = trained
    hook = 'default_hooks.visualization=None'
    assert 'SegVisualizationHook' in refusal(
        run_test, config, checkpoint, '--show-dir', 'x', '--cfg-options', hook
    )


def test_tta_averages_flipped_photos(tmp_path, trained, run_test):
    """The SR image of the report is the mean over the four flips, turned back."""
    _, checkpoint = trained
    photo = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    for folder, image in (
        ('images', photo),
        ('masks', np.where(photo[..., 0] > 200, 255, 0).astype(np.uint8)),
    ):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / 'a.png'), image)
    pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='LoadAnnotations'),
        dict(type='BinarizeMask'),
        dict(type='BlindDegradation', kernel_size=5),
        dict(type='PackBlindSRInputs'),
    ]
    dataset = dict(
        type='CrackDataset',
        data_root=str(tmp_path),
        data_prefix=dict(img_path='images', seg_map_path='masks'),
        test_mode=True,
        pipeline=pipeline,
    )
    loader = dict(
        batch_size=1, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False), dataset=dataset
    )
    cfg = make_config(tmp_path / 'run', test_dataloader=loader, test_evaluator=[dict(type='SRQualityMetric')])
    config = dump(cfg, tmp_path / 'config.py')
    run_test(config, checkpoint, '--tta', '--json', 'tta.json')
    measured = json.loads((tmp_path / 'tta.json').read_text())['metrics']

    sample = DATASETS.build(dataset)[0]
    model = MODELS.build(cfg.model).eval()
    model.load_state_dict(load(checkpoint)['state_dict'])
    lr_image = model.data_preprocessor(dict(inputs=[sample['inputs']]))['inputs']
    with torch.no_grad():
        flips = [model.sr(lr_image.flip(dims))[0].clamp(0, 1).flip(dims) for dims in ((), (3,), (2,), (2, 3))]
    true = sample['data_samples'].gt_hr_img.data.flip(0) / 255
    error = (torch.stack(flips).mean(0)[0] - true).square().mean()
    assert measured['PSNR'] == pytest.approx(-10 * error.log10().item(), abs=1e-3)


def test_tests_a_stock_segmentor(tmp_path, run_test, capsys):
    data = dict(type='SegDataPreProcessor', size=(8, 8), test_cfg=dict(size=(8, 8)))
    model = {**tiny_unet(), 'data_preprocessor': data}
    tested = loader(batch_size=1, length=2, size=(8, 8), label_scale=1)
    tested['sampler'] = dict(type='DefaultSampler', shuffle=False)
    loaders = dict(train_dataloader=loader(size=(8, 8), label_scale=1), test_dataloader=tested)
    cfg = make_config(tmp_path / 'run', model=model, test_evaluator=[dict(type='IoUMetric')], **loaders)
    config = dump(cfg, tmp_path / 'config.py')
    Runner.from_cfg(cfg).train()
    run_test(config, tmp_path / 'run' / 'iter_1.pth', '--work-dir', tmp_path)
    assert 'mIoU' in capsys.readouterr().out
