"""HD95Metric against published figures, through MMEngine's evaluator."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.curve_samples import GOLDEN, evaluate, golden_samples, rows, sample
from mmseg.registry import METRICS

from csbsr_mm.evaluation import HD95Metric

CURVE = GOLDEN['hd95'].mean(0)


def one_empty():
    """(99,) images of the published ones with exactly one empty mask."""
    predicted = GOLDEN['prob'].max((1, 2))[:, None] > GOLDEN['thresholds']
    return (predicted != GOLDEN['gt'].any((1, 2))[:, None]).sum(0)


@pytest.mark.parametrize('form', ['seg_prob', 'one channel', 'two probabilities'])
@pytest.mark.parametrize('workers', [0, 2])
def test_golden_figures(form, workers):
    metrics = evaluate(HD95Metric(workers=workers), golden_samples(form))
    assert metrics['HD95_min'] == pytest.approx(CURVE.min(), abs=1e-9)
    assert metrics['AHD95'] == pytest.approx(CURVE.mean(), abs=1e-9)
    assert metrics['HD95_min_threshold'] == pytest.approx(GOLDEN['thresholds'][CURVE.argmin()])
    assert metrics['HD95_at_0.5'] == pytest.approx(CURVE[49], abs=1e-9)
    assert metrics['HD95_one_empty'] == one_empty()[CURVE.argmin()]


def test_several_percentiles():
    metrics = evaluate(HD95Metric(percentile=[95, 50]), golden_samples())
    assert metrics['AHD95'] == pytest.approx(CURVE.mean(), abs=1e-9)
    assert metrics['AHD50'] == pytest.approx(GOLDEN['hd50'].mean(), abs=1e-9)
    assert metrics['HD50_min'] == pytest.approx(GOLDEN['hd50'].mean(0).min(), abs=1e-9)


def test_empty_masks_as_chosen():
    """Images 3 and 6 have no crack; 6 and 7 have no prediction."""
    per_image = {}
    for empty in ('image_width', 'nan', 'inf', 7):
        metrics = evaluate(HD95Metric(empty=empty, at=(0.5,)), golden_samples())
        per_image[empty] = metrics['HD95_at_0.5']
    outliers = one_empty()[49]
    assert per_image[7] == pytest.approx(CURVE[49] - outliers * (100 - 7) / 8, abs=1e-9)
    assert per_image['nan'] == pytest.approx((8 * CURVE[49] - 100 * outliers) / (8 - outliers), abs=1e-9)
    assert per_image['inf'] == np.inf


def test_median_over_images():
    metrics = evaluate(HD95Metric(aggregation='median'), golden_samples())
    assert metrics['HD95_at_0.5'] == pytest.approx(np.median(GOLDEN['hd95'][:, 49]), abs=1e-9)


def test_ignored_pixels_change_nothing():
    expected = None
    for fill in (0.0, 1.0):
        samples = golden_samples()
        for data_sample in samples:
            data_sample.gt_sem_seg.data[0, 10:50, 30:70] = 255
            data_sample.seg_prob.data[0, 10:50, 30:70] = fill
        metrics = evaluate(HD95Metric(), samples)
        expected = expected or metrics
        assert metrics == expected


def test_an_image_ignored_as_a_whole_is_no_outlier():
    everything = sample('a', np.full((6, 7), 255), seg_prob=torch.ones(1, 6, 7))
    metrics = evaluate(HD95Metric(), [everything])
    assert metrics['HD95_min'] == metrics['AHD95'] == metrics['HD95_one_empty'] == 0


def test_writes_its_curve_and_its_images(tmp_path):
    files = {name: str(tmp_path / 'out' / name) for name in ('images.csv', 'curve.csv', 'curve.png')}
    metric = HD95Metric(
        percentile=(95, 50),
        per_image_csv=files['images.csv'],
        curve_csv=files['curve.csv'],
        curve_png=files['curve.png'],
    )
    metrics = evaluate(metric, golden_samples())
    images = rows(files['images.csv'])
    assert np.mean([float(row['AHD95']) for row in images]) == pytest.approx(metrics['AHD95'])
    assert float(images[2]['HD50_at_0.5']) == pytest.approx(GOLDEN['hd50'][2, 49])
    curve = rows(files['curve.csv'])
    np.testing.assert_allclose([float(row['HD95']) for row in curve], CURVE, atol=1e-9)
    np.testing.assert_array_equal([int(row['one_empty']) for row in curve], one_empty())
    assert Path(files['curve.png']).read_bytes()[:4] == b'\x89PNG'


def test_bad_settings_are_refused_when_built():
    for settings, message in (
        (dict(percentile=0), r'percentile must be in \(0, 100\], got'),
        (dict(spacing=(1.0, -1.0)), 'spacing must be two positive numbers'),
        (dict(empty='width'), "empty must be 'image_width'"),
        (dict(aggregation='sum'), "aggregation must be 'mean' or 'median', got 'sum'"),
    ):
        with pytest.raises(ValueError, match=message):
            METRICS.build(dict(type='HD95Metric', **settings))
