"""SRQualityMetric against golden figures, through MMEngine's evaluator."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from csbsr_mm.evaluation import SRQualityMetric
from csbsr_mm.functional.degradation import anisotropic_gaussian_kernel

GOLDEN = np.load(Path(__file__).parents[1] / 'data' / 'blind_sr.npz')


def golden_samples():
    fields = dict(
        sr_img='quality_image', gt_hr_img='hr', blur_kernel='kernel_pred', gt_blur_kernel='kernel_gt'
    )
    samples = []
    for i in range(2):
        sample = SegDataSample(metainfo=dict(img_path=f'{i}.png'))
        for field, name in fields.items():
            sample.set_data({field: PixelData(data=torch.from_numpy(GOLDEN[name][i]).float())})
        samples.append(sample)
    return samples


def evaluate(samples, **settings):
    evaluator = Evaluator(SRQualityMetric(**settings))
    evaluator.process(samples)
    return evaluator.evaluate(len(samples))


def test_equals_golden(tmp_path):
    path = tmp_path / 'out' / 'images.csv'
    metrics = evaluate(golden_samples(), per_image_csv=str(path))
    assert metrics['PSNR'] == pytest.approx(GOLDEN['psnr_of_quality_image'].mean(), abs=1e-5)
    assert metrics['SSIM'] == pytest.approx(GOLDEN['ssim_of_quality_image'].mean(), abs=1e-6)
    assert metrics['kernel_PSNR'] == pytest.approx(GOLDEN['kernel_psnr'].mean(), abs=1e-4)
    rows = list(csv.DictReader(path.open()))
    assert [row['image'] for row in rows] == ['0.png', '1.png']
    assert float(rows[1]['PSNR']) == pytest.approx(GOLDEN['psnr_of_quality_image'][1], abs=1e-5)


def test_kernels_are_clipped():
    samples = golden_samples()[:1]
    samples[0].blur_kernel.data = samples[0].gt_blur_kernel.data.clone()
    samples[0].blur_kernel.data[0, 0, 0] = -5.0
    error = float(samples[0].gt_blur_kernel.data[0, 0, 0]) ** 2 / 441
    assert evaluate(samples)['kernel_PSNR'] == pytest.approx(-10 * np.log10(error), rel=1e-4)


def test_network_without_a_kernel():
    samples = golden_samples()
    for sample in samples:
        del sample.blur_kernel
    metrics = evaluate(samples)
    assert set(metrics) == {'PSNR', 'SSIM'}


def test_missing_images():
    samples = golden_samples()
    del samples[1].gt_hr_img
    with pytest.raises(KeyError, match=r'gt_hr_img is missing for 1.png: load it with BlindDegradation'):
        evaluate(samples)
    metrics = evaluate(samples, missing='skip')
    assert metrics['PSNR'] == pytest.approx(GOLDEN['psnr_of_quality_image'][0], abs=1e-5)
    del samples[0].sr_img
    with pytest.raises(KeyError, match='the model makes no SR image; leave SRQualityMetric out'):
        evaluate(samples)
    with pytest.raises(ValueError, match="must be 'error' or 'skip', got 'no'"):
        SRQualityMetric(missing='no')


def test_sizes_and_ranges_are_checked():
    samples = golden_samples()
    samples[0].gt_hr_img = PixelData(data=torch.zeros(3, 60, 64))
    with pytest.raises(ValueError, match=r'\(3, 64, 64\) and HR image \(3, 60, 64\) of 0.png differ'):
        evaluate(samples)
    samples = golden_samples()
    samples[0].gt_hr_img.data = samples[0].gt_hr_img.data * 255
    with pytest.raises(ValueError, match=r'expected RGB in \[0, 1\]; use BlindSRDataPreProcessor'):
        evaluate(samples)
    samples = golden_samples()
    samples[0].gt_blur_kernel = PixelData(data=torch.zeros(1, 7, 7))
    with pytest.raises(ValueError, match='differ in size; give network and degradation one kernel_size'):
        evaluate(samples)


def kernel_samples(estimated, true):
    samples = []
    for number, pair in enumerate(zip(estimated, true, strict=True)):
        sample = golden_samples()[0]
        sample.set_metainfo(dict(img_path=f'{number}.png'))
        for field, kernel in zip(('blur_kernel', 'gt_blur_kernel'), pair, strict=True):
            sample.set_data({field: PixelData(data=torch.from_numpy(kernel)[None].float())})
        samples.append(sample)
    return samples


def test_a_network_that_sees_nothing_is_exposed(tmp_path):
    """One kernel for all images has a high PSNR, and the other figures say what it is worth."""
    rng = np.random.default_rng(0)
    true = anisotropic_gaussian_kernel(*rng.uniform(0.2, 4.0, (2, 30)), rng.uniform(0, 3, 30))
    blind = evaluate(kernel_samples([anisotropic_gaussian_kernel(2.7, 2.7, 0.0)] * 30, true))
    assert blind['kernel_PSNR'] == pytest.approx(blind['kernel_PSNR_constant'], abs=0.5)
    assert blind['kernel_size_R2'] < 0.1
    path = tmp_path / 'images.csv'
    seeing = evaluate(kernel_samples(true, true[::-1])[:15] + kernel_samples(true, true)[15:])
    perfect = evaluate(kernel_samples(true, true), per_image_csv=str(path))
    assert perfect['kernel_size_R2'] == pytest.approx(1, abs=1e-6)
    assert perfect['kernel_angle_error'] == pytest.approx(0, abs=0.01)
    assert blind['kernel_PSNR_constant'] == pytest.approx(perfect['kernel_PSNR_constant'])
    assert perfect['kernel_size_error'] < seeing['kernel_size_error']
    row = list(csv.DictReader(path.open()))[3]
    assert float(row['true_size']) == pytest.approx(float(row['estimated_size']), abs=1e-5)
    assert 'kernel' not in row
